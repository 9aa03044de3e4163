"""The JSON documents of LiteLLM 1.106.2: same keys and types, the figures are the simulation's.

A document may leave keys out (a real /v1/model/info entry has 170, most of them null), never add one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from litellm_tui.demo import cache
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


def readiness_details(running: Running, database: str) -> Document:
    """GET /health/readiness/details; `database` is what it finds of its database."""
    return {
        "status": "healthy",
        "db": database,
        "cache": cache.kind(running),
        "litellm_version": VERSION,
        "success_callbacks": _CALLBACKS if cache.kind(running) else _CALLBACKS[1:],
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


def stream(outcome: Outcome, created: int) -> str:
    """The same as server-sent events."""
    whole = completion(outcome, created)
    begun = {"id": whole["id"], "object": "chat.completion.chunk", "created": created, "model": whole["model"]}
    choices: Sequence[Document] = (
        {"index": 0, "delta": {"role": "assistant", "content": "Hel"}},
        {"index": 0, "delta": {"content": "lo!"}},
        {"index": 0, "delta": {}, "finish_reason": "stop"},
    )
    events = [json.dumps(begun | {"choices": [choice]}, separators=(",", ":")) for choice in choices]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"])


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
