"""Events and a record made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from litellm_tui.model.history import UNITS, Event, EventKind, Measure, Series

HOUR = 3600.0
DAY = 24 * HOUR
# 2027-01-15 08:00 UTC
NOW = 1_800_000_000.0


def event(number: int, at: float, kind: EventKind = "problem", **more: Any) -> Event:
    given = {"key": f"key-{number}", "subject": "", "severity": "warn", "title": f"title {number}"} | more
    return Event(id=number, at=at, kind=kind, **given)


def series(measure: Measure, step: int, *values: float | None, subject: str = "", since: float = 0.0) -> Series:
    points = tuple((since + place * step, value) for place, value in enumerate(values))
    return Series(subject, measure, UNITS[measure], step, points, "log")


class Record:
    """A record that holds what it is given, whatever span is asked for."""

    failure = ""

    def __init__(
        self,
        events: Iterable[Event] = (),
        looked: Iterable[tuple[float, float]] = (),
        series: Mapping[tuple[str, Measure], Series] | None = None,
    ) -> None:
        self._events, self._looked, self._series = list(events), list(looked), dict(series or {})

    def events(
        self, since: float, until: float | None = None, kinds: Iterable[EventKind] = (), limit: int = 1000
    ) -> list[Event]:
        found = [one for one in self._events if until is None or one.at < until]
        return sorted((one for one in found if (one.until or one.at) >= since), key=lambda one: -one.at)[:limit]

    def series(self, subject: str, measure: Measure, since: float, until: float, most: int = 400) -> Series:
        nothing = Series(subject, measure, UNITS[measure], 60, ((since, None),), "log")
        return self._series.get((subject, measure), nothing)

    def looked(self, since: float, until: float) -> list[tuple[float, float]]:
        return [(max(since, a), min(until, b)) for a, b in self._looked if a < until and b > since]

    def subjects(self) -> list[str]:
        return sorted({subject for subject, _ in self._series})
