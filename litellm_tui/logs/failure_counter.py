"""Counts failures by cause and subject from the lines of the log, within fixed bounds for any input.

A record is counted a moment after it came: until then the lines of a traceback are folded into it, and the access line
of its request names the caller.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import UNNAMED, name_cause, name_network_cause
from litellm_tui.analysis.failures.places import NO_MARK, mcp_server_named, reported
from litellm_tui.analysis.failures.side_services import service_named
from litellm_tui.logs import call_line, failure_line
from litellm_tui.logs.line_facts import Access, ErrorText, Facts, Heading, first_notice
from litellm_tui.logs.minute_counts import HOURS, MINUTES, coarse
from litellm_tui.logs.start_watch import CAUSE as START_INCOMPLETE
from litellm_tui.logs.store import FOLD_SECONDS
from litellm_tui.model.log import LogRecord
from litellm_tui.model.traffic import FailedKind, Failures, FailureTally, NoticeKind, Subject, Voice

# limits of known and of unknown causes, apart: a storm of unknown ones does not displace the others
MOST_KNOWN: Final = 400
MOST_UNKNOWN: Final = 100
MOST_PENDING: Final = 500
SETTLING: Final = FOLD_SECONDS + 0.2
# records that say only that something was raised: the trace below them says what
_EMPTY_WORDS: Final = (
    "Exception in ASGI application", "Exception while exporting", "Exception in callback ",
    "Exception in worker process",
)  # fmt: skip
_IN_A_GROUP: Final = "unhandled errors in a TaskGroup"
_GROUPS: Final = ("ExceptionGroup: ", "BaseExceptionGroup: ")
MOST_CALLERS: Final = 20
CALLS_KEPT: Final = 5
LONGEST_NAME: Final = 120

Key = tuple[str, str, str, str, str, str]


class Failed(NamedTuple):
    """One failure as one part of LiteLLM reports it. `cause` is set where the reporting place alone names the cause.

    `kind` says what `name` is; without a name the subject is unknown. `call_id` is LiteLLM's own.
    """

    voice: Voice
    kind: FailedKind
    name: str
    words: ErrorText
    cause: str = ""
    call_id: str = ""
    subject: Subject = ""


class _Pending:
    """A record that may still grow, with what its lines have shown so far."""

    __slots__ = (
        "attempt",
        "attempted",
        "caller",
        "error",
        "failure",
        "heading",
        "mark",
        "network",
        "notice",
        "others",
        "raised",
        "record",
    )

    def __init__(self, record: LogRecord) -> None:
        self.record = record
        self.heading: Heading | None = None
        self.failure: call_line.GroupFailure | None = None
        self.error: ErrorText | None = None
        self.attempt: call_line.Attempt | None = None
        self.attempted: ErrorText | None = None
        self.notice: tuple[NoticeKind, str] | None = None
        self.network: int | None = None
        self.mark = NO_MARK
        self.others = False
        self.raised: ErrorText | None = None
        self.caller = ""

    def add(self, facts: Facts, folded: bool) -> None:
        """Add the facts of one more line of the record."""
        self.heading = facts.heading or self.heading
        # without json_logs a later line names the group
        if self.heading and (failure := call_line.group_failure(facts.failed_group, self.heading.report)):
            self.failure, self.error = failure, facts.own or self.heading.of_group
        # the lines below a record of LiteLLM's own loggers repeat other records
        if not folded or self.record.source == "stdout":
            self.notice = first_notice(self.notice, facts.notice)
        near = not folded or len(self.record.stack) <= call_line.LONGEST_TRACE
        if facts.network is not None and near and not self.others:
            self.network = facts.network if self.network is None else min(self.network, facts.network)
        # a long trace is told by its end
        if facts.mark is not NO_MARK and not self.others:
            self.mark = self.mark.joined(facts.mark)
        self.others = self.others or facts.others
        if facts.raised is not None and not facts.raised.text.startswith(_GROUPS):
            self.raised = facts.raised

    @property
    def asked_a_model(self) -> bool:
        """Whether a request for a model failed so; the check of a key comes before that."""
        if self.attempt is not None or self.failure is not None:
            return True
        failure = self.heading.failure if self.heading else None
        return failure is not None and failure.voice != "other" and failure.where.by != "check of the key"

    def failed(self) -> Failed | None:
        """The failure that the record reports; None for a record that only repeats another."""
        if self.attempt is not None and self.attempted is not None:
            return Failed("attempt", "model", self.attempt.model, self.attempted)
        if self.heading is None or self.heading.failure.echo:
            return None
        heading_failure, call_id = self.heading.failure, self.record.call_id
        if self.failure is not None and self.error is not None:
            if failure_line.is_probed(self.failure.group):
                return None
            voice: Voice = "other" if heading_failure.again else "request" if self.failure.request else "router"
            cause = "stream breaks" if heading_failure.breaks else ""
            return Failed(voice, "group", self.failure.group, self.error, cause, call_id)
        if self.notice is not None and self.record.source != "systemd":
            return _noticed(*self.notice, self.heading, call_id)
        return self._of_part(self.heading, call_id)

    def _of_part(self, heading: Heading, call_id: str) -> Failed:
        """A failure of which no line names the group: judged by where its trace leads, where the words say little."""
        failure = heading.failure
        words = heading.error if failure.by_error else heading.words
        cause, subject = failure.cause, words.subject
        if failure.kind == "service":
            return Failed(failure.voice, "service", "", words, cause, "", "worker")
        if self.raised is not None and words.text.startswith(_EMPTY_WORDS):
            words = self.raised
            subject = words.subject
        elif self.raised is not None and _IN_A_GROUP in words.text:
            said = f"{words.text}: {self.raised.text}"
            inner = name_cause(said, failure.where)
            words = words._replace(text=said, cause=inner.name if inner.name != UNNAMED else "")
        begun = self.mark.starting and not self.mark.ending
        little = words.little or not words.cause or self.mark.subject or begun
        if not cause and self.mark is not NO_MARK and little:
            where = reported(self.record.text, self.record.logger, self.mark)
            better = name_cause(words.text, where)
            cause = better.name if better.name != UNNAMED else ""
            if begun:
                # what is a refusal while it serves is a wrong setting while it starts
                words = words._replace(cause=cause)
            subject = better.subject or subject
        kind, name = failure.kind, failure.name
        if subject in ("side service", "mcp"):
            found = mcp_server_named(words.text) if subject == "mcp" else service_named(words.text, self.record.logger)
            kind, name = "part", found
        elif subject not in ("upstream", ""):
            kind, name = "", ""
        known = subject not in ("upstream", "")
        return Failed(failure.voice, kind, name, words, cause, "" if known else call_id, subject)


def _noticed(kind: NoticeKind, name: str, heading: Heading, call_id: str) -> Failed:
    match kind:
        case "dropped":
            return Failed("other", "model", name, heading.words, "no provider", "", "upstream")
        case "no such group":
            return Failed("request", "group", name, heading.words, "no such group", call_id, "caller")
        case "port taken":
            return Failed("other", "service", "", heading.words, "port taken", "", "start-up")
        case "alias":
            return Failed("request", "", "", heading.words, "alias is a list", call_id, "gateway")
        case "stream breaks":
            return Failed("request", "", "", heading.error, "stream breaks", call_id, "upstream")


class _FailureKind:
    """One kind of failure. `tally` caches `current_tally` until the next count."""

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
            self.counts = coarse(self.counts, int(self.last // 60))
        if failed.call_id:
            self.calls = [*self.calls[-CALLS_KEPT + 1 :], failed.call_id]
        if caller and (caller in self.callers or len(self.callers) < MOST_CALLERS):
            self.callers[caller] = self.callers.get(caller, 0) + 1
        self.tally = None

    def current_tally(self) -> FailureTally:
        if self.tally is None:
            cause, kind, name, pattern, voice, subject = self.key
            self.tally = FailureTally(
                cause=cause,
                kind=kind,  # type: ignore[arg-type]  # the literal of `Failed`
                name=name,
                pattern=pattern,
                voice=voice,  # type: ignore[arg-type]  # likewise
                words=self.failed.words.text,
                first=self.first,
                last=self.last,
                sequence=self.sequence,
                counts=tuple(sorted(self.counts.items())),
                callers=tuple(self.callers.items()),
                calls=tuple(self.calls),
                subject=subject,  # type: ignore[arg-type]  # likewise
            )
        return self.tally


class FailureCounter:
    """Gets the facts of every line from the log's intake; a line without failure costs a comparison or two."""

    def __init__(self) -> None:
        self._pending: OrderedDict[int, _Pending] = OrderedDict()
        self._unanswered: deque[_Pending] = deque(maxlen=50)
        self._known: OrderedDict[Key, _FailureKind] = OrderedDict()
        self._unknown: OrderedDict[Key, _FailureKind] = OrderedDict()
        self._answers: dict[int, list[int]] = {}
        self._other = 0
        self._changed = True
        self._failures = Failures()

    def note(self, facts: Facts, record: LogRecord, folded: bool = False) -> None:
        """What a line of the log says, and the record that it became or, when `folded`, was added to."""
        if facts.access is not None:
            self._access(facts.access, record)
        elif record.level in ("ERROR", "CRITICAL"):
            self._error(facts, record, folded)
        elif record.level == "INFO":
            if not folded and facts.attempt and not facts.attempt.ok:
                pending = self._wait(record)
                pending.attempt, pending.attempted = facts.attempt, facts.attempted
            elif facts.heading is not None:
                self._error(facts, record, folded)
        elif record.level == "WARNING" and (facts.heading is not None or record.sequence in self._pending):
            self._error(facts, record, folded)

    def count_start(self, words: str, record: LogRecord) -> None:
        """Count a start that did not complete, with the last words of its process."""
        told = ErrorText(words, START_INCOMPLETE, False, "")
        self._count(Failed("other", "service", "", told, START_INCOMPLETE), _Pending(record))

    def _error(self, facts: Facts, record: LogRecord, folded: bool) -> None:
        new = record.sequence not in self._pending
        pending = self._wait(record)
        pending.add(facts, folded)
        if new and pending.heading and pending.heading.failure.ends:
            self._unanswered.append(pending)

    def _wait(self, record: LogRecord) -> _Pending:
        pending = self._pending.get(record.sequence)
        if pending is not None:
            pending.record = record
            return pending
        pending = self._pending[record.sequence] = _Pending(record)
        self._settle(record.time, MOST_PENDING)
        return pending

    def _access(self, access: Access, record: LogRecord) -> None:
        if record.own:
            if record.status >= 400:
                self._take_back(access, record)
            return
        minute = int(record.time // 60)
        counted = self._answers.get(minute)
        if counted is None:
            counted = self._answers[minute] = [0, 0, 0]
            for old in [old for old in self._answers if old <= minute - MINUTES]:
                del self._answers[old]
        counted[0] += 1
        self._changed = True
        if record.status >= 400:
            counted[1 if record.status < 500 else 2] += 1
            self._give_caller(access, record)

    def _give_caller(self, access: Access, record: LogRecord) -> None:
        """Give the caller to the failure that the process of this access line wrote just before it."""
        for place, pending in enumerate(self._unanswered):
            if pending.record.pid == record.pid:
                pending.caller = access.client
                del self._unanswered[place]
                return

    def _take_back(self, access: Access, record: LogRecord) -> None:
        """Drop the failure that was written just before, where this request of the console's own may have caused it.

        Of a path that is not there nothing is written, and what fails at a model was asked of one.
        """
        if record.status in (404, 405) and not access.calls:
            return
        # lines that are read back come at once: what is older than a moment is another's
        self._settle(record.time, MOST_PENDING)
        fits = [
            (sequence, pending.failure is not None and failure_line.is_probed(pending.failure.group))
            for sequence, pending in reversed(self._pending.items())
            if pending.record.pid == record.pid and (access.calls or not pending.asked_a_model)
        ]
        if fits:
            # a probe names a deployment
            del self._pending[next((sequence for sequence, probed in fits if probed), fits[0][0])]

    def _settle(self, now: float, most: int) -> None:
        while self._pending:
            pending = next(iter(self._pending.values()))
            if len(self._pending) <= most and pending.record.time >= now - SETTLING:
                return
            self._pending.popitem(last=False)
            if self._unanswered and self._unanswered[0] is pending:
                self._unanswered.popleft()
            failed = pending.failed()
            if failed is not None:
                self._count(failed, pending)

    def _count(self, failed: Failed, pending: _Pending) -> None:
        record = pending.record
        cause = failed.cause or _cause(failed.words, pending.network)
        # a client may ask for a name of any length
        name = failed.name[:LONGEST_NAME]
        # without a subject only the text tells failures apart
        subject = failed.subject or (failed.words.subject if not failed.cause else "")
        apart = subject in ("upstream", "gateway", "caller", "") and not name and not failed.kind
        pattern = failed.words.pattern if not cause or (apart and subject in ("upstream", "")) else ""
        kinds = self._known if cause else self._unknown
        key = (cause, failed.kind, name, pattern, failed.voice, subject)
        kind = kinds.get(key)
        if kind is None:
            kind = kinds[key] = _FailureKind(key, failed, record)
            most = MOST_KNOWN if kinds is self._known else MOST_UNKNOWN
            if len(kinds) > most:
                _, gone = kinds.popitem(last=False)
                self._other += sum(gone.counts.values())
        else:
            kinds.move_to_end(key)
        kind.count(failed, record, pending.caller)
        self._changed = True

    def settle(self) -> None:
        """Count the records that still wait: nothing more will be read."""
        self._settle(0.0, 0)

    def failures(self, now: float) -> Failures:
        """The failures as of `now`; the same object as long as nothing was added."""
        self._settle(now, MOST_PENDING)
        if self._changed:
            self._changed = False
            self._failures = Failures(
                tallies=tuple(
                    kind.current_tally() for kinds in (self._known, self._unknown) for kind in kinds.values()
                ),
                other=self._other,
                answers=tuple((minute, *counts) for minute, counts in sorted(self._answers.items())),  # type: ignore[misc]  # three counts each
            )
        return self._failures


def _cause(words: ErrorText, network: int | None) -> str:
    """The name of a known cause, else empty. A trace counts only where the text says little."""
    return name_network_cause(network) if words.little and network is not None else words.cause
