"""A span in a few figures: availability, outages with their causes, changes, errors by group, the slowest group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from litellm_tui.analysis.history.entries import watched
from litellm_tui.analysis.history.source import HistorySource
from litellm_tui.analysis.history.spans import length, shared, span_words, united
from litellm_tui.analysis.phrases import age, count, first_of
from litellm_tui.model.diagnosis import Severity
from litellm_tui.model.history import Event, EventKind, Measure, Series

_Read = Callable[[str, Measure], Series]
_Clock = Callable[[float], str]

# what somebody did to the gateway
CHANGES: Final[tuple[EventKind, ...]] = ("start", "end", "applied", "saved", "upgrade", "backup", "rehearsal")
# points of a series that are enough for a sum
POINTS: Final = 400
MOST_EVENTS: Final = 5000
# the words with which a problem says that it is an outage for every caller
_EVERYONE: Final = "every request fails"
_NAMED: Final[dict[EventKind, str]] = {
    "start": "start", "end": "end of a run", "applied": "configuration applied", "saved": "file saved",
    "upgrade": "upgrade", "backup": "backup", "rehearsal": "rehearsal",
}  # fmt: skip
_PLURAL: Final[dict[EventKind, str]] = {
    "end": "ends of runs", "applied": "configurations applied", "saved": "saves of a file",
}  # fmt: skip


class Outage(msgspec.Struct, frozen=True):
    """A time in which no caller was served; `until` is None while it lasts."""

    at: float
    until: float | None
    cause: str


class GroupErrors(msgspec.Struct, frozen=True):
    """The failed requests of a group (empty: of all), of how many (None: not recorded), and by which causes."""

    group: str
    failed: int
    requests: int | None
    causes: tuple[tuple[str, int], ...] = ()


class Slowest(msgspec.Struct, frozen=True):
    """The group that answered slowest: its p95 over the span in seconds, the worst of it, and how that is known."""

    group: str
    p95: float
    worst: float
    source: str


class Glance(msgspec.Struct, frozen=True):
    """What there is to say of a span. `looked` is how many of its seconds were watched.

    `availability` is a share of what was watched, None where nobody looked.
    """

    since: float
    until: float
    looked: float
    availability: float | None
    outages: tuple[Outage, ...] = ()
    changes: tuple[Event, ...] = ()
    errors: tuple[GroupErrors, ...] = ()
    slowest: Slowest | None = None
    requests: int | None = None
    failed: int | None = None


def glance_of(source: HistorySource, since: float, until: float) -> Glance:
    """Read what the figures of this span are made of, and make them. Blocks as the source does."""
    events = source.events(since, until, limit=MOST_EVENTS)
    looked = watched(source.looked(since, until), since, until)
    outages = outages_of(events)
    down = united([(one.at, one.until or until) for one in outages], since, until)
    seconds = length(looked)

    def series(subject: str, measure: Measure) -> Series:
        return source.series(subject, measure, since, until, POINTS)

    subjects = source.subjects()
    groups = [subject.removeprefix("group:") for subject in subjects if subject.startswith("group:")]
    causes = [subject for subject in subjects if subject.startswith("cause:")]
    by_cause = {subject: total(series(subject, "failed")) or 0 for subject in causes}
    return Glance(
        since=since,
        until=until,
        looked=seconds,
        availability=1 - shared(looked, down) / seconds if seconds > 0 else None,
        outages=tuple(outages),
        changes=tuple(event for event in events if event.kind in CHANGES and since <= event.at <= until),
        errors=tuple(_errors(groups, by_cause, series)),
        slowest=_slowest(groups, series),
        requests=total(series("", "requests")),
        failed=total(series("", "failed")),
    )


def outages_of(events: Iterable[Event]) -> list[Outage]:
    """When nobody was served, the newest first: what overlaps is one, with the cause of whoever knows one."""
    found: list[Outage] = []
    down = (event for event in events if is_outage(event))
    for event in sorted(down, key=lambda event: event.at):
        last = found[-1] if found else None
        if last is None or (last.until is not None and event.at > last.until):
            found.append(Outage(event.at, event.until, event.cause))
            continue
        until = None if None in (last.until, event.until) else max(last.until or 0.0, event.until or 0.0)
        found[-1] = Outage(last.at, until, last.cause or event.cause)
    return found[::-1]


def is_outage(event: Event) -> bool:
    """Whether it says that no caller was served."""
    return event.kind == "downtime" or (event.kind == "problem" and event.hit.startswith(_EVERYONE))


def total(series: Series) -> int | None:
    """The sum of what is counted; None where nothing of it was recorded."""
    known = [value for _, value in series.points if value is not None]
    return round(sum(known)) if known else None


def _errors(groups: Sequence[str], causes: dict[str, int], series: _Read) -> Iterator[GroupErrors]:
    by_group: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for subject, failed in causes.items():
        group, cause = _parts(subject.removeprefix("cause:"), groups)
        if failed:
            by_group[group].append((cause, failed))
    found = []
    for group in dict.fromkeys((*groups, *by_group)):
        known = sorted(by_group[group], key=lambda one: -one[1])
        subject = f"group:{group}" if group else ""
        told = total(series(subject, "failed"))
        failed = told if told is not None else sum(number for _, number in known)
        if failed:
            found.append(GroupErrors(group, failed, total(series(subject, "requests")), tuple(known)))
    yield from sorted(found, key=lambda one: -one.failed)


def _parts(name: str, groups: Sequence[str]) -> tuple[str, str]:
    """Group and cause. Both may hold a colon: a group that is known is taken at its word, the longest first."""
    for group in sorted(groups, key=len, reverse=True):
        if name.startswith(f"{group}:"):
            return group, name[len(group) + 1 :]
    group, _, cause = name.rpartition(":")
    return group, cause


def _slowest(groups: Sequence[str], series: _Read) -> Slowest | None:
    found = []
    for group in groups:
        latency = series(f"group:{group}", "latency_p95")
        known = [value for _, value in latency.points if value is not None]
        if known:
            # each step counts alike: a mean of percentiles is no percentile, and is called one of none
            found.append(Slowest(group, sum(known) / len(known), max(known), latency.source))
    return max(found, key=lambda one: one.p95, default=None)


# --- in words --------------------------------------------------------------------------------------------------------


def glance_words(glance: Glance, clock: _Clock) -> Iterator[tuple[str, str, Severity]]:
    """`(name, sentence, how bad)`, in the order in which one asks; a sentence that would say nothing is left out."""
    span = glance.until - glance.since
    if glance.availability is None:
        yield "availability", "not known: nobody looked", "unknown"
    else:
        part = "" if span - glance.looked < 1 else f" of the {age(glance.looked)} that somebody looked"
        severity: Severity = "bad" if any(one.until is None for one in glance.outages) else "ok"
        severity = "warn" if glance.outages and severity == "ok" else severity
        yield "availability", f"{share_words(glance.availability)}{part}", severity
    if span - glance.looked >= 1 and glance.availability is not None:
        yield "unwatched", f"{age(span - glance.looked)} of {span_words(span)}", "unknown"
    outages = "; ".join(_outage(one, glance.until, clock) for one in glance.outages)
    nothing = "none" if glance.availability is not None else "not known"
    yield "outages", outages or nothing, "warn" if outages else "ok"
    yield "changes", changes_words(glance.changes, clock), "ok"
    yield "requests", _requests(glance), "ok"
    known = "none" if glance.requests is not None else "not recorded"
    yield "errors", "; ".join(map(error_words, glance.errors)) or known, "warn" if glance.errors else "ok"
    if glance.slowest is not None:
        yield "slowest", slowest_words(glance.slowest), "ok"


def share_words(share: float) -> str:
    """A share in percent that is 100 % only where it is whole."""
    if share >= 1:
        return "100 %"
    digits = 3 if share > 0.999 else 2
    return f"{min(share * 100, 100 - 10.0**-digits):.{digits}f} %"


def _outage(outage: Outage, until: float, clock: _Clock) -> str:
    how_long = age((outage.until or until) - outage.at)
    return f"{clock(outage.at)} for {how_long}{'' if outage.until else ', goes on'}" + (
        f": {outage.cause}" if outage.cause else ""
    )


def changes_words(changes: Sequence[Event], clock: _Clock) -> str:
    """How many of each kind, and when the last one was."""
    if not changes:
        return "none"
    by_kind: dict[EventKind, list[Event]] = defaultdict(list)
    for event in changes:
        by_kind[event.kind].append(event)
    return "; ".join(
        f"{count(len(found), _NAMED[kind], _PLURAL.get(kind, ''))} ({clock(max(one.at for one in found))})"
        for kind, found in by_kind.items()
    )


def _requests(glance: Glance) -> str:
    if glance.requests is None:
        return "not recorded"
    failed = glance.failed or 0
    share = f" ({share_words(failed / glance.requests)})" if glance.requests and failed else ""
    return f"{count(glance.requests, 'request')}, {failed:,} failed{share}"


def error_words(errors: GroupErrors) -> str:
    """`gpt-4.1 132 (429 too many requests 120 and upstream refused 12)`."""
    of = f" of {errors.requests:,}" if errors.requests else ""
    causes = first_of([f"{cause} {number:,}" for cause, number in errors.causes], 3)
    return f"{errors.group or 'no group'} {errors.failed:,}{of}" + (f" ({causes})" if causes else "")


def slowest_words(slowest: Slowest) -> str:
    """The group, and how slow."""
    return f"{slowest.group}: p95 about {slowest.p95:.2g} s, at worst {slowest.worst:.2g} s (by {slowest.source})"
