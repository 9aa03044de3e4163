"""What happened in the last hour, minute by minute: restarts, saves of the file, incidents, and failed requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

from litellm_tui.analysis.exits import describe_exit
from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.phrases import shortened
from litellm_tui.model.diagnosis import Problem
from litellm_tui.model.service import Exit
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import HOUR, FailureTally, Minute

SECONDS: Final = HOUR * 60.0
MOST_EVENTS: Final = 200
# a clock that is set, or a process that is seen twice, makes no second start
_SAME_SECONDS: Final = 2.0
# what fails in requests is an incident by the lines of the log
_IN_THE_LOG: Final = ("deployment", "group", "alias", "log")
_LONGEST: Final = 60
# what is written of one failure is written within this time
_TOGETHER_SECONDS: Final = 5.0

EventKind = Literal["restart", "save", "incident"]


class Event(NamedTuple):
    """One thing that happened at a moment, seconds since the epoch. With the same `key` it is the same thing."""

    at: float
    kind: EventKind
    words: str
    key: str = ""


def noted(
    before: Iterable[Event],
    snapshot: Snapshot,
    problems: Iterable[Problem],
    now: float,
    starts: Iterable[float] = (),
    ends: Iterable[Exit] = (),
) -> tuple[Event, ...]:
    """The events of the last hour, the oldest first: those of `before`, and what this snapshot tells of.

    A snapshot knows the last start and the last save alone; `starts` are those that were noted by others, `ends` the
    runs that ended before anybody looked, as their keeper tells of them.
    """
    found = [*_of_runs(ends), *_lasting(snapshot, problems, starts)]
    told = {event.key: event.at for event in found if event.kind == "incident"}
    # the onset of what lasts may become known better: what was noted of the same spell is replaced
    kept = [event for event in before if event.at < told.get(event.key, now + SECONDS)]
    for event in found:
        if not any(_is_same(event, other) for other in kept):
            kept.append(event)
    within = sorted(event for event in kept if now - SECONDS < event.at <= now + _SAME_SECONDS)
    return tuple(within[-MOST_EVENTS:])


def by_minute(minutes: Iterable[Minute], now: float, place: int = 2) -> tuple[int, ...]:
    """The numbers at this place of `Minute`, for each of the last `HOUR` minutes of the clock, the present one last."""
    newest = int(now // 60)
    counts: dict[int, int] = {}
    for minute in minutes:
        counts[minute[0]] = counts.get(minute[0], 0) + minute[place]
    return tuple(counts.get(newest - back, 0) for back in reversed(range(HOUR)))


def _is_same(event: Event, other: Event) -> bool:
    return (event.kind, event.key) == (other.kind, other.key) and abs(event.at - other.at) < _SAME_SECONDS


def _of_runs(ends: Iterable[Exit]) -> Iterator[Event]:
    for end in ends:
        if end.began is not None:
            yield Event(end.began, "restart", "started")
        yield Event(end.at, "restart", shortened(describe_exit(end), _LONGEST), "end")


def _lasting(snapshot: Snapshot, problems: Iterable[Problem], starts: Iterable[float]) -> Iterator[Event]:
    service, file = snapshot.service.value, snapshot.configuration.current
    if service is not None and service.started_at is not None:
        yield Event(service.started_at, "restart", "started")
    elif service is not None and service.active_state == "failed" and service.changed_at is not None:
        yield Event(service.changed_at, "restart", "ended by itself", "end")
    for at in starts:
        yield Event(at, "restart", "started")
    if file is not None and file.modified_at:
        yield Event(file.modified_at, "save", f"{file.path.rpartition('/')[2]} saved", file.path)
    for problem in problems:
        if problem.since is not None and problem.severity in ("warn", "bad") and problem.place.kind not in _IN_THE_LOG:
            yield Event(
                problem.since, "incident", shortened(f"{problem.title}: {problem.cause}", _LONGEST), problem.key
            )
    yield from _first_failures(snapshot.failures.tallies)


def _first_failures(tallies: Iterable[FailureTally]) -> Iterator[Event]:
    """When each failure of the log began. Several parts of LiteLLM report one, some by its model and not its group."""
    found: dict[str, Event] = {}
    for tally in sorted(tallies, key=lambda tally: (tally.kind == "model", tally.first)):
        cause = shortened(tally.cause or first_words(tally.words, _LONGEST), _LONGEST)
        same = (event for event in found.values() if event.words.startswith(cause))
        if tally.kind in ("model", "") and any(abs(event.at - tally.first) < _TOGETHER_SECONDS for event in same):
            continue
        words = f"{cause}: {shortened(tally.name, _LONGEST)}" if tally.name else cause
        found.setdefault(words, Event(tally.first, "incident", words, words))
    yield from found.values()
