"""The cache as LiteLLM 1.106.2 tells of it: working, unreachable, off, or of a type that nobody tests."""

from __future__ import annotations

import json
from typing import Any

from litellm_tui.demo.running import Running

Document = dict[str, Any]


def kind(running: Running) -> str | None:
    """The configured type of cache, None when it is off."""
    if running.settings.get("cache") is not True:
        return None
    return str(_params(running).get("type", "redis"))


def server(running: Running) -> str:
    """Host and port of Redis as LiteLLM writes them in its errors."""
    params = _params(running)
    return f"{params.get('host', 'localhost')}:{params.get('port', 6379)}"


def _params(running: Running) -> Document:
    value = running.settings.get("cache_params")
    return value if isinstance(value, dict) else {}


def _inner_params(running: Running) -> str:
    params = _params(running)
    return json.dumps(
        {
            "supported_call_types": ["completion", "acompletion", "embedding", "aembedding"],
            "type": kind(running),
            "namespace": str(params.get("namespace")),
            "redis_flush_size": "None",
            "ttl": params.get("ttl", "None"),
            "mode": {"_value_": "default_on", "_name_": "default_on"},
            "max_messages": 4,
        }
    )


def _server_params(running: Running) -> Document:
    host, _, port = server(running).rpartition(":")
    return {
        "host": "None",
        "port": "None",
        "redis_kwargs": {"host": host, "port": int(port), "socket_timeout": 5.0},
        "namespace": str(_params(running).get("namespace")),
        "redis_version": "7.0.15",
    }


def ping(running: Running, *, reachable: bool) -> tuple[int, Document]:
    """GET /cache/ping with its status."""
    found = kind(running)
    if found is None:
        message: Document = {"message": "Cache not initialized. litellm.cache is None", "litellm_cache_params": "{}",
                             "health_check_cache_params": "{}"}  # fmt: skip
    elif found != "redis":
        return 200, {"status": "healthy", "cache_type": found, "ping_response": None, "set_cache_response": None,
                     "litellm_cache_params": _inner_params(running), "health_check_cache_params": {}}  # fmt: skip
    elif reachable:
        return 200, {"status": "healthy", "cache_type": found, "ping_response": True, "set_cache_response": "success",
                     "litellm_cache_params": _inner_params(running),
                     "health_check_cache_params": _server_params(running)}  # fmt: skip
    else:
        message = {"message": "Service Unhealthy", "litellm_cache_params": _inner_params(running),
                   "health_check_cache_params": json.dumps(_server_params(running))}  # fmt: skip
    error = {"message": json.dumps(message), "type": "cache_ping_error", "param": "cache_ping", "code": "503"}
    return 503, {"error": error}


def redis_info(running: Running, *, hits: int, misses: int, uptime: int, reachable: bool) -> tuple[int, Document]:
    """GET /cache/redis/info with its status. The figures are those of the whole Redis server."""
    found = kind(running)
    if found != "redis":
        why = "503: Cache not initialized. litellm.cache is None" if found is None else (
            f"500: Cache type {found} does not support redis info")  # fmt: skip
        return 503, {"detail": f"Service Unhealthy ({why})"}
    if not reachable:
        refused = f"Error 111 connecting to {server(running)}. Connection refused."
        return 503, {"detail": f"Service Unhealthy ({refused})"}
    keys = 1_240 + misses % 400
    memory = 38_400_000 + keys * 2_100
    client = {"id": "3", "addr": "127.0.0.1:39410", "laddr": server(running), "name": "", "age": str(uptime),
              "idle": "0", "db": "0", "cmd": "client|list", "user": "default"}  # fmt: skip
    info = {
        "redis_version": "7.0.15",
        "redis_mode": "standalone",
        "tcp_port": int(server(running).rpartition(":")[2]),
        "uptime_in_seconds": uptime,
        "uptime_in_days": uptime // 86400,
        "connected_clients": 9,
        "used_memory": memory,
        "used_memory_human": f"{memory / 1048576:.2f}M",
        "used_memory_peak": memory + 4_100_000,
        "maxmemory": 268_435_456,
        "maxmemory_human": "256.00M",
        "maxmemory_policy": "allkeys-lru",
        "total_connections_received": 412,
        "total_commands_processed": (hits + misses) * 7,
        "instantaneous_ops_per_sec": 6 + hits % 5,
        "expired_keys": misses // 2,
        "evicted_keys": 0,
        "keyspace_hits": hits,
        "keyspace_misses": misses,
        "role": "master",
        "db0": {"keys": keys, "expires": keys - 12, "avg_ttl": 1_790_000},
    }
    return 200, {"num_clients": 9, "clients": [client], "info": info}
