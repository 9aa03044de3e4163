"""Counts the outcomes of real requests, from the lines of the log and from /metrics where these are on.

The console's own probes are not counted: uvicorn's access line of a probe has the console's tag, and the attempt that
was written just before it is dropped. LiteLLM's health checks leave no such lines and have their own label in /metrics.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from litellm_tui.logs import call_line, failure_line
from litellm_tui.logs.failed_requests import FailedRequestCounter, Named
from litellm_tui.logs.line_facts import Access, Facts
from litellm_tui.logs.store import RANK
from litellm_tui.logs.subject_counts import WINDOW, SubjectCounts
from litellm_tui.model.gateway import Metrics
from litellm_tui.model.log import LogRecord
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.traffic import FailedOnce, Notice, Tally, Traffic

# clients choose names: one may ask for any number of groups that do not exist
MOST_SUBJECTS: Final = 1000
MOST_NOTICES: Final = 100
MOST_COOLING: Final = 1000
# an attempt is counted only after this time, when the access line of its request has been seen
SETTLING: Final = 1.0
MOST_PENDING: Final = 2000
MOST_BROKEN: Final = 500
# of the words of a failure, and the last failures whose words are kept
LONGEST_WORDS: Final = 300
ERRORS_KEPT: Final = 3

Kind = Literal["model", "group", "deployment"]


class _Outcome(NamedTuple):
    """One success or failure; `sequence` is that of the record with the whole error."""

    time: float
    kind: Kind
    name: str
    ok: bool
    sequence: int
    counts: bool = True
    cooling: float | None = None
    error: str = ""
    broke: bool = False


class _Subject(SubjectCounts):
    """One target of requests. `broken` are the times of its streams that broke."""

    def __init__(self) -> None:
        super().__init__()
        self.cooling_until: float | None = None
        self.error = ""
        self.sequence = -1
        self.broken: deque[float] = deque(maxlen=MOST_BROKEN)
        self.errors: deque[FailedOnce] = deque(maxlen=ERRORS_KEPT)

    def failed_so(self, time: float, error: str, sequence: int) -> None:
        """Keep the words of a failure; the router reports a request and its cooldown in one moment."""
        words = error.strip().partition("\n")[0][:LONGEST_WORDS]
        if words and not (self.errors and self.errors[-1].words == words and time - self.errors[-1].time < SETTLING):
            self.errors.append(FailedOnce(time, words, sequence))

    def broke(self, now: float) -> int:
        """The streams that broke within the window."""
        return sum(time >= now - WINDOW for time in self.broken)


class TrafficCounter:
    """Gets the facts of every line from the log's intake, and each reading of /metrics."""

    def __init__(self) -> None:
        self._subjects: OrderedDict[tuple[Kind, str], _Subject] = OrderedDict()
        self._requests = SubjectCounts()
        self._failed = FailedRequestCounter()
        self._counted_since: float | None = None
        self._pending: deque[_Outcome] = deque()
        self._failed_records: deque[tuple[int, str]] = deque(maxlen=50)
        self._metrics: Metrics | None = None
        self._per_model = False
        self._since: float | None = None
        self._own_calls: deque[tuple[float, float, str]] = deque(maxlen=200)
        self._own_counts: Counter[tuple[str, bool]] = Counter()
        self._answered_at: float | None = None
        self._cooling: dict[str, float] = {}
        self._notices: dict[tuple[str, str], Notice] = {}
        self._last_notice: tuple[tuple[str, str], int] | None = None

    def note(self, facts: Facts, record: LogRecord, folded: bool = False) -> None:
        """Count a line of the log by its facts; `record` is what it became or, when `folded`, was added to."""
        if self._since is None:
            self._since = record.time
        self._failed.note(facts, record, folded)
        if facts.access is not None:
            self._access(facts.access, record)
            return
        if not folded and (seen := facts.attempt):
            self._per_model = True
            if not self._is_own(record.time, seen.model):
                self._pend(_Outcome(record.time, "model", seen.model, seen.ok, record.sequence, error=seen.error))
            return
        if RANK[record.level] >= RANK["ERROR"]:
            self._error(facts, record)

    def _error(self, facts: Facts, record: LogRecord) -> None:
        heading = facts.heading
        if (
            heading
            and (failure := call_line.group_failure(facts.failed_group, heading.report))
            and not (
                # its request is counted by `_group_named`, once it is known that no other record tells of it
                heading.failure.bare and not failure.cooling
            )
        ):
            self._group_failed(failure, record, heading.failure.breaks)
        for cooled in facts.cooling:
            self._cooling.pop(cooled.deployment, None)
            self._cooling[cooled.deployment] = cooled.until
            if len(self._cooling) > MOST_COOLING:
                del self._cooling[next(iter(self._cooling))]
        found = facts.notice
        if found and (found, record.sequence) != self._last_notice:
            self._last_notice = (found, record.sequence)
            before = self._notices.pop(found, None)
            first, times = (before.first, before.times) if before else (record.time, 0)
            kind, name = found
            self._notices[found] = Notice(kind, name, first, record.time, times + 1)
            if len(self._notices) > MOST_NOTICES:
                self._notices.pop(next(iter(self._notices)))

    def _group_failed(self, failure: call_line.GroupFailure, record: LogRecord, broke: bool) -> None:
        # a traceback repeats its message; a probe names a deployment's id instead of a group
        place = (record.sequence, failure.group)
        if place in self._failed_records or failure_line.is_probed(failure.group):
            return
        self._failed_records.append(place)
        seen = _Outcome(
            record.time, "group", failure.group, False, record.sequence, failure.request, failure.cooling, failure.error
        )
        self._pend(seen._replace(broke=broke))

    def _group_named(self, named: Named) -> None:
        """Count a failed request of a group that only the lines beside its record name."""
        self._pend(_Outcome(named.time, "group", named.group, False, named.sequence, error=named.error,
                            broke=named.stream))  # fmt: skip

    def _access(self, access: Access, record: LogRecord) -> None:
        self._answered_at = max(record.time, self._answered_at or 0.0)
        if not access.calls:
            return
        if record.own:
            self._take_back(record.status < 400)
        else:
            refused = record.status >= 500 or record.status == 429
            self._requests.count(record.time, int(not refused), int(refused))

    def _take_back(self, ok: bool) -> None:
        """Drop the newest attempt with this outcome: it was a probe's."""
        for place in range(len(self._pending) - 1, -1, -1):
            if self._pending[place].kind == "model" and self._pending[place].ok == ok:
                del self._pending[place]
                return

    def note_probe(self, probe: ProbeResult) -> None:
        """Note a probe of this process: /metrics counts it, and 1.77.7 with json_logs writes no access line for it."""
        self._own_counts[probe.deployment, probe.ok] += 1
        began = probe.asked_at
        self._own_calls.append((began - 0.5, began + probe.took + 0.5, probe.model))
        if self._answered_at is None:
            self._pending = deque(
                seen for seen in self._pending if not (seen.kind == "model" and self._is_own(seen.time, seen.name))
            )

    def _is_own(self, time: float, model: str) -> bool:
        if self._answered_at is not None:
            return False
        return any(began <= time <= ended and model == name for began, ended, name in self._own_calls)

    def add_metrics(self, metrics: Metrics, now: float) -> None:
        """Count what was added since the last reading of /metrics.

        Of a young process the first reading counts its requests since the start; of an older one it is only the base.
        """
        before = {d.id: d for d in self._metrics.deployments} if self._metrics else None
        if before is None:
            young = metrics.started_at is not None and now - metrics.started_at <= WINDOW
            self._counted_since = metrics.started_at if young else now
            if young:
                before = {}
            else:
                # the first reading counts these probes already
                self._own_counts.clear()
        self._metrics = metrics
        for counters in metrics.deployments if before is not None else ():
            old = before.get(counters.id) if before else None
            # a counter that went down was reset by a restart
            ok = counters.ok - (old.ok if old and old.ok <= counters.ok else 0.0)
            failed = counters.failed - (old.failed if old and old.failed <= counters.failed else 0.0)
            ok = max(0.0, ok - self._own_counts.pop((counters.id, True), 0))
            failed = max(0.0, failed - self._own_counts.pop((counters.id, False), 0))
            if ok or failed:
                subject = self._subject("deployment", counters.id)
                subject.count(now, int(ok), int(failed))
                if failed:
                    subject.fail(now)
                    grown = {k: v - (old.errors.get(k, 0.0) if old else 0.0) for k, v in counters.errors.items()}
                    subject.error = max(grown, key=lambda k: grown[k], default="")
                    subject.failed_so(now, subject.error, -1)

    def _pend(self, seen: _Outcome) -> None:
        self._pending.append(seen)
        while self._pending and (
            len(self._pending) > MOST_PENDING or self._pending[0].time < self._pending[-1].time - SETTLING
        ):
            self._settle(self._pending.popleft())

    def settle(self) -> None:
        """Count what still waits for its access line: nothing more will be read."""
        for named in self._failed.settle(math.inf):
            self._group_named(named)
        while self._pending:
            self._settle(self._pending.popleft())

    def _settle(self, seen: _Outcome) -> None:
        subject = self._subject(seen.kind, seen.name)
        subject.count(seen.time, int(seen.ok and seen.counts), int(not seen.ok and seen.counts))
        if not seen.ok:
            subject.fail(seen.time)
            if seen.cooling is None or not subject.errors:
                subject.failed_so(seen.time, seen.error, seen.sequence)
            if seen.broke:
                subject.broken.append(seen.time)
            if seen.cooling is not None:
                subject.cooling_until = seen.time + seen.cooling
            # a cooldown does not say why the deployment failed
            if seen.cooling is None or not subject.error:
                subject.error, subject.sequence = seen.error, seen.sequence

    def _subject(self, kind: Kind, name: str) -> _Subject:
        found = self._subjects.get((kind, name))
        if found is None:
            found = self._subjects[kind, name] = _Subject()
            if len(self._subjects) > MOST_SUBJECTS:
                self._subjects.popitem(last=False)
        else:
            self._subjects.move_to_end((kind, name))
        return found

    def traffic(self, now: float, find: Callable[[int], LogRecord | None]) -> Traffic:
        """The counts at `now`; `find` gives a record by its sequence, for the stack trace below an error."""
        for named in self._failed.settle(now):
            self._group_named(named)
        while self._pending and self._pending[0].time < now - SETTLING:
            self._settle(self._pending.popleft())
        ok, refused = self._requests.sums(now)
        self._cooling = {name: until for name, until in self._cooling.items() if until > now}
        return Traffic(
            window=WINDOW,
            tallies=tuple(self._tally(*key, subject, now, find) for key, subject in self._subjects.items()),
            requests=ok + refused,
            refused=refused,
            access_lines=self._answered_at is not None,
            per_model=self._per_model,
            counted=self._metrics is not None,
            since=self._since,
            cooling=dict(self._cooling),
            notices=tuple(self._notices.values()),
            answered_at=self._answered_at,
            succeeded_at=self._requests.last_ok,
            failed=self._failed.failed(now),
            counted_since=self._counted_since,
            steps=self._requests.steps(now),
            hour=self._requests.hour(now),
            failed_hour=self._failed.hour(now),
            silent=self._failed.silent(),
        )

    def _tally(
        self, kind: Kind, name: str, subject: _Subject, now: float, find: Callable[[int], LogRecord | None]
    ) -> Tally:
        ok, failed = subject.sums(now)
        record = find(subject.sequence) if subject.sequence >= 0 else None
        trace = f"\nstack trace: {call_line.own_trace(record.stack)}" if record and record.stack else ""
        return Tally(
            kind=kind,
            name=name,
            ok=ok,
            failed=failed,
            last_ok=subject.last_ok,
            last_failed=subject.last_failed,
            failing_since=subject.failing_since,
            in_a_row=subject.in_a_row,
            error=subject.error + trace if subject.last_failed else "",
            cooling_until=subject.cooling_until,
            failures=tuple(subject.failures),
            answers=tuple(subject.answers),
            broken=subject.broke(now),
            steps=subject.steps(now),
            hour=subject.hour(now),
            errors=tuple(subject.errors),
        )
