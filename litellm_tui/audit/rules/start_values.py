"""Values that LiteLLM checks or calculates with at its start, in general_settings, router_settings and elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit import shapes, surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shapes import WORDS, Shape, fits, kind_of
from litellm_tui.audit.subject import UNKNOWN, Subject
from litellm_tui.model.edits import Path

# each was seen to end a start of 1.106.2; a version that does not read the key does not look at it
_GENERAL: Final[Mapping[str, Shape]] = {
    "user_api_key_cache_ttl": "number",
    "user_api_key_cache_max_size": "whole",
    "background_health_check_model_groups": "texts",
    "health_check_staleness_threshold": "number",
    "role_permissions": "list",
    "coordination_redis": "mapping",
    "spend_logs_metadata_fields": "list",
    # an MCP version that is not in quotes is a date to YAML
    "mcp_advertised_versions": "texts",
    "litellm_jwtauth": "mapping",
    "alerting_args": "mapping",
    "alert_to_webhook_url": "mapping",
    "vector_store_deny_by_default": "switch",
    "search_tool_deny_by_default": "switch",
}
_NESTED: Final[Mapping[str, tuple[str, ...]]] = {
    "default_internal_user_params": ("max_budget",),
    "upperbound_key_generate_params": ("max_budget", "tpm_limit", "rpm_limit", "max_parallel_requests"),
    "priority_reservation_settings": ("default_priority", "saturation_threshold", "saturation_check_cache_ttl"),
}
_TARGETS: Final = ("host", "url", "startup_nodes", "sentinel_nodes")
_CLOCK: Final = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?")
_LATENCY: Final = "latency-based-routing"


@rule(
    "general-setting-refused",
    "fatal",
    "A value of general_settings that ends the start",
    why="LiteLLM calculates with the value, goes through it or checks its kind at its start, and ends when it cannot.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.load_config and ProxyStartupEvent (1.106.2)",
    fix="write a value of the kind that LiteLLM reads",
)
def general_setting_refused(subject: Subject) -> Iterator[Hit | Right]:
    general = subject.section("general_settings")
    for key, shape in _GENERAL.items():
        value = shapes.resolved(subject, general.get(key))
        if value is None or value is UNKNOWN or key not in subject.catalogue.general:
            continue
        if key in ("alerting_args", "alert_to_webhook_url") and not general.get("alerting"):
            continue
        if not fits(value, shape):
            yield Hit(f"{key} must be {WORDS[shape]}, and is {kind_of(value)}", ("general_settings", key))
    redis = general.get("coordination_redis")
    targets = [shapes.resolved(subject, redis.get(key)) for key in _TARGETS] if isinstance(redis, dict) else []
    if targets and "coordination_redis" in subject.catalogue.general and all(target is None for target in targets):
        path: Path = ("general_settings", "coordination_redis")
        yield Hit(f"coordination_redis has none of {', '.join(_TARGETS)}", path)
    plugins = general.get("plugins") if "plugins" in subject.catalogue.general else None
    for index, plugin in enumerate(plugins if isinstance(plugins, list) else ()):
        lacking = [key for key in ("name", "url") if not (isinstance(plugin, dict) and key in plugin)]
        if lacking:
            yield Hit(f"plugin {index + 1} has no {lacking[0]}", ("general_settings", "plugins", index))
    yield from _alerting(subject, general)
    yield from _endpoints(subject, general)


@rule(
    "router-setting-refused",
    "fatal",
    "A value of router_settings that ends the start",
    why="The Router makes an object of it when LiteLLM starts, and raises when the value is of another kind.",
    source="litellm/router.py, Router.__init__; litellm/router_strategy/budget_limiter.py (1.106.2)",
    fix="write a value of the kind that the Router reads, or take it out",
)
def router_setting_refused(subject: Subject) -> Iterator[Hit | Right]:
    router = subject.section("router_settings")
    for key in ("default_litellm_params", "provider_budget_config"):
        value = router.get(key)
        if value and not isinstance(value, dict):
            yield Hit(f"{key} must be a mapping, and is {kind_of(value)}", ("router_settings", key))
    budgets = router.get("provider_budget_config")
    for provider, budget in budgets.items() if isinstance(budgets, dict) else ():
        path: Path = ("router_settings", "provider_budget_config", str(provider))
        if not isinstance(budget, dict):
            yield Hit(f"the budget of {provider!r} must be a mapping, and is {kind_of(budget)}", path)
            continue
        for key in ("budget_limit", "max_budget"):
            value = shapes.resolved(subject, budget.get(key))
            if value is not None and value is not UNKNOWN and not fits(value, "number"):
                yield Hit(f"{key} of {provider!r} must be a number, and is {kind_of(value)}", (*path, key))
    if router.get("alerting_config") is not None and "alerting_config" in subject.catalogue.router:
        how = "take it out, and set general_settings.alerting"
        yield Hit("alerting_config can be given in Python only", ("router_settings", "alerting_config"), how)
    yield from _strategy(subject, router)
    groups = router.get("routing_groups")
    for index, group in enumerate(groups if isinstance(groups, list) and "routing_groups" in _known(subject) else ()):
        if not isinstance(group, dict):
            path = ("router_settings", "routing_groups", index)
            yield Hit(f"a routing group must be a mapping, and is {kind_of(group)}", path)


@rule(
    "start-value-refused",
    "fatal",
    "A value that ends the start",
    why="LiteLLM takes the value apart while it starts, and ends when it has another form or lacks a part.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.load_config; litellm/caching/caching.py (1.106.2)",
    fix="write the value as LiteLLM reads it",
)
def start_value_refused(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section("litellm_settings")
    for key, fields in _NESTED.items():
        block = settings.get(key)
        # the first release seen that makes this one a number is 1.97; 1.90 keeps it as it is
        early = key == "default_internal_user_params" and not subject.runs(since="1.97")
        if not isinstance(block, dict) or early or key not in subject.catalogue.litellm_special:
            continue
        for field in fields:
            value = shapes.resolved(subject, block.get(field))
            if value is not None and value is not UNKNOWN and not fits(value, "number"):
                path: Path = ("litellm_settings", key, field)
                yield Hit(f"{key}.{field} must be a number, and is {kind_of(value)}", path)
    clock = settings.get("budget_reset_time")
    wrong = isinstance(clock, str) and not _CLOCK.fullmatch(clock.strip())
    if wrong and "budget_reset_time" in subject.catalogue.litellm_special:
        yield Hit("budget_reset_time must be a time such as '12:00'", ("litellm_settings", "budget_reset_time"))
    aliases = settings.get("mcp_aliases")
    if aliases and not isinstance(aliases, dict) and subject.data.get("mcp_servers"):
        yield Hit(f"mcp_aliases must be a mapping, and is {kind_of(aliases)}", ("litellm_settings", "mcp_aliases"))
    yield from _callbacks(subject, settings)
    yield from _cache(subject, settings)
    yield from _sections(subject)


def _known(subject: Subject) -> frozenset[str]:
    return subject.catalogue.router


def _alerting(subject: Subject, general: Mapping[str, Any]) -> Iterator[Hit]:
    alerting = general.get("alerting")
    if alerting is not None and not isinstance(alerting, str | list | dict):
        yield Hit(f"alerting must be a list, and is {kind_of(alerting)}", ("general_settings", "alerting"))
    values = general.get("alerting_args")
    for key, value in values.items() if alerting and isinstance(values, dict) else ():
        numeric = str(key).endswith(("_frequency", "_interval", "_ttl", "_threshold", "_size"))
        if numeric and not fits(value, "number") and shapes.resolved(subject, value) is not UNKNOWN:
            path: Path = ("general_settings", "alerting_args", str(key))
            yield Hit(f"alerting_args.{key} must be a number, and is {kind_of(value)}", path)


def _endpoints(subject: Subject, general: Mapping[str, Any]) -> Iterator[Hit]:
    listed = general.get("pass_through_endpoints")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(item, dict):
            continue
        path: Path = ("general_settings", "pass_through_endpoints", index)
        if item.get("headers") and not isinstance(item["headers"], dict):
            text = f"headers of a pass-through endpoint must be a mapping, and is {kind_of(item['headers'])}"
            yield Hit(text, (*path, "headers"))
        where = shapes.resolved(subject, item.get("path"))
        if where is not None and where is not UNKNOWN and not isinstance(where, str):
            yield Hit(f"path of a pass-through endpoint must be a text, and is {kind_of(where)}", (*path, "path"))


def _strategy(subject: Subject, router: Mapping[str, Any]) -> Iterator[Hit]:
    values, path = router.get("routing_strategy_args"), ("router_settings", "routing_strategy_args")
    if router.get("routing_strategy") != _LATENCY or not values:
        return
    if not isinstance(values, dict):
        yield Hit(f"routing_strategy_args must be a mapping, and is {kind_of(values)}", path)
        return
    for key in ("ttl", "lowest_latency_buffer", "max_latency_list_size"):
        value = shapes.resolved(subject, values.get(key))
        if key in values and value is not UNKNOWN and not fits(value, "number"):
            yield Hit(f"routing_strategy_args.{key} must be a number, and is {kind_of(value)}", (*path, key))


def _callbacks(subject: Subject, settings: Mapping[str, Any]) -> Iterator[Hit]:
    for path, name in surroundings.named_callbacks(subject):
        if path[1] != "callbacks":
            continue
        if name == "azure_content_safety" and not isinstance(settings.get("azure_content_safety_params"), dict):
            yield Hit("azure_content_safety needs azure_content_safety_params beside it", path)
        elif name == "lakera_prompt_injection" and subject.runs(until="1.77"):
            if surroundings.is_set(subject, "LAKERA_API_KEY") is False:
                yield Hit("lakera_prompt_injection needs LAKERA_API_KEY, which is not set", path)
        elif name == "aporia_prompt_injection" and surroundings.is_set(subject, "APORIO_API_KEY") is False:
            yield Hit("aporia_prompt_injection needs APORIO_API_KEY, which is not set", path)
        elif name == "websearch_interception" and settings.get("websearch_interception_params"):
            params = settings["websearch_interception_params"]
            if not isinstance(params, dict):
                yield Hit(f"websearch_interception_params must be a mapping, and is {kind_of(params)}", path)


def _cache(subject: Subject, settings: Mapping[str, Any]) -> Iterator[Hit]:
    params, kind = settings.get("cache_params"), surroundings.cache_type(subject)
    if not isinstance(params, dict) or kind is None:
        return
    base: Path = ("litellm_settings", "cache_params")
    nodes = params.get("redis_startup_nodes")
    if kind == "redis" and isinstance(nodes, list) and not all(isinstance(node, dict) for node in nodes):
        yield Hit("each of redis_startup_nodes must be a mapping with host and port", (*base, "redis_startup_nodes"))
    alone = params.get("sentinel_nodes") and not params.get("service_name")
    if kind == "redis" and alone and surroundings.is_set(subject, "REDIS_SERVICE_NAME") is False:
        yield Hit("sentinel_nodes need a service_name beside them", (*base, "sentinel_nodes"))
    if kind == "azure-blob":
        for key in ("azure_account_url", "azure_blob_container"):
            if shapes.resolved(subject, params.get(key)) is None:
                yield Hit(f"a cache of type azure-blob needs {key}", (*base, "type"))


def _sections(subject: Subject) -> Iterator[Hit]:
    data = subject.data
    assistants = data.get("assistant_settings")
    if assistants and not (isinstance(assistants, dict) and isinstance(assistants.get("litellm_params"), dict)):
        yield Hit("assistant_settings needs a mapping of litellm_params", ("assistant_settings",))
    vertex = data.get("default_vertex_config")
    if vertex is not None and not isinstance(vertex, dict):
        yield Hit(f"default_vertex_config must be a mapping, and is {kind_of(vertex)}", ("default_vertex_config",))
    own = data.get("callback_settings")
    if own and not isinstance(own, dict) and subject.runs(since="1.97") and any(surroundings.named_callbacks(subject)):
        yield Hit(f"callback_settings must be a mapping, and is {kind_of(own)}", ("callback_settings",))
    licensed = surroundings.has_licence(subject)
    if data.get("worker_registry") and "worker_registry" in subject.catalogue.sections and licensed is False:
        yield Hit("worker_registry needs a licence, and LITELLM_LICENSE is not set", ("worker_registry",))
