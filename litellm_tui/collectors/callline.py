"""What a line of LiteLLM's log says of a request to a model. Forms seen on 1.77.7 and 1.106.2.

At LITELLM_LOG=INFO the router writes a line for every attempt at a deployment, naming `litellm_params.model`; failures
of a whole group are written at ERROR whatever the level. Health checks do not go through the router and leave neither.
A failure that a fallback masks leaves nothing below INFO.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litellm_tui.snapshot import NoticeKind


class Attempt(NamedTuple):
    """One attempt at a deployment, by its `litellm_params.model`."""

    model: str
    ok: bool
    error: str


class GroupFailure(NamedTuple):
    """A request that a group could not answer. `cooling` is for how many seconds its deployments are not asked.

    `request` says that the caller got this error; otherwise it was one step on the way to a fallback.
    """

    group: str
    error: str
    request: bool
    cooling: float | None


class Cooling(NamedTuple):
    """A deployment (by its id) that the router does not ask until then, in seconds since the epoch."""

    deployment: str
    until: float


_ATTEMPT: Final = re.compile(r"^(?:litellm\.)?\w+\(model=(.+?)\) (?:(200 OK)$|Exception (.*))", re.DOTALL)
# "model group 'X' failed" on 1.106; on 1.77 what the proxy and, for a step on the way, the router say
_GROUP: Final = re.compile(
    r"model group '([^']+)' failed|Received Model Group=([^\n]+)|original model_group=(.+?)\. Fallbacks="
    r"|All deployments for selected model are in cooldown. Passed model=(.+?)\. |\d seconds\. Passed model=(.+?)\. "
)
_COOLING: Final = re.compile(r"No deployments available.{,120}?[Tt]ry again in ([\d.]+) seconds", re.DOTALL)
# Where a line names the model or the group that it is about, in the forms of both versions
_SUBJECT: Final = re.compile(
    r"^(?:litellm\.)?\w+\(model=(.+?)\) |model group '([^'\n]+)' failed|Received Model Group=([^\n]+)"
    r"|(?:model_group|lookup_groups) ?= ?(\S+?)(?:[.,;]?\s|\.?$)|LiteLLM completion\(\) model= ([^;\n]+);"
    r"|Selected deployment for model (\S+?):|[Pp]assed (?:in )?model=(.+?)\. "
)
# of a longer line the beginning says what it is about
_SUBJECT_WITHIN: Final = 4000
# Only these report a request. What Redis, Prometheus and other callbacks write repeats whole requests and answers.
_REPORTS: Final = re.compile(
    r"^(?:litellm[\w./]*(?:::|\.)\w+\(\)(?::| -) (?:Exception occured|Error occurred while trying to do fallbacks) - "
    r"(?:litellm_call_id=\S+ - )?|Fallback also failed: )"
)
# What LiteLLM adds behind the error itself. The list of cooling deployments names the errors of other groups.
_ADDITIONS: Final = re.compile(
    r"(?:\. ?)?(?:No fallback model group found for|Received Model Group=)|\n+LiteLLM: model group '|\nTraceback |"
    r"\nDebug Information:|\n?Cooldown Deployments=|,? LiteLLM (?:Retried|Max Retries):"
)
# the last line of a trace in a plain log of 1.77: the group's own error, where a record may begin with its fallback's
_RAISED: Final = re.compile(r"^(?:\w+\.)+\w+: (?=.*Received Model Group=)")
_TRACE: Final = re.compile(r"\nTraceback (.*?)(?=\nDebug Information:|\n?Cooldown Deployments=|\Z)", re.DOTALL)
_COOLED: Final = re.compile(r"\('([^']+)', \{(?:(?!\('[^']+', \{).)*?'timestamp': ([\d.]+), 'cooldown_time': ([\d.]+)",
                            re.DOTALL)  # fmt: skip
_NOTICES: Final[tuple[tuple[NoticeKind, re.Pattern[str]], ...]] = (
    ("port taken", re.compile(r"\[Errno 98\].*bind on address \('([^']+', \d+)\)")),
    ("dropped", re.compile(r"Error creating deployment: .*You passed model=(\S+)", re.DOTALL)),
    ("no such group", re.compile(r"Invalid model name passed in model=(.+?)\. Call|"
                                 r"You passed in model=(.+?)\. There are no healthy")),
    ("stream breaks", re.compile(r"async_data_generator\(\): Exception occured - ([^\n]+)")),
    ("alias", re.compile(r"(list indices must be integers or slices, not str)")),
)  # fmt: skip


def attempt(text: str) -> Attempt | None:
    """An attempt's line, or None."""
    if "(model=" not in text[:64] or not (match := _ATTEMPT.match(text)):
        return None
    model, ok, error = match.groups()
    return None if model == "None" else Attempt(model, ok is not None, error or "")


def subject(text: str) -> str:
    """The deployment's model, or the model group, that the line is about; empty where it names none."""
    if "odel" not in text and "lookup_groups" not in text:
        return ""
    match = _SUBJECT.search(text, 0, _SUBJECT_WITHIN)
    return next(name for name in match.groups() if name).strip() if match else ""


def group_failure(text: str, record_text: str) -> GroupFailure | None:
    """A failure that names a group, in a line whose record began with `record_text` (the same text, mostly).

    Without json_logs 1.106 names the group some lines below the error.
    """
    if not _REPORTS.match(record_text) or not (match := _GROUP.search(text)):
        return None
    cooling = _COOLING.search(text)
    raised = _RAISED.match(text)
    return GroupFailure(
        group=next(name for name in match.groups() if name).strip(),
        error=error_words(text[raised.end() :] if raised else record_text),
        request="_handle_llm_api_exception" in record_text or "async_data_generator()" in record_text,
        cooling=float(cooling[1]) if cooling else None,
    )


def cooling(text: str) -> list[Cooling]:
    """The deployments that a failure's line names as cooling down, whichever group failed."""
    _, found, listed = text.partition("Cooldown Deployments=[(")
    if not found:
        return []
    return [Cooling(name, float(began) + float(lasts)) for name, began, lasts in _COOLED.findall("(" + listed)]


def notice(text: str) -> tuple[NoticeKind, str] | None:
    """Something else that explains a fault: `(kind, the name it is about)`."""
    for kind, pattern in _NOTICES:
        if match := pattern.search(text):
            return kind, next(name for name in match.groups() if name)
    return None


def error_words(text: str) -> str:
    """The error alone, without the place that reports it and what LiteLLM adds about retries, fallbacks and others.

    A trace that stands in the same text (1.77) follows below "stack trace:".
    """
    text = _REPORTS.sub("", text, count=1)
    cut = _ADDITIONS.search(text)
    head = (text[: cut.start()] if cut else text).strip()
    trace = _TRACE.search(text)
    return f"{head}\nstack trace: {trace[1]}" if trace else head


def own_trace(stack: str) -> str:
    """A folded stack without what follows it about other deployments."""
    return stack.partition("Cooldown Deployments=")[0]
