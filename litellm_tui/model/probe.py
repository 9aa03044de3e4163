"""The result of a probe.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

import msgspec


class ProbeResult(msgspec.Struct, frozen=True):
    """The result of one request to exactly one deployment (fallbacks, retries and cache off).

    `deployment` is its `model_info.id`. `took` and `first_token` are seconds; `first_token` is known for streams only.
    `error` is the full error text without secrets. `skipped` is the reason why no request was sent. With `by_gateway`
    the gateway itself failed (no answer, a refused key), which says nothing about the deployment.
    """

    deployment: str
    group: str
    model: str
    ok: bool
    asked_at: float
    took: float = 0.0
    first_token: float | None = None
    status: int = 0
    error: str = ""
    endpoint: str = ""
    stream: bool = False
    skipped: str = ""
    by_gateway: bool = False
