"""Asks Postgres itself about LiteLLM's database, once a minute; sooner after news and while it is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from litellm_tui.analysis.addresses import is_this_machine
from litellm_tui.collectors import database_url, postgres
from litellm_tui.collectors.config.file_times import changed_at
from litellm_tui.collectors.database_url import Found, Login
from litellm_tui.host import debug_log
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.database import Database, PostgresAnswer
from litellm_tui.model.failures import Crashed, Failure
from litellm_tui.model.reading import Reading, is_silence, next_reading

if TYPE_CHECKING:
    from litellm_tui.target.profile import Profile

POSTGRES_SECONDS: Final = 60.0
# while it does not answer
FAILING_SECONDS: Final = 15.0
# between two connections, whatever happens meanwhile
LEAST_SECONDS: Final = 5.0
# an answer that took so long is doubted once
_DOUBTED_SECONDS: Final = 1.0
# the environment of a process of which nothing is known (target/resolution.py)
_CONSOLE: Final = "the console's environment"


class PostgresPoller:
    """Asks Postgres, where LiteLLM's login is known and its address means the same server here.

    `changed` is called when what is known changes; `redact` masks a text.
    """

    def __init__(self, profile: Profile, changed: Callable[[], None], redact: Callable[[str], str]) -> None:
        self._own = {name: v.value for name, v in profile.environment.items() if v.source != _CONSOLE}
        self._all = {name: v.value for name, v in profile.environment.items()}
        self._left_alone = (
            ""
            if profile.tools.postgres and profile.ask_database
            else "it is left alone: ask_database is off in the profile"
            if profile.tools.postgres
            else "the simulated gateway has none"
        )
        # where neither file nor unit is known, that nothing names a database proves nothing
        self._without = False if profile.found_unit is not None or profile.config is not None else None
        self._local = is_this_machine(urlsplit(profile.url.value).hostname or "")
        self._contained = profile.kind == "compose"
        self._changed, self._redact = changed, redact
        self._news = asyncio.Event()
        self._saved = database_url.find(None, self._all, self._own)
        self._applied = self._saved
        self._tolerated = False
        self._environment_files = profile.environment_files
        self._newer = False
        self._answer: Reading[PostgresAnswer] = Reading(interval=POSTGRES_SECONDS)
        self._asked: Login | None = None
        self.database = Database()
        self._describe()

    def saved(self, file: ConfigFile, environment: Mapping[str, str]) -> tuple[str, ...]:
        """Note what the file and the environment name now; returns what of it is secret."""
        files = {name: value for name, value in environment.items() if self._all.get(name) != value}
        self._saved = database_url.find(file, environment, {**self._own, **files})
        self._tolerated = database_url.tolerated(file)
        self.hurry()
        return self._saved.secrets if self._saved else ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The URL of the environment and its password."""
        return self._saved.secrets if self._saved else ()

    def hurry(self) -> None:
        """Ask soon: something has happened that Postgres may explain."""
        self._news.set()

    def failed(self, crash: Crashed) -> None:
        """Note that the console itself failed to ask."""
        self._answer = next_reading(self._answer, crash, None, POSTGRES_SECONDS, time.time())
        self._describe()

    async def run(self, file: Callable[[], ConfigFile | None], started_at: Callable[[], float | None]) -> None:
        """Ask until cancelled. `file` gives the newest valid file, `started_at` the start of LiteLLM's process."""
        while True:
            self._news.clear()
            self._newer = await self._is_newer(self._saved, started_at())
            found = self._running(file(), started_at())
            login = found.login if found and not self._unasked(found) else None
            if login != self._asked:
                # an answer of another server is no evidence
                self._answer, self._asked = Reading(interval=POSTGRES_SECONDS), login
            before = self.database
            self._describe()
            if login is not None:
                if self.database != before:
                    self._changed()
                await self._ask(login)
                self._describe()
            if self.database != before:
                self._changed()
            await asyncio.sleep(LEAST_SECONDS if login is not None else 0.0)
            pause = FAILING_SECONDS if self._answer.failure is not None else POSTGRES_SECONDS
            try:
                async with asyncio.timeout(pause - LEAST_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                continue

    @debug_log.timed("Postgres")
    async def _ask(self, login: Login) -> None:
        before = self._answer
        result = await postgres.ask(login)
        if _doubtful(result) and not _doubtful(before.failure or before.value):
            # a moment of load on this machine, or a lost packet, is no fault of Postgres
            result = await postgres.ask(login)
        took = result.answered_in if isinstance(result, PostgresAnswer) else None
        interval = FAILING_SECONDS if isinstance(result, Failure) else POSTGRES_SECONDS
        self._answer = next_reading(before, self._masked(result), took, interval, time.time())

    def _masked(self, result: PostgresAnswer | Failure) -> PostgresAnswer | Failure:
        if isinstance(result, Failure):
            return msgspec.structs.replace(result, why=self._redact(result.why))
        if not result.unfinished and not result.unread_migrations:
            return result
        rows = tuple(msgspec.structs.replace(row, logs=self._redact(row.logs)) for row in result.unfinished)
        unread = self._redact(result.unread_migrations)
        return msgspec.structs.replace(result, unfinished=rows, unread_migrations=unread)

    def _running(self, file: ConfigFile | None, started_at: float | None) -> Found | None:
        older = file is None or started_at is None or file.modified_at <= started_at
        if older and not self._newer:
            # the running proxy does not use what was saved after its start
            self._applied = self._saved
        return self._applied

    async def _is_newer(self, found: Found | None, started_at: float | None) -> bool:
        """Whether what the environment names may not have reached the process: its files changed after the start."""
        literal = found is None or found.source.startswith(("general_settings.", "environment_variables."))
        if literal or started_at is None or not self._environment_files:
            return False
        return await asyncio.to_thread(changed_at, self._environment_files) > started_at

    def _unasked(self, found: Found) -> str:
        """Why Postgres is not asked; empty where it is."""
        if found.unasked or found.login is None:
            return found.unasked
        if self._left_alone:
            return self._left_alone
        here = is_this_machine(found.login.host) or found.login.host.startswith("/")
        if here and (self._contained or not self._local):
            return f"{found.login.place} means the machine or container of LiteLLM, which is not this one"
        return ""

    def _describe(self) -> None:
        """Bring `database` up to what is known."""
        found, newer = self._applied, self._saved
        pending = newer is not None and newer != found
        told = found or newer
        login = told.login if told else None
        self.database = Database(
            configured=True if found is not None else self._without,
            source=told.source if told else "",
            place=login.place if login else "",
            unasked=self._unasked(told) if told else "",
            pending=pending,
            newer=self._newer,
            local=login is not None and (is_this_machine(login.host) or login.host.startswith("/")),
            tolerated=self._tolerated,
            answer=self._answer,
        )


def _doubtful(result: Any) -> bool:
    return is_silence(result) or (isinstance(result, PostgresAnswer) and result.answered_in > _DOUBTED_SECONDS)
