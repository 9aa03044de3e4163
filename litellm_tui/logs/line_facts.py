"""The facts of a line of the log, extracted once, in the thread that reads it: the counters get facts, not text.

A line may belong to a record that began some lines above it. Its facts therefore hold both the heading of a record that
begins with this line (`Heading`) and what the line adds to the record that it belongs to.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import UNNAMED, name_cause, network_cause, says_little
from litellm_tui.analysis.failures.fingerprint import fingerprint
from litellm_tui.analysis.failures.places import NO_MARK, Reported, TraceMark, trace_mark
from litellm_tui.logs import call_line, failure_line
from litellm_tui.logs.call_line import Attempt, Cooling, FailedGroup, FailureReport
from litellm_tui.logs.failure_line import FailureHeading
from litellm_tui.logs.log_line import Line, clean
from litellm_tui.logs.store import RANK, begins_traceback, is_exception
from litellm_tui.model.traffic import NoticeKind, Subject

# characters of an error that are kept, and that are searched for its cause: a line may have tens of thousands
LONGEST_WORDS: Final = 2000
LONGEST_READ: Final = 8000
LONGEST_NOTICE: Final = 80

_CALLS: Final = re.compile(
    r"/(?:chat/completions|completions|embeddings|rerank|responses|messages|images/\w+|audio/\w+|moderations)\b"
)
# what load balancers, exporters and probes of containers ask
_LOOKS: Final = ("/health", "/metrics", "/cache", "/test")
# a line of one of several exceptions that are told together
_GROUPED: Final = re.compile(r"[ ]{1,60}\| {0,60}")
# in order of precedence: of several notices in a record the first one counts
NOTICES: Final[tuple[NoticeKind, ...]] = ("port taken", "dropped", "no such group", "stream breaks", "alias")


class Access(NamedTuple):
    """An access line; `calls` means that a model was asked for, `client` is who asked.

    `looks` means that only the gateway's state was asked for: a health check, its metrics, its cache.
    """

    calls: bool
    client: str
    looks: bool = False


class ErrorText(NamedTuple):
    """The beginning of an error. `cause` names a known cause, else it is empty; `subject` says whose failure it is.

    With `little` a stack trace below may name the cause better. `pattern` is the part that equal errors share.
    """

    text: str
    cause: str
    little: bool
    pattern: str
    subject: Subject = ""


class Heading(NamedTuple):
    """The beginning of a record. `error` is the reported error, `words` the whole text.

    `of_group` is the error as it is judged where a line names the group that failed.
    """

    report: FailureReport | None
    failure: FailureHeading
    words: ErrorText
    error: ErrorText
    of_group: ErrorText


class Facts(NamedTuple):
    """The facts of a line. `heading` is that of the record that the line begins, or is added to.

    `network` is the number of a cause named by a line of a trace (`causes.network_cause`), `mark` says where the trace
    leads. `others` means that the rest of the record is about other deployments. `unread` marks a line that could not
    be parsed. `raised` is the exception that a line of a trace names, for a record whose beginning says nothing.
    """

    continues: bool = False
    access: Access | None = None
    attempt: Attempt | None = None
    attempted: ErrorText | None = None
    heading: Heading | None = None
    failed_group: FailedGroup | None = None
    own: ErrorText | None = None
    cooling: tuple[Cooling, ...] = ()
    notice: tuple[NoticeKind, str] | None = None
    network: int | None = None
    mark: TraceMark = NO_MARK
    others: bool = False
    unread: bool = False
    raised: ErrorText | None = None


NOTHING: Final = Facts()
UNREAD: Final = Facts(unread=True)


def facts(line: Line) -> Facts:
    """The facts of a parsed and masked line. Linear in its length."""
    if line.source == "access" and line.status:
        client = line.text.rpartition("  ")[2][: call_line.LONGEST_NAME]
        return _answered(_CALLS.search(line.path) is not None, client, line.path.startswith(_LOOKS))
    attempt = call_line.attempt(line.text)
    failed = RANK[line.level] >= RANK["ERROR"]
    if not failed and not line.continues:
        ended = line.source == "systemd" and line.level == "WARNING"
        if attempt is not None:
            attempted = _error_text(attempt.error) if not attempt.ok else None
            return Facts(attempt=attempt, attempted=attempted)
        told = ended or failure_line.tells_of_a_failure(line.text, line.level, line.source, line.logger)
        return Facts(heading=_heading(line)) if told else NOTHING
    text, stack = line.text, line.stack
    if line.continues and (grouped := _GROUPED.match(text)) and is_exception(text[grouped.end() :]):
        text = text[grouped.end() :]
        line = line._replace(text=text)
    begins = failed or begins_traceback(text) or is_exception(text)
    named = call_line.failed_group(text)
    trace = stack or (text if line.continues else "")
    noticed = call_line.notice(text)
    if stack and line.source == "stdout":
        noticed = first_notice(noticed, call_line.notice(stack))
    return Facts(
        continues=line.continues,
        attempt=attempt,
        attempted=_error_text(attempt.error) if attempt and not attempt.ok else None,
        heading=_heading(line) if begins else None,
        failed_group=named,
        own=_error_text(named.error) if named and named.error is not None else None,
        cooling=tuple(call_line.cooling(text)),
        # a client chooses the name
        notice=(noticed[0], clean(noticed[1])[:LONGEST_NOTICE]) if noticed else None,
        network=network_cause(call_line.own_trace(trace[: call_line.LONGEST_TRACE])) if trace else None,
        mark=trace_mark(_ends_of(call_line.own_trace(trace))) if trace else NO_MARK,
        others=call_line.OTHERS in trace,
    )


# nearly all lines of a busy proxy are access lines of a few clients
@lru_cache(maxsize=512)
def _answered(calls: bool, client: str, looks: bool) -> Facts:
    return Facts(access=Access(calls, client, looks))


def first_notice(
    one: tuple[NoticeKind, str] | None, other: tuple[NoticeKind, str] | None
) -> tuple[NoticeKind, str] | None:
    """Of two notices in one record the one that takes precedence."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda notice: NOTICES.index(notice[0]))


def _heading(line: Line) -> Heading:
    text, trace = line.text, line.stack or line.text.partition("\nTraceback ")[2]
    if begins_traceback(text) and (told := failure_line.last_exception(text)):
        # a whole traceback in one message, as uvicorn writes it with json_logs
        text, trace = told, text
    mark = trace_mark(_ends_of(call_line.own_trace(trace))) if trace else NO_MARK
    failure = failure_line.failure_heading(text, line.source, line.logger, mark)
    report = call_line.bare_report(text) if failure.bare else call_line.failure_report(text)
    # naming a cause takes longer than everything else: it is done only where a cause may be needed
    words = _error_text(failure.words, failure.where, judged=not failure.by_error and not failure.cause)
    if failure.kind == "caller" and words.subject not in ("caller", "gateway"):
        # the check of a key failed by itself: its caller is not at fault
        failure = failure._replace(kind="")
    asked = report is not None or failure.by_error or failure.breaks
    error = _error_text(failure.error, failure.where) if asked else words
    return Heading(report, failure, words, error, _error_text(failure.error) if asked and not error.cause else error)


def _ends_of(trace: str) -> str:
    """The beginning and the end of a long trace: when it ran, and where it failed."""
    if len(trace) <= call_line.LONGEST_TRACE:
        return trace
    half = call_line.LONGEST_TRACE // 2
    return f"{trace[:half]}\n{trace[-half:]}"


def _error_text(text: str, where: Reported | None = None, judged: bool = True) -> ErrorText:
    cause = name_cause(text[:LONGEST_READ], where) if judged else None
    known = cause.name if cause and cause.name != UNNAMED else ""
    shown = text[:LONGEST_WORDS]
    little = cause is not None and says_little(cause)
    return ErrorText(shown, known, little, fingerprint(shown), cause.subject if cause else "")
