"""What a line of LiteLLM's log says of a request: read in the reading thread, put together in `requests`.

Forms of the router and the proxy at LITELLM_LOG=INFO, seen on 1.77.7 and 1.106.2. Only 1.106 says when a request
begins.
"""

from __future__ import annotations

from typing import Final

from litellm_tui.logs.line_facts import Facts
from litellm_tui.logs.log_line import Line
from litellm_tui.logs.store import RANK
from litellm_tui.model.log import Step

# once for each request, where it is handed to the router (proxy/route_llm_request.py)
_BEGUN: Final = "SESSION REUSE: Attached"
_CHOSEN: Final = "Selected deployment for model "
_FALLBACK: Final = "Falling back to model_group = "
_STARTED: Final = "Started server process"
_ROUTINE: Final = (
    "LiteLLM completion() model=",
    "Trying to fallback b/w models",
    "Successful fallback b/w models",
    "Skipping fallback to model_group",
    "No fallback model group found for ",
    "SESSION REUSE: No shared session",
    "No deployment found for model: ",
    "get_available_deployment for model: ",
)
# the attempt at a group that has no deployment: `acompletion(model=None) Exception …`
_NO_MODEL: Final = "(model=None) Exception"
_NO_GROUP: Final = "There are no healthy deployments for this model"
_WITHIN: Final = 600
# who writes steps
_SOURCES: Final = ("router", "proxy", "litellm", "stdout")


def request_step(line: Line, facts: Facts) -> tuple[Step, str]:
    """What the line says of a request, and the known cause of a failure that it tells of."""
    if facts.access is not None:
        return ("answered" if facts.access.calls else ""), ""
    if facts.attempt is not None:
        return ("ok", "") if facts.attempt.ok else ("failed", facts.attempted.cause if facts.attempted else "")
    if line.continues:
        return "", ""
    if line.source == "uvicorn":
        return ("started" if line.text.startswith(_STARTED) else ""), ""
    if line.source not in _SOURCES:
        return "", ""
    if RANK[line.level] <= RANK["INFO"]:
        step = _routine_step(line.text.lstrip("\n"))
        return step, "no such group" if step == "failed" and _NO_GROUP in line.text[:_WITHIN] else ""
    heading = facts.heading
    if heading is None:
        return "", ""
    failure = heading.failure
    cause = heading.error.cause or heading.words.cause
    if failure.breaks:
        return "", cause
    if failure.voice == "router" and not failure.bare:
        return "router", cause
    if failure.ends:
        return ("refused" if failure.where.by == "check of the key" or failure.kind == "caller" else "error"), cause
    return "", cause


def _routine_step(text: str) -> Step:
    if text.startswith(_ROUTINE):
        return "routine"
    if text.startswith(_BEGUN):
        return "begun"
    if text.startswith(_CHOSEN):
        return "chosen"
    if text.startswith(_FALLBACK):
        return "fallback"
    return "failed" if _NO_MODEL in text[:100] else ""
