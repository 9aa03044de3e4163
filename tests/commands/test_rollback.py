"""`litellm-tui rollback` on the simulated gateway: what is kept, and the way back."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.actions.rollback import Torn
from litellm_tui.actions.transaction.record import Record, RestartLock, here
from litellm_tui.analysis.change import proof
from litellm_tui.cli import main
from litellm_tui.commands import restart, rollback
from litellm_tui.demo import Simulation
from litellm_tui.storage.backups import Backup, Backups, copy_current
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings

COOLDOWN = ("cooldown_time: 60", "cooldown_time: 90")


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Profile]:
    """The simulation's profile with an environment file, and a state folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with Simulation(tmp_path / "gateway", scripted=False) as simulation:
        found = resolve(Options(unit=simulation.unit, scope="user"), Settings(), tools=simulation.tools, environ={})
        monkeypatch.setattr(rollback, "resolve", lambda *_: found)
        yield found


def _path(profile: Profile) -> Path:
    assert profile.config
    return Path(profile.config.value)


def _store(profile: Profile) -> Backups:
    assert profile.unit
    store = Backups(profile.url.value, profile.unit.value)
    store.load()
    return store


def _keep(profile: Profile, result: str = "applied", good: bool = True) -> Backup:
    taken = copy_current(str(_path(profile)), profile.environment_files)
    store = _store(profile)
    made = store.make(taken, "before a restart", litellm_version="1.106.2", result=result)  # type: ignore[arg-type]
    assert isinstance(made, Backup)
    assert store.note(made.id, result, good=good) is None
    return made


def _edit(profile: Profile, old: str = COOLDOWN[0], new: str = COOLDOWN[1]) -> None:
    text = _path(profile).read_text()
    assert old in text
    _path(profile).write_text(text.replace(old, new))


def test_with_restart_it_is_applied_and_the_status_is_the_restarts(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(proof, "STEADY_SECONDS", 0.3)
    monkeypatch.setattr(restart, "resolve", lambda *_: profile)
    before = _path(profile).read_bytes()
    _keep(profile)
    _edit(profile)
    assert main(["rollback", "--yes", "--restart", "--json"]) == 64
    assert main(["rollback", "--yes", "--restart"]) == 0
    said = capsys.readouterr().out
    assert "applied: applied and proved" in said
    assert _path(profile).read_bytes() == before
    # nothing to go back to: nothing is restarted either
    assert main(["rollback", "--yes", "--restart"]) == 66
    assert "applied" not in capsys.readouterr().out


def test_it_goes_back_to_the_last_good_set_and_says_that_a_restart_applies_it(
    profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _path(profile).read_bytes()
    _keep(profile)
    _edit(profile)
    _keep(profile, "rejected: port taken", good=False)
    assert main(["rollback", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "router_settings.cooldown_time: 90 → 60" in said or "router_settings.cooldown_time: 90 -> 60" in said
    assert "a restart applies it" in said
    assert _path(profile).read_bytes() == before
    newest = _store(profile).records()[-1]
    assert newest.why == "before a rollback"
    assert f"rollback --to {newest.id}" in said
    # there and back again
    assert main(["rollback", "--to", str(newest.id), "--yes"]) == 0
    assert COOLDOWN[1].encode() in _path(profile).read_bytes()


def test_what_is_there_already_is_no_way_back(profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "--yes"]) == 66
    assert "rollback --list" in capsys.readouterr().err
    first = _keep(profile)
    assert main(["rollback", "--yes"]) == 66
    _edit(profile)
    second = _keep(profile)
    # the one before the good one that is there
    assert main(["rollback", "--yes", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["restored"] == first.id
    assert document["files"] == [str(_path(profile))]
    assert [change["name"] for change in document["changes"]] == ["router_settings.cooldown_time"]
    assert main(["rollback", "--to", str(first.id), "--yes"]) == 0
    assert "nothing was written" in capsys.readouterr().out
    assert main(["rollback", "--yes"]) == 0
    assert second.differs_from(first)
    assert COOLDOWN[1].encode() in _path(profile).read_bytes()


def test_a_set_of_another_configuration_file_is_not_gone_back_to(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("model_list: []\n")
    store = _store(profile)
    made = store.make([(str(tmp_path / "other.yaml"), "config")], "seen running")
    assert isinstance(made, Backup)
    store.note(made.id, "applied", good=True)
    (tmp_path / "other.yaml").write_text("model_list: [] # edited\n")
    assert main(["rollback", "--yes"]) == 66


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "status"), [("y\n", 0), ("YES\n", 0), ("n\n", 2), ("\n", 2), ("", 2), ("yellow\n", 2)]
)
def test_on_a_terminal_it_asks(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, status: int
) -> None:
    _keep(profile)
    _edit(profile)
    edited = _path(profile).read_bytes()
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    assert main(["rollback"]) == status
    said = capsys.readouterr()
    assert "cooldown_time" in said.out
    assert "[y/N]" in said.err
    assert (_path(profile).read_bytes() == edited) is bool(status)
    assert ("nothing was changed" in said.err) is bool(status)


def test_without_a_terminal_it_wants_to_be_told(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _keep(profile)
    _edit(profile)
    edited = _path(profile).read_bytes()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["rollback"]) == 64
    assert "--yes" in capsys.readouterr().err
    assert _path(profile).read_bytes() == edited


@pytest.mark.parametrize(
    "arguments", [["--to", "x"], ["--to", "0"], ["--to"], ["--to", "²"], ["--to", "1", "--list"], ["surplus"]]
)
def test_a_wrong_command_line_is_64(profile: Profile, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rollback", *arguments])
    assert ended.value.code == 64


def test_a_backup_that_is_not_there_is_66(profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rollback", "--to", "7", "--yes"]) == 66
    assert "no backup 7" in capsys.readouterr().err


def test_a_refusal_is_2_and_changes_nothing(profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    made = _keep(profile)
    _edit(profile)
    edited = _path(profile).read_bytes()
    copy = _store(profile).copy(made, str(_path(profile)))
    assert copy
    copy.write_bytes(b"api_key: sk-somebody-edited-this")
    assert main(["rollback", "--yes"]) == 2
    said = capsys.readouterr()
    assert str(copy) in said.err
    assert "sk-somebody" not in said.out + said.err
    assert _path(profile).read_bytes() == edited


def test_two_sets_on_the_disk_are_3(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _keep(profile)
    _edit(profile)
    monkeypatch.setattr(rollback, "go_back", lambda *_, **__: Torn("copy this to that"))
    assert main(["rollback", "--yes"]) == 3
    assert "copy this to that" in capsys.readouterr().err


def test_while_a_restart_is_under_way_nothing_is_changed(profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    assert profile.unit
    made = _keep(profile)
    _edit(profile)
    edited = _path(profile).read_bytes()
    lock = RestartLock(profile.url.value, profile.unit.value)
    assert lock.take() is None
    assert main(["rollback", "--yes"]) == 2
    assert f"process {os.getpid()}" in capsys.readouterr().err
    assert lock.write(Record(profile.unit.value, here(), "restart", backup=made.id)) is None
    lock.release()
    # its console is gone, and the restart waits to be ended
    assert main(["rollback", "--yes"]) == 2
    assert "litellm-tui restart" in capsys.readouterr().err
    assert _path(profile).read_bytes() == edited
    assert lock.end() is None
    assert main(["rollback", "--yes"]) == 0


def test_a_file_that_cannot_be_used_is_said_and_gone_back_from(
    profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _path(profile).read_bytes()
    _keep(profile)
    _path(profile).write_text("model_list: [\n")
    assert main(["rollback", "--yes"]) == 0
    assert "what is there now cannot be used" in capsys.readouterr().out
    assert _path(profile).read_bytes() == before


def test_the_list_is_newest_first_with_what_differs(
    profile: Profile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["rollback", "--list"]) == 0
    assert "nothing is kept yet" in capsys.readouterr().out
    first = _keep(profile)
    _edit(profile)
    second = _keep(profile, "rejected: [red]x[/]\x1b[31m", good=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["rollback", "--list"]) == 0
    said = capsys.readouterr().out
    assert str(_store(profile).folder) in said
    assert said.index(str(second.id)) < said.index(str(first.id))
    assert "as the files are now" in said
    assert f"{_path(profile)} would change" in said
    assert "applied, good" in said
    assert "\x1b" not in said
    assert main(["rollback", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["id"], one["differing"], one["good"]) for one in listed] == [
        (second.id, [], False), (first.id, [str(_path(profile))], True)
    ]  # fmt: skip
    # what is listed is a file to be copied by hand
    stored = os.path.join(listed[1]["folder"], listed[1]["files"][0]["name"])
    assert COOLDOWN[0] in Path(stored).read_text()


def test_no_value_of_the_environment_is_told(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from msgspec.structs import replace

    environment = tmp_path / "litellm.env"
    environment.write_text("OPENAI_API_KEY=hunter22\nBASE=hunter33\n")
    profile = replace(profile, environment_files=(str(environment),))
    monkeypatch.setattr(rollback, "resolve", lambda *_: profile)
    _keep(profile)
    environment.write_text("OPENAI_API_KEY=hunter44\nOTHER=hunter55\n")
    assert main(["rollback", "--yes", "--json"]) == 0
    document = capsys.readouterr().out
    environment.write_text("OPENAI_API_KEY=hunter44\nOTHER=hunter55\n")
    assert main(["rollback", "--yes"]) == 0
    said = capsys.readouterr().out
    for name in ("OPENAI_API_KEY", "BASE", "OTHER"):
        assert name in said
        assert name in document
    assert "hunter" not in said + document
    assert environment.read_text() == "OPENAI_API_KEY=hunter22\nBASE=hunter33\n"
