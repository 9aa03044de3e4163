"""Asks Postgres itself, with LiteLLM's own login: read-only, one short connection, closed each time.

The driver is asyncpg: it has no dependencies, speaks the protocol itself on the event loop, and is imported with the
first question only (35 ms; pg8000 takes twice as long and blocks, psycopg three times as long).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from importlib import import_module
from typing import Any, Final

from litellm_tui.collectors.database_url import Login
from litellm_tui.collectors.gateway.answers import excerpt
from litellm_tui.model.database import Migration, PostgresAnswer, Refused
from litellm_tui.model.failures import Failure, Malformed, Unreachable

# for the connection, the login and all questions
TIMEOUT: Final = 4.0
_STATEMENT_MILLISECONDS: Final = 1500
# a migration that holds the lock of a table is not waited for
_LOCK_MILLISECONDS: Final = 500
_MOST_MIGRATIONS: Final = 5
_LONGEST_LOG: Final = 400
# without these no key, budget or spend works, in 1.77.7 and in 1.106.2 (schema.prisma)
TABLES: Final = (
    "LiteLLM_VerificationToken", "LiteLLM_UserTable", "LiteLLM_TeamTable", "LiteLLM_OrganizationTable",
    "LiteLLM_BudgetTable", "LiteLLM_EndUserTable", "LiteLLM_SpendLogs", "LiteLLM_ProxyModelTable", "LiteLLM_Config",
)  # fmt: skip
_MIGRATIONS: Final = "_prisma_migrations"
# pg_stat_database is open to every role, where pg_stat_activity hides the backends of others
_FIGURES: Final = """
SELECT current_setting('server_version') AS version,
       current_setting('max_connections')::int8
         - current_setting('superuser_reserved_connections')::int8
         - coalesce(current_setting('reserved_connections', true), '0')::int8 AS most,
       (SELECT coalesce(sum(numbackends), 0) FROM pg_catalog.pg_stat_database)::int8 AS used,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity
         WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid())::int8 AS own,
       (SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname = current_user)::int8 AS of_role,
       (SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = current_database())::int8 AS of_database,
       pg_is_in_recovery() AS standby,
       current_setting('default_transaction_read_only') = 'on' AS read_only
"""
# estimates of the catalogue: counting the rows of a spend log takes minutes
_TABLES: Final = """
SELECT c.relname::text AS name, c.reltuples::float8 AS tuples,
       (c.relpages + coalesce(t.relpages, 0)
         + coalesce((SELECT sum(i.relpages) FROM pg_catalog.pg_index x
                       JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid), 0))::int8
         * current_setting('block_size')::int8 AS size
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
 WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname = ANY($2::text[])
"""
_UNFINISHED: Final = """
SELECT migration_name::text AS name, extract(epoch FROM started_at)::float8 AS started_at,
       left(coalesce(logs, ''), {length}) AS logs
  FROM {schema}.{table}
 WHERE finished_at IS NULL AND rolled_back_at IS NULL ORDER BY started_at DESC LIMIT {most}
"""


async def ask(login: Login) -> PostgresAnswer | Failure:
    """What Postgres says of itself and of LiteLLM's tables, within `TIMEOUT` seconds."""
    driver = await asyncio.to_thread(import_module, "asyncpg")
    connected = False
    connection: Any = None
    try:
        async with asyncio.timeout(TIMEOUT):
            context = await asyncio.to_thread(_context, login) if _wants_tls(login) else None
            began = time.perf_counter()
            connection = await _connect(driver, login, context)
            connected = True
            return await _asked(driver, connection, login, began)
    except TimeoutError:
        how = "does not answer" if connected else "does not take the connection"
        return Unreachable(f"Postgres at {login.place} {how} within {TIMEOUT:g} s", kind="timeout")
    except driver.exceptions.QueryCanceledError:
        why = f"Postgres at {login.place} takes the login and answers no question within {TIMEOUT:g} s"
        return Unreachable(why, kind="timeout")
    except (driver.PostgresConnectionError, ConnectionResetError, EOFError, BrokenPipeError):
        return Unreachable(f"Postgres at {login.place} closes the connection without a word", kind="closed")
    except driver.PostgresError as error:
        words = excerpt(str(error.args[0] if error.args else type(error).__name__), 300)
        return Refused(f"Postgres at {login.place}: {words}", code=str(error.sqlstate or ""))
    except (driver.InterfaceError, driver.InternalClientError) as error:
        return Malformed(f"what listens at {login.place} does not speak as Postgres does ({type(error).__name__})")
    except (OSError, ValueError) as error:
        return _unreachable(error, login)
    finally:
        if connection is not None:
            # every question has ended, or is not waited for any more
            connection.terminate()


def _wants_tls(login: Login) -> bool:
    return login.tls != "disable" and not login.host.startswith("/")


async def _connect(driver: Any, login: Login, context: ssl.SSLContext | None) -> Any:
    """A connection as LiteLLM's client makes it: with TLS where the server has it, unless the URL says otherwise."""
    try:
        return await _opened(driver, login, context)
    except ConnectionError as error:
        # asyncpg raises it for a server without TLS
        if login.tls != "prefer" or context is None or "SSL" not in str(error):
            raise
        return await _opened(driver, login, None)


async def _opened(driver: Any, login: Login, context: ssl.SSLContext | None) -> Any:
    # what is not given here, asyncpg would look up in files and variables of the operator
    return await driver.connect(
        host=login.host,
        port=login.port,
        user=login.user,
        password=login.password,
        database=login.database,
        ssl=context or False,
        direct_tls=False,
        target_session_attrs="any",
        timeout=TIMEOUT,
        # a pooler hands the connection to somebody else: nothing prepared may stay in it
        statement_cache_size=0,
        server_settings={"application_name": "litellm-tui"},
    )


def _context(login: Login) -> ssl.SSLContext:
    """Certificates are checked where the URL asks LiteLLM to. Raises OSError for a file that cannot be read."""
    if login.tls == "verify":
        return ssl.create_default_context(cafile=login.root or None)
    return ssl._create_unverified_context()


async def _asked(driver: Any, connection: Any, login: Login, began: float) -> PostgresAnswer:
    """All questions in one transaction that cannot write, which a pooler keeps on one connection."""
    await connection.execute(
        f"BEGIN READ ONLY; SET LOCAL statement_timeout = {_STATEMENT_MILLISECONDS}; "
        f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}"
    )
    figures = await connection.fetchrow(_FIGURES)
    answered_in = time.perf_counter() - began
    tables = {row["name"]: row for row in await connection.fetch(_TABLES, login.schema, [*TABLES, _MIGRATIONS])}
    unfinished: tuple[Migration, ...] = ()
    unread = ""
    if _MIGRATIONS in tables:
        try:
            unfinished = await _unfinished(connection, login)
        except (driver.exceptions.LockNotAvailableError, driver.exceptions.QueryCanceledError):
            unread = "another session holds its lock: a migration is under way, or hangs"
        except driver.PostgresError as error:
            unread = excerpt(str(error.args[0] if error.args else error.sqlstate), 200)
    limits = [int(figures[name]) for name in ("of_role", "of_database") if (figures[name] or -1) >= 0]
    spend = tables.get("LiteLLM_SpendLogs")
    measured = spend is not None and spend["tuples"] >= 0
    return PostgresAnswer(
        version=excerpt(str(figures["version"]).partition(" ")[0], 20),
        answered_in=answered_in,
        used=max(0, int(figures["used"]) - 1),
        most=max(1, int(figures["most"])),
        own=int(figures["own"]),
        own_most=min(limits, default=None),
        standby=bool(figures["standby"]),
        read_only=bool(figures["read_only"]),
        missing=tuple(name for name in TABLES if name not in tables),
        unfinished=unfinished,
        unread_migrations=unread,
        spend_rows=int(spend["tuples"]) if spend is not None and measured else None,
        spend_bytes=int(spend["size"]) if spend is not None and measured else None,
    )


async def _unfinished(connection: Any, login: Login) -> tuple[Migration, ...]:
    schema = '"' + login.schema.replace('"', '""') + '"'
    question = _UNFINISHED.format(schema=schema, table=_MIGRATIONS, length=_LONGEST_LOG, most=_MOST_MIGRATIONS)
    rows = await connection.fetch(question)
    return tuple(
        Migration(excerpt(row["name"], 120), float(row["started_at"] or 0.0), excerpt(row["logs"], _LONGEST_LOG))
        for row in rows
    )


def _unreachable(error: OSError | ValueError, login: Login) -> Failure:
    where = f"Postgres at {login.place}"
    if isinstance(error, socket.gaierror):
        return Unreachable(f"{where}: no such host ({error.strerror})", kind="dns")
    if isinstance(error, FileNotFoundError) and login.host.startswith("/"):
        return Unreachable(f"{where}: there is no such socket", kind="refused")
    if isinstance(error, ssl.SSLError) or "SSL" in str(error):
        return Unreachable(f"{where}: TLS: {excerpt(str(error), 200)}", kind="tls")
    # a name with several addresses gives the errors of all of them in one text
    if isinstance(error, ConnectionRefusedError) or "[Errno 111]" in str(error):
        return Unreachable(f"{where} refuses the connection", kind="refused")
    return Unreachable(f"{where}: {excerpt(str(error), 200) or type(error).__name__}")
