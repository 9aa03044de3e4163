"""Parses what a line of LiteLLM's log says about a request to a model. Forms seen on 1.77.7 and 1.106.2.

At LITELLM_LOG=INFO the router writes a line for every attempt at a deployment, naming `litellm_params.model`; failures
of a whole group are written at ERROR whatever the level. Health checks do not go through the router and leave neither.
A failure that a fallback masks leaves nothing below INFO.

Clients control parts of these lines. Every function here therefore takes time linear in the text, and numbers and names
are bounded: plain searches where a gap may be long, patterns where all parts are short.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litellm_tui.analysis.failures.places import reports_a_request
from litellm_tui.model.traffic import NoticeKind

# characters that are kept of a name, an error and a trace
LONGEST_NAME: Final = 300
LONGEST_ERROR: Final = 8000
LONGEST_TRACE: Final = 16_000
# deployments that one line lists as cooling down
MOST_COOLING: Final = 1000


class Attempt(NamedTuple):
    """One attempt at a deployment, by its `litellm_params.model`."""

    model: str
    ok: bool
    error: str


class FailureReport(NamedTuple):
    """The beginning of a record that reports a failure.

    `request` means that the caller got this error; otherwise it was one step on the way to a fallback.
    """

    error: str
    request: bool


class FailedGroup(NamedTuple):
    """A model group that a line names as failing. `error` is the group's own, where this line has it.

    `cooling` is for how many seconds the group's deployments are not asked.
    """

    group: str
    error: str | None
    cooling: float | None


class GroupFailure(NamedTuple):
    """A request that a group could not answer, from the beginning of a record and one of its lines."""

    group: str
    error: str
    request: bool
    cooling: float | None


class Cooling(NamedTuple):
    """A deployment (by its id) that the router does not ask before `until`, in seconds since the epoch."""

    deployment: str
    until: float


_ATTEMPT: Final = re.compile(
    rf"^(?:litellm\.)?\w{{1,60}}\(model=(.{{1,{LONGEST_NAME}}}?)\) (?:(200 OK)$|Exception (.{{0,{LONGEST_ERROR}}}))",
    re.DOTALL,
)
# "model group 'X' failed" on 1.106; on 1.77 the messages of the proxy and, for a step on the way, of the router
_GROUPS: Final = (
    ("model group '", "' failed"),
    ("Received Model Group=", ""),
    ("original model_group=", ". Fallbacks="),
    ("All deployments for selected model are in cooldown. Passed model=", ". "),
    (" seconds. Passed model=", ". "),
    ("due to tags configuration. Passed model=", " and tags="),
)
_COOLING: Final = re.compile(
    r"No deployments available.{0,120}?[Tt]ry again in ([0-9]{1,7}(?:\.[0-9]{1,9})?) seconds", re.DOTALL
)
# where a line names the model or the group that it is about, in the forms of both versions
_SUBJECT: Final = re.compile(
    r"^(?:litellm\.)?\w{1,60}\(model=(.{1,300}?)\) |model group '([^'\n]{1,300})' failed"
    r"|Received Model Group=([^\n]{1,300})"
    r"|(?:model_group|lookup_groups) ?= ?(\S{1,300}?)(?:[.,;]?\s|\.?$)"
    r"|LiteLLM completion\(\) model= ([^;\n]{1,300});"
    r"|Selected deployment for model (\S{1,300}?): |[Pp]assed (?:in )?model=(.{1,300}?)\. "
)
# characters that are searched for the subject: the beginning of a longer line names it
_SUBJECT_WITHIN: Final = 4000
# Only these report a request. What Redis, Prometheus and other callbacks write repeats whole requests and answers.
_REPORTS: Final = re.compile(
    r"^(?:litellm[\w./]{0,200}(?:::|\.)\w{1,100}\(\)(?::| -) "
    r"(?:Exception occured|Error occurred while trying to do fallbacks) - "
    r"(?:litellm_call_id=\S{1,200} - )?|Fallback also failed: )"
)
# What LiteLLM adds behind the error itself. The list of cooling deployments names the errors of other groups.
_ADDITIONS: Final = re.compile(
    r"(?:\. ?)?(?:No fallback model group found for|Received Model Group=)|\nLiteLLM: model group '|\nTraceback |"
    r"\nDebug Information:|\n?Cooldown Deployments=|,? LiteLLM (?:Retried|Max Retries):"
)
# the last line of a trace in a plain log of 1.77: the group's own error, where a record may begin with its fallback's
_RAISED: Final = re.compile(r"^(?:\w{1,100}\.){1,20}\w{1,100}: ")
_TRACE_BEGINS: Final = "\nTraceback "
_TRACE_ENDS: Final = re.compile(r"\nDebug Information:|\n?Cooldown Deployments=")
OTHERS: Final = "Cooldown Deployments="
_COOLED: Final = re.compile(
    r"\('([^']{1,300})', \{(?:(?!\('[^']{1,300}', \{).)*?'timestamp': ([0-9]{1,12}(?:\.[0-9]{1,9})?)"
    r", 'cooldown_time': ([0-9]{1,9}(?:\.[0-9]{1,9})?)",
    re.DOTALL,
)
_LAST_WORDS: Final = ". Received Model Group="
_BIND: Final = re.compile(r"bind on address \('([^'\n]{1,100}', [0-9]{1,9})\)")
_DROPPED: Final = re.compile(r"You passed model=(\S{1,300})")
_UNKNOWN: Final = (
    ("Invalid model name passed in model=", ". Call"),
    ("You passed in model=", ". There are no healthy"),
)
_ALIAS: Final = "list indices must be integers or slices, not str"


def attempt(text: str) -> Attempt | None:
    """An attempt's line, or None."""
    if "(model=" not in text[:64] or not (match := _ATTEMPT.match(text)):
        return None
    model, ok, error = match.groups()
    return None if model == "None" else Attempt(model, ok is not None, error or "")


def subject(text: str) -> str:
    """The deployment's model or the model group that the line is about; empty where it names none."""
    if "odel" not in text and "lookup_groups" not in text:
        return ""
    match = _SUBJECT.search(text, 0, _SUBJECT_WITHIN)
    return next(name for name in match.groups() if name).strip() if match else ""


def failure_report(text: str) -> FailureReport | None:
    """The failure that the beginning of a record reports; None for a record that only repeats a request."""
    if not _REPORTS.match(text):
        return None
    return FailureReport(error_words(text), reports_a_request(text))


def bare_report(text: str) -> FailureReport | None:
    """The failure of a record that names no reporting place, and ends its first line with the group that was asked.

    So the router ends the text of every error that it gives back (litellm/router.py,
    `async_function_with_fallbacks_common_utils`), whatever the class of the exception.
    """
    first = text.partition("\n")[0]
    error, ends, group = first[: LONGEST_ERROR + LONGEST_NAME].rpartition(_LAST_WORDS)
    if not ends or not error or not group.strip() or len(group) > LONGEST_NAME or notice(text) is not None:
        return None
    return FailureReport(error_words(text), False)


def failed_group(text: str) -> FailedGroup | None:
    """The group that a line names as failing.

    Without json_logs 1.106 names it some lines below the error.
    """
    found = [first for form in _GROUPS if (first := _between(text, *form))]
    if not found:
        return None
    cooling = _COOLING.search(text)
    raised = _RAISED.match(text)
    own = raised is not None and "Received Model Group=" in text
    return FailedGroup(
        group=min(found)[1].strip(),
        error=error_words(text[raised.end() :]) if raised and own else None,
        cooling=float(cooling[1]) if cooling else None,
    )


def group_failure(named: FailedGroup | None, report: FailureReport | None) -> GroupFailure | None:
    """A failure that names a group, in a line whose record began with this report (the same line, mostly)."""
    if named is None or report is None:
        return None
    error = report.error if named.error is None else named.error
    return GroupFailure(named.group, error, report.request, named.cooling)


def cooling(text: str) -> list[Cooling]:
    """The deployments that a failure's line names as cooling down, of any group."""
    _, found, listed = text.partition(OTHERS + "[(")
    if not found:
        return []
    cooled = []
    for match in _COOLED.finditer("(" + listed):
        cooled.append(Cooling(match[1], float(match[2]) + float(match[3])))
        if len(cooled) == MOST_COOLING:
            break
    return cooled


def notice(text: str) -> tuple[NoticeKind, str] | None:
    """Another message that explains a fault: `(kind, the name it is about)`."""
    if "[Errno 98]" in text and (match := _BIND.search(text, text.find("[Errno 98]"))):
        return "port taken", match[1]
    creating = text.find("Error creating deployment: ")
    if creating >= 0 and (match := _last(_DROPPED, text, creating)):
        return "dropped", match[1]
    unknown = [first for form in _UNKNOWN if (first := _between(text, *form))]
    if unknown:
        return "no such group", min(unknown)[1]
    if found := _between(text, "async_data_generator(): Exception occured - "):
        return "stream breaks", found[1]
    return ("alias", _ALIAS) if _ALIAS in text else None


def error_words(text: str) -> str:
    """The error alone, without the reporting place and LiteLLM's additions about retries, fallbacks and others.

    A trace in the same text (1.77) follows after "stack trace:".
    """
    text = _REPORTS.sub("", text, count=1)
    cut = _ADDITIONS.search(text)
    head = (text[: cut.start()] if cut else text).strip()[:LONGEST_ERROR]
    _, begins, trace = text.partition(_TRACE_BEGINS)
    if not begins:
        return head
    ended = _TRACE_ENDS.search(trace)
    return f"{head}\nstack trace: {(trace[: ended.start()] if ended else trace)[:LONGEST_TRACE]}"


def own_trace(stack: str) -> str:
    """A folded stack without the part about other deployments that follows it."""
    return stack.partition(OTHERS)[0]


def _between(text: str, begins: str, ends: str = "") -> tuple[int, str] | None:
    """The place and the text of the first stretch between two words in one line, to the line's end without `ends`.

    Each part of the text is searched once: where no end follows a beginning, none follows a later beginning in the same
    line either.
    """
    at = text.find(begins)
    while at >= 0:
        start = at + len(begins)
        line = text.find("\n", start)
        line = len(text) if line < 0 else line
        # there is something between the two
        end = text.find(ends, start + 1, line) if ends else line
        if end > start:
            return at, text[start : min(end, start + LONGEST_NAME)]
        at = text.find(begins, line)
    return None


def _last(pattern: re.Pattern[str], text: str, start: int) -> re.Match[str] | None:
    found = None
    for match in pattern.finditer(text, start):
        found = match
    return found
