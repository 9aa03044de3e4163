"""What is kept from one run to the next, and that nothing of it can stop a run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from litellm_tui.analysis.changes import Glance
from litellm_tui.analysis.memory import Remembered
from litellm_tui.analysis.records import Place, Problem
from litellm_tui.keptfile import lock_of
from litellm_tui.state import Kept, StateFile, state_folder

URL = "http://127.0.0.1:4000"
PROBLEM = Problem("group:g", "bad", "g", "refused", "it refuses", Place("group", "g"), since=5.0)
MEMORY = {PROBLEM.key: Remembered(PROBLEM, 5.0, 9.0, looked=True)}
LAST = Glance(9.0, version="1.106.2", deployments=("g (m)",))


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
    assert file.load() == Kept()
    assert file.failure == ""
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"memory": 3}', b"\xff\xfe", b'{"memory": {"a": {}}}', b"null", b"[" * 100_000]
)
def test_a_file_that_cannot_be_read_is_forgotten_and_replaced(tmp_path: Path, content: bytes) -> None:
    file = StateFile(URL, "", tmp_path)
    file.path.write_bytes(content)
    assert file.load() == Kept()
    assert str(file.path) in file.failure
    file.save(MEMORY, {}, None)
    assert file.failure == ""
    assert StateFile(URL, "", tmp_path).load().memory == MEMORY


def test_a_file_of_a_later_form_is_not_understood(tmp_path: Path) -> None:
    file = StateFile(URL, "", tmp_path)
    file.save(MEMORY, {}, None)
    newer = json.loads(file.path.read_text()) | {"form": 99}
    file.path.write_text(json.dumps(newer))
    assert StateFile(URL, "", tmp_path).load() == Kept()


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
    assert file.load() == Kept()
    # and a folder in the file's place
    file = StateFile(URL, "", tmp_path)
    file.path.mkdir()
    (file.path / "x").touch()
    file.save(MEMORY, {}, None)
    assert file.failure
    assert not list(tmp_path.glob(".state-*"))


def test_it_lies_where_the_system_keeps_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder().is_relative_to(tmp_path)
