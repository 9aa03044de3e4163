"""The gateway that the faults are injected into: one sound configuration, one broken one, one not yet loaded."""

from __future__ import annotations

from typing import Any

from tests.lab.config import deployment

HEALTH_SECONDS = 5
COOLDOWN_SECONDS = 6
# What is given up on after this many seconds: less than the time in which a fault must show.
PATIENCE_SECONDS = 3

ALONE = (
    *("calm", "fails", "badkey", "absent", "torn", "garbled", "front", "spare", "only-checks", "only-requests"),
    # what the broken file breaks
    *("keyed", "untyped", "ciphered", "nowhere"),
)


def site_config() -> dict[str, Any]:
    """All is well in it, until a fault is injected."""
    patient = {"health_check_timeout": PATIENCE_SECONDS}
    return {
        "model_list": [
            *(deployment(name, f"openai/{name}-m") for name in ALONE),
            deployment("refuses", "openai/refuses-m", port="@second@"),
            deployment("sleepy", "openai/sleepy-m", timeout=PATIENCE_SECONDS, model_info=patient),
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
            "model_group_alias": {"nickname": "calm"},
            "fallbacks": [{"front": ["spare"]}],
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


def broken_config() -> dict[str, Any]:
    """The same with every fault of a file in it that LiteLLM starts with."""
    config = site_config()
    _params(config, "keyed")["api_key"] = "os.environ/LAB_UNSET_KEY"
    _params(config, "untyped")["model"] = "untyped-m"
    _params(config, "ciphered")["api_base"] = "https://127.0.0.1:@upstream@/v1"
    _params(config, "nowhere")["api_base"] = "http://no-such-host.invalid:9102/v1"
    config["router_settings"]["model_group_alias"] = {"nickname": ["calm", "spare"]}
    config["router_settings"]["fallbacks"].append({"calm": ["phantom"]})
    config["litellm_settings"]["cache_params"] = {"type": "local"}
    return config


def unloaded_config() -> dict[str, Any]:
    """One model more than the running gateway has."""
    config = site_config()
    config["model_list"].append(deployment("newcomer", "openai/newcomer-m"))
    return config
