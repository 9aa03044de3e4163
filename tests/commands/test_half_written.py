"""A configuration that a killed writer has left in the middle: `status` and `check` say it, and change nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from litellm_tui import cli
from litellm_tui.commands import look as look_module
from litellm_tui.demo import Simulation
from litellm_tui.storage.backups import Backups
from litellm_tui.storage.identity import digest
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings

SECRET = "sk-this-must-never-be-seen-1234567890"


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Profile]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as simulation:
        options = Options(unit=simulation.unit, scope="user")
        found = resolve(options, Settings(), tools=simulation.tools, environ={})
        for name in ("status", "check"):
            monkeypatch.setattr(f"litellm_tui.commands.{name}.resolve", lambda *_: found)
        yield found


@pytest.fixture
def torn(profile: Profile) -> Path:
    """The configuration after a writer of a longer one was killed, with the note and the copy that he left."""
    assert profile.config is not None
    file = Path(profile.config.value)
    before = file.read_bytes()
    after = b"# longer than before\n" * 200 + before + f"# {SECRET}\n".encode()
    folder = Backups(profile.url.value, profile.unit.value if profile.unit else "").folder
    folder.mkdir(parents=True)
    (folder / "config.yaml.1").write_bytes(before)
    note = {
        "target": str(file),
        "before": hashlib.sha256(before).hexdigest(),
        "content": after,
        "copy": "config.yaml.1",
    }
    (folder / f"in-place.{digest(str(file))}.json").write_bytes(msgspec.json.encode(note))
    file.write_bytes(after[:100] + before[100:])
    return file


def test_the_status_says_that_a_file_is_half_written(torn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = torn.read_bytes()
    assert cli.main(["status", "--json"]) == 2
    shown = capsys.readouterr().out
    (problem,) = [p for p in json.loads(shown)["problems"] if p["cause"] == "half-written"]
    assert problem["severity"] == "bad"
    assert str(torn) in problem["reason"]
    assert "config.yaml.1" in problem["reason"]
    assert SECRET not in shown
    assert torn.read_bytes() == data
    assert cli.main(["status"]) == 2
    assert "half-written" in capsys.readouterr().out


def test_a_check_finds_that_a_file_is_half_written(torn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--json"]) == 2
    found = {phase["name"]: phase for phase in json.loads(capsys.readouterr().out)["phases"]}
    assert found["file"]["outcome"] == "broken"
    assert f"{torn} is half-written" in found["file"]["text"]
    assert found["file"]["do"]


def test_what_cannot_be_looked_into_is_told(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: Profile) -> Iterator[tuple[str, str]]:
        raise KeyError(SECRET)

    assert profile.config is not None
    monkeypatch.setattr(look_module, "_half_written", fails)
    assert cli.main(["status", "--json"]) in (1, 2)
    shown = capsys.readouterr()
    (crash,) = json.loads(shown.out)["crashes"]
    assert (crash["source"], crash["failure"]["error"]) == ("configuration", "KeyError")
    assert SECRET not in shown.out + shown.err
