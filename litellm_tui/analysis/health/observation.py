"""One observation of a deployment or a group, and whose failure it shows."""

from __future__ import annotations

from typing import Final, NamedTuple

from litellm_tui.analysis.failures.causes import Cause
from litellm_tui.model.traffic import Subject

# mistakes of callers, told by the upstream: nothing is wrong with the deployment
CALLERS_CAUSES: Final = (
    "context too long", "content refused", "parameter refused", "tools not taken", "request too large",
)  # fmt: skip
BY: Final[dict[Subject, str]] = {
    "gateway": "by the gateway itself",
    "caller": "by what the callers ask",
    "database": "by the database",
    "cache": "by the cache",
    "side service": "by a service beside it",
    "start-up": "by what its start left out",
    "worker": "by a worker that died",
    "mcp": "by an MCP server",
    "machine": "by the machine",
}
"""How a request fails that its deployment does not fail."""


class Observation(NamedTuple):
    """One observation. `partly` says that some requests fail and others do not; `since` is the onset of a failure.

    `failure_of` says whose failure it is: one that is not the upstream's shows nothing of the deployment.
    """

    ok: bool
    seen_at: float
    text: str
    cause: Cause | None = None
    since: float | None = None
    partly: bool = False
    failure_of: Subject = "upstream"


def failure_of(cause: Cause) -> Subject:
    """Whose failure a cause is, for a deployment: what nothing is known of counts as its upstream's."""
    return "caller" if cause.name in CALLERS_CAUSES else cause.subject or "upstream"
