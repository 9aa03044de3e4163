"""Parses the heading of a failure: which part of LiteLLM reports it, about which model or group, and with which text.

A failed request is reported several times: by the attempt at its deployment (LITELLM_LOG=INFO), by the router, and by
the proxy. Forms seen on 1.77.7 and 1.106.2.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import UNNAMED, name_cause
from litellm_tui.analysis.failures.places import NO_MARK, Reported, TraceMark, reported, reports_a_request
from litellm_tui.logs import call_line
from litellm_tui.logs.store import is_exception
from litellm_tui.model.log import Level
from litellm_tui.model.traffic import FailedKind, Subject, Voice

_IDENTITY: Final = re.compile(r"[0-9a-f]{64}")
# written in addition to a failure that is already reported
_ECHOES: Final = (
    "This looks like a bug in LiteLLM",
    "Unclosed connection",
    "Unclosed client session",
    "This usually means 'prisma generate'",
    "Please run 'prisma generate'",
    # the traceback of what failed at the end stands above it
    "Application shutdown failed",
    # gunicorn gives the reason in the next line
    "Shutting down: Master",
)
_PLACE: Final = re.compile(
    r"^litellm[\w./]{0,200}(?:::|\.)\w{1,100}\(\)(?::| -)? (?:(?:Exception|Error) occur\w{1,10}[^-]{0,80}-(?: |$))?"
)
_ROUTER: Final = "async_function_with_fallbacks()"
# reports a failed request just before its access line, as those do that `reports_a_request` knows
_KEY_CHECK: Final = "user_api_key_auth()"
# who may write an error of a group without saying where it comes from
_BARE_SOURCES: Final = ("router", "proxy", "litellm", "uvicorn", "stdout")
_CALL: Final = re.compile(r"^litellm_call_id=(\S{1,200}) - ")
_MODEL: Final = re.compile(r"\bmodel=([^\s,)'\"]{1,200})")


# what runs LiteLLM's processes tells of their ends
_SERVERS: Final = ("uvicorn", "gunicorn", "stdout")
# a guardrail that could not be loaded: LiteLLM serves without it
_UNGUARDED: Final = "without this guardrail"
# parts of which a warning may tell that they do not work
_WARNED: Final[tuple[Subject, ...]] = ("mcp", "database", "cache", "side service", "worker")
# an exception's text may have further lines
_LAST_LINES: Final = 40
# litellm_proxy_extras tells below WARNING, and 1.77.7 only so, that the migrations failed
_OF_MIGRATIONS: Final = ("prisma db error: ", "The process failed to execute")
# what it then settles by itself: tables that are there already, a migration that failed in an earlier start
_SETTLED: Final = ("already exists", "p3005", "p3009", "p3018")
# what LiteLLM warns of as of a state, not a failure
_NO_FAILURE: Final = ("no database",)


class FailureHeading(NamedTuple):
    """What the beginning of a record says by itself.

    `kind` says what `name` is; without a name the subject is unknown. `caller` marks what the check of a key refuses.
    `cause` is set where the reporting place alone names the cause; `where` is that place. `error` is the error without
    the reporting place and LiteLLM's additions; it tells more than `words` where `by_error`. `again` marks what 1.77.7
    reports once more for a stream, `breaks` a stream that broke, `ends` a failed request whose access line follows,
    `echo` a record that only repeats another, `bare` an error of a group that names no reporting place.
    """

    voice: Voice
    kind: FailedKind
    name: str
    words: str
    cause: str
    where: Reported
    error: str
    by_error: bool
    again: bool
    breaks: bool
    ends: bool
    echo: bool
    bare: bool = False


def failure_heading(text: str, source: str, file: str = "", mark: TraceMark = NO_MARK) -> FailureHeading:
    """Parse the beginning of a record of this source, reported by a file of LiteLLM, with the mark of its traceback."""
    words = _CALL.sub("", _PLACE.sub("", text, count=1))
    where = reported(text, file, mark)
    voice: Voice = "other"
    kind: FailedKind = ""
    name = cause = ""
    error = call_line.error_words(text)
    by_error = bare = False
    handled = reports_a_request(text, stream=False)
    if source == "systemd":
        kind, words, cause = "service", text, "service ended"
    elif "user_api_key_auth" in text[:200]:
        voice, kind, words = "request", "caller", words.split("\n", 1)[0]
    elif source in _BARE_SOURCES and where.subject in ("", "upstream", "gateway") and _is_bare(text):
        voice, by_error, bare = "router", True, True
    elif where.by == "other" and where.subject not in ("", "upstream"):
        pass
    elif handled or _ROUTER in text[:120]:
        # a failure of a group that the line does not name
        voice, by_error = "request" if handled else "router", True
    # the text further down repeats requests and the errors of other groups
    elif model := _MODEL.search(text[:200]):
        kind, name = "model", model[1]
    return FailureHeading(
        voice,
        kind,
        name,
        words[: call_line.LONGEST_ERROR],
        cause,
        where,
        error,
        by_error,
        again=text.startswith("Fallback also failed"),
        breaks="async_data_generator()" in text[:120],
        ends=handled or bare or _KEY_CHECK in text[:120],
        echo=text.startswith(_ECHOES),
        bare=bare,
    )


def _is_bare(text: str) -> bool:
    """Whether the record is the error of a group alone, without the place that reports it."""
    return call_line.failure_report(text) is None and call_line.bare_report(text) is not None


def last_exception(trace: str) -> str:
    """The line of a traceback that says what happened, the last that may; empty where it has none."""
    for line in reversed(trace.rstrip().rsplit("\n", _LAST_LINES)[1:]):
        if not line.startswith(" ") and is_exception(line):
            return line
    return ""


def tells_of_a_failure(text: str, level: Level, source: str, file: str = "") -> bool:
    """Whether a record below ERROR reports a failure: a worker's end, or a part that LiteLLM only warns of."""
    if level == "INFO" and source == "migrations":
        lowered = text[:1000].lower()
        return text.startswith(_OF_MIGRATIONS) and not any(word in lowered for word in _SETTLED)
    if level != "WARNING":
        return source in _SERVERS and text.startswith("Child process [") and " died" in text[:60]
    if "user_api_key_auth(): Exception occured" in text[:200]:
        return True
    if _UNGUARDED in text[:1000].lower():
        return True
    where = reported(text, file)
    return (
        where.by == "other" and where.subject in _WARNED and name_cause(text, where).name not in (UNNAMED, *_NO_FAILURE)
    )


def is_probed(group: str) -> bool:
    """Whether the group is a deployment's id: the console has probed that deployment."""
    return _IDENTITY.fullmatch(group) is not None
