"""What is kept of a gateway over months: events for ever, and measurements in steps that grow with their age.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, get_args

import msgspec

from litellm_tui.model.diagnosis import Severity

EventKind = Literal[
    "problem",
    "verdict",
    "start",
    "end",
    "applied",
    "saved",
    "audit",
    "rehearsal",
    "upgrade",
    "downtime",
    "backup",
    "probe",
    "mark",
    "gap",
]
"""`gap` is a time in which nothing was recorded, `downtime` one in which the gateway did not answer."""

EVENT_KINDS: Final[tuple[EventKind, ...]] = get_args(EventKind)
# what has a length: its `until` is None while it lasts
LASTING: Final[frozenset[EventKind]] = frozenset({"problem", "downtime", "mark"})


class Event(msgspec.Struct, frozen=True):
    """One thing that happened at `at`, or began then. `until` is its end: None while it lasts, or where it has none.

    `id` is its number in the record, 0 before it has one. `key` is the problem's key, a deployment's key, a file, a
    run of the service, or another identity: with the same kind and key it is of the same thing. All texts are masked.
    """

    id: int
    at: float
    kind: EventKind
    key: str
    subject: str
    severity: Severity
    title: str
    cause: str = ""
    do: str = ""
    hit: str = ""
    until: float | None = None
    text: str = ""


def masked(event: Event, redact: Callable[[str], str]) -> Event:
    """The event without secrets: LiteLLM and providers repeat keys in their errors."""
    texts = {name: redact(getattr(event, name)) for name in ("subject", "title", "cause", "do", "hit", "text")}
    return msgspec.structs.replace(event, **texts)


Measure = Literal[
    "requests",
    "failed",
    "refused",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "ttft",
    "tokens_in",
    "tokens_out",
    "cost",
    "cache_hits",
    "cache_misses",
    "answer_time",
    "memory",
    "cpu",
    "processes",
    "redis_memory",
    "redis_clients",
    "database_connections",
]
Source = Literal["metrics", "log", "probe", "service", "gateway", "redis", "postgres"]

MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
# from the one that knows most to the one that knows least: where several tell of a measure
SOURCES: Final[tuple[Source, ...]] = get_args(Source)

UNITS: Final[dict[Measure, str]] = {
    "requests": "requests",
    "failed": "requests",
    "refused": "requests",
    "latency_p50": "s",
    "latency_p95": "s",
    "latency_p99": "s",
    "ttft": "s",
    "tokens_in": "tokens",
    "tokens_out": "tokens",
    "cost": "USD",
    "cache_hits": "hits",
    "cache_misses": "misses",
    "answer_time": "s",
    "memory": "bytes",
    "cpu": "%",
    "processes": "processes",
    "redis_memory": "bytes",
    "redis_clients": "clients",
    "database_connections": "connections",
}

# counted within a step: a longer step holds their sum
COUNTED: Final[frozenset[Measure]] = frozenset(
    {"requests", "failed", "refused", "tokens_in", "tokens_out", "cost", "cache_hits", "cache_misses"}
)
# a longer step holds the largest of these, and the mean of all others
PEAKS: Final[frozenset[Measure]] = frozenset(
    {"memory", "processes", "redis_memory", "redis_clients", "database_connections"}
)


class Sample(msgspec.Struct, frozen=True):
    """One measurement at `at`. What is counted (`COUNTED`) is what came since the sample before it.

    `subject` is empty for the whole gateway, or `group:NAME`, `deployment:KEY`, `cause:GROUP:CAUSE`.
    """

    at: float
    subject: str
    measure: Measure
    value: float
    source: Source


class Series(msgspec.Struct, frozen=True):
    """One measure of one subject: points of `(when the step begins, value)`, a step being `step` seconds, in order.

    None where nothing was recorded, which is not 0. `unit` is that of a value: what is counted is per step, of which so
    many seconds as `covered` says were recorded; where that is empty, each step was recorded as a whole.
    """

    subject: str
    measure: Measure
    unit: str
    step: int
    points: tuple[tuple[float, float | None], ...]
    source: Source
    covered: tuple[float, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """What is different in a diagnosis from the one before it: a problem that began, got worse or ended, or a verdict.

    `at` is the onset or the end as far as it is known, `was` what it was before: the cause of a problem, the state of
    a deployment. `subject` is empty for the gateway as a whole.
    """

    what: Literal["began", "worse", "ended", "verdict"]
    at: float
    key: str
    subject: str
    severity: Severity
    title: str
    cause: str = ""
    do: str = ""
    hit: str = ""
    was: str = ""
