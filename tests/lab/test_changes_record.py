"""The rows of docs/changes.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.changes_record import WANTED, Restarted, note, note_warmed


def test_a_row_is_written_in_the_place_of_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "changes.md"
    monkeypatch.delenv(WANTED, raising=False)
    note("user unit", "a good file", "1.2.3", {"result": "applied", "took": 9.0, "downtime": 8.0}, document)
    assert not document.exists()
    monkeypatch.setenv(WANTED, "1")
    for down in (8.0, 7.25):
        note("user unit", "a good file", "1.2.3", {"result": "applied", "took": 9.0, "downtime": down}, document)
    note("process", "a bad file", "1.2.3", {"result": "refused", "took": 6.0, "downtime": None}, document)
    text = document.read_text()
    rows = [line for line in text.splitlines() if line.startswith(("| user unit", "| process"))]
    assert text.startswith("# What a change costs\n")
    assert [row.rpartition("|")[0].rpartition("|")[0] for row in rows] == [
        "| process | a bad file | 1.2.3 | refused | 6.0 s | not measured ",
        "| user unit | a good file | 1.2.3 | applied | 9.0 s | 7.2 s ",
    ]


def test_what_a_rehearsal_warms_stands_in_a_table_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "changes.md"
    monkeypatch.setenv(WANTED, "1")
    note_warmed("user unit", "1.2.3", Restarted(10.0, 90_000_000, 1.0), Restarted(9.0, 0, 1.0), document)
    note("user unit", "a good file", "1.2.3", {"result": "applied", "took": 9.0, "downtime": 8.0}, document)
    note("user unit", "a good file", "1.3.0", {"result": "applied", "took": 9.0, "downtime": 6.0}, document)
    note_warmed("user unit", "1.2.3", Restarted(10.0, 90_000_000, 1.0), Restarted(8.0, 0, 2.0), document)
    changes, _, warmed = document.read_text().partition("## What a rehearsal warms")
    assert [line[:34] for line in changes.splitlines() if "| a good file |" in line] == [
        "| user unit | a good file | 1.2.3 ", "| user unit | a good file | 1.3.0 "
    ]  # fmt: skip
    assert [line for line in warmed.splitlines() if "1.2.3" in line] == [
        "| user unit | 1.2.3 | 10.0 s, 90 MB read, load 1 | 8.0 s, 0 MB read, load 2 | 0.80 |"
    ]
