"""A year of 50 busy deployments fits into 100 MB: reckoned from a month of one, made as the bench makes the whole."""

from __future__ import annotations

from pathlib import Path

from litellm_tui.storage.history.packing import LEVELS
from litellm_tui.storage.history.reader import HistoryReader
from tests.bench import history_year
from tests.bench.history_year import DAY, DEPLOYMENTS, EVENTS_A_DAY, GROUPS, NOW, make, series

MOST_BYTES = 100_000_000
YEAR = 400
# of an event with its places in three indexes
EVENT_BYTES = 450


def test_a_year_of_fifty_deployments_is_small(tmp_path: Path) -> None:
    path = tmp_path / "gateway" / "history.sqlite"
    days = 30
    _, values = make(path, 1, 1, days)
    reader = HistoryReader(path)
    month = reader.series("", "requests", NOW - days * DAY, NOW)
    assert len(month.points) <= 400
    assert sum(value is not None for _, value in month.points) > 250
    a_value = (path.stat().st_size - EVENTS_A_DAY * days * 250) / values
    whole = len(list(series(DEPLOYMENTS, GROUPS))) * sum(level.kept // level.step for level in LEVELS)
    assert whole * a_value + EVENTS_A_DAY * YEAR * EVENT_BYTES < MOST_BYTES


def test_the_year_is_made_of_every_measure_that_is_recorded() -> None:
    from litellm_tui.model.history import MEASURES

    assert {measure for _, measure, _ in history_year.series(1, 1)} == set(MEASURES)
