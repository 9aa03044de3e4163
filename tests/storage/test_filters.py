from __future__ import annotations

import os
from pathlib import Path

import pytest

from litellm_tui.storage.filters import SavedFilters


def test_what_is_kept_is_there_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "state" / "filters.json"
    saved = SavedFilters(path)
    saved.load()
    assert saved.filters == {}
    saved.keep("broken", "status:5xx|level:error")
    saved.keep("slow", "/took \\d{5} ms/")
    saved.keep("broken", "status:5xx")
    again = SavedFilters(path)
    again.load()
    assert again.filters == {"broken": "status:5xx", "slow": "/took \\d{5} ms/"}
    again.delete("slow")
    again.delete("nobody")
    saved.load()
    assert saved.filters == {"broken": "status:5xx"}
    assert path.stat().st_mode & 0o077 == 0
    assert set(os.listdir(path.parent)) == {"filters.json", ".filters.json.lock"}


def test_two_consoles_do_not_take_each_others_away(tmp_path: Path) -> None:
    one, two = SavedFilters(tmp_path / "f"), SavedFilters(tmp_path / "f")
    one.keep("a", "1")
    two.keep("b", "2")
    one.load()
    assert one.filters == {"a": "1", "b": "2"}


def test_a_file_that_is_none_is_told_and_what_is_typed_now_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "filters.json"
    path.write_text("{nothing")
    saved = SavedFilters(path)
    saved.load()
    assert str(path) in saved.failure
    saved.keep("a", "1")
    assert (saved.filters, saved.failure) == ({"a": "1"}, "")


def test_a_later_form_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "filters.json"
    path.write_text('{"form": 2, "filters": {"a": "1"}}')
    saved = SavedFilters(path)
    saved.load()
    assert "later litellm-tui" in saved.failure
    saved.keep("b", "2")
    assert saved.filters == {"b": "2"}
    assert '"form": 2' in path.read_text()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    saved = SavedFilters(tmp_path / "file" / "filters.json")
    saved.keep("a", "1")
    assert str(tmp_path) in saved.failure
    assert saved.filters == {"a": "1"}


@pytest.mark.parametrize("name", ["", "a b", "[/]", "ü"])
def test_without_a_file_they_live_as_long_as_the_run(name: str) -> None:
    saved = SavedFilters(None)
    saved.keep(name, "x")
    saved.load()
    assert saved.filters == {name: "x"}
