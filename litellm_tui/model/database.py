"""LiteLLM's database: where it is, and what Postgres itself says of it.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

import msgspec

from litellm_tui.model.failures import Failure
from litellm_tui.model.reading import Reading


class Refused(Failure, frozen=True, tag=True):
    """Postgres itself refuses the connection or the question; `code` is its SQLSTATE, such as 28P01 or 53300."""

    code: str = ""


class Migration(msgspec.Struct, frozen=True):
    """A row of `_prisma_migrations` that has neither ended nor been rolled back.

    `logs` is what Prisma noted of its failure; it is empty while the migration is under way, and after a kill.
    """

    name: str
    started_at: float
    logs: str = ""


class PostgresAnswer(msgspec.Struct, frozen=True):
    """One look into Postgres, made with LiteLLM's own login.

    `answered_in` is the time for the connection, the login and the first question. `used` counts the connections of the
    whole server without the console's own, `most` those that it gives to ordinary roles; `own` counts those of this
    role to this database, `own_most` is a limit of the role or the database. `missing` are tables that LiteLLM cannot
    do without. `unread_migrations` is why `_prisma_migrations` was not read. `spend_rows` and `spend_bytes` are
    Postgres' estimates of the spend log, from its last VACUUM or ANALYZE; None before the first one.
    """

    version: str
    answered_in: float
    used: int
    most: int
    own: int = 0
    own_most: int | None = None
    standby: bool = False
    read_only: bool = False
    missing: tuple[str, ...] = ()
    unfinished: tuple[Migration, ...] = ()
    unread_migrations: str = ""
    spend_rows: int | None = None
    spend_bytes: int | None = None


class Database(msgspec.Struct, frozen=True):
    """What is known of the database beside LiteLLM's own word.

    `configured` says whether the process that runs was given one, None where its settings are not known; `source` is
    what gives it, `place` its address without login. `unasked` is why Postgres itself is not asked. With `pending` the
    file was saved after the start and names another database than the one that runs; with `newer` an environment file
    was, and may have brought this one. `local` says that its address
    means this machine; `tolerated` that LiteLLM lets requests through without it (allow_requests_on_db_unavailable).
    """

    configured: bool | None = None
    source: str = ""
    place: str = ""
    unasked: str = ""
    pending: bool = False
    newer: bool = False
    local: bool = False
    tolerated: bool = False
    answer: Reading[PostgresAnswer] = Reading()

    @property
    def waiting(self) -> bool:
        """Whether Postgres will be asked, and was not yet."""
        return bool(self.place) and not self.unasked and self.answer.tried_at is None
