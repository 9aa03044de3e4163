"""A process that a PID file names: is it there, and is it the one that was started?"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.host import proc
from litellm_tui.model.failures import Denied
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.process import pid_file
from litellm_tui.services.process.pid_file import FoundProcess, find, look, program

BEGUN = time.time()
SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def sleeper() -> Iterator[int]:
    child = subprocess.Popen(SLEEPER)
    yield child.pid
    child.kill()
    child.wait()


def _settings(place: Path, pid: object = None, **more: object) -> Process:
    if pid is not None:
        (place / "pid").write_text(f"{pid}\n", encoding="ascii")
    given = {"start": SLEEPER, "pid_file": str(place / "pid"), **more}
    return Process(**given)  # type: ignore[arg-type]


def _look(settings: Process) -> Service:
    found = look(settings, "litellm")
    assert isinstance(found, Service), found
    return found


def test_a_running_process_with_its_start_memory_and_time(tmp_path: Path, sleeper: int) -> None:
    found = _look(_settings(tmp_path, sleeper))
    assert (found.active_state, found.sub_state, found.main_pid) == ("active", "running", sleeper)
    assert found.started_at is not None
    # counted in ticks since the machine was started
    assert BEGUN - 1 <= found.started_at <= time.time() + 1
    assert found.memory
    assert found.cpu_seconds is not None
    # nobody counts them
    assert found.restarts is None


def test_without_a_file_it_is_stopped(tmp_path: Path) -> None:
    found = _look(_settings(tmp_path))
    assert (found.active_state, found.sub_state, found.note) == ("inactive", "dead", f"no PID file {tmp_path / 'pid'}")


@pytest.mark.parametrize(
    ("content", "words"),
    [("4194305", "is stale: process 4194305 is gone"), ("", "no process number"), ("-1", "no process number"),
     ("99999999999", "no process number"), ("x", "no process number")],
)  # fmt: skip
def test_a_file_that_leads_nowhere_was_left_by_what_has_failed(tmp_path: Path, content: str, words: str) -> None:
    found = _look(_settings(tmp_path, content))
    assert (found.active_state, found.sub_state, found.main_pid) == ("failed", "failed", 0)
    assert words in found.note
    # how it ended is not known
    assert (found.result, found.exit_code) == ("", "")


def test_what_has_ended_and_was_not_taken_leave_of_does_not_run(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    found = _look(_settings(tmp_path, child.pid))
    child.wait()
    assert found.active_state == "failed"


def test_a_number_that_is_another_programs_by_now_is_stale(tmp_path: Path, sleeper: int) -> None:
    found = _look(_settings(tmp_path, sleeper, start=("/usr/bin/env", "--config", "x")))
    assert found.active_state == "failed"
    name = os.path.basename(sys.executable)
    assert f"process {sleeper} is {name}, which the start command does not start" in found.note


def test_a_process_younger_than_its_file_is_not_the_one_that_it_names(tmp_path: Path) -> None:
    # its command line tells nothing: a LiteLLM of whatever start command
    child = subprocess.Popen(["litellm", *SLEEPER[1:]], executable=sys.executable)
    try:
        settings = _settings(tmp_path, child.pid, start=("./start.sh",))
        assert _look(settings).active_state == "active"
        os.utime(tmp_path / "pid", (time.time() - 3600, time.time() - 3600))
        found = _look(settings)
    finally:
        child.kill()
        child.wait()
    assert found.active_state == "failed"
    assert "was started after it was written" in found.note


def test_a_script_is_known_with_its_interpreter_in_front(tmp_path: Path) -> None:
    script = tmp_path / "serve"
    script.write_text(f"#!{sys.executable}\nimport time; time.sleep(600)\n", encoding="utf-8")
    script.chmod(0o755)
    child = subprocess.Popen([script, "--port", "4000"])
    try:
        while len(proc.command_line(child.pid)) != 4:
            time.sleep(0.01)
        named = _settings(tmp_path, child.pid, start=("./serve", "--port", 4000), folder=str(tmp_path))
        assert _look(named).main_pid == child.pid
        assert _look(_settings(tmp_path, child.pid, start=(str(script), "--port", "4001"))).active_state == "failed"
    finally:
        child.kill()
        child.wait()


def test_the_same_number_with_another_start_is_another_run(
    tmp_path: Path, sleeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings(tmp_path, sleeper)
    before, stat = _look(settings), proc.stat(sleeper)
    assert stat is not None
    monkeypatch.setattr(proc, "stat", lambda _: stat._replace(ticks=stat.ticks + 100))
    assert _look(settings).invocation != before.invocation


def test_a_file_that_may_not_be_read_says_who_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pid_file, "read_text", refuse)
    found = look(_settings(tmp_path), "litellm")
    assert isinstance(found, Denied)
    assert "as the user who runs LiteLLM" in found.why


def test_a_start_command_that_is_gone(tmp_path: Path) -> None:
    found = _look(_settings(tmp_path, start=("no-such-program-here",)))
    assert (found.load_state, found.active_state) == ("not-found", "inactive")
    assert "the start command no-such-program-here is not there" in found.note


def test_where_the_program_lies(tmp_path: Path) -> None:
    (tmp_path / "run").touch(mode=0o755)
    (tmp_path / "plain").touch(mode=0o644)
    assert program(_settings(tmp_path, start=("./run",), folder=str(tmp_path))) == str(tmp_path / "run")
    assert program(_settings(tmp_path, start=("./plain",), folder=str(tmp_path))) is None
    assert program(_settings(tmp_path, start=("sh",))) is not None


def test_without_a_start_command_the_number_alone_counts(tmp_path: Path, sleeper: int) -> None:
    _settings(tmp_path, sleeper)
    found = find(str(tmp_path / "pid"))
    assert isinstance(found, FoundProcess)
    assert found.pid == sleeper
