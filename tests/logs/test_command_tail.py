"""Docker's log: joined where it was left, announced where the engine has rotated it away, and read back."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from litellm_tui.logs.command_tail import AGAIN, CommandLines, CommandTail
from litellm_tui.logs.entry import Entry
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service_kinds import Custom
from litellm_tui.services.docker.container_log import ROTATED, DockerLines, LogOf
from litellm_tui.services.docker.docker_cli import format_stamp
from tests.waiting import eventually

BEGAN = 1_700_000_000
# It prints what stands in `log` from --since to --until, both included, every third line on stderr; a follower ends
# when `end` appears.
SCRIPT = """#!{python}
import sys, time, pathlib
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
value = lambda name: words[words.index(name) + 1] if name in words else ""
if words[0] != "logs":
    sys.exit("docker: no such thing here")
with (here / "calls").open("a") as calls:
    calls.write(" ".join(words) + "\\n")
shown = 0
while True:
    lines = (here / "log").read_text().splitlines()
    for line in lines[shown:]:
        at = line.split()[0]
        if at >= value("--since") and (not value("--until") or at <= value("--until")):
            print(line, file=sys.stderr if int(line.split()[-1]) % 3 == 2 else sys.stdout, flush=True)
    shown = len(lines)
    if "--follow" not in words or (here / "end").exists():
        (here / "end").unlink(missing_ok=True)
        break
    time.sleep(0.02)
"""


async def _the_container() -> str:
    return "abc"


class Engine:
    """A docker of our own, and the tail of its one container."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        script = folder / "docker"
        script.write_text(SCRIPT.format(python=sys.executable), encoding="utf-8")
        script.chmod(0o700)
        self.entries: list[Entry] = []
        self.lines = DockerLines(LogOf(str(script), "litellm", _the_container))
        self.lines._container = "abc"
        self.tail = CommandTail(self.lines, self.entries.extend, lambda *_: None)

    def write(self, numbers: range, *, anew: bool = False) -> None:
        text = "".join(f"{format_stamp(BEGAN + n // 10, n % 10 * 1000)} line {n}\n" for n in numbers)
        with (self.folder / "log").open("w" if anew else "a", encoding="utf-8") as file:
            file.write(text)

    async def follow(self, until: int) -> None:
        """One life of the command, until so many entries are there."""
        following = asyncio.create_task(self.tail._follow_once())
        await eventually(lambda: len(self.entries) >= until)
        (self.folder / "end").touch()
        await following

    @property
    def numbers(self) -> list[int]:
        return [int(entry.message.split()[1]) for entry in self.entries if not entry.gap]

    @property
    def gaps(self) -> list[str]:
        return [entry.message for entry in self.entries if entry.gap]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


async def test_it_goes_on_behind_the_last_line(engine: Engine) -> None:
    engine.write(range(20))
    await engine.follow(20)
    engine.write(range(20, 40))
    await engine.follow(40)
    assert sorted(engine.numbers) == list(range(40))
    assert engine.gaps == []


async def test_what_the_engine_has_rotated_away_is_announced(engine: Engine) -> None:
    engine.write(range(20))
    await engine.follow(20)
    engine.write(range(50, 60), anew=True)
    await engine.follow(31)
    assert sorted(engine.numbers) == [*range(20), *range(50, 60)]
    assert engine.gaps == [ROTATED]


async def test_older_lines_are_read_in_windows_and_in_the_order_of_their_stamps(engine: Engine) -> None:
    engine.write(range(200))
    found: list[str] = []
    at = Entry(BEGAN + 15, "", 6, 0, "", 5000)
    while older := await engine.tail.before(at, 40):
        assert not isinstance(older, Failure)
        found[:0] = [entry.message for entry in older]
        at = older[0]
    assert found == [f"line {number}" for number in range(155)]
    asked = (engine.folder / "calls").read_text().splitlines()
    assert "--since" in asked[0]
    assert "--since" not in asked[-1], "in the end all of it"


async def test_a_log_command_that_is_run_again_may_have_missed_lines() -> None:
    entries: list[Entry] = []
    command = CommandLines(Custom(status=("true",), log=(sys.executable, "-c", "print('one'); print('two')")))
    tail = CommandTail(command, entries.extend, lambda *_: None)
    await tail._follow_once()
    await tail._follow_once()
    assert [entry.message for entry in entries] == ["one", "two", AGAIN, "one", "two"]
    assert isinstance(await tail.before(entries[0], 10), NotAvailable)
