"""What a record of LiteLLM's log says has failed: who tells it, of whom, and in which words.

A failed request is told several times: by the attempt at its deployment (LITELLM_LOG=INFO), by the router, and by the
proxy. Forms seen on 1.77.7 and 1.106.2.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from litellm_tui.collectors import callline
from litellm_tui.collectors.callline import Attempt, GroupFailure
from litellm_tui.snapshot import FailedKind, LogRecord, Voice

_IDENTITY: Final = re.compile(r"[0-9a-f]{64}$")
# written beside a failure that was told already
_ECHOES: Final = ("This looks like a bug in LiteLLM", "Unclosed connection", "Unclosed client session")
_PLACE: Final = re.compile(r"^litellm[\w./]*(?:::|\.)\w+\(\)(?::| -)? (?:(?:Exception|Error) occur\w+[^-]{0,80}- )?")
_REPORTS: Final[tuple[tuple[str, Voice], ...]] = (
    ("_handle_llm_api_exception()", "request"),
    ("async_function_with_fallbacks()", "router"),
)
_CALL: Final = re.compile(r"^litellm_call_id=(\S+) - ")
_MODEL: Final = re.compile(r"\bmodel=([^\s,)'\"]+)")


class Failed(NamedTuple):
    """One failure as one voice tells it. `cause` is set where the place that tells it says what it is already.

    `kind` says what `name` is; without a name nothing is known of whom it hit. `call_id` is LiteLLM's own.
    """

    voice: Voice
    kind: FailedKind
    name: str
    words: str
    cause: str = ""
    call_id: str = ""


def read(record: LogRecord, failure: GroupFailure | None = None, attempt: Attempt | None = None) -> Failed | None:
    """What the record says, None for one that only repeats another. `failure` and `attempt` were found in its lines."""
    if attempt is not None:
        return Failed("attempt", "model", attempt.model, attempt.error)
    text = record.text
    if text.startswith(_ECHOES):
        return None
    if failure is not None:
        if _IDENTITY.match(failure.group):
            # a probe of the console
            return None
        # 1.77.7 says it once more for a stream
        again = text.startswith("Fallback also failed")
        voice: Voice = "other" if again else "request" if failure.request else "router"
        return Failed(voice, "group", failure.group, failure.error, _torn(text), record.call_id)
    return _other(record)


def _other(record: LogRecord) -> Failed | None:
    text = record.text
    if record.source == "systemd":
        return Failed("other", "service", "", text, "service ended")
    noticed = callline.notice(f"{text}\n{record.stack}" if record.source == "stdout" else text)
    words = _CALL.sub("", _PLACE.sub("", text, count=1))
    kind, name = noticed or ("", "")
    match kind:
        case "dropped":
            return Failed("other", "model", name, words, "no provider")
        case "no such group":
            return Failed("request", "group", name, words, "no such group", record.call_id)
        case "port taken":
            return Failed("other", "service", "", words, "port taken")
        case "alias":
            return Failed("request", "", "", words, "alias is a list", record.call_id)
        case "stream breaks":
            return Failed("request", "", "", callline.error_words(text), "stream breaks", record.call_id)
    if "user_api_key_auth" in text[:200]:
        return Failed("request", "caller", "", words.split("\n", 1)[0], "caller's key refused")
    if "redis" in text[:400].lower():
        return Failed("other", "cache", "", words)
    if reported := next((voice for place, voice in _REPORTS if place in text[:120]), None):
        # a failure of some group that the line does not name
        return Failed(reported, "", "", callline.error_words(text), call_id=record.call_id)
    # what stands further down repeats requests and the errors of other groups
    model = _MODEL.search(text[:200])
    return Failed("other", "model" if model else "", model[1] if model else "", words, call_id=record.call_id)


def _torn(text: str) -> str:
    return "stream breaks" if "async_data_generator()" in text[:120] else ""
