"""What the gateway says of itself over HTTP, and what its caches count.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from litellm_tui.model.reading import Reading


class Readiness(msgspec.Struct, frozen=True):
    """GET /health/readiness, with /health/readiness/details where the version has it."""

    status: str
    db: str | None = None
    version: str | None = None
    cache: str | None = None
    log_level: str | None = None


class LoadedDeployment(msgspec.Struct, frozen=True):
    """One entry of GET /v1/model/info: a deployment as the running router holds it.

    `params` are the `litellm_params` the proxy reports (it leaves `api_key` out and resolves `os.environ/` itself).
    `names` are all names it was listed under, aliases among them, in the proxy's order; `group` is the first.
    """

    id: str
    group: str
    model: str
    api_base: str | None = None
    mode: str | None = None
    rpm: int | None = None
    tpm: int | None = None
    from_db: bool = False
    params: dict[str, Any] = {}
    names: tuple[str, ...] = ()


class HealthEntry(msgspec.Struct, frozen=True):
    """One endpoint of GET /health. 1.77 gives no `model_id`: match by `model` and `api_base` there.

    `red_since` is when it was first seen unhealthy, `turned` whether it was seen healthy before that.
    """

    model: str
    api_base: str | None = None
    model_id: str | None = None
    error: str | None = None
    status: int | None = None
    red_since: float | None = None
    turned: bool = False


class HealthReport(msgspec.Struct, frozen=True):
    """GET /health, asked only while `background_health_checks` is on: otherwise each call is billed."""

    healthy: tuple[HealthEntry, ...]
    unhealthy: tuple[HealthEntry, ...]


class CachePing(msgspec.Struct, frozen=True):
    """GET /cache/ping. `error` is what a 503 said; every type but redis answers healthy untested (`ping` None)."""

    status: str
    type: str | None = None
    ping: bool | None = None
    ttl: float | None = None
    namespace: str | None = None
    server: str | None = None
    server_version: str | None = None
    error: str | None = None


class RedisInfo(msgspec.Struct, frozen=True):
    """GET /cache/redis/info: the whole Redis server's figures, not the LLM cache's alone."""

    version: str
    clients: int
    used_memory: int
    max_memory: int
    policy: str
    keys: int
    hits: int
    misses: int
    evicted: int
    ops_per_second: int
    uptime: int


class DeploymentCounters(msgspec.Struct, frozen=True):
    """One deployment in GET /metrics, LiteLLM's own health checks left out; counted since the process started.

    `errors` maps `exception class status` to its count.
    """

    id: str
    ok: float = 0.0
    failed: float = 0.0
    cooled_down: float = 0.0
    errors: dict[str, float] = {}


class Metrics(msgspec.Struct, frozen=True):
    """GET /metrics, as far as it is used. Counters since the process started."""

    deployments: tuple[DeploymentCounters, ...] = ()
    cache_hits: float | None = None
    cache_misses: float | None = None
    in_flight: float | None = None


class CacheCount(msgspec.Struct, frozen=True):
    """Hits and misses counted up to `time`, by LiteLLM itself (/metrics) or by the whole Redis server."""

    time: float
    hits: float
    misses: float


class CacheCounts(msgspec.Struct, frozen=True):
    """The readings of one counter in their order, about half a minute apart; a restart of what counts begins anew."""

    source: Literal["metrics", "redis"]
    counts: tuple[CacheCount, ...] = ()


class Gateway(msgspec.Struct, frozen=True):
    """All that HTTP tells. `router` is `router_settings` of GET /get/config/callbacks: as the router has them.

    `health_url` is what the profile's own health URL answers.
    """

    liveliness: Reading[str] = Reading()
    readiness: Reading[Readiness] = Reading()
    groups: Reading[tuple[str, ...]] = Reading()
    deployments: Reading[tuple[LoadedDeployment, ...]] = Reading()
    router: Reading[dict[str, Any]] = Reading()
    health: Reading[HealthReport] = Reading()
    cache_ping: Reading[CachePing] = Reading()
    redis: Reading[RedisInfo] = Reading()
    metrics: Reading[Metrics] = Reading()
    health_url: Reading[str] = Reading()
