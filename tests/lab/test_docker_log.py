"""The log of a container of a real Docker engine, whose lines of more than 16 KiB hold a secret across the seam."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.command_tail import CommandTail
from litellm_tui.logs.entry import Entry
from litellm_tui.model.failures import Failure
from litellm_tui.services.docker.container_log import DockerLines, LogOf
from tests.lab.engine import Engine
from tests.waiting import eventually

SECRET = "sk-" + "".join(chr(ord("a") + n % 26) for n in range(60))
PIECE = 16384
# It prints a short line and a long one. After a word it prints to both of its streams: a long line, of which the last
# part comes late, and an error between its pieces.
PROGRAM = """
until_there() { while [ ! -e "$1" ]; do sleep 0.02; done; }
cat /given/short /given/long
until_there /given/go
cat /given/begun
until_there /given/on
cat /given/short >&2
until_there /given/end
cat /given/rest
exec sleep 600
"""


def _long(name: str, size: int = 40_000) -> str:
    begin = f"{name} ".ljust(PIECE - 20, "x") + SECRET
    return begin.ljust(2 * PIECE - 20, "y") + SECRET + "z" * (size - 2 * PIECE + 20 - len(SECRET))


class Container:
    """One container of the engine, followed."""

    def __init__(self, engine: Engine, given: Path, *, terminal: bool, client: bool, history: int) -> None:
        self.engine = engine
        self.given = given
        self.terminal = terminal
        self.name = f"log-{given.name}"
        texts = {"short": "a short line\n", "long": f"{_long('first')}\n", "begun": _long("second"), "rest": " end\n"}
        for name, text in {**texts, "program": PROGRAM}.items():
            (given / name).write_text(text, encoding="ascii")
        self.entries: list[Entry] = []
        self.failures: list[Failure] = []
        self.lines = DockerLines(LogOf("docker", "litellm", self.find), history)
        if client:
            self.lines._socket = ""
        self.tail = CommandTail(self.lines, self.entries.extend, self._tell)

    def _tell(self, _: str, failure: Failure | None, __: str | None) -> None:
        if failure is not None:
            self.failures.append(failure)

    async def find(self) -> str:
        """By its own name, as Compose is not what is tried here."""
        return self.engine.docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"name=^{self.name}$").strip()

    def make(self) -> None:
        self.engine.docker(
            "run", "--detach", "--network", "none", "--stop-signal", "KILL", "--name", self.name,
            *(["--tty"] if self.terminal else []), "--volume", f"{self.given}:/given:ro", self.engine.image,
            "sh", "/given/program",
        )  # fmt: skip

    def remove(self) -> None:
        self.engine.docker("rm", "--force", "--volumes", self.name)

    def say(self, word: str) -> None:
        (self.given / word).touch()

    async def has_logged(self, pieces: int) -> None:
        """Until the engine has so many records of it, as the file has them in which it keeps them."""
        path = Path(self.engine.docker("inspect", "--format", "{{.LogPath}}", self.name).strip())
        await eventually(lambda: path.exists() and path.read_bytes().count(b"\n") >= pieces)

    @property
    def messages(self) -> list[str]:
        return [entry.message for entry in self.entries]

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.tail.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.fixture(params=[False, True], ids=["two streams", "a terminal"])
def terminal(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=[False, True], ids=["engine", "client"])
def client(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def history() -> int:
    return 100


@pytest.fixture
def container(
    docker_engine: Engine, terminal: bool, client: bool, history: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Container]:
    name = re.sub(r"\W", "-", tmp_path.name)
    given = tmp_path / name
    given.mkdir()
    monkeypatch.setenv("DOCKER_HOST", docker_engine.host)
    made = Container(docker_engine, given, terminal=terminal, client=client, history=history)

    made.make()
    yield made
    made.remove()


async def test_long_lines_are_whole_in_the_history_and_as_they_come(container: Container, client: bool) -> None:
    await container.has_logged(4)
    torn = container.engine.docker("logs", "--timestamps", container.name)
    assert SECRET not in torn, "the client's own words tear it"
    first, second = _long("first"), f"{_long('second')} end"
    async with container.followed():
        await eventually(lambda: len(container.entries) == 2)
        assert container.messages == ["a short line", first]
        container.say("go")
        await container.has_logged(6)
        container.say("on")
        if not container.terminal:
            # of a line that has not ended nothing is shown, and nothing waits for it
            await eventually(lambda: len(container.entries) == 3)
            assert container.messages[2] == "a short line"
        container.say("end")
        await eventually(lambda: any(message.endswith(" end") for message in container.messages))
        if container.terminal:
            # both streams are one there, and the program itself writes into its own line
            second = second.replace(" end", "a short line")
            assert container.messages[2:] == [second, " end"]
        else:
            assert container.messages[3] == second
        older = await container.tail.before(Entry(2e9, "", 6, 0, "", 0), 100)
    assert isinstance(older, list)
    assert sorted(entry.message for entry in older) == sorted(container.messages)
    redact = Redactor([SECRET])
    for text in (redact(entry.message) for entry in [*older, *container.entries]):
        assert "sk-" not in text
        assert SECRET[30:] not in text
    assert container.lines._socket == ("" if client else str(container.engine.socket))


@pytest.mark.parametrize("history", [1])
async def test_a_history_that_begins_inside_of_a_line_begins_with_all_of_it(container: Container) -> None:
    await container.has_logged(4)
    async with container.followed():
        await eventually(lambda: container.entries != [])
        assert container.messages == [_long("first")]


@pytest.mark.parametrize("terminal", [False])
async def test_it_goes_on_over_a_restart_of_the_engine_and_in_another_container(container: Container) -> None:
    container.say("go")
    await container.has_logged(6)
    async with container.followed():
        await eventually(lambda: len(container.entries) == 2)
        # in the middle of a line, which its container does not survive
        container.engine.stop()
        await eventually(lambda: any("does not answer" in failure.why for failure in container.failures))
        container.engine.start()
        container.say("on")
        container.say("end")
        container.engine.docker("start", container.name)
        await eventually(lambda: sum(message.endswith(" end") for message in container.messages) == 1)
        # what was begun before is shown as far as it came, or not at all
        assert [container.messages.count(message) for message in ("a short line", _long("first"))] == [3, 2]
        assert not any("\x00" in message or re.search(r"\d{9}Z ", message) for message in container.messages)
        count = len(container.entries)
        container.remove()
        container.make()
        await eventually(lambda: sum(message.endswith(" end") for message in container.messages) == 2)
        assert container.messages[count:].count(_long("first")) == 1
