"""When Postgres is asked, and with which login: rarely, and only where the answer is evidence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.collectors import postgres
from litellm_tui.collectors.database_url import Login
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.database import Database, Migration, PostgresAnswer, Refused
from litellm_tui.model.failures import Crashed, Failure, Unreachable
from litellm_tui.model.found import Found
from litellm_tui.model.service import Variable
from litellm_tui.model.service_kinds import Compose, Tools
from litellm_tui.monitor import postgres_poller
from litellm_tui.monitor.postgres_poller import PostgresPoller
from litellm_tui.target.profile import Profile
from tests.recorded import made_file
from tests.waiting import eventually

STARTED = 1_700_000_000.0
URL = "postgresql://me:secret99@127.0.0.1:6543/x"
ANSWER = PostgresAnswer("15.18", 0.004, used=3, most=97)


def file(url: str | None = None, at: float = STARTED - 1, **general: Any) -> ConfigFile:
    settings = {**general, **({"database_url": url} if url else {})}
    return msgspec.structs.replace(made_file(general_settings=settings), modified_at=at)


class World:
    """Postgres as it answers, what it was asked, and the poller."""

    def __init__(self) -> None:
        self.asked: list[Login] = []
        self.once: list[PostgresAnswer | Failure | Exception] = []
        self.answer: PostgresAnswer | Failure = ANSWER
        self.current: ConfigFile | None = None
        self.changes = 0
        self.poller: PostgresPoller

    async def ask(self, login: Login) -> PostgresAnswer | Failure:
        self.asked.append(login)
        said = self.once.pop(0) if self.once else self.answer
        if isinstance(said, Exception):
            raise said
        return said

    def changed(self) -> None:
        self.changes += 1

    @property
    def database(self) -> Database:
        return self.poller.database

    async def saved(self, found: ConfigFile, environment: dict[str, str] | None = None) -> tuple[str, ...]:
        self.current = found
        return self.poller.saved(found, environment or {})


Start = Callable[..., World]


@pytest.fixture
async def start(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    world = World()
    monkeypatch.setattr(postgres, "ask", world.ask)
    monkeypatch.setattr(postgres_poller, "LEAST_SECONDS", 0.0)
    tasks: list[asyncio.Task[None]] = []

    def begin(environment: dict[str, str] | None = None, source: str = "the unit", **more: Any) -> World:
        profile = Profile(
            name="test", host="here", url=Found(more.pop("url", "http://127.0.0.1:4000"), "test"),
            tools=Tools(postgres=more.pop("asks", True)),
            environment={name: Variable(value, source) for name, value in (environment or {}).items()},
            config=Found("config.yaml", "test"), **more,
        )  # fmt: skip
        world.poller = PostgresPoller(profile, world.changed, lambda text: text.replace("secret99", "•••"))
        tasks.append(asyncio.create_task(world.poller.run(lambda: world.current, lambda: STARTED)))
        return world

    yield begin
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_it_is_asked_once_and_then_rarely(start: Start) -> None:
    world = start({"DATABASE_URL": URL})
    await eventually(lambda: world.database.answer.value is not None)
    assert (world.database.configured, world.database.source, world.database.place) == (
        True, "DATABASE_URL", "127.0.0.1:6543",
    )  # fmt: skip
    assert not world.database.waiting
    assert world.changes
    await asyncio.sleep(0.05)
    assert len(world.asked) == 1
    assert postgres_poller.POSTGRES_SECONDS >= 60


async def test_news_make_it_ask_again(start: Start) -> None:
    world = start({"DATABASE_URL": URL})
    await eventually(lambda: world.asked)
    world.poller.hurry()
    await eventually(lambda: len(world.asked) == 2)


async def test_a_variable_of_the_operators_shell_is_not_asked(start: Start) -> None:
    world = start({"DATABASE_URL": URL}, source="the console's environment")
    await world.saved(file())
    await asyncio.sleep(0.02)
    assert world.asked == []
    assert world.database.configured is False
    await world.saved(file("os.environ/DATABASE_URL"), {"DATABASE_URL": URL})
    await eventually(lambda: world.asked)


async def test_a_database_of_a_file_that_was_saved_after_the_start_waits_for_the_restart(start: Start) -> None:
    world = start()
    await world.saved(file())
    await world.saved(file(URL, at=STARTED + 1))
    await eventually(lambda: world.database.pending)
    assert (world.asked, world.database.configured, world.database.source) == (
        [], False, "general_settings.database_url",
    )  # fmt: skip
    await world.saved(file(URL))
    await eventually(lambda: world.database.answer.value is not None)
    assert (world.database.pending, world.database.configured) == (False, True)


async def test_an_environment_file_that_was_changed_after_the_start_is_newer(start: Start, tmp_path: Path) -> None:
    written = tmp_path / "litellm.env"
    written.write_text("")
    world = start({"DATABASE_URL": URL}, environment_files=(str(written),))
    await world.saved(file())
    await eventually(lambda: world.database.newer)
    # and another database in it is not the one that runs
    await world.saved(file(), {"DATABASE_URL": "postgresql://me:secret99@127.0.0.1:7000/x"})
    await eventually(lambda: world.database.pending)
    assert {login.port for login in world.asked} == {6543}
    # what the file itself names is no matter of the environment
    await world.saved(file(URL))
    await eventually(lambda: not world.database.newer)


async def test_what_the_file_names_is_secret_and_whether_requests_are_let_through_is_known(start: Start) -> None:
    world = start()
    secrets = await world.saved(file(URL, allow_requests_on_db_unavailable=True))
    assert set(secrets) >= {URL, "secret99"}
    await eventually(lambda: world.database.answer.value is not None)
    assert world.database.tolerated
    assert "secret99" not in repr(world.database)


async def test_an_answer_of_another_server_is_forgotten(start: Start) -> None:
    world = start({"DATABASE_URL": URL})
    await eventually(lambda: world.database.answer.value is not None)
    world.answer = Unreachable("refused", kind="refused")
    await world.saved(file("postgresql://me:secret99@127.0.0.1:7000/x"))
    await eventually(lambda: world.database.answer.failure is not None)
    assert world.database.answer.value is None
    assert world.asked[-1].port == 7000


@pytest.mark.parametrize(
    "doubtful", [Unreachable("silent", kind="timeout"), msgspec.structs.replace(ANSWER, answered_in=3.0)]
)
async def test_a_silence_and_a_slow_answer_are_asked_about_once_more(start: Start, doubtful: Any) -> None:
    world = start()
    world.once = [doubtful]
    await world.saved(file(URL))
    await eventually(lambda: world.database.answer.value == ANSWER)
    assert len(world.asked) == 2
    world.once = [doubtful, doubtful]
    world.poller.hurry()
    await eventually(lambda: (world.database.answer.failure or world.database.answer.value) == doubtful)
    assert len(world.asked) == 4


async def test_a_failure_is_masked_and_so_is_what_a_migration_noted(start: Start) -> None:
    world = start({"DATABASE_URL": URL})
    world.answer = Refused("login as me with secret99 refused", code="28P01")
    world.poller.hurry()
    await eventually(lambda: world.database.answer.failure is not None)
    assert "•••" in str(world.database.answer.failure)
    world.answer = msgspec.structs.replace(ANSWER, unfinished=(Migration("m", 1.0, f"at {URL}"),))
    world.poller.hurry()
    await eventually(lambda: world.database.answer.failure is None)
    assert "secret99" not in repr(world.database)


@pytest.mark.parametrize(
    "elsewhere", [{"url": "http://gateway.example:4000"}, {"service": Compose(service="litellm", project="p")}]
)
async def test_localhost_of_another_machine_or_container_is_not_asked(start: Start, elsewhere: dict[str, Any]) -> None:
    world = start({"DATABASE_URL": URL}, **elsewhere)
    await world.saved(file())
    await eventually(lambda: world.database.unasked)
    assert (world.asked, world.database.configured, world.database.waiting) == ([], True, False)
    assert "not this one" in world.database.unasked


@pytest.mark.parametrize("how", [{"asks": False}, {"ask_database": False}])
async def test_where_it_is_left_alone_it_is_not_asked(start: Start, how: dict[str, bool]) -> None:
    world = start({"DATABASE_URL": URL}, **how)
    await world.saved(file())
    await asyncio.sleep(0.02)
    assert (world.asked, world.database.waiting, world.database.configured) == ([], False, True)
    assert ("ask_database" in world.database.unasked) is ("ask_database" in how)


async def test_what_the_console_itself_fails_at_is_its_own_failure(start: Start) -> None:
    world = start({"DATABASE_URL": URL})
    await eventually(lambda: world.database.answer.value is not None)
    world.poller.failed(Crashed("it broke", "ImportError", "postgres.py:1"))
    assert isinstance(world.database.answer.failure, Crashed)
    assert not world.database.waiting
