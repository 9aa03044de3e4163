"""Decodes the gateway's answers into the records of `model.gateway`. Shapes: LiteLLM 1.77.7 and 1.106.2.

Each decoder gets the status and the body of a usable answer and returns a value or a `Failure`. A body that does not
fit raises an error of msgspec or ValueError, which the client turns into `Malformed`.
"""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from litellm_tui.model.failures import Failure, Malformed, NotAvailable, Unreachable
from litellm_tui.model.gateway import CachePing, HealthEntry, HealthReport, LoadedDeployment, Readiness, RedisInfo

# characters kept of an error message of the gateway
_LONGEST_WHY: Final = 1000
# the same of why readiness fails, which is shown on one line
_LONGEST_REASON: Final = 300
# of a 503 of /health/readiness: what follows in parentheses is the exception
_UNHEALTHY: Final = "Service Unhealthy"


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


def liveliness(status: int, body: bytes) -> str | Failure:
    """GET /health/liveliness."""
    text = body.decode(errors="replace").strip().strip('"')
    if "alive" not in text.lower():
        return Malformed(f"/health/liveliness said {excerpt(text)!r}: is this LiteLLM?", status=status)
    return text


def readiness(status: int, body: bytes) -> Readiness | Failure:
    """GET /health/readiness, and its details, 503 included."""
    data = msgspec.json.decode(body, type=dict[str, Any])
    said = message(body) if status == 503 else ""
    if said.startswith(_UNHEALTHY):
        reason = said.removeprefix(_UNHEALTHY).strip().removeprefix("(").removesuffix(")")
        return Readiness("unhealthy", ready=False, error=excerpt(reason, _LONGEST_REASON) or _UNHEALTHY)
    if "status" not in data:
        return Malformed("/health/readiness has no 'status': is this LiteLLM?", status=status)
    return Readiness(
        status=str(data["status"]),
        db=_optional(data.get("db")),
        version=_optional(data.get("litellm_version")),
        cache=_optional(data.get("cache")),
        log_level=_optional(data.get("log_level")),
        ready=status != 503,
    )


def groups(status: int, body: bytes) -> tuple[str, ...]:
    """GET /v1/models: every name that may be asked for."""
    return tuple(model.id for model in msgspec.json.decode(body, type=_Models).data)


def deployments(status: int, body: bytes) -> tuple[LoadedDeployment, ...]:
    """GET /v1/model/info."""
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


def router(status: int, body: bytes) -> dict[str, Any]:
    """`router_settings` of GET /get/config/callbacks."""
    return msgspec.json.decode(body, type=_Callbacks).router_settings


def health(status: int, body: bytes) -> HealthReport | Failure:
    """GET /health."""
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


def cache_ping(status: int, body: bytes) -> CachePing | Failure:
    """GET /cache/ping, 503 included."""
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
    reason = said.partition("(")[2].rpartition(")")[0]
    return CachePing(
        status="unhealthy",
        type=_optional(params.get("type")),
        ttl=_number(params.get("ttl")),
        server=_redis_server(_mapping(inner.get("health_check_cache_params"))),
        error=excerpt(reason, _LONGEST_WHY),
    )


def _redis_server(params: dict[str, Any]) -> str | None:
    kwargs = _mapping(params.get("redis_kwargs"))
    return f"{kwargs.get('host')}:{kwargs.get('port')}" if kwargs.get("host") else None


def redis_info(status: int, body: bytes) -> RedisInfo | Failure:
    """GET /cache/redis/info, 503 included."""
    data = msgspec.json.decode(body, type=dict[str, Any])
    if status == 503:
        detail = str(data.get("detail") or _mapping(data.get("error")).get("message") or "no detail given")
        if "does not support" in detail or "not initialized" in detail:
            return NotAvailable(excerpt(detail, _LONGEST_WHY))
        return Unreachable(excerpt(detail, _LONGEST_WHY), kind="refused" if "Error 111" in detail else "other")
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


def message(body: bytes) -> str:
    """The message of an error's body, in any of its forms."""
    try:
        data = msgspec.json.decode(body)
        if isinstance(data, dict):
            error = data.get("error", data.get("detail", data))
            return str(error.get("message", error) if isinstance(error, dict) else error)
        return str(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return body.decode(errors="replace")


def excerpt(text: str, length: int = 120) -> str:
    """The text in one line of at most `length` characters."""
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
