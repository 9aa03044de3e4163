"""Parses the heading of a failure: which part of LiteLLM reports it, about which model or group, and with which text.

A failed request is reported several times: by the attempt at its deployment (LITELLM_LOG=INFO), by the router, and by
the proxy. Forms seen on 1.77.7 and 1.106.2.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litellm_tui.logs import call_line
from litellm_tui.model.traffic import FailedKind, Voice

_IDENTITY: Final = re.compile(r"[0-9a-f]{64}")
# written in addition to a failure that is already reported
_ECHOES: Final = ("This looks like a bug in LiteLLM", "Unclosed connection", "Unclosed client session")
_PLACE: Final = re.compile(
    r"^litellm[\w./]{0,200}(?:::|\.)\w{1,100}\(\)(?::| -)? (?:(?:Exception|Error) occur\w{1,10}[^-]{0,80}- )?"
)
_REPORTS: Final[tuple[tuple[str, Voice], ...]] = (
    ("_handle_llm_api_exception()", "request"),
    ("async_function_with_fallbacks()", "router"),
)
# the functions that report a failed request just before its access line
_ENDINGS: Final = ("_handle_llm_api_exception()", "user_api_key_auth()")
_CALL: Final = re.compile(r"^litellm_call_id=(\S{1,200}) - ")
_MODEL: Final = re.compile(r"\bmodel=([^\s,)'\"]{1,200})")


class FailureHeading(NamedTuple):
    """What the beginning of a record says by itself.

    `kind` says what `name` is; without a name the subject is unknown. `cause` is set where the reporting place alone
    names the cause. `error` is the error without the reporting place and LiteLLM's additions; it tells more than
    `words` where `by_error`. `again` marks what 1.77.7 reports once more for a stream, `breaks` a stream that broke,
    `ends` a failed request whose access line follows, `echo` a record that only repeats another.
    """

    voice: Voice
    kind: FailedKind
    name: str
    words: str
    cause: str
    error: str
    by_error: bool
    again: bool
    breaks: bool
    ends: bool
    echo: bool


def failure_heading(text: str, source: str) -> FailureHeading:
    """Parse the beginning of a record of this source."""
    words = _CALL.sub("", _PLACE.sub("", text, count=1))
    voice: Voice = "other"
    kind: FailedKind = ""
    name = cause = ""
    error = call_line.error_words(text)
    by_error = False
    if source == "systemd":
        kind, words, cause = "service", text, "service ended"
    elif "user_api_key_auth" in text[:200]:
        voice, kind, words, cause = "request", "caller", words.split("\n", 1)[0], "caller's key refused"
    elif "redis" in text[:400].lower():
        kind = "cache"
    elif reported := next((voice for place, voice in _REPORTS if place in text[:120]), None):
        # a failure of a group that the line does not name
        voice, by_error = reported, True
    # the text further down repeats requests and the errors of other groups
    elif model := _MODEL.search(text[:200]):
        kind, name = "model", model[1]
    return FailureHeading(
        voice,
        kind,
        name,
        words[: call_line.LONGEST_ERROR],
        cause,
        error,
        by_error,
        again=text.startswith("Fallback also failed"),
        breaks="async_data_generator()" in text[:120],
        ends=any(place in text[:120] for place in _ENDINGS),
        echo=text.startswith(_ECHOES),
    )


def is_probed(group: str) -> bool:
    """Whether the group is a deployment's id: the console has probed that deployment."""
    return _IDENTITY.fullmatch(group) is not None
