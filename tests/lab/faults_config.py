"""The gateway that the faults are injected into: one sound configuration, broken ones, one not yet loaded."""

from __future__ import annotations

from typing import Any

from tests.lab.config import deployment

HEALTH_SECONDS = 8
COOLDOWN_SECONDS = 6
# What is given up on after this many seconds: less than the time in which a fault must show.
PATIENCE_SECONDS = 3
ROOT = "http://127.0.0.1:@upstream@"

# groups of one deployment on the upstream, by the provider whose form they speak
OPENAI = (
    *("calm", "fails", "badkey", "absent", "torn", "garbled", "front", "facade", "spare", "only-checks"),
    *("only-requests", "unpaid", "retired", "closed", "proxied", "forbidden", "wordy", "naughty", "pageful"),
)
OTHERS = {
    "creditless": "anthropic", "crowded": "anthropic", "unfunded": "openrouter", "broke": "deepseek",
    "starved": "ollama_chat", "unpulled": "ollama_chat",
}  # fmt: skip
# what a broken file breaks
BREAKABLE = (
    *("keyed", "untyped", "ciphered", "selfsigned", "nowhere", "narrow", "tagged", "busy", "guarded"),
    *("cloudy", "unpacked", "weighted"),
)
# An AWS that is asked for credentials by nobody: LiteLLM would wait for the machine's own.
ENVIRONMENT = {"LITELLM_LOG": "INFO", "AWS_EC2_METADATA_DISABLED": "true"}

GUARD = '''\
"""A guardrail of the operator's own: it blocks what says so."""
from fastapi import HTTPException
from litellm.integrations.custom_guardrail import CustomGuardrail


class Guard(CustomGuardrail):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        if data.get("model") == "guarded":
            raise HTTPException(status_code=400, detail={"error": "Violated guardrail policy", "guardrail": "lab"})
        return data
'''


def site_config() -> dict[str, Any]:
    """All is well in it until a fault is injected, but for a weight that is a text: who asks for that group sees it."""
    config = sound_config()
    _params(config, "weighted")["weight"] = "2"
    return config


def sound_config() -> dict[str, Any]:
    """All is well in it."""
    patient = {"health_check_timeout": PATIENCE_SECONDS}
    return {
        "model_list": [
            *(deployment(name, f"openai/{name}-m", max_retries=0) for name in (*OPENAI, *BREAKABLE)),
            *(
                deployment(name, f"{provider}/{name}-m", api_base=ROOT, max_retries=0)
                for name, provider in OTHERS.items()
            ),
            # a parameter that the provider does not take is dropped here
            deployment("plain", "ollama_chat/plain-m", api_base=ROOT, drop_params=True),
            deployment("refuses", "openai/refuses-m", port="@second@"),
            *(
                deployment(name, f"openai/{name}-m", timeout=PATIENCE_SECONDS, max_retries=0, model_info=patient)
                for name in ("sleepy", "silent", "laggard")
            ),
            # A client that obeys retry-after would hold up each round of health checks for everyone.
            deployment("limited", "openai/limited-m", max_retries=0),
            deployment("pool", "openai/pool-a", max_retries=0),
            deployment("pool", "openai/pool-b", max_retries=0),
            deployment("embed", "openai/embed-m", model_info={"mode": "embedding"}),
        ],
        "litellm_settings": {
            "request_timeout": 20,
            "num_retries": 0,
            "cache": True,
            "cache_params": {"type": "redis", "host": "127.0.0.1", "port": "@redis@", "ttl": 600},
            "json_logs": True,
        },
        "router_settings": {
            "routing_strategy": "simple-shuffle",
            "num_retries": 0,
            "cooldown_time": COOLDOWN_SECONDS,
            "model_group_alias": {"nickname": "calm", "byname": "facade"},
            "fallbacks": [{"front": ["spare"]}, {"facade": ["spare"]}],
        },
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "background_health_checks": True,
            "health_check_interval": HEALTH_SECONDS,
        },
    }


def _params(config: dict[str, Any], group: str) -> dict[str, Any]:
    found: dict[str, Any] = next(e["litellm_params"] for e in config["model_list"] if e["model_name"] == group)
    return found


def broken_config(tls: int = 0, newer: bool = True) -> dict[str, Any]:
    """The same with the faults of a file in it that LiteLLM starts with; at `tls` an upstream is self-signed."""
    config = sound_config()
    _params(config, "keyed")["api_key"] = "os.environ/LAB_UNSET_KEY"
    _params(config, "untyped")["model"] = "untyped-m"
    _params(config, "ciphered")["api_base"] = "https://127.0.0.1:@upstream@/v1"
    _params(config, "selfsigned")["api_base"] = f"https://127.0.0.1:{tls}/v1"
    _params(config, "nowhere")["api_base"] = "http://no-such-host.invalid:9102/v1"
    _params(config, "narrow")["rpm"] = 2
    _params(config, "tagged")["tags"] = ["paid"]
    _params(config, "busy")["max_parallel_requests"] = 1
    _params(config, "plain")["drop_params"] = False
    cloudy = _params(config, "cloudy")
    cloudy.clear()
    cloudy |= {"model": "bedrock/anthropic.claude-3-haiku-20240307-v1:0", "aws_region_name": "us-east-1"}
    unpacked = _params(config, "unpacked")
    unpacked.clear()
    unpacked |= {"model": "vertex_ai/gemini-2.0-flash", "vertex_project": "lab", "vertex_location": "us-central1"}
    router, settings = config["router_settings"], config["litellm_settings"]
    router["model_group_alias"]["nickname"] = ["calm", "spare"]
    router["fallbacks"].append({"calm": ["phantom"]})
    router |= {"routing_strategy": "usage-based-routing-v2", "enable_tag_filtering": True}
    settings["cache_params"] = {"type": "local"}
    # lines in both forms are read: the older version writes plain ones here
    settings["json_logs"] = newer
    own = {"guardrail": "guard.Guard", "mode": "pre_call", "default_on": True}
    config["guardrails"] = [{"guardrail_name": "own", "litellm_params": own}]
    if newer:
        # there the package mcp can be imported, and a guardrail of an unknown kind is left out
        config["mcp_servers"] = {"files": {"url": "http://127.0.0.1:@refused@/mcp", "transport": "http"}}
        misspelt = {"guardrail": "presidoi", "mode": "pre_call"}
        config["guardrails"].append({"guardrail_name": "misspelt", "litellm_params": misspelt})
    return config


def unloaded_config() -> dict[str, Any]:
    """One model more than the running gateway has."""
    config = site_config()
    config["model_list"].append(deployment("newcomer", "openai/newcomer-m"))
    return config


def refused_config() -> dict[str, Any]:
    """The same with a callback whose module is not there: LiteLLM does not start."""
    config = sound_config()
    config["litellm_settings"]["callbacks"] = ["gone_module.handler"]
    return config
