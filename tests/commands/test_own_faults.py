"""A fault of the console itself in a command: it is told, by class and place, and is no other exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from litellm_tui import cli
from litellm_tui.collectors.config import config_file
from litellm_tui.commands import look as look_module
from litellm_tui.commands import status
from litellm_tui.demo import Simulation
from litellm_tui.services.systemd.driver import UnitDriver
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings

SECRET = "sk-this-must-never-be-seen-1234567890"


def _fail(*_: Any, **__: Any) -> Any:
    raise KeyError(SECRET)


async def _fail_later(*_: Any, **__: Any) -> Any:
    raise KeyError(SECRET)


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as simulation:
        options = Options(unit=simulation.unit, scope="user")
        found: Profile = resolve(options, Settings(), tools=simulation.tools, environ={})
        for name in ("status", "check"):
            monkeypatch.setattr(f"litellm_tui.commands.{name}.resolve", lambda *_: found)
        yield found


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize(
    ("target", "name", "fails", "source"),
    [
        (UnitDriver, "look", _fail_later, "service"),
        (config_file, "load", _fail, "configuration"),
        ("litellm_tui.monitor.auditor.Auditor", "audit", _fail, "audit"),
        ("litellm_tui.logs.intake.LogIntake", "add_lines", _fail, "log"),
        ("litellm_tui.monitor.gateway_poller.GatewayPoller", "_poll_readiness", _fail_later, "readiness"),
        ("litellm_tui.monitor.gateway_poller.GatewayPoller", "_poll_liveliness", _fail_later, "liveliness"),
        ("litellm_tui.logs.traffic_counter.TrafficCounter", "traffic", _fail, "traffic"),
        ("litellm_tui.storage.starts.StartHistory", "record_snapshot", _fail, None),
    ],
)
def test_a_source_that_fails_is_told_in_the_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: Any, name: str, fails: Any, source: str
) -> None:
    if isinstance(target, str):
        monkeypatch.setattr(f"{target}.{name}", fails)
    else:
        monkeypatch.setattr(target, name, fails)
    code = cli.main(["status", "--json"])
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err
    said = json.loads(shown.out)
    assert code == said["exit_status"] != cli.OWN_FAULT
    if source is None:
        return
    (crash,) = [crash for crash in said["crashes"] if crash["source"] == source]
    assert crash["failure"]["error"] == "KeyError"
    assert [problem["severity"] for problem in said["problems"] if problem["key"] == f"reading:{source}"] == ["warn"]
    # the others were read
    assert said["deployments"]
    assert said["gateway"]["state"] == ("not read" if source == "liveliness" else "answering")
    assert code in (1, 2)


@pytest.mark.usefixtures("profile")
def test_a_check_of_what_could_not_be_read_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(UnitDriver, "look", _fail_later)
    assert cli.main(["check", "--json"]) in (1, 2)
    found = {phase["name"]: phase for phase in json.loads(capsys.readouterr().out)["phases"]}
    assert found["service"]["outcome"] == "warning"
    assert "KeyError at " in found["service"]["text"]
    assert found["gateway"]["outcome"] == "ok"


@pytest.mark.usefixtures("profile")
def test_a_command_that_fails_has_a_status_of_its_own_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(look_module, "diagnose", _fail)
    assert cli.main(["status"]) == cli.OWN_FAULT == 70
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "status failed" in shown.err
    assert "KeyError at commands/look.py:" in shown.err
    assert SECRET not in shown.err


def test_what_is_raised_by_any_command_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def deep(options: Options, **_: Any) -> int:
        return deep(options) + 1

    def several(options: Options, **_: Any) -> int:
        raise ExceptionGroup("several", [ValueError(SECRET), KeyError(SECRET)])

    for fails, error in ((deep, "RecursionError"), (several, "ValueError")):
        monkeypatch.setattr(status, "run", fails)
        assert cli.main(["status"]) == cli.OWN_FAULT
        shown = capsys.readouterr()
        assert error in shown.err
        assert SECRET not in shown.err
