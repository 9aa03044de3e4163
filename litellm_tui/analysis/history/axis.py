"""The axis of time below a chart: where its ticks are, what they are called, and the signs of what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Final, NamedTuple

from litellm_tui.analysis.history.spans import DAY, HOUR, Interval
from litellm_tui.model.diagnosis import Severity
from litellm_tui.model.history import Event, EventKind

_STEPS: Final = (
    60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY,
)  # fmt: skip
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# of several in one column what is bad is seen, and of that, or of others, the first of these
SIGNS: Final[dict[EventKind, str]] = {
    "upgrade": "U", "applied": "A", "start": "R", "downtime": "X", "end": "X", "problem": "!", "saved": "s",
    "rehearsal": "r", "backup": "b", "mark": "m", "audit": "a", "probe": "p",
}  # fmt: skip
# what may be the cause of what follows is drawn through the curves
GUIDES: Final[frozenset[EventKind]] = frozenset({"upgrade", "applied", "start", "end", "downtime"})
LEGEND: Final = "R start · X down or ended · A applied · U upgrade · s saved · ! problem"
_STYLES: Final[dict[Severity, str]] = {
    "bad": "bad", "warn": "warn", "unknown": "unknown", "ok": "strong", "quiet": "mark",
}  # fmt: skip


class Tick(NamedTuple):
    """A moment of the axis, and what it is called."""

    at: float
    words: str


class Sign(NamedTuple):
    """What is drawn on a column of the axis; `guide` where it is drawn through the curves above it too."""

    text: str
    style: str
    guide: bool


def ticks(since: float, until: float, most: int, zone: tzinfo | None) -> list[Tick]:
    """At most so many round times within the span, by the clock on the wall of `zone` (None: the machine's own)."""
    step = next((one for one in _STEPS if (until - since) / one <= max(1, most)), 28 * DAY)
    # counted on the wall: where a clock is changed the next tick is an hour nearer or farther
    midnight = datetime.fromtimestamp(since, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    for number in range(int((until - since + 2 * DAY) / step) + 2):
        moment = midnight + timedelta(seconds=number * step)
        at = moment.timestamp()
        if at > until:
            break
        if at >= since:
            found.append(Tick(at, _name(moment, step)))
    return found


def _name(moment: datetime, step: float) -> str:
    if step >= DAY or (moment.hour, moment.minute) == (0, 0):
        return f"{_MONTHS[moment.month - 1]} {moment.day}"
    return f"{moment.hour:02}:{moment.minute:02}"


def clock_of(span: Interval, zone: tzinfo | None) -> Callable[[float], str]:
    """How moments of a span are written: with their day where it is not within one, with seconds where it is short."""
    first, last = (datetime.fromtimestamp(at, zone).date() for at in span)
    return partial(moment_words, day=first != last, seconds=span[1] - span[0] <= HOUR, zone=zone)


def moment_words(at: float, *, day: bool, seconds: bool = False, zone: tzinfo | None) -> str:
    """`08:00`, `Jan 15 08:00` or `08:00:00`, in the zone (None: the machine's own)."""
    moment = datetime.fromtimestamp(at, zone)
    clock = f"{moment.hour:02}:{moment.minute:02}" + (f":{moment.second:02}" if seconds else "")
    return f"{_MONTHS[moment.month - 1]} {moment.day} {clock}" if day else clock


def column_of(at: float, since: float, until: float, columns: int) -> int:
    """The column of a time; beyond the columns for what is outside of the span."""
    return int((at - since) // ((until - since) / columns)) if at < until else columns - 1 if at == until else columns


def signs(events: Iterable[Event], since: float, until: float, columns: int) -> dict[int, Sign]:
    """What is drawn on each column in which anything happened."""

    def rank(event: Event) -> tuple[bool, int]:
        return event.severity != "bad", list(SIGNS).index(event.kind)

    found: dict[int, Event] = {}
    for event in events:
        if event.kind in SIGNS and since <= event.at <= until:
            column = column_of(event.at, since, until, columns)
            there = found.get(column)
            if there is None or rank(event) < rank(there):
                found[column] = event
    return {
        column: Sign(SIGNS[event.kind], _STYLES[event.severity], event.kind in GUIDES)
        for column, event in found.items()
    }


def is_in(at: float, intervals: Sequence[Interval]) -> bool:
    """Whether a time is in one of them."""
    return any(begin <= at < end for begin, end in intervals)
