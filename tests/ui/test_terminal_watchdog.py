"""A console whose terminal is taken away ends, takes its own helpers with it, and leaves alone what it has started."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from litellm_tui.host import proc
from tests.terminal import Terminal
from tests.waiting import eventually

# The event loop hangs, as it does behind a terminal that takes nothing more: only the watchdog's thread can end it.
CONSOLE = """
import asyncio, json, signal, subprocess, sys, time
from pathlib import Path
from litellm_tui.services.process import start_stop
from litellm_tui.host import command
from litellm_tui.collectors.litellm_source.catalogues import helper
from litellm_tui.model.service_kinds import Process
from litellm_tui.ui.terminal_watchdog import TerminalWatchdog

place = Path(sys.argv[1])
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
parent = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])", *sleeper]

async def main():
    pids = {}
    assert start_stop.start(Process(start=sleeper, pid_file=str(place / "pid"))) is None
    pids["gateway"] = int((place / "pid").read_text())
    # an editor, or sudo: in the foreground, and the user's
    pids["editor"] = subprocess.Popen(sleeper).pid
    order = asyncio.create_task(command.carry_out(parent))
    looks = [asyncio.create_task(command.run(parent))]
    following = await command.start(sleeper)
    pids["follower"] = following.pid
    reader, writer = command.pipe()
    pids["on a pipe"] = (await command.start_on(sleeper, writer)).pid
    ended = await command.start(["true"])
    await command.end(ended)
    threads = asyncio.to_thread(command.run_now, sleeper, 600)
    looks.append(asyncio.ensure_future(threads))
    apart = subprocess.Popen(sleeper)
    with helper(apart.pid):
        pids["reader"] = apart.pid
        while len(command._helpers) < 5:
            await asyncio.sleep(0.01)
        assert ended.pid not in command._helpers
        pids["helpers"] = list(command._helpers)
        lost = lambda: (place / "lost").touch()
        TerminalWatchdog(lost).start()
        (place / "pids.tmp").write_text(json.dumps(pids))
        (place / "pids.tmp").rename(place / "pids")
        time.sleep(600)

asyncio.run(main())
"""


def _lives(pid: int) -> bool:
    found = proc.stat(pid)
    return found is not None and not found.gone


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "console.py").write_text(CONSOLE, encoding="utf-8")
    with Terminal([sys.executable, tmp_path / "console.py", tmp_path]) as terminal:
        yield terminal


async def test_the_helpers_die_with_the_console_and_what_it_has_started_lives_on(
    console: Terminal, tmp_path: Path
) -> None:
    await eventually(lambda: (tmp_path / "pids").exists() or not console.running)
    pids = json.loads((tmp_path / "pids").read_text(encoding="utf-8"))
    began = console.processes()
    console_pid = next(pid for pid in began if pids["gateway"] in proc.family(pid) and pid != pids["gateway"])

    def doomed_now() -> set[int]:
        return {member for pid in pids["helpers"] for member in proc.family(pid)}

    def spared_now() -> set[int]:
        return set(proc.family(console_pid)) - doomed_now() - {console_pid}

    # one of the looks has a child of its own, and so has the order to the service
    await eventually(lambda: len(doomed_now()) == len(pids["helpers"]) + 1 and len(spared_now()) == 4)
    doomed, spared = doomed_now(), spared_now()
    assert {pids["follower"], pids["on a pipe"], pids["reader"]} < doomed
    assert {pids["gateway"], pids["editor"]} < spared
    console.close_terminal()
    await eventually(lambda: not console.running)
    assert (tmp_path / "lost").exists()
    assert console.exit_status() == 128 + signal.SIGHUP
    await eventually(lambda: not any(map(_lives, doomed)))
    assert all(map(_lives, spared))
    for pid in spared:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
