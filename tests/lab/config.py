"""The gateway configuration a lab starts with, and how a caller's own is filled in.

A configuration is YAML text, a dictionary, or a function of the ports that returns either. In text and
dictionaries ``@redis@``, ``@upstream@``, ``@second@``, ``@refused@``, ``@user@`` and ``@system@`` stand for the
ports that were picked at boot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

if TYPE_CHECKING:
    from tests.lab.core import Ports

Source: TypeAlias = "str | Mapping[str, Any] | Callable[[Ports], str | Mapping[str, Any]]"

_PLACEHOLDER = re.compile(r"@(redis|upstream|second|refused|user|system)@")


def _filled(value: Any, ports: Ports) -> Any:
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole:
            return getattr(ports, whole[1])
        return _PLACEHOLDER.sub(lambda match: str(getattr(ports, match[1])), value)
    if isinstance(value, Mapping):
        return {key: _filled(item, ports) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(item, ports) for item in value]
    return value


def render(source: Source, ports: Ports) -> str:
    made = source(ports) if callable(source) else source
    if isinstance(made, str):
        return _PLACEHOLDER.sub(lambda match: str(getattr(ports, match[1])), made)
    return yaml.safe_dump(_filled(made, ports), sort_keys=False, width=110)


def deployment(
    group: str, upstream: str, *, port: str = "@upstream@", key: str = "sk-none", **more: Any
) -> dict[str, Any]:
    info = more.pop("model_info", None)
    base = f"http://127.0.0.1:{port}/v1"
    params = {"model": upstream, "api_base": base, "api_key": key, **more}
    entry: dict[str, Any] = {"model_name": group, "litellm_params": params}
    if info:
        entry["model_info"] = info
    return entry


def default_config() -> dict[str, Any]:
    """What an operator meets: sound models, dead ones behind fallbacks, a ghost target, an ignored key."""
    return {
        "model_list": [
            deployment("llama3.1:latest", "openai/llama3.1", rpm=100),
            deployment("llama3.1:latest", "openai/llama3.1-b", rpm=50, tpm=100000),
            deployment("qwen2.5-coder:7b", "openai/qwen-err500", model_info={"health_check_timeout": 10}),
            deployment("qwen-coder-vllm", "openai/Qwen/Qwen2.5-Coder-7B-Instruct-AWQ", port="@refused@"),
            deployment("kimi-k2:1t-cloud", "openai/kimi-err401", key="os.environ/KIMI_KEY"),
            deployment("gpt-oss:120b-cloud", "openai/gpt-oss"),
            deployment("nomic-embed-text", "openai/nomic-embed-text", model_info={"mode": "embedding"}),
        ],
        "litellm_settings": {
            "request_timeout": 60,
            "num_retries": 1,
            "cache": True,
            "cache_params": {"type": "redis", "host": "127.0.0.1", "port": "@redis@", "ttl": 3600},
            "json_logs": True,
            "set_verbose": False,
        },
        "router_settings": {
            "routing_strategy": "simple-shuffle",
            "allowed_fails": 3,
            "cooldown_time": 60,
            "enable_pre_call_checks": True,
            "model_group_alias": {"gpt-4": "llama3.1:latest"},
            "fallbacks": [
                {"qwen2.5-coder:7b": ["qwen-coder-vllm", "gpt-oss:120b-cloud"]},
                {"llama3.1:latest": ["qwen2.5-coder:7b"]},
                {"kimi-k2:1t-cloud": ["nonexistent-model"]},
            ],
            "context_window_fallbacks": [{"llama3.1:latest": ["gpt-oss:120b-cloud"]}],
            "context_window_fallback_dict": {"llama3.1:latest": "gpt-oss:120b-cloud"},
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "background_health_checks": True,
            "health_check_interval": 30,
        },
    }
