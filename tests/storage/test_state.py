"""What is kept from one run to the next, and that nothing of it can stop a run."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from litellm_tui.analysis.change.changes import LookSummary
from litellm_tui.analysis.health.memory import Remembered
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.model.probe import ProbeResult
from litellm_tui.storage import shared_file
from litellm_tui.storage.shared_file import lock_of
from litellm_tui.storage.state import LONGEST_ERROR, MOST_PROBES, SavedState, StateFile, state_folder

URL = "http://127.0.0.1:4000"
PROBLEM = Problem("group:g", "bad", "g", "refused", "it refuses", Place("group", "g"), since=5.0)
MEMORY = {PROBLEM.key: Remembered(PROBLEM, 5.0, 9.0, looked=True)}
LAST = LookSummary(9.0, version="1.106.2", deployments=("g (m)",))


def test_what_was_kept_is_there_in_the_next_run(tmp_path: Path) -> None:
    StateFile(URL, "litellm.service", tmp_path / "new" / "folder").save(MEMORY, {"g": "no GPU"}, LAST)
    again = StateFile(URL, "litellm.service", tmp_path / "new" / "folder")
    kept = again.load()
    assert (kept.memory, kept.expected_down, kept.last) == (MEMORY, {"g": "no GPU"}, LAST)
    assert again.failure == ""


def test_each_gateway_and_unit_has_a_file_of_its_own(tmp_path: Path) -> None:
    files = [StateFile(URL, "a", tmp_path), StateFile(URL, "b", tmp_path), StateFile("http://other", "a", tmp_path)]
    files[0].save(MEMORY, {}, None)
    assert len({file.path for file in files}) == 3
    assert [bool(file.load().memory) for file in files] == [True, False, False]


def test_before_the_first_run_there_is_nothing_and_no_failure(tmp_path: Path) -> None:
    file = StateFile(URL, "", tmp_path / "none")
    assert file.load() == SavedState()
    assert file.failure == ""
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"memory": 3}', b"\xff\xfe", b'{"memory": {"a": {}}}', b"null", b"[" * 100_000]
)
def test_a_file_that_cannot_be_read_is_forgotten_and_replaced(tmp_path: Path, content: bytes) -> None:
    file = StateFile(URL, "", tmp_path)
    file.path.write_bytes(content)
    assert file.load() == SavedState()
    assert str(file.path) in file.failure
    file.save(MEMORY, {}, None)
    assert file.failure == ""
    assert StateFile(URL, "", tmp_path).load().memory == MEMORY


def test_a_file_of_a_later_form_is_not_understood(tmp_path: Path) -> None:
    file = StateFile(URL, "", tmp_path)
    file.save(MEMORY, {}, None)
    newer = json.loads(file.path.read_text()) | {"form": 99}
    file.path.write_text(json.dumps(newer))
    assert StateFile(URL, "", tmp_path).load() == SavedState()


def test_only_its_owner_reads_it_and_no_half_file_is_left(tmp_path: Path) -> None:
    file = StateFile(URL, "", tmp_path / "state")
    file.save(MEMORY, {}, None)
    assert file.path.stat().st_mode & 0o077 == 0
    assert file.path.parent.stat().st_mode & 0o077 == 0
    assert set(os.listdir(file.path.parent)) == {file.path.name, lock_of(file.path).name}


def test_the_same_is_not_written_twice(tmp_path: Path) -> None:
    file = StateFile(URL, "", tmp_path)
    file.save(MEMORY, {}, None)
    before = file.path.stat().st_ino
    file.save(MEMORY, {}, None)
    assert file.path.stat().st_ino == before
    file.save(MEMORY, {"g": "note"}, None)
    assert file.path.stat().st_ino != before


def test_a_folder_that_cannot_be_written_is_said_and_stops_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    file = StateFile(URL, "", blocked / "folder")
    file.save(MEMORY, {}, None)
    assert str(file.path) in file.failure
    assert file.load() == SavedState()
    # and a folder in the file's place
    file = StateFile(URL, "", tmp_path)
    file.path.mkdir()
    (file.path / "x").touch()
    file.save(MEMORY, {}, None)
    assert file.failure
    assert [path.name for path in tmp_path.glob(".*")] == [shared_file.lock_of(file.path).name]


def test_it_lies_where_the_system_keeps_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder().is_relative_to(tmp_path)


# --- two consoles at once ------------------------------------------------------------------------------------------


def _two(folder: Path) -> tuple[StateFile, StateFile]:
    StateFile(URL, "", folder).save(MEMORY, {"old": "no GPU"}, LAST)
    files = StateFile(URL, "", folder), StateFile(URL, "", folder)
    for file in files:
        file.load()
    return files


def _marks(folder: Path) -> dict[str, str]:
    return StateFile(URL, "", folder).load().expected_down


def test_marks_of_two_consoles_are_both_kept(tmp_path: Path) -> None:
    one, other = _two(tmp_path)
    assert one.save(MEMORY, {"old": "no GPU", "a": "by one"}, LAST).expected_down == {"old": "no GPU", "a": "by one"}
    found = other.save(MEMORY, {"old": "no GPU", "b": "by the other"}, LAST).expected_down
    assert found == _marks(tmp_path) == {"old": "no GPU", "a": "by one", "b": "by the other"}
    # the one that does not know of it yet takes nothing back
    assert one.save(MEMORY, {"old": "no GPU", "a": "by one"}, LAST).expected_down == found
    assert _marks(tmp_path) == found


def test_a_mark_that_one_takes_back_is_gone_and_one_that_the_other_writes_anew_stays(tmp_path: Path) -> None:
    one, other = _two(tmp_path)
    one.save(MEMORY, {}, LAST)
    assert other.save(MEMORY, {"old": "no GPU"}, LAST).expected_down == {}
    one, other = _two(tmp_path / "again")
    one.save(MEMORY, {}, LAST)
    assert other.save(MEMORY, {"old": ""}, LAST).expected_down == {"old": ""}
    assert _marks(tmp_path / "again") == {"old": ""}


def test_what_others_have_kept_is_taken_over_without_a_word_of_ones_own(tmp_path: Path) -> None:
    one, other = _two(tmp_path)
    assert not other.changed()
    one.save(MEMORY, {"old": "no GPU", "a": "by one"}, LAST)
    assert not one.changed()
    assert other.changed()
    before = other.path.read_bytes()
    found = other.adopt(MEMORY, {"old": "no GPU", "b": "not saved yet"}, LAST)
    assert found.expected_down == {"old": "no GPU", "a": "by one", "b": "not saved yet"}
    assert not other.changed()
    assert other.path.read_bytes() == before
    assert other.save(found.memory, found.expected_down, LAST).expected_down == found.expected_down == _marks(tmp_path)


def test_problems_that_two_consoles_have_seen_are_put_together(tmp_path: Path) -> None:
    one, other = _two(tmp_path)
    fresh = Problem("group:h", "bad", "h", "refused", "it refuses", Place("group", "h"))
    mine = {PROBLEM.key: Remembered(PROBLEM, 5.0, 20.0, looked=False), "group:h": Remembered(fresh, 19.0, 20.0)}
    one.save(mine, {}, LookSummary(20.0))
    ended = {PROBLEM.key: Remembered(PROBLEM, 5.0, 9.0, looked=True, solved_at=25.0)}
    found = other.save(ended, {}, LookSummary(15.0))
    assert found.memory == {PROBLEM.key: Remembered(PROBLEM, 5.0, 9.0, True, 25.0), "group:h": mine["group:h"]}
    assert found.last == LookSummary(20.0)
    assert StateFile(URL, "", tmp_path).load() == found


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    def write(number: int) -> None:
        file = StateFile(URL, "", tmp_path)
        marks = dict(file.load().expected_down)
        for step in range(10):
            marks[f"{number}.{step}"] = "note"
            marks = dict(file.save({}, marks, None).expected_down)
            assert file.failure == ""

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(_marks(tmp_path)) == {f"{number}.{step}" for number in range(6) for step in range(10)}


def test_behind_a_busy_lock_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_file, "LOCK_SECONDS", 0.0)
    one, other = _two(tmp_path)
    with shared_file.changing(one.path):
        found = other.save(MEMORY, {"b": "by the other"}, LAST)
        assert "another litellm-tui is writing" in other.failure
        assert found.expected_down == {"b": "by the other"}
    one.save(MEMORY, {"old": "no GPU", "a": "by one"}, LAST)
    assert other.save(MEMORY, {"b": "by the other"}, LAST).expected_down == {"a": "by one", "b": "by the other"}
    assert other.failure == ""


def test_a_file_that_cannot_be_read_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = _two(tmp_path)
    one.save(MEMORY, {"old": "no GPU", "a": "by one"}, LAST)

    def refused(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("litellm_tui.storage.state.read_bytes", refused)
        assert other.save(MEMORY, {"b": "by the other"}, LAST).expected_down == {"b": "by the other"}
        assert "Permission denied" in other.failure
        assert other.adopt(MEMORY, {"b": "by the other"}, LAST).expected_down == {"b": "by the other"}
    assert _marks(tmp_path) == {"old": "no GPU", "a": "by one"}
    assert other.save(MEMORY, {"b": "by the other"}, LAST).expected_down == {"a": "by one", "b": "by the other"}


@pytest.mark.parametrize("content", [b"", b"{half", b'{"memory": 3}'])
def test_a_damaged_file_is_put_aside_and_what_is_known_is_kept(tmp_path: Path, content: bytes) -> None:
    one, other = _two(tmp_path)
    one.save(MEMORY, {"old": "no GPU", "a": "by one"}, LAST)
    other.adopt(MEMORY, {"old": "no GPU"}, LAST)
    one.path.write_bytes(content)
    known = {"old": "no GPU", "a": "by one"}
    assert other.save(MEMORY, known, LAST).expected_down == known == _marks(tmp_path)
    (aside,) = tmp_path.glob("*.damaged.*")
    assert aside.read_bytes() == content


def test_a_file_of_a_later_form_is_left_as_it_is(tmp_path: Path) -> None:
    one, other = _two(tmp_path)
    one.path.write_text(json.dumps(json.loads(one.path.read_text()) | {"form": 99}))
    before = one.path.read_bytes()
    other.save(MEMORY, {"b": "by the other"}, LAST)
    assert "later litellm-tui" in other.failure
    assert one.path.read_bytes() == before


def test_a_file_that_was_deleted_is_written_again_whole(tmp_path: Path) -> None:
    one, _ = _two(tmp_path)
    one.path.unlink()
    assert one.changed()
    one.save(MEMORY, {"old": "no GPU", "a": "by one"}, LAST)
    assert _marks(tmp_path) == {"old": "no GPU", "a": "by one"}


def _probe(identity: str, asked_at: float, error: str = "") -> ProbeResult:
    return ProbeResult(identity, "g", "openai/m", not error, asked_at, error=error)


def test_a_probe_is_kept_for_whoever_looks_next(tmp_path: Path) -> None:
    console = StateFile(URL, "u", tmp_path)
    console.load()
    console.save(MEMORY, {"g": "no GPU"}, LAST)
    assert StateFile(URL, "u", tmp_path).add_probes([_probe("id1", 100.0, "refused")]) == ""
    # the console that was open all the time takes it up, and loses none of its own
    console.probes = {"id2": _probe("id2", 101.0)}
    found = console.save(MEMORY, {"g": "no GPU"}, LAST)
    assert set(found.probes) == {"id1", "id2"}
    kept = StateFile(URL, "u", tmp_path).load()
    assert (kept.memory, kept.expected_down, kept.last) == (MEMORY, {"g": "no GPU"}, LAST)
    assert kept.probes["id1"].error == "refused"


def test_of_two_probes_of_a_deployment_the_newer_one_is_kept(tmp_path: Path) -> None:
    one, other = StateFile(URL, "u", tmp_path), StateFile(URL, "u", tmp_path)
    for file in (one, other):
        file.load()
    other.probes = {"id1": _probe("id1", 200.0)}
    other.save({}, {}, None)
    one.probes = {"id1": _probe("id1", 100.0, "refused")}
    assert one.save({}, {}, None).probes["id1"].asked_at == 200.0


def test_probes_are_kept_within_bounds(tmp_path: Path) -> None:
    file = StateFile(URL, "u", tmp_path)
    file.add_probes([_probe("old", 0.0)])
    file.add_probes(_probe(str(n), 10_000.0 + n / 1000, "x" * 9000) for n in range(MOST_PROBES + 50))
    kept = StateFile(URL, "u", tmp_path).load().probes
    assert len(kept) == MOST_PROBES
    assert "old" not in kept
    assert {len(probe.error) for probe in kept.values()} == {LONGEST_ERROR}
