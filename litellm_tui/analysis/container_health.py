"""Why Docker calls a container unhealthy: its test, what that printed last, and what is wrong with the test itself."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.phrases import shortened
from litellm_tui.model.service import HealthTest, Service

_ABSENT: Final = re.compile(
    r'exec: "([^"\s]{1,80})": (?:executable file not found|stat [^"\n]{1,200}no such file)'
    r"|(?:/bin/)?(?:ba|da)?sh: (?:line )?\d{0,4}:? ?([\w./-]{1,80}): (?:command )?not found"
)
_OPERATORS: Final = ("||", "&&", "|", ";")
# GET /health itself, and not /health/liveliness or /health/readiness
_BILLED: Final = re.compile(r"/health/?(?=$|[\s\"'?|;)&])")
_REFUSED: Final = re.compile(r"\b401\b|Unauthorized|No api key passed|Authentication Error", re.IGNORECASE)
_AWAY: Final = re.compile(r"Connection refused|Failed to connect|Could not connect|Errno 111", re.IGNORECASE)
_LATE: Final = re.compile(r"exceeded timeout|timed out", re.IGNORECASE)
_SHOWN: Final = 200
LIVELINESS: Final = 'test: ["CMD", "python", "-c", "import urllib.request as r; r.urlopen(\'http://localhost:4000/health/liveliness\')"]'


class HealthCause(NamedTuple):
    """What is wrong: in three words, in a sentence, and the step. All empty where nothing is known to be."""

    brief: str = ""
    text: str = ""
    do: str = ""


def explain_health(test: HealthTest) -> HealthCause:
    """What is wrong with the test of a container, from the test and what it printed last."""
    words = list(test.command)
    if words[:1] == ["CMD"] and any(word in _OPERATORS for word in words):
        return HealthCause(
            "health test without shell",
            "CMD runs no shell, so || and what follows it are words for the program",
            f"write CMD-SHELL in place of CMD in the compose file, or better {LIVELINESS}; then docker compose up -d",
        )
    if absent := _ABSENT.search(test.output):
        name = absent[1] or absent[2]
        return HealthCause(
            f"no {name} in the image",
            f"the test runs {name}, which the image does not have",
            f"in the compose file: {LIVELINESS}; then docker compose up -d",
        )
    if bills(words):
        return HealthCause(
            "health test is billed",
            "the test asks GET /health, which calls every deployment each time, and is billed for it",
            f"ask /health/liveliness in the compose file: {LIVELINESS}; then docker compose up -d",
        )
    if not test.failing:
        return HealthCause()
    if _REFUSED.search(test.output):
        return HealthCause(
            "health test needs a key",
            "what the test asks wants a key",
            "ask /health/liveliness, which wants none; then docker compose up -d",
        )
    if _AWAY.search(test.output):
        return HealthCause(
            "health test asks elsewhere",
            "nothing listens where the test asks, inside the container",
            "compare its port with --port of LiteLLM's command; then docker compose up -d",
        )
    if _LATE.search(test.output):
        return HealthCause(
            "health test too slow",
            "the test got no answer in its time",
            "raise timeout and start_period of the healthcheck (LiteLLM starts in up to 30 s), or see what blocks it",
        )
    return HealthCause()


def bills(command: Sequence[str]) -> bool:
    """Whether this test asks GET /health itself."""
    return any(_BILLED.search(word) for word in command)


def masked(service: Service, redact: Callable[[str], str]) -> Service:
    """The service without the secrets that its check's command and output may hold, such as a key in a header."""
    test = service.health_test
    if test is None:
        return service
    command = tuple(redact(word) for word in test.command)
    shown = msgspec.structs.replace(test, command=command, output=redact(test.output))
    return msgspec.structs.replace(service, health_test=shown)


def shown(test: HealthTest) -> str:
    """The test and its last output, in a line."""
    command = " ".join(test.command[1:]) if test.command[:1] == ("CMD-SHELL",) else shlex.join(test.command[1:])
    output = " ".join(test.output.split()) or "nothing"
    said = shortened(output, _SHOWN)
    status = "" if test.status is None else f" (status {test.status})"
    return f"the test `{command[:_SHOWN]}` printed: {said}{status}"
