from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.log_filter.times import parse_duration, parse_moment

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("90s", datetime(2026, 11, 21, 2, 28, 30)),
        ("10m", datetime(2026, 11, 21, 2, 20)),
        ("10min", datetime(2026, 11, 21, 2, 20)),
        ("10m ago", datetime(2026, 11, 21, 2, 20)),
        ("3h", datetime(2026, 11, 20, 23, 30)),
        ("2d", datetime(2026, 11, 19, 2, 30)),
        ("02:14", datetime(2026, 11, 21, 2, 14)),
        ("2:14:31", datetime(2026, 11, 21, 2, 14, 31)),
        ("02:31", datetime(2026, 11, 20, 2, 31)),
        ("23:59", datetime(2026, 11, 20, 23, 59)),
        ("2026-11-20", datetime(2026, 11, 20)),
        ("2026-11-21T02:20", datetime(2026, 11, 21, 2, 20)),
        ("2026-11-21 02:20:05", datetime(2026, 11, 21, 2, 20, 5)),
        ("2026-11-21T02:20Z", datetime(2026, 11, 21, 2, 20)),
    ],
)
def test_a_time_is_understood(typed: str, meant: datetime) -> None:
    assert parse_moment(typed, NOW, UTC) == meant.replace(tzinfo=UTC).timestamp()


def test_a_time_of_day_is_of_the_zone_and_one_in_z_is_not() -> None:
    east = timezone(timedelta(hours=5))
    assert parse_moment("07:14", NOW, east) == datetime(2026, 11, 21, 2, 14, tzinfo=UTC).timestamp()
    assert parse_moment("2026-11-21T07:00", NOW, east) == datetime(2026, 11, 21, 2, 0, tzinfo=UTC).timestamp()
    assert parse_moment("2026-11-21T02:00Z", NOW, east) == datetime(2026, 11, 21, 2, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "typed",
    ["", "soon", "25:00", "12:61", "2026-13-01", "2026-02-30", "0000-01-01", "10", "m", "-5m", "10 m", "10m "],
)
def test_what_is_no_time_is_none(typed: str) -> None:
    assert parse_moment(typed, NOW, UTC) is None


@given(st.one_of(st.text(max_size=30), st.from_regex(r"\d{1,12}[smhdZT:-]\d{0,4}([-:T]\d\d){0,5}Z?", fullmatch=True)))
def test_nothing_that_is_typed_raises(typed: str) -> None:
    for zone in (UTC, None):
        assert isinstance(parse_moment(typed, NOW, zone), float | None)
    assert isinstance(parse_duration(typed), float | None)
