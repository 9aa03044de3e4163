"""A process against what starts it: its command, its script, its variables and its unit's files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.host import proc
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.process.drift import compare_process
from litellm_tui.services.systemd.drift import compare_unit

PROGRAM = "import sys; print(1, flush=True); sys.stdin.read()"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Service]:
    """A process that is called litellm, and has one variable of its file."""
    program = tmp_path / "litellm"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}\n", encoding="utf-8")
    program.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "KEY": "sk-one", "GONE": "x"}
    child = subprocess.Popen(
        [str(program), "--port", "4000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    assert child.stdout is not None
    child.stdout.readline()
    found = proc.stat(child.pid)
    assert found is not None
    yield Service("gw", "process", "loaded", "active", "running", main_pid=child.pid, started_at=found.started_at)
    child.kill()
    child.communicate()


def _process(folder: Path, *words: str) -> Process:
    return Process(
        start=(str(folder / "litellm"), *words), pid_file=str(folder / "pid"), environment_file=str(folder / "gw.env")
    )


def test_a_process_that_runs_as_it_is_written_differs_in_nothing(running: Service, tmp_path: Path) -> None:
    (tmp_path / "gw.env").write_text("KEY=sk-one\n", encoding="utf-8")
    assert compare_process(_process(tmp_path, "--port", "4000"), running).found == ()


def test_a_variable_and_a_word_that_came_later_are_seen(running: Service, tmp_path: Path) -> None:
    (tmp_path / "gw.env").write_text("KEY=sk-two\nNEW=sk-three\n", encoding="utf-8")
    found = compare_process(_process(tmp_path, "--port", "4001"), running).found
    assert [d.words.partition(": ")[0] for d in found] == ["command", "variable KEY", "variable NEW"]
    assert "sk-" not in repr(found)
    assert found[2].source == str(tmp_path / "gw.env")


def test_a_script_that_is_younger_than_its_process_is_told(running: Service, tmp_path: Path) -> None:
    script = tmp_path / "start.sh"
    script.write_text("#!/bin/sh\nexec litellm\n", encoding="utf-8")
    script.chmod(0o755)
    running = replace(running, started_at=(running.started_at or 0) - 60)
    settings = Process(start=(str(script),), pid_file=str(tmp_path / "pid"))
    (found,) = compare_process(settings, running).found
    assert (found.kind, found.name) == ("script", str(script))


def _unit(folder: Path, **more: str) -> dict[str, str]:
    return {
        "Id": "gw.service", "FragmentPath": "/etc/systemd/system/gw.service", "NeedDaemonReload": "no",
        "Environment": "", "EnvironmentFiles": f"{folder}/gw.env (ignore_errors=no)",
        "ExecStart": f"{{ path={folder}/litellm ; argv[]={folder}/litellm --port 4000 ; ignore_errors=no ; }}", **more,
    }  # fmt: skip


def test_a_unit_is_compared_with_its_files_and_its_command(running: Service, tmp_path: Path) -> None:
    file = tmp_path / "gw.env"
    file.write_text("KEY=sk-one\n", encoding="utf-8")
    running = replace(running, started_at=(running.started_at or 0) + 60)
    assert compare_unit(_unit(tmp_path), running, "user").found == ()
    assert compare_unit(_unit(tmp_path, UnsetEnvironment="KEY"), running, "user").found == ()
    changed = _unit(tmp_path, Environment="MODE=x KEY=overridden", NeedDaemonReload="yes")
    changed["ExecStart"] = changed["ExecStart"].replace("4000", "4001")
    drift = compare_unit(changed, running, "user")
    assert [d.words.partition(": ")[0] for d in drift.found] == [
        "unit file /etc/systemd/system/gw.service", "variable MODE", "command",
    ]  # fmt: skip
    assert "systemctl --user daemon-reload" in drift.command


def test_a_variable_that_no_file_sets_any_more_is_told_of_a_file_that_is_younger(
    running: Service, tmp_path: Path
) -> None:
    file = tmp_path / "gw.env"
    file.write_text("KEY=sk-one\n", encoding="utf-8")
    running = replace(running, started_at=(running.started_at or 0) - 60)
    found = compare_unit(_unit(tmp_path), running, "user", frozenset({"PATH"})).found
    assert [(d.name, d.sign) for d in found] == [("GONE", "removed")]
    # what every unit gets is none of this one's, and where that is not known nothing is said
    assert compare_unit(_unit(tmp_path), running, "user", frozenset({"GONE"})).found == ()
    assert compare_unit(_unit(tmp_path), running, "user").found == ()


def test_of_a_process_that_has_ended_nothing_is_compared(running: Service) -> None:
    ended = replace(running, main_pid=2**22 + 1)
    assert compare_process(Process(start=("/bin/true",), port=1, environment_file="/nonexistent"), ended).unknown == ()
    assert compare_unit({"Environment": "KEY=x"}, ended, "user") == compare_unit({}, ended, "user")


def test_the_environment_of_another_user_is_not_known(
    tmp_path: Path, running: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gw.env").write_text("KEY=sk-two\n", encoding="utf-8")
    monkeypatch.setattr(proc, "environment", lambda pid: {})
    drift = compare_unit(_unit(tmp_path), running, "system")
    assert [d.kind for d in drift.found] == ["definition"]
    assert drift.unknown == (f"the environment of process {running.main_pid}: it may not be read by this user",)
