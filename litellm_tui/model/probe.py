"""What one request to exactly one deployment said.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

import msgspec


class ProbeResult(msgspec.Struct, frozen=True):
    """What one request to exactly one deployment said (fallbacks, retries and cache off).

    `deployment` is its `model_info.id`. `took` and `first_token` are seconds; `first_token` is known for streams only.
    `error` is what was said against it, in full and without secrets. With `skipped` it was not asked, for that reason.
    With `by_gateway` the fault is the gateway's own (no answer, a refused key): nothing was learnt of the deployment.
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
