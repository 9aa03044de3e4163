"""GET requests to the gateway, each decoded into a value or a `Failure`. Shapes: LiteLLM 1.77.7 and 1.106.2.

Nothing here makes a billable call: GET /health is asked only by a caller who knows that it is cached.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import re
import socket
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

from litellm_tui.collectors import metrics
from litellm_tui.snapshot import (
    CachePing,
    Failure,
    HealthEntry,
    HealthReport,
    LoadedDeployment,
    Malformed,
    NotAvailable,
    Readiness,
    RedisInfo,
    Unauthorized,
    Unreachable,
)


class Endpoint(NamedTuple):
    """One thing to read. `interval` and `timeout` are seconds; `decode` gets status and body of a usable answer."""

    field: str
    path: str
    keyed: bool
    interval: float
    timeout: float
    decode: Callable[[int, bytes], Any]


class _Lenient(msgspec.Struct):
    """Decoded from JSON of many versions: unknown fields are skipped, absent ones have a default."""


class _Model(_Lenient):
    id: str = ""


class _Models(_Lenient):
    data: list[_Model] = []


class _Info(_Lenient):
    id: str = ""
    mode: str | None = None
    db_model: bool = False


class _Deployment(_Lenient):
    model_name: str = ""
    litellm_params: dict[str, Any] = {}
    model_info: _Info = msgspec.field(default_factory=_Info)


class _Deployments(_Lenient):
    data: list[_Deployment] = []


class _Callbacks(_Lenient):
    router_settings: dict[str, Any] = {}


class _HealthEntry(_Lenient):
    model: str = ""
    api_base: str | None = None
    model_id: str | None = None
    error: Any = None
    exception_status: Any = None


class _Health(_Lenient):
    healthy_endpoints: list[_HealthEntry] | None = None
    unhealthy_endpoints: list[_HealthEntry] | None = None


def _liveliness(status: int, body: bytes) -> str | Failure:
    text = body.decode(errors="replace").strip().strip('"')
    if "alive" not in text.lower():
        return Malformed(f"/health/liveliness said {_excerpt(text)!r}: is this LiteLLM?", status=status)
    return text


def _readiness(status: int, body: bytes) -> Readiness | Failure:
    data = msgspec.json.decode(body, type=dict[str, Any])
    if "status" not in data:
        return Malformed("/health/readiness has no 'status': is this LiteLLM?", status=status)
    return Readiness(
        status=str(data["status"]),
        db=_optional(data.get("db")),
        version=_optional(data.get("litellm_version")),
        cache=_optional(data.get("cache")),
        log_level=_optional(data.get("log_level")),
    )


def _groups(status: int, body: bytes) -> tuple[str, ...]:
    return tuple(model.id for model in msgspec.json.decode(body, type=_Models).data)


def _deployments(status: int, body: bytes) -> tuple[LoadedDeployment, ...]:
    # an alias lists the deployments of its group again, with the same ids: after it on 1.106, before it on 1.77
    found: dict[str, LoadedDeployment] = {}
    for number, entry in enumerate(msgspec.json.decode(body, type=_Deployments).data):
        identity = entry.model_info.id or f"#{number}"
        before = found.get(identity)
        names = (*before.names, entry.model_name) if before else (entry.model_name,)
        found[identity] = _loaded(entry, names)
    return tuple(found.values())


def _loaded(entry: _Deployment, names: tuple[str, ...]) -> LoadedDeployment:
    params = entry.litellm_params
    return LoadedDeployment(
        id=entry.model_info.id,
        group=names[0],
        names=names,
        model=str(params.get("model") or ""),
        api_base=_optional(params.get("api_base")),
        mode=entry.model_info.mode,
        rpm=_whole(params.get("rpm")),
        tpm=_whole(params.get("tpm")),
        from_db=entry.model_info.db_model,
        params=params,
    )


def _router(status: int, body: bytes) -> dict[str, Any]:
    return msgspec.json.decode(body, type=_Callbacks).router_settings


def _health(status: int, body: bytes) -> HealthReport | Failure:
    report = msgspec.json.decode(body, type=_Health)
    if report.healthy_endpoints is None and report.unhealthy_endpoints is None:
        return NotAvailable("the first round of background health checks has not finished")
    return HealthReport(
        healthy=tuple(_health_entry(entry) for entry in report.healthy_endpoints or ()),
        unhealthy=tuple(_health_entry(entry) for entry in report.unhealthy_endpoints or ()),
    )


def _health_entry(entry: _HealthEntry) -> HealthEntry:
    return HealthEntry(
        model=entry.model,
        api_base=entry.api_base,
        model_id=entry.model_id,
        error=_optional(entry.error),
        status=_whole(entry.exception_status),
    )


def _cache_ping(status: int, body: bytes) -> CachePing | Failure:
    data = msgspec.json.decode(body, type=dict[str, Any])
    if status == 503:
        return _cache_failure(data)
    params = _mapping(data.get("litellm_cache_params"))
    server = _mapping(data.get("health_check_cache_params"))
    ping = data.get("ping_response")
    return CachePing(
        status=str(data.get("status") or "unknown"),
        type=_optional(data.get("cache_type")),
        ping=ping if isinstance(ping, bool) else None,
        ttl=_number(params.get("ttl")),
        namespace=_optional(params.get("namespace")),
        server=_redis_server(server),
        server_version=_optional(server.get("redis_version")),
    )


def _cache_failure(data: dict[str, Any]) -> CachePing | Failure:
    """A 503 of /cache/ping: `error.message` is a JSON string that holds the message and a stack trace."""
    error = _mapping(data.get("error"))
    inner = _mapping(error.get("message"))
    params = _mapping(inner.get("litellm_cache_params"))
    said = str(inner.get("message") or error.get("message") or data.get("detail") or "Service Unhealthy")
    if "not initialized" in said or "litellm.cache is None" in said:
        return NotAvailable("no cache is configured")
    # 1.77 puts the reason in parentheses; 1.106 says "Service Unhealthy" and no more
    reason = re.search(r"\((.+)\)", said)
    return CachePing(
        status="unhealthy",
        type=_optional(params.get("type")),
        ttl=_number(params.get("ttl")),
        server=_redis_server(_mapping(inner.get("health_check_cache_params"))),
        error=reason[1] if reason else "",
    )


def _redis_server(params: dict[str, Any]) -> str | None:
    kwargs = _mapping(params.get("redis_kwargs"))
    return f"{kwargs.get('host')}:{kwargs.get('port')}" if kwargs.get("host") else None


def _redis_info(status: int, body: bytes) -> RedisInfo | Failure:
    data = msgspec.json.decode(body, type=dict[str, Any])
    if status == 503:
        detail = str(data.get("detail") or _mapping(data.get("error")).get("message") or "no detail given")
        if "does not support" in detail or "not initialized" in detail:
            return NotAvailable(detail)
        return Unreachable(detail, kind="refused" if "Error 111" in detail else "other")
    info = _mapping(data.get("info"))
    if "redis_version" not in info:
        return Malformed("/cache/redis/info has no 'info': is this LiteLLM?", status=status)
    return RedisInfo(
        version=str(info["redis_version"]),
        clients=_whole(data.get("num_clients")) or 0,
        used_memory=_whole(info.get("used_memory")) or 0,
        max_memory=_whole(info.get("maxmemory")) or 0,
        policy=str(info.get("maxmemory_policy") or ""),
        keys=sum(
            _whole(_mapping(value).get("keys")) or 0
            for name, value in info.items()
            if name.startswith("db") and name[2:].isdigit()
        ),
        hits=_whole(info.get("keyspace_hits")) or 0,
        misses=_whole(info.get("keyspace_misses")) or 0,
        evicted=_whole(info.get("evicted_keys")) or 0,
        ops_per_second=_whole(info.get("instantaneous_ops_per_sec")) or 0,
        uptime=_whole(info.get("uptime_in_seconds")) or 0,
    )


# What is polled, how often and how patiently. A liveliness interval and its timeout together stay under 3 s: that is
# how soon a dead or hanging gateway gets its name.
LIVELINESS: Final = Endpoint("liveliness", "/health/liveliness", False, 1.5, 1.4, _liveliness)
READINESS: Final = Endpoint("readiness", "/health/readiness", False, 15.0, 3.0, _readiness)
READINESS_DETAILS: Final = Endpoint("readiness", "/health/readiness/details", True, 15.0, 3.0, _readiness)
GROUPS: Final = Endpoint("groups", "/v1/models", True, 15.0, 3.0, _groups)
DEPLOYMENTS: Final = Endpoint("deployments", "/v1/model/info", True, 15.0, 5.0, _deployments)
ROUTER: Final = Endpoint("router", "/get/config/callbacks", True, 15.0, 3.0, _router)
HEALTH: Final = Endpoint("health", "/health", True, 5.0, 5.0, _health)
CACHE_PING: Final = Endpoint("cache_ping", "/cache/ping", True, 10.0, 4.0, _cache_ping)
# With Redis down this call stops LiteLLM's whole event loop for 7 s, and for as long as Redis hangs (seen on 1.106.2):
# it is made rarely and only straight after a ping that succeeded.
REDIS_INFO: Final = Endpoint("redis", "/cache/redis/info", True, 30.0, 5.0, _redis_info)
# some 40 KB for each deployment: read rarely
METRICS: Final = Endpoint("metrics", "/metrics/", True, 30.0, 5.0, metrics.decode)

# Sent as the query of every request, which LiteLLM ignores: its access lines then tell the polling from traffic
TAG: Final = "from=litellm-tui"


class Answer(NamedTuple):
    """What came of one request and how long it took, in seconds."""

    result: Any
    took: float


class GatewayClient:
    """One keep-alive client for one gateway. At most a handful of connections, one request per endpoint."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self._url = url
        self._key = key
        local = _is_loopback(urlsplit(url).hostname or "")
        self._client = httpx.AsyncClient(
            # an http_proxy in the environment must not carry what is meant for this machine
            trust_env=not local,
            # building a CA store costs 20 ms that a plain http address does not need
            verify=url.startswith("https"),
            follow_redirects=False,
            # uvicorn drops an idle connection after 5 s: let go first, or a request may meet a closing one
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=4),
            headers={"User-Agent": "litellm-tui"},
        )

    async def get(self, endpoint: Endpoint) -> Answer:
        """Ask one endpoint. Every way this can fail comes back as a `Failure`."""
        headers = {"Authorization": f"Bearer {self._key}"} if endpoint.keyed and self._key else {}
        started = time.perf_counter()
        try:
            async with (
                asyncio.timeout(endpoint.timeout),
                self._client.stream(
                    "GET", f"{self._url}{endpoint.path}?{TAG}", headers=headers, timeout=None
                ) as response,
            ):
                body = await response.aread()
        except TimeoutError:
            why = f"no answer within {endpoint.timeout:g} s"
            return Answer(Unreachable(why, kind="timeout"), time.perf_counter() - started)
        except httpx.HTTPError as error:
            return Answer(unreachable(error), time.perf_counter() - started)
        except (ValueError, httpx.InvalidURL) as error:
            return Answer(Unreachable(f"{endpoint.path}: {error}"), time.perf_counter() - started)
        took = time.perf_counter() - started
        if refusal := _refusal(endpoint, response.status_code, body, bool(self._key)):
            return Answer(refusal, took)
        try:
            return Answer(endpoint.decode(response.status_code, body), took)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            what = response.headers.get("content-type", "no content type").partition(";")[0]
            return Answer(
                Malformed(f"{endpoint.path}: HTTP {response.status_code}, {what}, not what LiteLLM says ({error})",
                          status=response.status_code), took
            )  # fmt: skip

    async def close(self) -> None:
        """Drop all connections."""
        await self._client.aclose()


def unreachable(error: httpx.HTTPError) -> Unreachable:
    """Name the way a request failed, from the exception and the operating system's error below it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return Unreachable("connection refused", kind="refused")
        if isinstance(cause, socket.gaierror):
            return Unreachable(f"the host name cannot be resolved: {cause.strerror}", kind="dns")
        cause = cause.__cause__ or cause.__context__
    text = str(error)
    if "SSL" in text or "certificate" in text.lower():
        return Unreachable(f"TLS: {text}", kind="tls")
    if "refused" in text.lower() or "All connection attempts failed" in text:
        return Unreachable("connection refused", kind="refused")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return Unreachable(
            f"the connection was closed before an answer came ({text or type(error).__name__})", kind="closed"
        )
    return Unreachable(text or type(error).__name__)


def _refusal(endpoint: Endpoint, status: int, body: bytes, sent: bool) -> Failure | None:
    """A status that is no answer, by what both versions were seen to say; None when the body is worth decoding."""
    if status == 200 or (status == 503 and endpoint in (CACHE_PING, REDIS_INFO)):
        return None
    text = body.decode(errors="replace")
    said = f"{endpoint.path}: HTTP {status}"
    if status in (401, 403) or (status == 400 and "no_db_connection" in text):
        return Unauthorized(f"{said}: {'the key was refused' if sent else 'a key is needed'}", sent=sent)
    if endpoint.keyed and not sent and status == 500 and not text.startswith("{"):
        # LiteLLM 1.106 without a database answers a missing key so
        return Unauthorized(f"{said} without a reason: a key is needed", sent=False)
    if status == 404 and endpoint in (LIVELINESS, READINESS):
        return Malformed(f"{said}: is this LiteLLM?", status=status)
    if status == 404:
        return NotAvailable(f"{said}: not in this version")
    message = _message(body)
    if "not initialized" in message or "DB not connected" in message:
        return NotAvailable(f"{said}: needs a database")
    return Malformed(f"{said}: {_excerpt(message)}", status=status)


def _message(body: bytes) -> str:
    try:
        data = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return body.decode(errors="replace")
    if isinstance(data, dict):
        error = data.get("error", data.get("detail", data))
        return str(error.get("message", error) if isinstance(error, dict) else error)
    return str(data)


def _excerpt(text: str, length: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _mapping(value: Any) -> dict[str, Any]:
    """A mapping, or one that LiteLLM wrapped into a JSON string; empty for anything else."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value.encode())
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _optional(value: Any) -> str | None:
    # LiteLLM writes Python's None as the string "None" inside its nested JSON
    return None if value is None or value in ("None", "") else str(value)


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _number(value: Any) -> float | None:
    """A finite number; None for everything else."""
    try:
        number = None if isinstance(value, bool) or value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is not None and math.isfinite(number) else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
