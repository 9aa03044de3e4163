"""The timeline: what happened, newest first; that nobody looked is told apart from that nothing happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from litellm_tui.analysis.history.spans import Interval, between
from litellm_tui.analysis.phrases import age, count, first_of
from litellm_tui.model.diagnosis import Severity
from litellm_tui.model.history import LASTING, Event, EventKind

# what is shorter is a pause of the recorder, and hides nothing
GAP_SECONDS: Final = 60.0
# so long nothing has to happen to be told, at least, and so much of the span
QUIET_SECONDS: Final = 1800.0
QUIET_SHARE: Final = 1 / 24
# verdicts that change within this time have one cause
BURST_SECONDS: Final = 15.0
BURST: Final = 3

NAMES: Final[dict[EventKind, str]] = {
    "problem": "problem",
    "verdict": "state",
    "start": "started",
    "end": "ended",
    "applied": "applied",
    "saved": "saved",
    "audit": "audit",
    "rehearsal": "rehearsed",
    "upgrade": "upgrade",
    "downtime": "down",
    "backup": "backup",
    "probe": "probe",
    "mark": "mark",
    "gap": "unwatched",
}
"""What each kind is called in a list."""

EntryKind = Literal["event", "unwatched", "quiet"]


class Entry(NamedTuple):
    """One line of the timeline, from `at` to `until` (None while it lasts, and for what has no length).

    `events` are what it stands for, the newest first: several where the same came again and again, or many changed at
    once.
    """

    kind: EntryKind
    at: float
    until: float | None
    events: tuple[Event, ...] = ()

    @property
    def key(self) -> str:
        """Stays the same while the timeline grows."""
        if self.events:
            # of what a line stands for the oldest stays; what is not in the record yet has no number
            first = self.events[-1]
            return f"event:{first.id or f'{first.kind}:{first.key}:{first.at}'}"
        # a stretch grows at its end
        return f"{self.kind}:{self.at:.0f}"

    @property
    def event(self) -> Event | None:
        """The newest of its events."""
        return self.events[0] if self.events else None


def entries_of(events: Iterable[Event], looked: Sequence[Interval], since: float, until: float) -> tuple[Entry, ...]:
    """The timeline of a span, the newest first. What `looked` leaves out is a gap of the record."""
    found = sorted((one for one in events if one.kind != "gap"), key=lambda event: (event.at, event.id), reverse=True)
    unwatched = gaps(looked, since, until)
    told = [_entry(group) for group in _folded(_bursts(found))]
    told += [Entry("unwatched", begin, end) for begin, end in unwatched]
    marks = [since, *sorted(moment for event in found for moment in _moments(event) if since < moment < until), until]
    least = max(QUIET_SECONDS, (until - since) * QUIET_SHARE)
    for begin, end in pairwise(marks):
        told += [Entry("quiet", *piece) for piece in between(unwatched, begin, end) if piece[1] - piece[0] >= least]
    # a stretch that begins with an event comes after it
    return tuple(sorted(told, key=lambda entry: (entry.at, entry.kind != "event"), reverse=True))


def gaps(looked: Sequence[Interval], since: float, until: float) -> list[Interval]:
    """When nobody looked for longer than a recorder takes to be started anew."""
    return [(begin, end) for begin, end in between(looked, since, until) if end - begin >= GAP_SECONDS]


def watched(looked: Sequence[Interval], since: float, until: float) -> list[Interval]:
    """When somebody looked, pauses of the recorder counted in."""
    return between(gaps(looked, since, until), since, until)


def _moments(event: Event) -> Iterator[float]:
    yield event.at
    if event.until is not None:
        yield event.until


def _bursts(events: Sequence[Event]) -> Iterator[list[Event]]:
    """States that change together in one group, everything else alone."""
    group: list[Event] = []
    for event in events:
        if group and event.kind == "verdict" and group[-1].at - event.at <= BURST_SECONDS:
            group.append(event)
            continue
        yield from _burst(group)
        group = []
        if event.kind == "verdict":
            group = [event]
        else:
            yield [event]
    yield from _burst(group)


def _burst(group: list[Event]) -> Iterator[list[Event]]:
    if len(group) >= BURST:
        yield group
    else:
        yield from ([event] for event in group)


def _folded(groups: Iterable[list[Event]]) -> Iterator[list[Event]]:
    """The same that comes again with nothing else between is one."""
    last: list[Event] = []
    for group in groups:
        if last and _is_same(last[0], group[0]) and len(group) == 1 and _is_one(last):
            last += group
            continue
        if last:
            yield last
        last = list(group)
    if last:
        yield last


def _is_same(one: Event, other: Event) -> bool:
    return (one.kind, one.key, one.title, one.cause) == (other.kind, other.key, other.title, other.cause)


def _is_one(group: Sequence[Event]) -> bool:
    return all(_is_same(group[0], event) for event in group)


def _entry(group: Sequence[Event]) -> Entry:
    ends = [event.until for event in group]
    last = None if None in ends else max(end for end in ends if end is not None)
    if len(group) > 1 and not _is_one(group):
        return Entry("event", group[-1].at, None, tuple(group))
    return Entry("event", group[0].at, last, tuple(group))


# --- in words --------------------------------------------------------------------------------------------------------


def lasts(entry: Entry) -> bool:
    """Whether it goes on: nothing has ended it yet."""
    event = entry.event
    return event is not None and event.kind in LASTING and entry.until is None


def severity_of(entry: Entry) -> Severity:
    """How bad it was: the worst of its events."""
    if entry.kind != "event":
        return "unknown" if entry.kind == "unwatched" else "quiet"
    ranks: tuple[Severity, ...] = ("bad", "warn", "unknown", "ok", "quiet")
    return min((event.severity for event in entry.events), key=ranks.index)


def kind_words(entry: Entry) -> str:
    """What sort of thing it is, in a word."""
    return NAMES[entry.events[0].kind] if entry.events else "unwatched" if entry.kind == "unwatched" else ""


def title_words(entry: Entry) -> str:
    """The sentence of its line."""
    if entry.kind == "unwatched":
        return f"nobody looked, for {age((entry.until or entry.at) - entry.at)}"
    if entry.kind == "quiet":
        return f"nothing happened, for {age((entry.until or entry.at) - entry.at)}"
    event = entry.events[0]
    if len(entry.events) > 1 and not _is_one(entry.events):
        names = dict.fromkeys(one.title.partition(": ")[0] for one in reversed(entry.events))
        return f"{count(len(entry.events), 'state')} changed: {first_of([*names], 4)}"
    cause = event.cause if event.cause and event.cause not in event.title else ""
    return ": ".join(filter(None, (event.title, cause)))


def line_words(entry: Entry) -> str:
    """Its sentence where it stands beside the word of its kind, which it does not repeat."""
    if len(entry.events) != 1 and not (entry.events and _is_one(entry.events)):
        return title_words(entry)
    event = entry.events[0]
    title = title_beside_kind(event)
    return ": ".join(filter(None, (title, event.cause if event.cause not in title else "")))


def title_beside_kind(event: Event) -> str:
    """Its title without the word of its kind; of one that says no more than that, what it is about."""
    kind = NAMES[event.kind]
    if event.title == kind:
        return ", ".join(filter(None, (event.subject, event.hit))) or event.title
    return event.title.removeprefix(f"{event.kind}: ")


def length_words(entry: Entry, now: float) -> str:
    """How long it was, how long it has lasted, or how often it came."""
    if len(entry.events) > 1 and _is_one(entry.events):
        return f"{len(entry.events)} times"
    event = entry.event
    if event is None:
        return ""
    if lasts(entry):
        return f"for {age(now - entry.at)}"
    return age(entry.until - entry.at) if entry.until is not None and entry.until - entry.at >= 1 else ""


def has_words(entry: Entry, words: str) -> bool:
    """Whether its line, or what is known of its events, has all of these words."""
    texts = [kind_words(entry), title_words(entry)]
    for event in entry.events:
        texts += [event.kind, event.title, event.cause, event.subject, event.hit, event.text]
    whole = "\n".join(texts).lower()
    return all(word in whole for word in words.lower().split())
