"""Counts requests that were answered with 4xx or 5xx and of which no line of LiteLLM's tells, by their access lines.

LiteLLM writes nothing of a path that it has not, of a body that is not what the route takes, and of some of its own
refusals. An access line knows the method, the path, the status and the caller's address, and no key.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, deque
from typing import Final

from litellm_tui.logs.minute_counts import HOURS, MINUTES, coarse
from litellm_tui.model.log import LogRecord
from litellm_tui.model.traffic import SilentTally

# seconds between an access line and the line that tells of the same request, whichever is read first
NEAR: Final = 1.0
# from this status on a request failed, below it was refused
FAILED: Final = 500
# a record without its access line is known to be one a moment after it came
SETTLING: Final = 2.5
MOST_WAITING: Final = 500
MOST_LINES: Final = 200
# clients choose the paths that they ask for
MOST_ROUTES: Final = 100
MOST_CALLERS: Final = 20
MOST_PATHS: Final = 5
LONGEST_ROUTE: Final = 100
# what stands for routes beyond the bound, and for paths that are not there
OTHERS: Final = "other paths"
# no such path, and no such method on it: a scanner asks for hundreds of them
_NOT_THERE: Final = (404, 405)
# a segment that names one thing among many
_IDENTIFIER: Final = re.compile(r"(?=[^/]{0,400}[0-9])[^/]{16,400}|[^/]{41,400}")
# behind these stands a model's name, which says whose request it was
_BEFORE_A_MODEL: Final = ("deployments", "engines", "models")


def route_of(text: str) -> str:
    """The method and the path in the text of an access line's record, without the query, identifiers as `*`."""
    asked = text.rpartition("  ")[0].rpartition(" ")[0]
    method, _, path = asked.partition(" ")
    before, segments = "", []
    for segment in path.partition("?")[0][: 4 * LONGEST_ROUTE].split("/"):
        named = before in _BEFORE_A_MODEL or _IDENTIFIER.fullmatch(segment) is None
        segments.append(segment if named else "*")
        before = segment
    return f"{method} {'/'.join(segments)}"[:LONGEST_ROUTE]


class _Answer:
    __slots__ = ("caller", "calls", "pid", "route", "sequence", "status", "time")

    def __init__(self, record: LogRecord, client: str, calls: bool) -> None:
        self.time, self.pid, self.sequence, self.status = record.time, record.pid, record.sequence, record.status
        self.route, self.calls = route_of(record.text), calls
        # each connection has another port
        self.caller = client.rpartition(":")[0] or client


class _Route:
    def __init__(self, first: float) -> None:
        self.first = self.last = first
        self.sequence = -1
        self.counts: dict[int, int] = {}
        self.statuses: Counter[int] = Counter()
        self.callers: Counter[str] = Counter()
        self.paths: OrderedDict[str, None] = OrderedDict()

    def count(self, answer: _Answer) -> None:
        self.first, self.last = min(self.first, answer.time), max(self.last, answer.time)
        self.sequence = answer.sequence
        minute = int(answer.time // 60)
        self.counts[minute] = self.counts.get(minute, 0) + 1
        if len(self.counts) > MINUTES + HOURS:
            self.counts = coarse(self.counts, int(self.last // 60))
        self.statuses[answer.status] += 1
        if answer.caller and (answer.caller in self.callers or len(self.callers) < MOST_CALLERS):
            self.callers[answer.caller] += 1
        if len(self.paths) < MOST_PATHS:
            self.paths[answer.route] = None


class SilentAnswers:
    """Gets the access lines of 4xx and 5xx that no record was found for, and the lines that tell of a failure."""

    def __init__(self) -> None:
        self._waiting: deque[_Answer] = deque()
        self._told: deque[tuple[float, int, bool]] = deque(maxlen=MOST_LINES)
        self._routes: dict[tuple[str, bool], _Route] = {}
        self._tallies: tuple[SilentTally, ...] | None = ()

    def answered(self, record: LogRecord, client: str, calls: bool) -> None:
        """Note an access line of a failure. The line that tells of it may have come before it, or may still come."""
        answer = _Answer(record, client, calls)
        if not self._is_told(answer):
            self._waiting.append(answer)
        if len(self._waiting) > MOST_WAITING:
            self._count(self._waiting.popleft())

    def told(self, time: float, pid: int, *, beside: bool = False) -> None:
        """Note a line that tells of a failed request whose access line was not found.

        With `beside` it is about a part of the gateway, and may be why a request failed, not why one was refused.
        """
        self._told.append((time, pid, beside))

    def settle(self, now: float) -> None:
        """Count those of which nothing was told by `now`."""
        while self._waiting and now - self._waiting[0].time > SETTLING:
            answer = self._waiting.popleft()
            if not self._is_told(answer):
                self._count(answer)

    def _is_told(self, answer: _Answer) -> bool:
        for place, (time, pid, beside) in enumerate(self._told):
            fits = answer.status >= FAILED or not beside
            if fits and pid == answer.pid and abs(answer.time - time) <= NEAR:
                del self._told[place]
                return True
        return False

    def _count(self, answer: _Answer) -> None:
        name = answer.route if answer.calls or answer.status not in _NOT_THERE else OTHERS
        failed = answer.status >= FAILED
        if (name, failed) not in self._routes and len(self._routes) >= MOST_ROUTES:
            name = OTHERS
        self._routes.setdefault((name, failed), _Route(answer.time)).count(answer)
        self._tallies = None

    def tallies(self) -> tuple[SilentTally, ...]:
        """What was counted, by route; the same object as long as nothing was added."""
        if self._tallies is None:
            self._tallies = tuple(_tally(name, route) for (name, _), route in self._routes.items())
        return self._tallies


def _tally(name: str, route: _Route) -> SilentTally:
    return SilentTally(
        route=name,
        first=route.first,
        last=route.last,
        sequence=route.sequence,
        counts=tuple(sorted(route.counts.items())),
        statuses=tuple(sorted(route.statuses.items())),
        callers=tuple(route.callers.most_common()),
        paths=tuple(route.paths) if name == OTHERS else (),
    )
