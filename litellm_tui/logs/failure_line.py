"""What the beginning of a record of LiteLLM's log says has failed: who tells it, of whom, and in which words.

A failed request is told several times: by the attempt at its deployment (LITELLM_LOG=INFO), by the router, and by the
proxy. Forms seen on 1.77.7 and 1.106.2.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litellm_tui.logs import call_line
from litellm_tui.model.traffic import FailedKind, Voice

_IDENTITY: Final = re.compile(r"[0-9a-f]{64}")
# written beside a failure that was told already
_ECHOES: Final = ("This looks like a bug in LiteLLM", "Unclosed connection", "Unclosed client session")
_PLACE: Final = re.compile(
    r"^litellm[\w./]{0,200}(?:::|\.)\w{1,100}\(\)(?::| -)? (?:(?:Exception|Error) occur\w{1,10}[^-]{0,80}- )?"
)
_REPORTS: Final[tuple[tuple[str, Voice], ...]] = (
    ("_handle_llm_api_exception()", "request"),
    ("async_function_with_fallbacks()", "router"),
)
# who writes of a failed request just before its access line
_ENDINGS: Final = ("_handle_llm_api_exception()", "user_api_key_auth()")
_CALL: Final = re.compile(r"^litellm_call_id=(\S{1,200}) - ")
_MODEL: Final = re.compile(r"\bmodel=([^\s,)'\"]{1,200})")


class Told(NamedTuple):
    """What the beginning of a record says by itself.

    `kind` says what `name` is; without a name nothing is known of whom it hit. `cause` is set where the place that
    tells it says what it is already. `error` is the error without the place that reports it and what LiteLLM adds:
    it tells more than `words` where `by_error`. `again` marks what 1.77.7 says once more for a stream, `breaks` a
    stream that broke, `ends` a request that has failed: its access line follows. `echo` marks what only repeats another
    record.
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


def told(text: str, source: str) -> Told:
    """What a record that begins with this text, of this source, says."""
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
        # a failure of some group that the line does not name
        voice, by_error = reported, True
    # what stands further down repeats requests and the errors of other groups
    elif model := _MODEL.search(text[:200]):
        kind, name = "model", model[1]
    return Told(
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
    """Whether it is a deployment's id in a group's place: a probe of the console."""
    return _IDENTITY.fullmatch(group) is not None
