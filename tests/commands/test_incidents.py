"""`litellm-tui incidents` on the simulated gateway: what it prints and how it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.cli import main
from litellm_tui.commands import incidents
from litellm_tui.demo import Simulation
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from tests.demo.probing import systemctl

DEAD = "qwen2.5-coder:32b"


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as found:
        yield found


@pytest.fixture(autouse=True)
def own_world(simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine: the simulation's profile, and a state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def found(*_: object) -> Profile:
        options = Options(unit=simulation.unit, scope="user")
        return resolve(options, Settings(), tools=simulation.tools, environ={})

    monkeypatch.setattr(incidents, "resolve", found)


def _break(simulation: Simulation) -> None:
    simulation.break_model(DEAD, "refused")
    # at one moment: what is said again a little later counts as another failure, and a busy machine takes its time
    with simulation._lock:
        simulation._clock.pin(simulation._clock.now())
        for _ in range(3):
            simulation.request(DEAD)
        simulation._clock.real()


def test_a_dead_model_is_one_incident_with_its_meaning_and_the_next_step(
    simulation: Simulation, capsys: pytest.CaptureFixture[str]
) -> None:
    _break(simulation)
    assert main(["incidents"]) == 2
    said = capsys.readouterr().out
    assert said.count(f"refused: {DEAD}") == 1
    # each of the three requests tried it twice
    for words in ("6 times", "nothing listens at the address", "start the upstream", "requests a minute"):
        assert words in said
    assert simulation.key not in said


def test_json_has_the_same_with_stable_names(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    _break(simulation)
    assert main(["incidents", "--since", "1h", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {
        "taken_at", "host", "url", "since", "read_from", "exit_status", "unread", "answers", "incidents", "other",
            "lines", "lines_unread", "lines_unknown", "unknown_example",
    }  # fmt: skip
    assert found["exit_status"] == 2
    assert found["taken_at"] - found["since"] == pytest.approx(3600)
    (dead,) = [one for one in found["incidents"] if one["subject"] == DEAD]
    assert (dead["cause"], dead["count"], dead["going_on"]) == ("refused", 6, True)
    assert dead["place"]["kind"] == "deployment"
    assert len(dead["minutes"]) == 60


def test_since_the_restart_leaves_out_what_was_before(
    simulation: Simulation, capsys: pytest.CaptureFixture[str]
) -> None:
    _break(simulation)
    assert systemctl(simulation, "restart", simulation.unit).returncode == 0
    main(["incidents", "--json"])
    assert DEAD in {one["subject"] for one in json.loads(capsys.readouterr().out)["incidents"]}
    main(["incidents", "--since", "restart", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert DEAD not in {one["subject"] for one in found["incidents"]}
    assert 0 < found["taken_at"] - found["since"] < 60


def test_nothing_that_failed_ends_with_nought(simulation: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["incidents", "--since", "1s"]) in (0, 2)
    assert re.match(r"(no|\d+) incidents? in 1 s", capsys.readouterr().out)


@pytest.mark.parametrize("span", ["", "h", "0m", "1x", "-5m", "1.5h", "yesterday"])
def test_a_wrong_span_ends_with_sixty_four(span: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["incidents", "--since", span])
    assert ended.value.code == 64
