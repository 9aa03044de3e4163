"""Whether all that can be read of a gateway was read once."""

from __future__ import annotations

from litellm_tui.model.failures import Failure, Unauthorized
from litellm_tui.model.snapshot import Snapshot


def all_asked(snapshot: Snapshot) -> bool:
    """Whether there is nothing left that a little patience would bring."""
    gateway, service, configuration, log = snapshot.gateway, snapshot.service, snapshot.configuration, snapshot.log
    if service.tried_at is None or log.state == "starting":
        return False
    if configuration.checked_at is None and configuration.why_unwatched is None and configuration.failure is None:
        return False
    if snapshot.database.waiting:
        return False
    if service.value is not None and snapshot.service_drift.tried_at is None:
        return False
    liveliness = gateway.liveliness
    if liveliness.failure is not None:
        # the unit explains it, and only what it says after that
        return service.failure is not None or (service.seen_at or 0.0) >= (liveliness.failing_since or 0.0)
    if liveliness.value is None or gateway.groups.tried_at is None:
        return False
    if isinstance(gateway.groups.failure, Unauthorized):
        return True
    asked = (gateway.readiness, gateway.deployments, gateway.router, gateway.health, gateway.metrics)
    if any(reading.tried_at is None for reading in asked):
        return False
    redis_away = isinstance(snapshot.redis_answer.failure, Failure)
    return redis_away or gateway.cache_ping.tried_at is not None
