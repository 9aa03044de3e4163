"""Values that LiteLLM checks or calculates with at its start."""

from __future__ import annotations

from tests.proving.case import Case, refused, runs

_GROUP = "model_list:\n  - {model_name: m, litellm_params: {model: openai/m, api_key: k}}\n"


def general(lines: str) -> str:
    return f"general_settings:\n  {lines}\n"


def router(lines: str) -> str:
    return f"{_GROUP}router_settings:\n  {lines}\n"


def settings(lines: str) -> str:
    return f"litellm_settings:\n  {lines}\n"


# what 1.77.7 does with most of them was not looked at, or it does not read them
_NEW = "1.97"

CASES: tuple[Case, ...] = (
    Case(
        "key-cache-in-words",
        general("user_api_key_cache_ttl: long"),
        finds={"general-setting-refused": 2},
        proof=refused("could not convert string to float"),
    ),
    Case(
        "checked-groups-as-text",
        general("background_health_check_model_groups: m"),
        finds={"general-setting-refused": 2},
        proof=refused("must be a list of model group names"),
        since=_NEW,
    ),
    Case(
        "coordination-redis-without-target",
        general("coordination_redis: {port: 6379}"),
        finds={"general-setting-refused": 2},
        proof=refused("needs a connection target"),
        since=_NEW,
    ),
    Case(
        "alerting-as-number",
        general("alerting: 5"),
        finds={"general-setting-refused": 2},
        proof=refused("is not iterable"),
    ),
    Case(
        "pass-through-headers-listed",
        general("pass_through_endpoints: [{path: /x, target: 'http://x', headers: [a]}]"),
        finds={"general-setting-refused": 2},
        proof=refused("'list' object has no attribute 'items'"),
    ),
    Case(
        "provider-budget-in-words",
        router("provider_budget_config: {openai: {budget_limit: much, time_period: 1d}}"),
        finds={"router-setting-refused": 4},
        proof=refused("max_budget"),
    ),
    Case(
        "provider-budget-as-number",
        router("provider_budget_config: {openai: 5}"),
        finds={"router-setting-refused": 4},
        proof=refused("'int' object has no attribute"),
    ),
    Case(
        "alerting-config-in-the-file",
        router("alerting_config: {webhook_url: 'http://127.0.0.1:9'}"),
        finds={"router-setting-refused": 4},
        proof=refused("'dict' object has no attribute 'alerting_threshold'"),
    ),
    Case(
        "latency-arguments-in-words",
        router("routing_strategy: latency-based-routing\n  routing_strategy_args: {ttl: soon}"),
        finds={"router-setting-refused": 5},
        proof=refused("RoutingArgs"),
    ),
    Case(
        "user-budget-nested-in-words",
        settings("upperbound_key_generate_params: {max_budget: much}"),
        finds={"start-value-refused": 2},
        proof=refused("max_budget"),
    ),
    Case(
        "reset-time-of-no-clock",
        settings("budget_reset_time: 25h"),
        finds={"start-value-refused": 2},
        proof=refused("Invalid budget_reset_time"),
        since=_NEW,
    ),
    Case(
        "content-safety-without-parameters",
        settings("callbacks: [azure_content_safety]"),
        finds={"start-value-refused": 2},
        proof=refused("azure_content_safety_params"),
    ),
    Case(
        "assistants-without-parameters",
        "assistant_settings: {custom_llm_provider: azure}\n",
        finds={"start-value-refused": 1},
        proof=refused("litellm_params"),
    ),
    Case(
        "cluster-nodes-as-text",
        settings("cache: true\n  cache_params: {type: redis, redis_startup_nodes: [127.0.0.1]}"),
        finds={"start-value-refused": 3},
        proof=refused("must be a mapping, not str"),
    ),
    Case(
        "secret-manager-of-ones-own",
        general("key_management_system: custom"),
        finds={"secret-manager-refused": 2},
        # 1.77.7 knows no such manager, later versions miss its class: Key Management, CustomSecretManagerException
        proof=refused("Manage"),
    ),
    Case(
        "values-as-they-should-be",
        router(
            "provider_budget_config: {openai: {budget_limit: '5', time_period: 1d}}\n"
            "  routing_strategy: latency-based-routing\n  routing_strategy_args: {ttl: '5'}\n"
            "general_settings:\n  user_api_key_cache_ttl: '60'\n"
        ),
        finds={},
        proof=runs,
    ),
)
