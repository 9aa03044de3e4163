"""The keeper: whatever a rehearsal has started ends with it, with the console's death, or with its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from litellm_tui.host import proc
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.services.rehearsal import Child, kept
from tests.waiting import eventually

# it ignores the signal that asks it to end, and so does the child that it loses in a session of its own
STUBBORN = """\
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1] + "/orphan", "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
print("started", flush=True)
time.sleep(600)
"""
CONSOLE = """\
import asyncio, sys
from litellm_tui.services.rehearsal import Child, kept

async def main(folder):
    child = Child((sys.executable, folder + "/stubborn.py", folder), None, {}, folder + "/own/log", folder + "/own/pid")
    async with kept(child, end=[["touch", folder + "/ended"]], rests=[folder + "/own"], seconds=500):
        await asyncio.sleep(500)

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    (tmp_path / "own").mkdir()
    return tmp_path


def stubborn(folder: Path) -> Child:
    own = folder / "own"
    return Child((sys.executable, str(folder / "stubborn.py"), str(folder)), str(folder), {"LANG": "C.UTF-8"},
                 str(own / "log"), str(own / "pid"))  # fmt: skip


def runs(pid: int) -> bool:
    stat = proc.stat(pid)
    return stat is not None and not stat.gone


def number(path: Path) -> int:
    """The number in a file; 0 while it is not there or not written."""
    try:
        return int(path.read_text() or 0)
    except OSError:
        return 0


async def test_everything_ends_with_the_rehearsal_orphans_too(folder: Path) -> None:
    async with kept(stubborn(folder), rests=[str(folder / "own")], seconds=500) as pid:
        assert isinstance(pid, int)
        orphan = await eventually(lambda: number(folder / "orphan"))
        await eventually(lambda: "started" in (folder / "own" / "log").read_text())
        assert number(folder / "own" / "pid") == pid
        assert runs(pid)
        assert runs(orphan)
        # the kernel ends a rehearsal before what serves
        assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "600"
    assert not runs(pid)
    assert not runs(orphan)
    assert not (folder / "own").exists()


async def test_a_console_that_is_killed_leaves_nothing_behind(folder: Path) -> None:
    console = subprocess.Popen([sys.executable, "-c", CONSOLE, str(folder)])
    try:
        pid = await eventually(lambda: number(folder / "own" / "pid"))
        orphan = await eventually(lambda: number(folder / "orphan"))
        assert runs(pid)
    finally:
        console.send_signal(signal.SIGKILL)
        console.wait()
    await eventually(lambda: not runs(pid) and not runs(orphan), "both have ended")
    await eventually(lambda: not (folder / "own").exists() and (folder / "ended").exists(), "it is cleaned up")


async def test_a_keeper_that_is_killed_takes_its_child_with_it(folder: Path) -> None:
    async with kept(stubborn(folder), rests=[str(folder / "own")], seconds=500) as pid:
        assert isinstance(pid, int)
        orphan = await eventually(lambda: number(folder / "orphan"))
        keeper = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGKILL)
        await eventually(lambda: not runs(pid), "its child has ended")
        os.kill(orphan, signal.SIGKILL)


async def test_it_ends_when_its_time_is_over(folder: Path) -> None:
    async with kept(stubborn(folder), rests=[str(folder / "own")], seconds=0.5) as pid:
        assert isinstance(pid, int)
        await eventually(lambda: not runs(pid) and not (folder / "own").exists(), "its time is over")


async def test_the_first_way_that_succeeds_is_taken_and_its_end_is_ordered(folder: Path) -> None:
    ways = [[["touch", str(folder / "one")], ["false"]], [["touch", str(folder / "two")]], [["false"]]]
    async with kept(begin=ways, end=[["touch", str(folder / "ended")]], seconds=500) as way:
        assert way == 1
        assert (folder / "two").exists()
        assert not (folder / "ended").exists()
    assert (folder / "ended").exists()


@pytest.mark.parametrize(
    ("said", "kind"), [("Interactive authentication required.", Denied), ("Unit x already exists.", NotAvailable)]
)
async def test_what_could_not_be_started_is_said_in_its_own_words(said: str, kind: type, folder: Path) -> None:
    way = [["sh", "-c", f"echo '{said}' >&2; exit 1"]]
    async with kept(begin=[way, [["false"]]], end=[["touch", str(folder / "ended")]], seconds=500) as way_taken:
        assert isinstance(way_taken, Failure)
        assert (type(way_taken), said in way_taken.why) == (kind, True)
    assert (folder / "ended").exists()


async def test_a_program_that_is_not_there_is_a_failure(folder: Path) -> None:
    async with AsyncExitStack() as stack:
        child = Child(("/nonexistent/litellm",), None, {}, str(folder / "own/log"), str(folder / "own/pid"))
        found = await stack.enter_async_context(kept(child, seconds=500))
        assert isinstance(found, NotAvailable)
        assert "/nonexistent/litellm" in found.why
