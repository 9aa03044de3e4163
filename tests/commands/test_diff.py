"""`litellm-tui diff` on the simulated gateway: the file against what runs and against what ran before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.cli import main
from litellm_tui.commands import diff, status
from litellm_tui.commands.diff import chosen
from litellm_tui.demo import Simulation
from litellm_tui.storage.starts import Start, StartHistory
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with Simulation(tmp_path / "gateway", scripted=False) as found:
        yield found


@pytest.fixture
def profile(simulation: Simulation) -> Profile:
    return resolve(Options(unit=simulation.unit, scope="user"), Settings(), tools=simulation.tools, environ={})


@pytest.fixture(autouse=True)
def own_world(profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine: the simulation's profile, and a state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for module in (diff, status):
        monkeypatch.setattr(module, "resolve", lambda *_: profile)


def _save(profile: Profile, old: str, new: str) -> None:
    assert profile.config
    path = Path(profile.config.value)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _note(profile: Profile, at: float = 1000.0, result: str = "loaded 1 of 1 deployment") -> str:
    """The file as it is now, noted as applied; its digest."""
    assert profile.config
    assert profile.unit
    from litellm_tui.collectors.config import config_file
    from litellm_tui.model.configuration import ConfigFile

    file = config_file.load(profile.config.value, {})
    assert isinstance(file, ConfigFile)
    history = StartHistory(profile.url.value, profile.unit.value)
    history.load()
    history.add_start(
        Start(at, file.digest, "1.106.2", result, file.files, f"run {at}"),
        {name: Path(name).read_bytes() for name in file.files},
    )
    return file.digest


def test_the_file_that_runs_is_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff"]) == 0
    said = capsys.readouterr().out
    assert "no difference" in said


def test_a_saved_change_is_a_difference_with_its_place(profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    assert profile.config
    _save(profile, "cooldown_time: ", "cooldown_time: 1")
    assert main(["diff"]) == 1
    said = capsys.readouterr().out
    assert "~ setting cooldown_time: " in said
    assert f"[{profile.config.value}:" in said
    assert "1 difference; a restart applies it" in said
    assert main(["diff", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    (change,) = document["changes"]
    assert (change["kind"], change["name"], change["visible"]) == ("changed", "cooldown_time", True)


def test_a_version_is_compared_by_number_digest_and_time(profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    digest = _note(profile)
    assert main(["diff", "1"]) == 0
    _save(profile, "cooldown_time: ", "cooldown_time: 1")
    for version in ("1", digest[:8], "2026-01-01T00:00"):
        capsys.readouterr()
        assert main(["diff", version]) == 1
        said = capsys.readouterr().out
        assert "router_settings.cooldown_time" in said
        assert digest[:12] in said
        # it may have been applied since
        assert "restart" not in said


@pytest.mark.parametrize("version", ["0", "7", "abcdef", "abc", "1969-01-01", "nonsense", "-1", "²"])
def test_a_version_that_is_not_there_is_a_wrong_command_line(
    version: str, profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    _note(profile)
    assert main(["diff", "--", version]) == 64
    assert "diff --history" in capsys.readouterr().err


def test_the_history_is_listed_newest_first(profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--history"]) == 0
    assert "no applied version" in capsys.readouterr().out
    first = _note(profile, 1000.0)
    _save(profile, "cooldown_time: ", "cooldown_time: 1")
    second = _note(profile, 2000.0, "did not stay up: exit-code (exited 1)")
    assert main(["diff", "--history"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert second[:12] in lines[0]
    assert "did not stay up" in lines[0]
    assert first[:12] in lines[1]
    assert main(["diff", "--history", "--json"]) == 0
    assert [entry["number"] for entry in json.loads(capsys.readouterr().out)] == [1, 2]


def test_a_gateway_that_is_away_is_said_and_the_last_version_is_compared(
    profile: Profile, simulation: Simulation, capsys: pytest.CaptureFixture[str]
) -> None:
    _note(profile)
    _save(profile, "cooldown_time: ", "cooldown_time: 1")
    simulation.gateway_down()
    assert main(["diff"]) == 3
    said = capsys.readouterr().out
    assert "what runs is not known" in said
    assert "router_settings.cooldown_time" in said


def test_a_file_that_cannot_be_used_is_said(profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    digest = _note(profile)
    _save(profile, "model_list:", "model_list: [")
    assert main(["diff"]) == 1
    assert "cannot be used" in capsys.readouterr().out
    assert main(["diff", digest[:8]]) == 1


def test_a_time_means_the_version_that_ran_then() -> None:
    versions = [Start(at, digest * 8, "", "", ()) for at, digest in ((1000.0, "a"), (2000.0, "b"))]
    assert chosen(versions, "1970-01-01T00:20:00+00:00") == versions[0]
    assert chosen(versions, "1970-01-01T00:40:00+00:00") == versions[1]
    assert chosen(versions, "aaaa") == versions[0]
    assert chosen(versions, "1") == versions[1]
    assert chosen(versions, "2") == versions[0]
    assert chosen([], "1") is None
