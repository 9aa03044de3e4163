"""LiteLLM's database on a real Postgres: running, stopped, full, refusing, half migrated, slow, read-only.

LiteLLM's own client is not here: its engine is fetched at run time. What its readiness says of a database comes from
its source, and is said by the simulated gateway.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg  # type: ignore[import-untyped]
import msgspec
import pytest

from litellm_tui.cli import main
from litellm_tui.collectors import postgres as collector
from litellm_tui.collectors.database_url import Login, read_url
from litellm_tui.collectors.postgres import TABLES, ask
from litellm_tui.demo import Simulation, files
from litellm_tui.model.database import PostgresAnswer, Refused
from litellm_tui.model.failures import Failure, Malformed, Unreachable
from litellm_tui.monitor import postgres_poller
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from tests.demo.probing import state, systemctl, until
from tests.lab import required
from tests.lab.postgres import CONNECTIONS, DATABASE, PASSWORD, USER, Postgres, missing
from tests.ui.scene import opened
from tests.waiting import DEADLINE

# ordinary roles get what the superuser does not keep
ORDINARY = CONNECTIONS - 3
SCHEMA = [f'CREATE TABLE "{name}" (id int)' for name in TABLES]
MIGRATIONS = (
    "CREATE TABLE _prisma_migrations (migration_name text, started_at timestamptz DEFAULT now(), "
    "finished_at timestamptz, rolled_back_at timestamptz, logs text)"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    if reason := missing():
        if required():
            pytest.fail(f"the lab is required here, but: {reason}", pytrace=False)
        pytest.skip(f"no Postgres: {reason}")
    with Postgres.boot() as booted:
        yield booted


@pytest.fixture
def server(cluster: Postgres) -> Iterator[Postgres]:
    """The cluster with LiteLLM's tables and a migration that went well; all is made anew for each test."""
    made = "INSERT INTO _prisma_migrations VALUES ('20250101_first', now(), now(), NULL, NULL)"
    cluster.sql(*(f"SET ROLE {USER}", *SCHEMA, MIGRATIONS, made), database=DATABASE)
    yield cluster
    cluster.sql(
        f"DROP OWNED BY {USER}", f"ALTER ROLE {USER} RESET ALL", f"ALTER ROLE {USER} CONNECTION LIMIT -1",
        database=DATABASE,
    )  # fmt: skip


def url(server: Postgres, password: str = PASSWORD, tail: str = "") -> str:
    return f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{server.port}/{DATABASE}{tail}"


def login(server: Postgres, password: str = PASSWORD, tail: str = "") -> Login:
    return read_url(url(server, password, tail))


async def answered(server: Postgres, tail: str = "") -> PostgresAnswer:
    found = await ask(login(server, tail=tail))
    assert isinstance(found, PostgresAnswer), found
    return found


async def answered_with(server: Postgres, used: int) -> PostgresAnswer:
    """The answer once so many connections are used: a server's process ends a moment after its client."""
    deadline = time.monotonic() + DEADLINE
    while True:
        found = await answered(server)
        if found.used == used or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.05)


async def refused(where: Login) -> Failure:
    found = await ask(where)
    assert isinstance(found, Failure), found
    return found


# --- Postgres itself -------------------------------------------------------------------------------------------------


async def test_one_that_runs_tells_its_figures(server: Postgres) -> None:
    found = await answered_with(server, 0)
    assert int(found.version.partition(".")[0]) >= 13
    assert (found.most, found.used, found.own, found.own_most) == (ORDINARY, 0, 0, None)
    assert (found.missing, found.unfinished, found.unread_migrations) == ((), (), "")
    assert (found.standby, found.read_only) == (False, False)
    assert found.spend_rows is None
    server.sql(
        'INSERT INTO "LiteLLM_SpendLogs" SELECT generate_series(1, 5000)', 'ANALYZE "LiteLLM_SpendLogs"',
        database=DATABASE,
    )  # fmt: skip
    found = await answered(server)
    assert found.spend_rows == 5000
    assert found.spend_bytes is not None
    assert 100_000 < found.spend_bytes < 1_000_000


async def test_it_is_read_with_one_connection_that_cannot_write_and_is_closed(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = len(server.log)
    await answered(server)
    asked = re.findall(r"^litellm-tui: LOG:  (?:statement|execute <unnamed>): ?(.*)$", server.log[begun:], re.MULTILINE)
    assert len(asked) == 4
    assert asked[0].startswith("BEGIN READ ONLY; SET LOCAL statement_timeout")
    own = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'litellm-tui'"
    until(lambda: server.sql(own) == "0")
    monkeypatch.setattr(collector, "_FIGURES", """INSERT INTO "LiteLLM_Config" VALUES (1)""")
    found = await refused(login(server))
    assert isinstance(found, Refused)
    assert "read-only transaction" in found.why


async def test_its_socket_serves_as_well(server: Postgres) -> None:
    query = f"postgresql://{USER}:{quote(PASSWORD, safe='')}@localhost:{server.port}/{DATABASE}?host={server.folder}"
    folder = quote(str(server.folder), safe="")
    in_place = f"postgresql://{USER}:{quote(PASSWORD, safe='')}@{folder}:{server.port}/{DATABASE}"
    for given in (query, in_place):
        found = await ask(read_url(given))
        assert isinstance(found, PostgresAnswer), found
    gone = await refused(msgspec.structs.replace(read_url(query), host="/nowhere"))
    assert isinstance(gone, Unreachable)
    assert gone.kind == "refused"


async def test_a_server_without_tls_is_asked_in_plain_unless_the_url_wants_tls(server: Postgres) -> None:
    assert await answered(server, "?sslmode=prefer")
    assert await answered(server, "?sslmode=disable")
    found = await refused(login(server, tail="?sslmode=require"))
    assert isinstance(found, Unreachable)
    assert found.kind == "tls"


async def test_a_certificate_is_checked_where_the_url_asks_litellm_to(server: Postgres) -> None:
    authority = server.with_tls()
    try:
        until(lambda: server.sql("SHOW ssl") == "on")
        for tail in ("", "?sslmode=require", f"?sslmode=verify-full&sslrootcert={authority}"):
            await answered(server, tail)
        refusal = await refused(login(server, tail="?sslmode=verify-full"))
        assert isinstance(refusal, Unreachable)
        assert refusal.kind == "tls"
        missing_file = await refused(login(server, tail="?sslmode=verify-full&sslrootcert=/nowhere/ca.pem"))
        assert isinstance(missing_file, Unreachable)
        assert missing_file.kind != "refused"
    finally:
        server.without_tls()
        until(lambda: server.sql("SHOW ssl") == "off")


async def test_a_wrong_password_a_wrong_database_and_a_role_that_is_not_there(server: Postgres) -> None:
    found = await refused(login(server, "another"))
    assert isinstance(found, Refused)
    assert found.code == "28P01"
    assert "password authentication failed" in found.why
    assert "another" not in found.why
    found = await refused(msgspec.structs.replace(login(server), database="nowhere"))
    assert isinstance(found, Refused)
    assert found.code == "3D000"


async def test_one_without_a_free_connection(server: Postgres) -> None:
    async with _held(server, ORDINARY - 1):
        found = await answered_with(server, ORDINARY - 1)
        assert (found.used, found.own, found.most) == (ORDINARY - 1, ORDINARY - 1, ORDINARY)
    async with _held(server, ORDINARY):
        refusal = await refused(login(server))
        assert isinstance(refusal, Refused)
        assert refusal.code == "53300"
    server.sql(f"ALTER ROLE {USER} CONNECTION LIMIT 3")
    assert (await answered(server)).own_most == 3


async def _open(where: Login) -> Any:
    return await asyncpg.connect(
        host=where.host, port=where.port, user=where.user, password=where.password, database=where.database, ssl=False
    )


@asynccontextmanager
async def _held(server: Postgres, number: int) -> AsyncIterator[None]:
    """As many connections of LiteLLM's role; those that were closed before have gone."""
    mine = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{USER}'"
    until(lambda: server.sql(mine) == "0")
    where = login(server)
    held: list[Any] = []
    try:
        while len(held) < number:
            held += [await _open(where)]
        yield
    finally:
        for connection in held:
            await connection.close()
        until(lambda: server.sql(mine) == "0")


async def test_a_failed_migration_one_under_way_and_one_that_was_rolled_back(server: Postgres) -> None:
    server.sql(
        "INSERT INTO _prisma_migrations VALUES "
        "('20250202_failed', now() - interval '1 h', NULL, NULL, 'ERROR: relation \"X\" already exists'), "
        "('20250303_under_way', now(), NULL, NULL, NULL), "
        "('20250404_rolled_back', now() - interval '1 h', NULL, now(), 'ERROR: old')",
        database=DATABASE,
    )  # fmt: skip
    found = await answered(server)
    assert [row.name for row in found.unfinished] == ["20250303_under_way", "20250202_failed"]
    assert found.unfinished[0].logs == ""
    assert "already exists" in found.unfinished[1].logs


async def test_a_migration_that_holds_its_lock_is_not_waited_for(server: Postgres) -> None:
    other = await _open(login(server))
    try:
        await other.execute("BEGIN; LOCK TABLE _prisma_migrations IN ACCESS EXCLUSIVE MODE")
        found = await answered(server)
    finally:
        await other.close()
    assert "holds its lock" in found.unread_migrations
    assert found.missing == ()


async def test_tables_that_are_missing_or_lie_in_another_schema(server: Postgres) -> None:
    server.sql('DROP TABLE "LiteLLM_VerificationToken"', database=DATABASE)
    assert (await answered(server)).missing == ("LiteLLM_VerificationToken",)
    assert (await answered(server, "?schema=elsewhere")).missing == TABLES


async def test_one_that_takes_no_writes(server: Postgres) -> None:
    server.sql(f"ALTER ROLE {USER} SET default_transaction_read_only = on")
    assert (await answered(server)).read_only


async def test_one_that_is_slow_and_one_that_hangs(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "TIMEOUT", 30.0)
    async with _slowly(server.port, 1.1) as port:
        found = await ask(msgspec.structs.replace(login(server, tail="?sslmode=disable"), port=port))
    assert isinstance(found, PostgresAnswer), found
    assert found.answered_in > 1.1
    monkeypatch.setattr(collector, "TIMEOUT", 0.4)
    server.pause()
    try:
        silent = await refused(login(server))
    finally:
        server.resume()
    assert isinstance(silent, Unreachable)
    assert silent.kind == "timeout"


@asynccontextmanager
async def _slowly(port: int, seconds: float) -> AsyncIterator[int]:
    """A way to Postgres on which the first answer takes this long, as behind a network that is far or full."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(seconds)

        async def one_way(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while chunk := await source.read(1 << 16):
                target.write(chunk)
            target.close()

        await asyncio.gather(one_way(reader, back), one_way(there, writer), return_exceptions=True)

    proxy = await asyncio.start_server(carry, "127.0.0.1", 0)
    async with proxy:
        yield proxy.sockets[0].getsockname()[1]


async def test_what_is_no_postgres_and_what_is_not_there(server: Postgres) -> None:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    other = await asyncio.start_server(web, "127.0.0.1", 0)
    async with other:
        port = other.sockets[0].getsockname()[1]
        found = await refused(msgspec.structs.replace(login(server), port=port))
        assert isinstance(found, Malformed | Unreachable)
    found = await refused(msgspec.structs.replace(login(server), port=port))
    assert isinstance(found, Unreachable)
    assert found.kind == "refused"
    nowhere = await refused(msgspec.structs.replace(login(server), host="no.such.host.invalid"))
    assert isinstance(nowhere, Unreachable)
    assert nowhere.kind == "dns"


# --- the console and the commands ------------------------------------------------------------------------------------


class Gateway:
    """The simulated gateway with a database: its readiness says what it is told to, its Postgres is real."""

    def __init__(self, simulation: Simulation, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.simulation = simulation
        self.url = url
        with (simulation.folder / files.ENVIRONMENT_NAME).open("a", encoding="utf-8") as file:
            file.write(f"DATABASE_URL='{url}'\n")
        assert systemctl(simulation, "restart", simulation.unit).returncode == 0
        until(lambda: state(simulation) == "answering")
        self.says("connected")
        for name in ("check", "status", "restart"):
            monkeypatch.setattr(f"litellm_tui.commands.{name}.resolve", self.profile)

    def says(self, database: str) -> None:
        self.simulation._gateway.database = database

    def profile(self, *_: Any) -> Profile:
        options = Options(unit=self.simulation.unit, scope="user")
        tools = msgspec.structs.replace(self.simulation.tools, postgres=True)
        return resolve(options, Settings(), tools=tools, environ={})


@pytest.fixture
def gateway(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as simulation:
        yield Gateway(simulation, url(server), monkeypatch)


Said = Callable[..., dict[str, Any]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    monkeypatch.setattr("litellm_tui.commands.look.PATIENCE_SECONDS", 60.0)

    def ask_command(*words: str) -> dict[str, Any]:
        main([*words, "--json"])
        text = capsys.readouterr().out
        assert PASSWORD not in text
        assert quote(PASSWORD, safe="") not in text
        found: dict[str, Any] = json.loads(text)
        return found

    return ask_command


def test_status_and_check_know_it_well_lost_refusing_full_and_half_migrated(
    server: Postgres, gateway: Gateway, said: Said
) -> None:
    found = said("status")
    assert (found["database"]["state"], found["exit_status"]) == ("connected", 0)
    assert found["database"]["answer"]["most"] == ORDINARY
    assert "database connected" in [part["text"] for part in found["headline"]["parts"]]

    gateway.says("disconnected")
    found = said("status")
    assert (found["database"]["state"], found["exit_status"]) == ("lost", 2)
    assert "Postgres itself answers" in found["database"]["contradiction"]
    (problem,) = [p for p in found["problems"] if p["place"]["kind"] == "database"]
    assert "virtual keys are refused" in problem["hit"]
    phase = next(p for p in said("check")["phases"] if p["name"] == "database")
    assert phase["outcome"] == "broken"

    gateway.says("connected")
    server.sql(
        "INSERT INTO _prisma_migrations VALUES ('20250202_failed', now(), NULL, NULL, 'ERROR: it broke')",
        database=DATABASE,
    )
    found = said("status")
    assert (found["database"]["state"], found["exit_status"]) == ("migrations failed", 1)
    assert "20250202_failed" in found["database"]["reason"]
    server.sql("DELETE FROM _prisma_migrations WHERE finished_at IS NULL", database=DATABASE)

    server.stop()
    try:
        found = said("status")
        assert (found["database"]["state"], found["exit_status"]) == ("refuses", 2)
        # LiteLLM repeats for a while what was so before
        assert "readiness says connected" in found["database"]["contradiction"]
        gateway.says("disconnected")
        found = said("status")
        assert found["database"]["brief"] == "Postgres refuses"
        assert f"127.0.0.1:{server.port} refuses the connection" in found["database"]["reason"]
    finally:
        server.start()


def test_a_restart_is_refused_while_litellm_could_not_start_again(
    server: Postgres, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    server.stop()
    try:
        assert main(["restart", "--yes"]) != 0
    finally:
        server.start()
    told = capsys.readouterr()
    assert "LiteLLM would not start again without its database" in told.out + told.err
    assert state(gateway.simulation) == "answering"


async def test_the_console_shows_it_in_header_and_pane_and_when_it_goes(
    server: Postgres, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_poller, "LEAST_SECONDS", 0.05)
    monkeypatch.setattr(postgres_poller, "FAILING_SECONDS", 0.2)
    monkeypatch.setattr("tests.ui.scene.profile_of", gateway.profile)
    async with opened(gateway.simulation, (120, 40)) as scene:
        await scene.shows("database connected")
        await scene.press("4", "z")
        await scene.shows(f"of {ORDINARY} connections")
        assert PASSWORD not in scene.text
        await asyncio.to_thread(server.stop)
        try:
            scene.monitor.look_now()
            await scene.shows("database refuses")
            await scene.shows("start Postgres")
        finally:
            await asyncio.to_thread(server.start)
        await scene.shows("database connected")
