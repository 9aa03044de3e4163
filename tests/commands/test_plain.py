"""`--plain`: how everything stands once, then a line for each change, and never an escape sequence."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.commands import plain
from litellm_tui.commands.plain import Talk, changes, told_of
from litellm_tui.demo import Simulation
from litellm_tui.model.diagnosis import Diagnosis, Headline, Place, Problem, Verdict
from litellm_tui.ui.session import Session
from litellm_tui.ui.view import Notation
from tests.terminal import Terminal
from tests.ui.scene import profile_of
from tests.waiting import eventually

BROKEN = "qwen2.5-coder:32b"


async def test_what_changes_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "PATIENCE_SECONDS", 60.0)
    lines: list[str] = []

    def said(*words: str) -> Callable[[], list[str]]:
        return lambda: [line for line in lines if all(word in line for word in words)]

    with Simulation(tmp_path / "gateway", scripted=False) as simulation:
        session = Session(profile_of(simulation), Notation(), memory=False)
        assert await session.open() == ()
        talk = Talk(lines.append, "SIMULATION")
        watching = asyncio.create_task(session.run(talk.take))
        try:
            await eventually(said("q ends"), "the first state")
            assert lines[0].startswith("SIMULATION, ")
            assert " OK: " in lines[1]
            assert said(f"model {BROKEN}", "serving")()
            simulation.break_model(BROKEN)
            for _ in range(3):
                simulation.request(BROKEN)
            await eventually(said(BROKEN, "masked"), "the deployment")
            await eventually(said("OK is now DEGRADED"), "the whole")
            assert len(said("warning: ", "refused")()) == 1
            before = len(lines)
            talk.pressed("p")
            assert lines[before].startswith(f"warning 1 of 1: {BROKEN}: refused")
            assert any(line.startswith("because: ") for line in lines[before:])
            talk.pressed("\n")
            assert any("DEGRADED: " in line for line in lines[before:])
            talk.pressed("x")
            assert lines[-1] == plain.KEYS
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await session.close()
    assert not [line for line in lines if "\x1b" in line or "\n" in line]


def test_times_and_counts_alone_are_no_change() -> None:
    quiet = Verdict("serving", "ok", "10 of 10 requests answered")
    one = Problem("a", "bad", "group", "refused", "reason", Place("group"))
    before = Diagnosis(Headline("DEGRADED", "warn"), quiet, quiet, quiet, problems=(one,))
    later = replace(before, cache=replace(quiet, reason="11 of 11 answered"), problems=(replace(one, reason="other"),))
    assert list(changes(told_of(before), told_of(later))) == []
    over = replace(before, headline=Headline("OK", "ok"), problems=(replace(one, solved_at=5.0),))
    assert list(changes(told_of(before), told_of(over))) == ["DEGRADED is now OK", "over: group: refused"]
    assert list(changes(told_of(over), told_of(before))) == ["OK is now DEGRADED", "problem: group: refused"]


def test_on_a_terminal_a_key_is_taken_at_once(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-m", "litellm_tui.cli", "demo", "--plain"]
    with Terminal(command, environment=environment) as terminal:
        terminal.wait_for("q ends", 60)
        terminal.press("q")
        assert terminal.exit_status(30) == 0
        assert "\x1b" not in terminal.raw_output()


def test_through_a_pipe_the_end_of_the_input_ends_it(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "LC_ALL": "C"}
    command = [sys.executable, "-m", "litellm_tui.cli", "demo", "--plain"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert b"Traceback" not in done.stderr
