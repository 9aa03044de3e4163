"""A change of a group: in order, stopped at the first that fails, gone on with later, never two at once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from litellm_tui.actions import fleet_change
from litellm_tui.cli import main
from litellm_tui.model.fleet_change import FleetChange, MemberChange
from litellm_tui.storage.fleet_changes import FleetChanges
from tests.standins.far_program import Far

HOSTS = ("one", "two", "three")
FILE = "model_list: []\n# sk-secret-0123456789\n"


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Far:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("LITELLM_TUI_PROFILE", raising=False)
    monkeypatch.setattr(fleet_change, "_AGAIN_SECONDS", 0.05)
    settings = tmp_path / "config" / "litellm-tui" / "config.yaml"
    settings.parent.mkdir(parents=True)
    profiles = "".join(f"  {name}: {{ssh: {name}, group: web, unit: x.service}}\n" for name in HOSTS)
    settings.write_text(f"profiles:\n{profiles}  other: {{ssh: other}}\n")
    found = Far(tmp_path, monkeypatch)
    for host in HOSTS:
        found.says(host, "try", 0, outcome="passed", cause="")
        found.says(host, "turn", 0, exit_status=0, result="applied", text="applied and proved")
    return found


def _run(capsys: pytest.CaptureFixture[str], status: int, *words: str) -> dict[str, Any]:
    assert main(["fleet", *words, "--yes", "--json"]) == status
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["exit_status"] == status
    return found


def _stages(found: dict[str, Any]) -> dict[str, str]:
    return {member["name"]: member["stage"] for member in found["members"]}


def _unfinished() -> FleetChange | None:
    found = FleetChanges("web").load()
    assert found is None or isinstance(found, FleetChange)
    return found


def test_it_is_tried_on_all_and_then_done_one_after_another(far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    found = _run(capsys, 0, "restart", "web")
    assert _stages(found) == dict.fromkeys(HOSTS, "applied")
    asked = [(host, words) for host, words in far.calls() if "status" not in words]
    assert sorted(host for host, words in asked[:3]) == sorted(HOSTS)
    assert all(words == ["--unit=x.service", "rehearse", "--yes", "--json"] for _, words in asked[:3])
    assert [(host, words[1:]) for host, words in asked[3:]] == [
        (host, ["turn", found["id"], "restart"]) for host in HOSTS
    ]
    assert _unfinished() is None


def test_what_is_not_passed_on_one_is_done_on_none(far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    far.says("two", "try", 1, outcome="refused", cause="no such model")
    found = _run(capsys, 2, "restart", "web")
    assert _stages(found) == {"one": "rehearsed", "two": "refused", "three": "rehearsed"}
    assert found["members"][1]["text"] == "refused: no such model"
    assert far.calls("turn") == []
    assert _unfinished() is None


def test_what_cannot_be_rehearsed_goes_on_as_a_restart_does(far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    far.says("two", "try", 2, outcome="not possible", cause="too little memory")
    assert _stages(_run(capsys, 0, "restart", "web")) == dict.fromkeys(HOSTS, "applied")


@pytest.mark.parametrize(("status", "result", "ends"), [(1, "rolled back", 1), (3, "failed", 3), (2, "refused", 1)])
def test_it_stops_at_the_first_that_fails(
    far: Far, capsys: pytest.CaptureFixture[str], status: int, result: str, ends: int
) -> None:
    far.says("two", "turn", status, exit_status=status, result=result, text="it does not start")
    found = _run(capsys, ends, "restart", "web")
    assert _stages(found) == {"one": "applied", "two": result, "three": "rehearsed"}
    assert [host for host, _ in far.calls("turn")] == ["one", "two"]
    assert found["stopped"] == f"two: {result}"


def test_the_first_that_fails_leaves_all_others_untouched(far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    far.says("one", "turn", 1, exit_status=1, result="rolled back", text="it does not start")
    found = _run(capsys, 1, "restart", "web", "--no-rehearsal")
    assert _stages(found) == {"one": "rolled back", "two": "waiting", "three": "waiting"}
    assert far.calls("rehearse") == []


def test_a_file_goes_to_each_by_stdin_and_is_not_kept_here(
    far: Far, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(FILE)
    for host in HOSTS:
        far.says(host, "try", 0, exit_status=0, result="tried out", text="passed")
    found = _run(capsys, 0, "apply", str(file), "web")
    for host in HOSTS:
        assert far.given(host, "try") == far.given(host, "turn") == FILE.encode()
    assert far.calls("try") == []
    assert [words[1:] for _, words in far.calls("--rehearse")] == [["apply", "-", "--rehearse", "--json"]] * 3
    assert found["digest"]
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file() and b"sk-secret" in path.read_bytes()]
    assert kept == []


def test_another_release_is_tried_and_applied(far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    found = _run(capsys, 0, "upgrade", "1.109.3", "web", "--database-is-backed-up")
    asked = [words[1:] for _, words in far.calls("upgrade")]
    assert asked[:3] == [["upgrade", "1.109.3", "--rehearse", "--database-is-backed-up", "--json"]] * 3
    assert asked[3] == ["turn", found["id"], "upgrade", "1.109.3", "--database-is-backed-up"]


def test_a_link_that_is_cut_in_the_middle_is_made_again_and_nothing_is_done_twice(
    far: Far, capsys: pytest.CaptureFixture[str]
) -> None:
    far.mark("two", "cut")
    found = _run(capsys, 0, "restart", "web", "--no-rehearsal")
    assert _stages(found) == dict.fromkeys(HOSTS, "applied")
    turns = far.calls("turn")
    assert [host for host, _ in turns] == ["one", "two", "two", "three"]
    assert {words[2] for _, words in turns} == {found["id"]}


def test_one_that_stays_away_is_not_known_and_is_gone_on_with_later(
    far: Far, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_change, "PATIENCE_SECONDS", 0.0)
    far.mark("two", "cut")
    found = _run(capsys, 3, "restart", "web", "--no-rehearsal")
    assert _stages(found) == {"one": "applied", "two": "its turn", "three": "waiting"}
    assert not found["over"]
    assert _unfinished() is not None
    assert main(["fleet", "restart", "web", "--yes"]) == 2
    assert "was interrupted" in capsys.readouterr().err
    again = _run(capsys, 0, "resume", "web")
    assert _stages(again) == dict.fromkeys(HOSTS, "applied")
    assert again["id"] == found["id"]
    assert [host for host, _ in far.calls("turn")] == ["one", "two", "two", "three"]
    assert _unfinished() is None


def test_one_that_cannot_be_reached_before_stops_it_before_anything(
    far: Far, capsys: pytest.CaptureFixture[str]
) -> None:
    far.mark("three", "down")
    found = _run(capsys, 2, "restart", "web")
    assert "not reached: three" in found["stopped"]
    assert far.calls("rehearse") == far.calls("turn") == []
    assert _unfinished() is None


def test_what_a_killed_console_left_is_gone_on_with_and_can_be_forgotten(
    far: Far, capsys: pytest.CaptureFixture[str]
) -> None:
    members = (
        MemberChange("one", "one", "applied"), MemberChange("two", "two", "its turn"), MemberChange("three", "three")
    )  # fmt: skip
    left = FleetChange("restart-0123456789abcdef", "restart", "web", members, 1_900_000_000.0)
    killed = FleetChanges("web")
    assert killed.take() is None
    assert killed.write(left) is None
    killed.release()
    assert main(["fleet", "forget", "web"]) == 0
    assert "stays as it is" in capsys.readouterr().out
    assert main(["fleet", "resume", "web", "--yes"]) == 2
    assert FleetChanges("web").write(left) is None
    found = _run(capsys, 0, "resume", "web")
    assert [host for host, _ in far.calls("turn")] == ["two", "three"]
    assert found["id"] == left.id


def test_two_consoles_do_not_change_one_group_at_once(far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    other = FleetChanges("web")
    assert other.take() is None
    assert main(["fleet", "restart", "web", "--yes"]) == 2
    assert re.search(r"\(process \d+\), since .* is changing this group: wait for that to end", capsys.readouterr().err)
    other.release()


def test_at_once_only_where_it_is_asked_for(far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    far.says("one", "turn", 1, exit_status=1, result="rolled back", text="it does not start")
    found = _run(capsys, 1, "restart", "web", "--parallel", "--no-rehearsal")
    assert _stages(found) == {"one": "rolled back", "two": "applied", "three": "applied"}


def test_the_plan_is_shown_and_told_as_it_goes(far: Far, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "restart", "web", "--yes"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Restart web (3 members), one after another:"
    assert [line.split()[:3] for line in said[1:4]] == [
        [str(number), name, "SERVING"] for number, name in enumerate(HOSTS, 1)
    ]
    assert said[5] == "it stops at the first that fails: those after it stay as they are"
    assert said[-1] == "3 applied"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["restart", "nobody", "--yes"], "no profile has group: nobody"),
        (["restart", "web"], "needs --yes where nobody can be asked"),
        (["diff", "nobody"], "no profile has group: nobody"),
    ],
)
def test_a_wrong_command_line_is_64(
    far: Far, words: list[str], why: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["fleet", *words]) == 64
    assert why in capsys.readouterr().err
    assert far.calls() == []
