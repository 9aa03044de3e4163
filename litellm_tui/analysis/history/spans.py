"""Spans of time: how long a chart is, what one may ask for, and last night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

HOUR: Final = 3600.0
DAY: Final = 86400.0
SPANS: Final = (600.0, 1800.0, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY)
"""What `+` and `-` go through, in seconds."""
# a night begins and ends at these hours
EVENING: Final = 20
MORNING: Final = 8

Interval = tuple[float, float]


def other_span(span: float, step: int) -> float:
    """The next longer of `SPANS` for 1, the next shorter for -1; the last one where there is no other."""
    beyond = [one for one in SPANS if (one - span) * step > 0]
    return span if not beyond else beyond[0] if step > 0 else beyond[-1]


def last_night(now: float, zone: tzinfo | None = None) -> Interval:
    """From 20:00 to 08:00: the night that ended last, or the one that is; `zone` None is the machine's own."""
    begin = datetime.fromtimestamp(now, zone).replace(hour=EVENING, minute=0, second=0, microsecond=0)
    if begin.timestamp() > now:
        begin -= timedelta(days=1)
    # by the clock on the wall: a night in which it is changed is an hour longer or shorter
    end = (begin + timedelta(days=1)).replace(hour=MORNING)
    return begin.timestamp(), min(now, end.timestamp())


def span_words(seconds: float) -> str:
    """`10 min`, `12 h`, `3 d`: a span of `SPANS`, or any other in the unit that fits."""
    for size, unit in ((DAY, "d"), (HOUR, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"


def united(intervals: Sequence[Interval], since: float, until: float) -> list[Interval]:
    """These intervals within the span, in their order, those that meet made one."""
    found: list[Interval] = []
    for begin, end in sorted((max(since, begin), min(until, end)) for begin, end in intervals):
        if begin >= end:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def between(intervals: Sequence[Interval], since: float, until: float) -> list[Interval]:
    """What of the span is in none of the intervals."""
    found, at = [], since
    for begin, end in united(intervals, since, until):
        if begin > at:
            found.append((at, begin))
        at = end
    return [*found, (at, until)] if at < until else found


def shared(first: Sequence[Interval], second: Sequence[Interval]) -> float:
    """The seconds that are in both; the intervals of each do not overlap."""
    return sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in first for b in second)


def length(intervals: Sequence[Interval]) -> float:
    """The seconds of all of them; they do not overlap."""
    return sum(end - begin for begin, end in intervals)
