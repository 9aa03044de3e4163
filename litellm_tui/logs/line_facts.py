"""What a line of the log says, read once, in the thread that reads the log: the counters get these facts and no text.

A line may belong to a record that began some lines above it. So the facts of a line say what that record would say if
it began here (`Heading`), and what the line adds to whatever record it belongs to.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import name_cause, network_cause, says_little
from litellm_tui.analysis.failures.fingerprint import fingerprint
from litellm_tui.logs import call_line, failure_line
from litellm_tui.logs.call_line import Attempt, Cooling, Named, Report
from litellm_tui.logs.failure_line import Told
from litellm_tui.logs.log_line import Line, clean
from litellm_tui.logs.store import RANK, begins_traceback, is_exception
from litellm_tui.model.traffic import NoticeKind

# characters kept of a failure's words, and read of them to find their cause: a line may have tens of thousands
LONGEST_WORDS: Final = 2000
LONGEST_READ: Final = 8000
LONGEST_NOTICE: Final = 80

_CALLS: Final = re.compile(
    r"/(?:chat/completions|completions|embeddings|rerank|responses|messages|images/\w+|audio/\w+|moderations)\b"
)
# the first that is found in a record counts
NOTICES: Final[tuple[NoticeKind, ...]] = ("port taken", "dropped", "no such group", "stream breaks", "alias")


class Access(NamedTuple):
    """An access line; `calls` says that a model was asked for, `client` who asked."""

    calls: bool
    client: str


class Words(NamedTuple):
    """What an error says, its beginning. `cause` names a known cause, else it is empty; a stack trace below may name it
    better where it says `little`. `pattern` is what stays the same from one time to the next.
    """

    text: str
    cause: str
    little: bool
    pattern: str


class Heading(NamedTuple):
    """What the beginning of a record says. `error` is of what it reports, `words` of all that it says."""

    report: Report | None
    told: Told
    words: Words
    error: Words


class Facts(NamedTuple):
    """What a line says. `heading` is of the record that the line begins, or is added to.

    `network` is the number of a cause that a line of a trace tells (`causes.network_cause`). `others` says that from
    here on the record tells of other deployments. `unread` marks a line that could not be read.
    """

    continues: bool = False
    access: Access | None = None
    attempt: Attempt | None = None
    attempted: Words | None = None
    heading: Heading | None = None
    named: Named | None = None
    own: Words | None = None
    cooling: tuple[Cooling, ...] = ()
    notice: tuple[NoticeKind, str] | None = None
    network: int | None = None
    others: bool = False
    unread: bool = False


NOTHING: Final = Facts()
UNREAD: Final = Facts(unread=True)


def facts(line: Line) -> Facts:
    """What a line says that was taken apart and masked. Linear in its length."""
    if line.source == "access" and line.status:
        return _answered(_CALLS.search(line.path) is not None, line.text.rpartition("  ")[2][: call_line.LONGEST_NAME])
    attempt = call_line.attempt(line.text)
    failed = RANK[line.level] >= RANK["ERROR"]
    if not failed and not line.continues:
        ended = line.source == "systemd" and line.level == "WARNING"
        if attempt is None and not ended:
            return NOTHING
        attempted = _words(attempt.error) if attempt and not attempt.ok else None
        return Facts(attempt=attempt, attempted=attempted, heading=_heading(line) if ended else None)
    text, stack = line.text, line.stack
    begins = failed or begins_traceback(text) or is_exception(text)
    named = call_line.named(text)
    trace = stack or (text if line.continues else "")
    noticed = call_line.notice(text)
    if stack and line.source == "stdout":
        noticed = first_notice(noticed, call_line.notice(stack))
    return Facts(
        continues=line.continues,
        attempt=attempt,
        attempted=_words(attempt.error) if attempt and not attempt.ok else None,
        heading=_heading(line) if begins else None,
        named=named,
        own=_words(named.error) if named and named.error is not None else None,
        cooling=tuple(call_line.cooling(text)),
        # the name may be whatever a client asked for
        notice=(noticed[0], clean(noticed[1])[:LONGEST_NOTICE]) if noticed else None,
        network=network_cause(call_line.own_trace(trace[: call_line.LONGEST_TRACE])) if trace else None,
        others=call_line.OTHERS in trace,
    )


# nearly all lines of a busy proxy, from a few clients
@lru_cache(maxsize=512)
def _answered(calls: bool, client: str) -> Facts:
    return Facts(access=Access(calls, client))


def first_notice(
    one: tuple[NoticeKind, str] | None, other: tuple[NoticeKind, str] | None
) -> tuple[NoticeKind, str] | None:
    """Of two notices in one record the one that counts."""
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda notice: NOTICES.index(notice[0]))


def _heading(line: Line) -> Heading:
    told = failure_line.told(line.text, line.source)
    report = call_line.report(line.text)
    # to name a cause takes longer than all else: it is done for what may be asked for it
    words = _words(told.words, judged=not told.by_error and not told.cause)
    asked = report is not None or told.by_error or told.breaks
    return Heading(report, told, words, _words(told.error) if asked else words)


def _words(text: str, judged: bool = True) -> Words:
    cause = name_cause(text[:LONGEST_READ]) if judged else None
    known = cause.name if cause and cause.name != "failing" else ""
    shown = text[:LONGEST_WORDS]
    return Words(shown, known, cause is not None and says_little(cause), fingerprint(shown))
