"""Attributes every failed request: to the group that it asked for, to its caller, or to "somewhere"; none is dropped.

A failed request leaves an error's record, whose group LiteLLM names in it, in a line beside it, or nowhere, and behind
that an access line with its status and its caller. Access lines of a failure without a record are counted, too, and so
are records without an access line (1.77 with json_logs, a stream that breaks after its 200). Forms seen on 1.77.7 and
1.106.2.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from typing import Final, NamedTuple

from litellm_tui.logs import failure_line
from litellm_tui.logs.line_facts import Access, Facts
from litellm_tui.logs.silent_answers import SilentAnswers
from litellm_tui.logs.subject_counts import SubjectCounts
from litellm_tui.model.log import LogRecord
from litellm_tui.model.traffic import FailedBy, FailedRequests, Minute, SilentTally, Subject

# an error's record and the access line of its request are written together, to two streams
SETTLING: Final = 1.0
# a busy process writes the access line so much later at most, and a busy reader reads it in a later batch
LATE: Final = 10.0
# what names a group for a record is written at most so long before it
HINT_SECONDS: Final = 2.0
MOST_WAITING: Final = 500
MOST_HINTS: Final = 200
MOST_PLACES: Final = 200
MOST_CALLERS: Final = 20
LONGEST_WORDS: Final = 400
# LITELLM_LOG=INFO: the router names the group before it reports an error that does not
_LOOKED_UP: Final = "No fallback model group found for "
# without access lines: an exception of the proxy itself begins with its status
_REFUSED: Final = re.compile(r"(?:HTTPException: )?4(?:0[0-79]|1\d|2[0-8])\b")
# what is no failure of the gateway's requests for models: a caller's mistake, and what asks for none
_NOT_FAILED: Final = ("caller", "refused", "other")
# whose lines tell of no request that an endpoint refuses
_BESIDE_REQUESTS: Final[tuple[Subject, ...]] = ("database", "cache", "side service", "start-up", "worker", "machine")
# statuses of requests that are refused, not of requests that fail
_FAILING: Final = (408, 429)


class Named(NamedTuple):
    """A failed request whose group is told beside its record and not in it."""

    time: float
    group: str
    error: str
    sequence: int
    stream: bool


class _Hint(NamedTuple):
    """A line that names the group of a failure. Without `error` the router's report of that failure follows it."""

    time: float
    pid: int
    group: str
    error: str | None


class _Tried(NamedTuple):
    """An attempt at a model (`litellm_params.model`) that failed, in an INFO line."""

    time: float
    pid: int
    model: str
    error: str


class _Failure:
    """One failed request, as far as its lines have told of it. `named` means that its own record names the group.

    `bare` means that this record names no reporting place, so that another one may report the same request. `theirs`
    means that its words name a mistake of its caller, whatever status answered it: 1.106 answers a missing key by 500.
    `checked` means that the check of a key failed, whatever was asked for. `model` is the only one whose attempt failed
    so.
    """

    __slots__ = (
        "answered", "bare", "caller", "checked", "client", "error", "group", "model", "named", "pid", "sequence",
        "status", "stream", "theirs", "time",
    )  # fmt: skip

    def __init__(self, record: LogRecord) -> None:
        self.time, self.pid, self.sequence = record.time, record.pid, record.sequence
        self.group = self.client = self.error = self.model = ""
        self.named = self.caller = self.theirs = self.stream = self.answered = self.bare = self.checked = False
        self.status = 0

    def by(self) -> FailedBy:
        refused = 400 <= self.status < 500 and self.status not in _FAILING
        if self.theirs or (self.caller and self.status < 500):
            return "caller"
        if self.group:
            return "group"
        if self.stream:
            return "stream"
        if refused or (not self.status and _REFUSED.match(self.error)):
            return "refused"
        return "model" if self.model else ""


class _Place:
    def __init__(self) -> None:
        self.counts = SubjectCounts()
        self.words = ""
        self.callers: OrderedDict[str, None] = OrderedDict()

    def call(self, client: str) -> None:
        """Note a caller by its address without the port: each connection has another one."""
        if client:
            self.callers[client.rpartition(":")[0] or client] = None
            if len(self.callers) > MOST_CALLERS:
                self.callers.popitem(last=False)


def _key(failure: _Failure) -> tuple[FailedBy, str]:
    """Where a failure is counted."""
    by = failure.by()
    return by, {"group": failure.group, "model": failure.model}.get(by, "")


class FailedRequestCounter:
    """Gets the facts of every line. What it returns names the group of failures that their own records do not."""

    def __init__(self) -> None:
        self._waiting: deque[_Failure] = deque()
        self._bare: deque[_Failure] = deque()
        self._late: deque[_Failure] = deque(maxlen=MOST_WAITING)
        self._hints: deque[_Hint] = deque(maxlen=MOST_HINTS)
        self._tried: deque[_Tried] = deque(maxlen=MOST_HINTS)
        self._silent = SilentAnswers()
        self._router: tuple[int, str] | None = None
        self._places: OrderedDict[tuple[FailedBy, str], _Place] = OrderedDict()

    def note(self, facts: Facts, record: LogRecord, folded: bool) -> None:
        """Take up a line; `record` is what it became or, when `folded`, was added to."""
        if facts.access is not None:
            if record.status >= 400:
                self._answered(facts.access, record)
        elif record.level == "INFO":
            if facts.attempt is not None and facts.attempted is not None:
                tried = facts.attempted.text.strip()[:LONGEST_WORDS]
                self._tried.append(_Tried(record.time, record.pid, facts.attempt.model, tried))
            elif not folded and record.model and record.text.startswith(_LOOKED_UP):
                self._hints.append(_Hint(record.time, record.pid, record.model, None))
        elif folded:
            self._add(facts, record)
        elif facts.heading is not None:
            self._begin(facts, record)

    def _begin(self, facts: Facts, record: LogRecord) -> None:
        heading = facts.heading
        assert heading is not None
        failure = heading.failure
        named = facts.failed_group.group if facts.failed_group else ""
        if failure.ends or failure.breaks:
            found = _Failure(record)
            found.error = (heading.error.text if failure.by_error or failure.breaks else heading.words.text).strip()
            found.stream = failure.breaks
            found.caller = failure.kind == "caller" or bool(facts.notice and facts.notice[0] == "no such group")
            found.theirs = (heading.error if failure.by_error else heading.words).subject == "caller"
            found.group, found.named = named, bool(named)
            found.bare = failure.bare
            found.checked = failure.where.by == "check of the key"
            if not found.bare:
                self._take_over(found)
            self._take_bare(found)
            self._waiting.append(found)
        elif failure.voice == "router" or failure.again:
            error = heading.error.text.strip()
            if named:
                self._drop_lookup(record, named)
            group = named or self._looked_up(record)
            if group:
                self._hints.append(_Hint(record.time, record.pid, group, error))
            else:
                # a plain log names the group some lines below
                self._router = record.sequence, error
        else:
            self._silent.told(record.time, record.pid, beside=failure.where.subject in _BESIDE_REQUESTS)

    def _add(self, facts: Facts, record: LogRecord) -> None:
        """A further line of a record, which may name the group of the whole."""
        if facts.failed_group is None and facts.notice is None:
            return
        for failure in reversed(self._waiting):
            if failure.sequence == record.sequence:
                if facts.failed_group and not failure.named:
                    failure.group, failure.named = facts.failed_group.group, True
                if facts.notice and facts.notice[0] == "no such group":
                    failure.caller = True
                return
        if facts.failed_group and self._router and self._router[0] == record.sequence:
            self._hints.append(_Hint(record.time, record.pid, facts.failed_group.group, self._router[1]))
            self._router = None

    def _looked_up(self, record: LogRecord) -> str:
        """The group that the router looked up just before; empty where it may be one of several."""
        fits = [h for h in self._hints if h.error is None and h.pid == record.pid and record.time - h.time <= SETTLING]
        names = {hint.group for hint in fits}
        if len(names) != 1:
            return ""
        self._hints.remove(fits[0])
        return fits[0].group

    def _drop_lookup(self, record: LogRecord, group: str) -> None:
        """Drop the line in which the router looked this group up: its report names the group, and no other's does."""
        for hint in self._hints:
            if hint.error is None and hint.pid == record.pid and hint.group == group:
                self._hints.remove(hint)
                return

    def _answered(self, access: Access, record: LogRecord) -> None:
        """An access line of a failure: it belongs to the oldest record of its process that waits for one.

        Where only the gateway's state was asked for, a record of its own can only be that of a key's check.
        """
        asks = access.calls or not (record.own or access.looks)
        # of a log that is read back, all of it may wait
        lately = [one for one in self._waiting if one.pid == record.pid and record.time - one.time <= LATE]
        fits = [one for one in lately if not one.answered and (asks or one.checked)]
        # a probe of the console's own names a deployment, and nobody else's request does
        probed = [one for one in fits if failure_line.is_probed(one.group)]
        if record.own and fits:
            self._waiting.remove((probed or fits)[0])
            return
        if failure := next((one for one in fits if one not in probed), None):
            failure.status, failure.client, failure.answered = record.status, access.client, True
            return
        if self._answered_late(access, record) or record.own or access.looks:
            return
        bare = _Failure(record)
        bare.status, bare.client = record.status, access.client
        self._silent.answered(record, access.client, access.calls)
        # an error's record may still come; of these statuses it would say the same
        if record.status < 500 and (not access.calls or record.status in (401, 403, 404)):
            self._count("caller", "", bare)
        elif not access.calls:
            self._count("other", "", bare)
        else:
            self._bare.append(bare)

    def _take_over(self, found: _Failure) -> None:
        """Drop the bare record of the same request: this one reports it as a whole."""
        for place, failure in enumerate(self._waiting):
            if failure.bare and failure.pid == found.pid and not failure.answered and failure.group == found.group:
                del self._waiting[place]
                return

    def _answered_late(self, access: Access, record: LogRecord) -> bool:
        """Whether the access line is that of a failure that was counted before it came: no other one failed."""
        while self._late and record.time - self._late[0].time > LATE:
            self._late.popleft()
        if not access.calls:
            return False
        for place, failure in enumerate(self._late):
            # a stream that broke on its way has an access line of 200
            fits = not failure.stream or record.status >= 500 or record.status in _FAILING
            if failure.pid != record.pid or not fits or failure.time - record.time > SETTLING:
                continue
            del self._late[place]
            before = _key(failure)
            failure.status, failure.client, failure.answered = record.status, access.client, True
            moved = record.own or before != _key(failure)
            if counted := self._places.get(before):
                if moved:
                    counted.counts.take_back(failure.time)
                else:
                    counted.call(access.client)
            if moved and not record.own:
                self._count(*_key(failure), failure)
            return True
        return False

    def _take_bare(self, found: _Failure) -> None:
        """Give an error's record the access line that came before it: the two streams of a process are read apart."""
        for place, bare in enumerate(self._bare):
            if bare.pid == found.pid and found.time - bare.time <= SETTLING:
                found.status, found.client, found.answered = bare.status, bare.client, True
                self._silent.told(found.time, found.pid)
                del self._bare[place]
                return

    def settle(self, now: float) -> list[Named]:
        """Count what is complete at `now`; returns the failures whose group was told beside their own records."""
        named = []
        while self._waiting and (now - self._waiting[0].time > SETTLING or len(self._waiting) > MOST_WAITING):
            failure = self._waiting.popleft()
            if failure_line.is_probed(failure.group):
                continue
            if failure.named:
                self._consume(failure, failure.group)
            if failure.bare and failure.group:
                named.append(Named(failure.time, failure.group, failure.error, failure.sequence, failure.stream))
            if not failure.group and not failure.caller and (group := self._hinted(failure)):
                failure.group = group
                if not failure_line.is_probed(group):
                    named.append(Named(failure.time, group, failure.error, failure.sequence, failure.stream))
            if not failure.group:
                failure.model = self._model_of(failure)
            self._count(*_key(failure), failure)
            if not failure.answered:
                self._late.append(failure)
                self._silent.told(failure.time, failure.pid)
        while self._bare and (now - self._bare[0].time > SETTLING or len(self._bare) > MOST_WAITING):
            bare = self._bare.popleft()
            self._count(bare.by(), str(bare.status) if bare.status in _FAILING else "", bare)
        self._silent.settle(now)
        return named

    def silent(self) -> tuple[SilentTally, ...]:
        """The requests answered with 4xx or 5xx of which no line tells, by route."""
        return self._silent.tallies()

    def _hinted(self, failure: _Failure) -> str:
        """The group that lines beside this failure name; empty where they name none, or several that it may be.

        Of streams the router reports each that broke, in the order of the failures: the oldest report is this one's.
        """
        fits = [
            hint
            for hint in self._hints
            if hint.pid == failure.pid
            and hint.error is not None
            and -SETTLING <= failure.time - hint.time <= HINT_SECONDS
            and failure.error
            and failure.error[:LONGEST_WORDS] in hint.error
        ]
        several = len({hint.group for hint in fits}) > 1
        if not fits or (several and not (failure.stream and fits[0].time <= failure.time)):
            return ""
        self._consume(failure, fits[0].group)
        return fits[0].group

    def _model_of(self, failure: _Failure) -> str:
        """The model whose attempt ended in this failure; empty where none did, or it may be one of several."""
        fits = {
            tried.model
            for tried in self._tried
            if tried.pid == failure.pid
            and -SETTLING <= failure.time - tried.time <= HINT_SECONDS
            and tried.error
            and tried.error in failure.error
        }
        return fits.pop() if len(fits) == 1 else ""

    def _consume(self, failure: _Failure, group: str) -> None:
        """Drop the lines that belong to this failure: none of them names another one with the same error.

        The router reports a request once, and that of a stream a second time.
        """
        mine = [
            hint
            for hint in self._hints
            if hint.pid == failure.pid
            and hint.group == group
            and hint.error is not None
            and -SETTLING <= failure.time - hint.time <= HINT_SECONDS
        ]
        for hint in mine[: 2 if failure.stream else 1]:
            self._hints.remove(hint)

    def _count(self, by: FailedBy, name: str, failure: _Failure) -> None:
        key = by, name
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _Place()
            if len(self._places) > MOST_PLACES:
                self._places.popitem(last=False)
        else:
            self._places.move_to_end(key)
        place.counts.count(failure.time, 0, 1)
        place.counts.fail(failure.time)
        place.words = failure.error[:LONGEST_WORDS] or place.words
        place.call(failure.client)

    def failed(self, now: float) -> tuple[FailedRequests, ...]:
        """The failed requests of the window that ends at `now`, those with the most first."""
        found = []
        for (by, name), place in self._places.items():
            times = place.counts.sums(now)[1]
            if times:
                counts = place.counts
                since, last = counts.failing_since or 0.0, counts.last_failed or 0.0
                steps = counts.steps(now)
                found.append(FailedRequests(by, name, times, since, last, place.words, tuple(place.callers), steps))
        return tuple(sorted(found, key=lambda one: -one.times))

    def hour(self, now: float) -> tuple[Minute, ...]:
        """Requests that failed by minutes of the last hour, the oldest first."""
        found: dict[int, int] = {}
        for (by, _), place in self._places.items():
            for minute, _, failed in place.counts.hour(now) if by not in _NOT_FAILED else ():
                found[minute] = found.get(minute, 0) + failed
        return tuple((minute, 0, found[minute]) for minute in sorted(found) if found[minute])
