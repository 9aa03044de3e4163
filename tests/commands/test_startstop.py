"""`litellm-tui start`, `stop` and `service` on the simulated gateway."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from litellm_tui.actions.transaction.record import Record, RestartLock, here
from litellm_tui.cli import main
from litellm_tui.commands import service, startstop
from litellm_tui.demo import Simulation
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from tests.demo.probing import shown


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulation]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as made:
        _give(monkeypatch, _profile(made))
        yield made


def _profile(simulation: Simulation) -> Profile:
    options = Options(unit=simulation.unit, scope="user")
    return resolve(options, Settings(), tools=simulation.tools, environ={})


def _give(monkeypatch: pytest.MonkeyPatch, profile: Profile) -> None:
    for module in (startstop, service):
        monkeypatch.setattr(module, "resolve", lambda *_: profile)


def test_stopped_and_started(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["start", "--yes"]) == 0
    assert "nothing to start" in capsys.readouterr().out
    assert main(["stop", "--yes"]) == 0
    assert capsys.readouterr().out == "litellm.service: stopped\n"
    assert shown(simulation)["ActiveState"] == "inactive"
    assert main(["stop", "--yes"]) == 0
    assert "nothing to stop" in capsys.readouterr().out
    assert main(["start", "--yes"]) == 0
    assert shown(simulation)["ActiveState"] == "active"


def test_nobody_to_ask_is_a_wrong_command_line(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["stop"]) == 64
    assert shown(simulation)["ActiveState"] == "active"


def test_a_no_and_in_production_a_mere_yes_change_nothing(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", _Terminal("n\n"))
    assert main(["stop"]) == 2
    _give(monkeypatch, replace(_profile(simulation), production=True))
    monkeypatch.setattr("sys.stdin", _Terminal("y\n"))
    assert main(["stop"]) == 2
    assert shown(simulation)["ActiveState"] == "active"
    monkeypatch.setattr("sys.stdin", _Terminal("litellm.service\n"))
    assert main(["stop"]) == 0


def test_read_only_stops_nothing(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    _give(monkeypatch, replace(_profile(simulation), read_only=True))
    assert main(["stop", "--yes"]) == 64
    assert shown(simulation)["ActiveState"] == "active"


def test_never_while_a_restart_is_under_way_or_was_interrupted(
    simulation: Simulation, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = _profile(simulation)
    other = RestartLock(profile.url.value, simulation.unit)
    assert other.take() is None
    assert main(["stop", "--yes"]) == 2
    assert "is restarting it" in capsys.readouterr().err
    record = Record(unit=simulation.unit, holder=here(), stage="proof")
    assert other.write(record) is None
    other.release()
    assert main(["stop", "--yes"]) == 2
    assert "was interrupted" in capsys.readouterr().err
    assert shown(simulation)["ActiveState"] == "active"


def test_the_service_in_full_without_its_secrets(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop", "--yes"]) == main(["start", "--yes"]) == 0
    capsys.readouterr()
    assert main(["service"]) == 0
    said = capsys.readouterr().out
    assert "litellm.service (user): active" in said
    assert "stopped by order" in said
    assert "ExecStart=" in said
    assert "=•••" in said
    profile = _profile(simulation)
    assert not any(secret in said for secret in profile.secrets)
    assert main(["service", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["service"]["active_state"] == "active"
    assert document["exits"][-1]["by"] == "order"
    assert not any(secret in json.dumps(document) for secret in profile.secrets)
