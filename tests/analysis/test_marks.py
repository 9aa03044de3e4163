"""Marks of what is expected to be down: the end that a note names, in any zone, and what has no end."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from litellm_tui.analysis.health.marks import dated, end_of, lasting

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 29, 12, 0, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("note", "kept"),
    [
        ("moves until 18:00", "moves until 2026-11-29 18:00+01:00"),
        # a time that has gone by is tomorrow's
        ("until 9:30, Eva knows", "until 2026-11-30 09:30+01:00, Eva knows"),
        ("Until 2026-12-01 06:00", "until 2026-12-01 06:00+01:00"),
        ("until 2026-06-01T06:00 (summer)", "until 2026-06-01 06:00+02:00 (summer)"),
        ("no GPU on this machine", "no GPU on this machine"),
        ("until Friday", "until Friday"),
        ("until 25:00", "until 25:00"),
        ("until 2026-02-31 10:00", "until 2026-02-31 10:00"),
        ("", ""),
    ],
)
def test_a_note_names_its_end_in_full(note: str, kept: str) -> None:
    found = dated(note, NOON)
    assert found == kept
    # what has its end in full keeps it
    assert dated(found, NOON) == found


def test_a_mark_lasts_until_its_end_and_one_without_an_end_lasts() -> None:
    end = datetime(2026, 11, 29, 18, 0, tzinfo=BERLIN).timestamp()
    marks = {"a": dated("until 18:00", NOON), "b": "no GPU", "c": "until Friday"}
    assert end_of(marks["a"]) == end
    assert lasting(marks, end - 1) is marks
    assert lasting(marks, end) == {"b": "no GPU", "c": "until Friday"}


def test_a_note_of_another_hand_ends_nothing() -> None:
    assert end_of("until 9999-99-99 99:99+99:99") is None
