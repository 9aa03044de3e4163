"""Counts what fails, by cause and by whom it is about, from the lines of the log. Bounded, whatever is written.

A record is read a moment after it came: the lines of a traceback are folded into it one by one, and the access line of
its request tells whose it was.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from litellm_tui.analysis.causes import name_cause
from litellm_tui.analysis.fingerprint import fingerprint
from litellm_tui.collectors import callline, failureline
from litellm_tui.collectors.failureline import Failed
from litellm_tui.collectors.logline import Line
from litellm_tui.logstore import FOLD_SECONDS
from litellm_tui.snapshot import Failures, FailureTally, LogRecord

# of known causes, and of words that nothing is known of: a storm of these leaves the others alone
MOST_KNOWN: Final = 400
MOST_UNKNOWN: Final = 100
MOST_PENDING: Final = 500
SETTLING: Final = FOLD_SECONDS + 0.2
MINUTES: Final = 60
HOURS: Final = 48
MOST_CALLERS: Final = 20
CALLS_KEPT: Final = 5
# characters kept of a failure's words, and read of them to find their cause: a line may have tens of thousands
LONGEST_WORDS: Final = 2000
LONGEST_READ: Final = 8000
LONGEST_NAME: Final = 120
# who writes of a failed request just before its access line
_ENDINGS: Final = ("_handle_llm_api_exception()", "user_api_key_auth()")

Key = tuple[str, str, str, str, str]


class _Pending:
    """A record that may still grow, and what was found in its lines so far."""

    __slots__ = ("attempt", "caller", "failure", "record")

    def __init__(self, record: LogRecord) -> None:
        self.record = record
        self.failure: callline.GroupFailure | None = None
        self.attempt: callline.Attempt | None = None
        self.caller = ""


class _Kind:
    """One kind of failure; `tally` is made anew when it was counted again."""

    __slots__ = ("callers", "calls", "counts", "failed", "first", "key", "last", "sequence", "tally")

    def __init__(self, key: Key, failed: Failed, record: LogRecord) -> None:
        self.key = key
        self.failed = failed
        self.first = self.last = record.time
        self.sequence = record.sequence
        self.counts: dict[int, int] = {}
        self.callers: dict[str, int] = {}
        self.calls: list[str] = []
        self.tally: FailureTally | None = None

    def count(self, failed: Failed, record: LogRecord, caller: str) -> None:
        self.failed = failed
        self.first, self.last = min(self.first, record.time), max(self.last, record.time)
        self.sequence = record.sequence
        minute = int(record.time // 60)
        self.counts[minute] = self.counts.get(minute, 0) + 1
        if len(self.counts) > MINUTES + HOURS:
            self.counts = _coarse(self.counts, int(self.last // 60))
        if failed.call_id:
            self.calls = [*self.calls[-CALLS_KEPT + 1 :], failed.call_id]
        if caller and (caller in self.callers or len(self.callers) < MOST_CALLERS):
            self.callers[caller] = self.callers.get(caller, 0) + 1
        self.tally = None

    def told(self) -> FailureTally:
        if self.tally is None:
            cause, kind, name, pattern, voice = self.key
            self.tally = FailureTally(
                cause=cause,
                kind=kind,  # type: ignore[arg-type]  # as it stands in `Failed`
                name=name,
                pattern=pattern,
                voice=voice,  # type: ignore[arg-type]  # likewise
                words=self.failed.words,
                first=self.first,
                last=self.last,
                sequence=self.sequence,
                counts=tuple(sorted(self.counts.items())),
                callers=tuple(self.callers.items()),
                calls=tuple(self.calls),
            )
        return self.tally


class IncidentCounter:
    """Fed by the log's intake with every line; what is no failure costs a comparison or two."""

    def __init__(self) -> None:
        self._pending: OrderedDict[int, _Pending] = OrderedDict()
        self._unanswered: deque[_Pending] = deque(maxlen=50)
        self._known: OrderedDict[Key, _Kind] = OrderedDict()
        self._unknown: OrderedDict[Key, _Kind] = OrderedDict()
        self._answers: dict[int, list[int]] = {}
        self._other = 0
        self._changed = True
        self._told = Failures()

    def note(self, line: Line, record: LogRecord, folded: bool = False) -> None:
        """One line of the log, and the record that it became or, when `folded`, was added to."""
        if line.source == "access":
            self._access(line, record)
        elif record.level in ("ERROR", "CRITICAL"):
            self._error(line, record)
        elif record.level == "INFO":
            if not folded and (attempt := callline.attempt(record.text)) and not attempt.ok:
                self._wait(record).attempt = attempt
        elif line.source == "systemd" and record.level == "WARNING":
            self._wait(record)

    def _error(self, line: Line, record: LogRecord) -> None:
        new = record.sequence not in self._pending
        pending = self._wait(record)
        if new and any(place in record.text[:120] for place in _ENDINGS):
            self._unanswered.append(pending)
        # without json_logs the group stands in a line below
        pending.failure = callline.group_failure(line.text, record.text) or pending.failure

    def _wait(self, record: LogRecord) -> _Pending:
        pending = self._pending.get(record.sequence)
        if pending is not None:
            pending.record = record
            return pending
        pending = self._pending[record.sequence] = _Pending(record)
        self._settle(record.time, MOST_PENDING)
        return pending

    def _access(self, line: Line, record: LogRecord) -> None:
        if record.own:
            if line.status >= 400:
                self._take_back(record)
            return
        minute = int(record.time // 60)
        counted = self._answers.get(minute)
        if counted is None:
            counted = self._answers[minute] = [0, 0, 0]
            for old in [old for old in self._answers if old <= minute - MINUTES]:
                del self._answers[old]
        counted[0] += 1
        self._changed = True
        if line.status >= 400:
            counted[1 if line.status < 500 else 2] += 1
            self._give_caller(line, record)

    def _give_caller(self, line: Line, record: LogRecord) -> None:
        """The answer of a request follows what its process wrote of its failure."""
        for place, pending in enumerate(self._unanswered):
            if pending.record.pid == record.pid:
                pending.caller = line.text.rpartition("  ")[2]
                del self._unanswered[place]
                return

    def _take_back(self, record: LogRecord) -> None:
        """A request of the console itself failed: what was written of it just before is nobody's incident."""
        for sequence, pending in reversed(self._pending.items()):
            if pending.record.pid == record.pid:
                del self._pending[sequence]
                return

    def _settle(self, now: float, most: int) -> None:
        while self._pending:
            pending = next(iter(self._pending.values()))
            if len(self._pending) <= most and pending.record.time >= now - SETTLING:
                return
            self._pending.popitem(last=False)
            if self._unanswered and self._unanswered[0] is pending:
                self._unanswered.popleft()
            failed = failureline.read(pending.record, pending.failure, pending.attempt)
            if failed is not None:
                self._count(failed, pending)

    def _count(self, failed: Failed, pending: _Pending) -> None:
        record = pending.record
        words = failed.words[:LONGEST_READ]
        cause = failed.cause or cause_of(words, callline.own_trace(record.stack[: 2 * LONGEST_READ]))
        # a caller may ask for a name of any length
        name = failed.name[:LONGEST_NAME]
        failed = failed._replace(words=words[:LONGEST_WORDS])
        # without a subject the words alone tell one from the other
        pattern = fingerprint(failed.words) if not (cause and (name or failed.kind)) else ""
        kinds = self._known if cause else self._unknown
        key = (cause, failed.kind, name, pattern, failed.voice)
        kind = kinds.get(key)
        if kind is None:
            kind = kinds[key] = _Kind(key, failed, record)
            most = MOST_KNOWN if kinds is self._known else MOST_UNKNOWN
            if len(kinds) > most:
                _, gone = kinds.popitem(last=False)
                self._other += sum(gone.counts.values())
        else:
            kinds.move_to_end(key)
        kind.count(failed, record, pending.caller)
        self._changed = True

    def settle(self) -> None:
        """Count what may still have grown: nothing more will be read."""
        self._settle(0.0, 0)

    def failures(self, now: float) -> Failures:
        """What failed, as of `now`; the same object as long as nothing was added."""
        self._settle(now, MOST_PENDING)
        if self._changed:
            self._changed = False
            self._told = Failures(
                tallies=tuple(kind.told() for kinds in (self._known, self._unknown) for kind in kinds.values()),
                other=self._other,
                answers=tuple((minute, *counts) for minute, counts in sorted(self._answers.items())),  # type: ignore[misc]  # three counts each
            )
        return self._told


def cause_of(words: str, trace: str) -> str:
    """The name of a known cause, else nothing. A trace is asked only where the words say no more than that it fails."""
    cause = name_cause(words)
    if trace and cause.name in ("no connection", "500", "failing"):
        cause = name_cause(f"{words}\nstack trace:{trace}")
    return "" if cause.name == "failing" else cause.name


def _coarse(counts: dict[int, int], newest: int) -> dict[int, int]:
    """Minutes of the last hour, whole hours before it, for two days."""
    after: dict[int, int] = {}
    for minute, number in counts.items():
        if minute > newest - HOURS * 60:
            place = minute if minute > newest - MINUTES else minute - minute % 60
            after[place] = after.get(place, 0) + number
    return after
