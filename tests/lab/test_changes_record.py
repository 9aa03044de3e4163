"""The rows of docs/changes.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.changes_record import WANTED, note


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
