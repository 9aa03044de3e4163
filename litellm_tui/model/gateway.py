"""The gateway's answers over HTTP, and the counters of its caches.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from litellm_tui.model.reading import Reading


class Readiness(msgspec.Struct, frozen=True):
    """GET /health/readiness, with /health/readiness/details where the version has it.

    `ready` is False for a 503: 1.106.2 gives one for a database that is lost, with the same body; 1.77.7 gives one with
    the text of an `error` alone.
    """

    status: str
    db: str | None = None
    version: str | None = None
    cache: str | None = None
    log_level: str | None = None
    ready: bool = True
    error: str | None = None


class LoadedDeployment(msgspec.Struct, frozen=True):
    """One entry of GET /v1/model/info: a deployment as the running router holds it.

    `params` are the `litellm_params` that the proxy reports (without `api_key`, and with `os.environ/` resolved).
    `names` are all names that the proxy lists it under, aliases included, in its order; `group` is the first.
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

    `red_since` is when it was first seen unhealthy, `turned` says that it was seen healthy before.
    """

    model: str
    api_base: str | None = None
    model_id: str | None = None
    error: str | None = None
    status: int | None = None
    red_since: float | None = None
    turned: bool = False


class HealthReport(msgspec.Struct, frozen=True):
    """GET /health, requested only while `background_health_checks` is on: otherwise each call is billed.

    `renewed_at` is when it was first read, where a round of checks is known to have ended just before: the report read
    before was another one, or there was none yet.
    """

    healthy: tuple[HealthEntry, ...]
    unhealthy: tuple[HealthEntry, ...]
    renewed_at: float | None = None


class CachePing(msgspec.Struct, frozen=True):
    """GET /cache/ping. `error` is the text of a 503. Types but redis are healthy without a test (`ping` None)."""

    status: str
    type: str | None = None
    ping: bool | None = None
    ttl: float | None = None
    namespace: str | None = None
    server: str | None = None
    server_version: str | None = None
    error: str | None = None


class RedisInfo(msgspec.Struct, frozen=True):
    """GET /cache/redis/info: figures of the whole Redis server, not only of LiteLLM's cache."""

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


class RedisServer(msgspec.Struct, frozen=True):
    """What a Redis server says of itself in INFO, CLUSTER INFO and CONFIG GET. None and "" mean not told.

    `refusal` is the code of its answer where it told nothing: NOAUTH, WRONGPASS (the password of the cache is refused),
    NOPASS (it has no password and was given one), NOPERM, LOADING. `tls` says where TLS is spoken by one side only:
    `wanted` by the server, `unspoken` by it. `held` are the bytes that count towards `max_memory`, in steps of a
    hundredth of it; `volatile` is 1 where keys expire. `keeps_on` is false where it refuses writes after a failed
    snapshot (`stop-writes-on-bgsave-error`).
    """

    refusal: str = ""
    tls: Literal["", "wanted", "unspoken"] = ""
    version: str = ""
    role: str = ""
    read_only: bool = False
    master_link: str = ""
    loading: bool = False
    held: int = 0
    max_memory: int = 0
    policy: str = ""
    volatile: int = 0
    save_failed: bool = False
    keeps_on: bool | None = None
    aof_failed: bool = False
    lacks_replicas: bool = False
    cluster: bool = False
    cluster_nodes: int = 0
    cluster_state: str = ""


Histogram = tuple[tuple[float, float], ...]
"""`(upper bound, how many up to it)`, the bounds in order and the last one infinite; empty where there is none."""


class DeploymentCounters(msgspec.Struct, frozen=True):
    """One deployment in GET /metrics without LiteLLM's own health checks, since the process started.

    `errors` maps `exception class status` to its count. `latency` are the seconds of whole requests through the proxy,
    `upstream` those of the provider's answers, `first_token` those to the first token of streams. `cost` is in US
    dollars, by LiteLLM's prices. None and empty where it was not counted yet.
    """

    id: str
    ok: float = 0.0
    failed: float = 0.0
    cooled_down: float = 0.0
    errors: dict[str, float] = {}
    latency: Histogram = ()
    upstream: Histogram = ()
    first_token: Histogram = ()
    tokens_in: float | None = None
    tokens_out: float | None = None
    cost: float | None = None


class Metrics(msgspec.Struct, frozen=True):
    """The part of GET /metrics that is used. Counters since the process started, which was at `started_at`."""

    deployments: tuple[DeploymentCounters, ...] = ()
    cache_hits: float | None = None
    cache_misses: float | None = None
    in_flight: float | None = None
    started_at: float | None = None


class CacheCount(msgspec.Struct, frozen=True):
    """Hits and misses counted up to `time`, by LiteLLM itself (/metrics) or by the whole Redis server."""

    time: float
    hits: float
    misses: float


class CacheCounts(msgspec.Struct, frozen=True):
    """The readings of one counter in order, about half a minute apart; a restart of the source begins a new series."""

    source: Literal["metrics", "redis"]
    counts: tuple[CacheCount, ...] = ()


class Gateway(msgspec.Struct, frozen=True):
    """All readings over HTTP. `router` is `router_settings` of GET /get/config/callbacks, as the router uses them.

    `health_url` is the answer of the health URL in the profile.
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
