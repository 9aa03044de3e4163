"""The runs of the service that ended in the last hour, asked for once: before the console nobody looked."""

from __future__ import annotations

from litellm_tui.analysis.health.timeline import SECONDS
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Exit, Service
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.registry import driver


async def past_runs(target: ServiceTarget, service: Service, now: float) -> tuple[Exit, ...]:
    """Those that its keeper tells of, the newest last; none where it tells of none.

    It runs the tools of the service's kind.
    """
    ends = (await driver(target).describe(service)).exits
    return () if isinstance(ends, Failure) else tuple(end for end in ends if now - SECONDS < end.at)
