"""The JSON documents of LiteLLM 1.106.2: same keys and types, the figures are the simulation's.

A document may leave keys out (a real /v1/model/info entry has 170, most of them null), never add one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from litellm_tui.demo.faults import Failed
from litellm_tui.demo.files import VERSION
from litellm_tui.demo.routing import Outcome
from litellm_tui.demo.running import Deployment, Running

Document = dict[str, Any]

_PARAMETERS = ["frequency_penalty", "max_tokens", "n", "seed", "stop", "stream", "temperature", "tools", "top_p"]
_FLAGS = ("allow_client_keepalive_override", "use_in_pass_through", "use_litellm_proxy", "use_xai_oauth",
          "merge_reasoning_content_in_choices")  # fmt: skip
_CALLBACKS = ["cache", "sync_deployment_callback_on_success", "_PROXY_VirtualKeyModelMaxBudgetLimiter",
              "_PROXY_MaxParallelRequestsHandler_v3", "_PROXY_CacheControlCheck", "ServiceLogging"]  # fmt: skip
# context window, output limit, price of an input and an output token in dollars
_KNOWN = {
    "gpt-4.1": (1047576, 32768, 2e-06, 8e-06),
    "gpt-41-prod": (1047576, 32768, 2e-06, 8e-06),
    "gpt-4.1-mini": (1047576, 32768, 4e-07, 1.6e-06),
    "gemini-2.5-flash": (1048576, 65536, 3e-07, 2.5e-06),
}


def readiness_details(running: Running) -> Document:
    """GET /health/readiness/details."""
    return {
        "status": "healthy",
        "db": "Not connected",
        "cache": cache_type(running),
        "litellm_version": VERSION,
        "success_callbacks": _CALLBACKS if cache_type(running) else _CALLBACKS[1:],
        "use_aiohttp_transport": True,
        "log_level": "INFO",
        "is_detailed_debug": False,
        "show_no_redis_warning": False,
        "show_env_credential_login_warning": True,
    }


def models(running: Running) -> Document:
    """GET /v1/models: aliases first, then each group once."""
    names = [*running.aliases, *running.groups]
    return {
        "data": [
            {"id": name, "object": "model", "created": 1677610602, "owned_by": "openai"} for name in names
        ],
        "object": "list",
    }  # fmt: skip


def model_info(running: Running) -> Document:
    """GET /v1/model/info: every deployment, and once more under each alias of its group."""
    entries = [_model_info(deployment.group, deployment) for deployment in running.deployments]
    for alias, target in running.aliases.items():
        entries += [_model_info(alias, entry) for entry in running.deployments if entry.group == target]
    return {"data": entries}


def _model_info(group: str, deployment: Deployment) -> Document:
    window, limit, price_in, price_out = _KNOWN.get(deployment.upstream, (None, None, None, None))
    return {
        "model_name": group,
        "litellm_params": {**deployment.params, **dict.fromkeys(_FLAGS, False), "model": deployment.model},
        "model_info": {
            "id": deployment.id,
            "db_model": False,
            "member_auto_router": False,
            "pricing_overrides": [],
            "key": deployment.upstream if window else deployment.model,
            "max_tokens": limit,
            "max_input_tokens": window,
            "max_output_tokens": limit,
            "input_cost_per_token": price_in,
            "output_cost_per_token": price_out,
            "litellm_provider": deployment.provider,
            "mode": _mode(deployment),
            "supports_vision": True if window else None,
            "supports_function_calling": True if window else None,
            "supported_openai_params": _PARAMETERS,
        },
    }


def _mode(deployment: Deployment) -> str | None:
    return deployment.info.get("mode") or ("chat" if deployment.upstream in _KNOWN else None)


def model_groups(running: Running) -> Document:
    """GET /model_group/info."""
    names = [(alias, target) for alias, target in running.aliases.items()]
    return {"data": [_group(name, running.members(of)) for name, of in names + [(g, g) for g in running.groups]]}


def _group(name: str, members: Sequence[Deployment]) -> Document:
    window, limit, price_in, price_out = _KNOWN.get(members[0].upstream, (None, None, None, None))
    return {
        "model_group": name,
        "providers": list(dict.fromkeys(entry.provider for entry in members)),
        "max_input_tokens": window,
        "max_output_tokens": limit,
        "input_cost_per_token": price_in,
        "output_cost_per_token": price_out,
        "mode": next((mode for entry in members if (mode := _mode(entry))), None),
        "tpm": _total(members, "tpm"),
        "rpm": _total(members, "rpm"),
        "supports_vision": bool(window),
        "supports_function_calling": bool(window),
        "supports_reasoning": False,
        "supported_openai_params": _PARAMETERS,
        "is_public_model_group": False,
        "health_status": None,
        "health_checked_at": None,
    }


def _total(members: Iterable[Deployment], name: str) -> int | None:
    return sum(int(entry.params.get(name) or 0) for entry in members) or None


def callbacks(running: Running) -> Document:
    """GET /get/config/callbacks: `router_settings` as the router has them."""
    return {
        "status": "success",
        "callbacks": [],
        "alerts": [],
        "active_alerting_destinations": [],
        "router_settings": dict(running.router),
        "available_callbacks": {},
    }


def health(results: Sequence[tuple[Deployment, Failed | None]]) -> Document:
    """GET /health: what the last background round found."""
    healthy: list[Document] = []
    unhealthy: list[Document] = []
    for deployment, failure in results:
        entry: Document = dict(deployment.params)
        entry["model"] = deployment.model
        if failure is not None:
            # LiteLLM cuts the trace here, in the middle of a word
            trace = failure.trace[:1000]
            entry["error"] = f"{failure.message}\nstack trace: {trace}"
            entry["raw_request_typed_dict"] = None
            entry["exception_status"] = failure.status
        entry["model_id"] = deployment.id
        (healthy if failure is None else unhealthy).append(entry)
    return {
        "healthy_endpoints": healthy,
        "unhealthy_endpoints": unhealthy,
        "healthy_count": len(healthy),
        "unhealthy_count": len(unhealthy),
    }


# --- the cache -------------------------------------------------------------------------------------------------


def cache_type(running: Running) -> str | None:
    """The configured type of cache, None when it is off."""
    if running.settings.get("cache") is not True:
        return None
    return str(_cache_params(running).get("type", "redis"))


def cache_server(running: Running) -> str:
    """Host and port of Redis as LiteLLM writes them in its errors."""
    params = _cache_params(running)
    return f"{params.get('host', 'localhost')}:{params.get('port', 6379)}"


def _cache_params(running: Running) -> Document:
    value = running.settings.get("cache_params")
    return value if isinstance(value, dict) else {}


def _inner_params(running: Running) -> str:
    params = _cache_params(running)
    return json.dumps(
        {
            "supported_call_types": ["completion", "acompletion", "embedding", "aembedding"],
            "type": cache_type(running),
            "namespace": str(params.get("namespace")),
            "redis_flush_size": "None",
            "ttl": params.get("ttl", "None"),
            "mode": {"_value_": "default_on", "_name_": "default_on"},
            "max_messages": 4,
        }
    )


def _server_params(running: Running) -> Document:
    host, _, port = cache_server(running).rpartition(":")
    return {
        "host": "None",
        "port": "None",
        "redis_kwargs": {"host": host, "port": int(port), "socket_timeout": 5.0},
        "namespace": str(_cache_params(running).get("namespace")),
        "redis_version": "7.0.15",
    }


def cache_ping(running: Running, *, reachable: bool) -> tuple[int, Document]:
    """GET /cache/ping with its status."""
    kind = cache_type(running)
    if kind is None:
        message: Document = {"message": "Cache not initialized. litellm.cache is None", "litellm_cache_params": "{}",
                             "health_check_cache_params": "{}"}  # fmt: skip
    elif kind != "redis":
        return 200, {"status": "healthy", "cache_type": kind, "ping_response": None, "set_cache_response": None,
                     "litellm_cache_params": _inner_params(running), "health_check_cache_params": {}}  # fmt: skip
    elif reachable:
        return 200, {"status": "healthy", "cache_type": kind, "ping_response": True, "set_cache_response": "success",
                     "litellm_cache_params": _inner_params(running),
                     "health_check_cache_params": _server_params(running)}  # fmt: skip
    else:
        message = {"message": "Service Unhealthy", "litellm_cache_params": _inner_params(running),
                   "health_check_cache_params": json.dumps(_server_params(running))}  # fmt: skip
    error = {"message": json.dumps(message), "type": "cache_ping_error", "param": "cache_ping", "code": "503"}
    return 503, {"error": error}


def redis_info(running: Running, *, hits: int, misses: int, uptime: int, reachable: bool) -> tuple[int, Document]:
    """GET /cache/redis/info with its status. The figures are those of the whole Redis server."""
    kind = cache_type(running)
    if kind != "redis":
        why = "503: Cache not initialized. litellm.cache is None" if kind is None else (
            f"500: Cache type {kind} does not support redis info")  # fmt: skip
        return 503, {"detail": f"Service Unhealthy ({why})"}
    if not reachable:
        refused = f"Error 111 connecting to {cache_server(running)}. Connection refused."
        return 503, {"detail": f"Service Unhealthy ({refused})"}
    keys = 1_240 + misses % 400
    memory = 38_400_000 + keys * 2_100
    client = {"id": "3", "addr": "127.0.0.1:39410", "laddr": cache_server(running), "name": "", "age": str(uptime),
              "idle": "0", "db": "0", "cmd": "client|list", "user": "default"}  # fmt: skip
    info = {
        "redis_version": "7.0.15",
        "redis_mode": "standalone",
        "tcp_port": int(cache_server(running).rpartition(":")[2]),
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


# --- completions -----------------------------------------------------------------------------------------------


def completion(outcome: Outcome, created: int) -> Document:
    """POST /v1/chat/completions that was served."""
    return {
        "id": f"chatcmpl-{outcome.call_id[:12]}",
        "created": created,
        "model": outcome.deployment.upstream if outcome.deployment else outcome.group,
        "object": "chat.completion",
        "choices": [
            {
                "finish_reason": "stop",
                "index": 0,
                "message": {"content": "Hello!", "role": "assistant"},
                "provider_specific_fields": {},
            }
        ],
        "usage": {"completion_tokens": 9, "prompt_tokens": 11, "total_tokens": 20},
    }


def embedding(outcome: Outcome) -> Document:
    """POST /v1/embeddings that was served."""
    return {
        "model": outcome.deployment.model if outcome.deployment else outcome.group,
        "data": [{"embedding": [0.013, -0.027, 0.004, 0.052], "index": 0, "object": "embedding"}],
        "object": "list",
        "usage": {"completion_tokens": 0, "prompt_tokens": 3, "total_tokens": 3},
    }


def error(message: str, kind: str, code: int, param: str | None = None) -> Document:
    """The error document of the OpenAI API, `code` being a string as LiteLLM has it."""
    return {"error": {"message": message, "type": kind, "param": param, "code": str(code)}}
