"""Values that LiteLLM checks or calculates with at its start, in general_settings, router_settings and elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit import declared, shapes, surroundings
from litellm_tui.audit.router_values import refused_values
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.shapes import WORDS, Shape, fits, kind_of
from litellm_tui.audit.subject import UNKNOWN, Subject
from litellm_tui.model.edits import Path

_NESTED: Final[Mapping[str, tuple[str, ...]]] = {
    "default_internal_user_params": ("max_budget",),
}
_TARGETS: Final = ("host", "url", "startup_nodes", "sentinel_nodes")
_CLOCK: Final = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?")
_REDIS: Final = ("redis://", "rediss://", "unix://")
_IDENTITIES: Final = ("api_key_alias", "user_email", "both")
# generic_api_compatible_callbacks.json in integrations/generic_api of 1.106.2 and 1.109.3: where each sends to
_ENDPOINTS: Final[Mapping[str, str]] = {
    "sample_callback": "SAMPLE_CALLBACK_URL",
    "rubrik": "RUBRIK_WEBHOOK_URL",
    "sumologic": "SUMOLOGIC_WEBHOOK_URL",
    "qualifire_eval": "QUALIFIRE_WEBHOOK_URL",
}
_USAGE: Final = ("usage-based-routing", "usage-based-routing-v2")
_WITH_ARGUMENTS: Final = ("lar1", "usage-based-routing", "usage-based-routing-v2")
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
    for key, spec in declared.GENERAL.items():
        strict = isinstance(spec, str) and spec.endswith("!")
        if key not in general or key not in subject.catalogue.general or (general[key] is None and not strict):
            continue
        if key in ("alerting_args", "alert_to_webhook_url") and not general.get("alerting"):
            continue
        for where, text in declared.faults(subject, general[key], spec, ("general_settings", key)):
            yield Hit(f"{'.'.join(map(str, where[1:]))} {text}", where)
    yield from _special(subject, general)
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
        # budgets that are an empty list are gone through too
        if (value or (key == "provider_budget_config" and value == [])) and not isinstance(value, dict):
            yield Hit(f"{key} must be a mapping, and is {kind_of(value)}", ("router_settings", key))
    budgets = router.get("provider_budget_config")
    for provider, budget in budgets.items() if isinstance(budgets, dict) else ():
        path: Path = ("router_settings", "provider_budget_config", str(provider))
        if not isinstance(budget, dict):
            yield Hit(f"the budget of {provider!r} must be a mapping, and is {kind_of(budget)}", path)
            continue
        fields: Mapping[str, Shape] = {"budget_limit": "number", "time_period": "text"}
        for key, shape in fields.items():
            value = shapes.resolved(subject, budget.get(key))
            if value is not None and value is not UNKNOWN and not fits(value, shape):
                yield Hit(f"{key} of {provider!r} must be {WORDS[shape]}, and is {kind_of(value)}", (*path, key))
    if router.get("alerting_config") is not None and "alerting_config" in subject.catalogue.router:
        how = "take it out, and set general_settings.alerting"
        yield Hit("alerting_config can be given in Python only", ("router_settings", "alerting_config"), how)
    yield from _strategy(subject, router)
    yield from refused_values(subject, router)


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
    clock = shapes.resolved(subject, settings.get("budget_reset_time"))
    told = clock is not None and clock is not UNKNOWN
    wrong = told and not (isinstance(clock, str) and _CLOCK.fullmatch(clock.strip()))
    if wrong and "budget_reset_time" in subject.catalogue.litellm_special:
        yield Hit("budget_reset_time must be a time such as '12:00'", ("litellm_settings", "budget_reset_time"))
    yield from _words(subject, settings)
    yield from _blocks(subject, settings)
    aliases = settings.get("mcp_aliases")
    if aliases and not isinstance(aliases, dict) and subject.data.get("mcp_servers"):
        yield Hit(f"mcp_aliases must be a mapping, and is {kind_of(aliases)}", ("litellm_settings", "mcp_aliases"))
    yield from _callbacks(subject, settings)
    yield from _cache(subject, settings)
    yield from _sections(subject)


def _special(subject: Subject, general: Mapping[str, Any]) -> Iterator[Hit]:
    """What a kind alone does not say."""
    known = subject.catalogue.general
    size, path = shapes.resolved(subject, general.get("user_api_key_cache_max_size")), "user_api_key_cache_max_size"
    if path in known and fits(size, "whole") and float(size) <= 0:
        yield Hit(f"{path} must be above 0", ("general_settings", path))
    if general.get("mcp_advertised_versions") == [] and "mcp_advertised_versions" in known:
        yield Hit("mcp_advertised_versions is empty", ("general_settings", "mcp_advertised_versions"))
    redis = general.get("coordination_redis")
    url = shapes.resolved(subject, redis.get("url")) if isinstance(redis, dict) else None
    if isinstance(url, str) and not url.startswith(_REDIS) and "coordination_redis" in known:
        text = f"coordination_redis.url must begin with one of {', '.join(_REDIS)}"
        yield Hit(text, ("general_settings", "coordination_redis", "url"))
    capture = general.get("accounting_capture")
    if "accounting_capture" in known:
        if general.get("accounting_sync_ack") and capture is None:
            yield Hit("accounting_sync_ack wants accounting_capture", ("general_settings", "accounting_sync_ack"))
        if capture is not None and surroundings.has_database(subject) is False:
            yield Hit("accounting_capture wants a database", ("general_settings", "accounting_capture"))
    fields = general.get("spend_logs_metadata_fields")
    one = isinstance(fields, dict) and (fields.get("include") is None) != (fields.get("exclude") is None)
    if isinstance(fields, dict) and not one and "spend_logs_metadata_fields" in known:
        text = "spend_logs_metadata_fields must have one of include and exclude"
        yield Hit(text, ("general_settings", "spend_logs_metadata_fields"))


def _blocks(subject: Subject, settings: Mapping[str, Any]) -> Iterator[Hit]:
    """Mappings of litellm_settings that LiteLLM makes an object of, some of them for a callback that is asked for."""
    known = subject.catalogue.litellm_special
    callbacks = {name for path, name in surroundings.named_callbacks(subject) if path[1] == "callbacks"}
    for key, spec, callback in (
        ("upperbound_key_generate_params", declared.UPPERBOUND, ""),
        ("priority_reservation_settings", declared.PRIORITY, ""),
        ("prompt_injection_params", declared.INJECTION, "detect_prompt_injection"),
        ("websearch_interception_params", "mapping!", "websearch_interception"),
        ("compression_interception_params", "mapping!", "compression_interception"),
        ("code_interpreter_interception_params", "mapping!", "code_interpreter_interception"),
    ):
        value = settings.get(key)
        if key not in settings or (callback and callback not in callbacks) or key not in known:
            continue
        # that it must be a mapping at all is said by setting-refused
        if not callback and not isinstance(value, dict):
            continue
        if key == "prompt_injection_params" and value is None:
            continue
        for where, text in declared.faults(subject, value, spec, ("litellm_settings", key)):
            yield Hit(f"{'.'.join(map(str, where[1:]))} {text}", where)
    for key in ("_async_success_callback", "_async_failure_callback"):
        value = settings.get(key)
        if value is not None and not isinstance(value, list) and subject.runs("1.106", "1.106"):
            yield Hit(f"{key} is a list of LiteLLM's own, and no setting", ("litellm_settings", key))
    if settings.get("logging_callback_manager") is not None:
        text = "logging_callback_manager is an object of LiteLLM's own, and no setting"
        yield Hit(text, ("litellm_settings", "logging_callback_manager"))
    if settings.get("tag_budget_config") and surroundings.has_licence(subject) is False:
        text = "tag_budget_config needs a licence, and LITELLM_LICENSE is not set"
        yield Hit(text, ("litellm_settings", "tag_budget_config"))


def _words(subject: Subject, settings: Mapping[str, Any]) -> Iterator[Hit]:
    """Texts of litellm_settings that LiteLLM reads as a pattern, or as one of some words."""
    known = subject.catalogue.litellm_special
    pattern = shapes.resolved(subject, settings.get("key_alias_pattern"))
    path: Path = ("litellm_settings", "key_alias_pattern")
    if pattern is not None and pattern is not UNKNOWN and "key_alias_pattern" in known:
        if not isinstance(pattern, str):
            yield Hit(f"key_alias_pattern must be a text, and is {kind_of(pattern)}", path)
        elif shapes.fault_of_pattern(pattern):
            yield Hit("key_alias_pattern is no regular expression", path)
    key = "prometheus_deployment_and_latency_caller_identity"
    if key in settings and key in known:
        identity = shapes.resolved(subject, settings[key])
        if identity is not UNKNOWN and (not isinstance(identity, str) or identity not in _IDENTITIES):
            yield Hit(f"{key} must be one of {', '.join(_IDENTITIES)}", ("litellm_settings", key))


def _alerting(subject: Subject, general: Mapping[str, Any]) -> Iterator[Hit]:
    alerting = general.get("alerting")
    if alerting is not None and not isinstance(alerting, str | list | dict):
        yield Hit(f"alerting must be a list, and is {kind_of(alerting)}", ("general_settings", "alerting"))
    types = general.get("alert_types")
    if alerting and types and isinstance(types, bool | int | float):
        yield Hit(f"alert_types must be a list, and is {kind_of(types)}", ("general_settings", "alert_types"))
    configs = general.get("alert_type_config")
    if alerting and configs and not isinstance(configs, dict) and "alert_type_config" in subject.catalogue.general:
        path: Path = ("general_settings", "alert_type_config")
        yield Hit(f"alert_type_config must be a mapping, and is {kind_of(configs)}", path)
    values = general.get("alerting_args")
    for key, value in values.items() if alerting and isinstance(values, dict) else ():
        spec = declared.ALERTS.fields.get(str(key))
        early = key in declared.LATER_ALERTS and not subject.runs(since="1.106")
        for where, text in () if spec is None or early else declared.faults(subject, value, spec, (str(key),)):
            yield Hit(f"alerting_args.{key} {text}", ("general_settings", "alerting_args", *where))


def _endpoints(subject: Subject, general: Mapping[str, Any]) -> Iterator[Hit]:
    listed = general.get("pass_through_endpoints")
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(item, dict):
            continue
        path: Path = ("general_settings", "pass_through_endpoints", index)
        if item.get("headers") and not isinstance(item["headers"], dict):
            text = f"headers of a pass-through endpoint must be a mapping, and is {kind_of(item['headers'])}"
            yield Hit(text, (*path, "headers"))
        methods = item.get("methods")
        if isinstance(methods, bool | int | float) and methods and subject.runs(since="1.106"):
            yield Hit(
                f"methods of a pass-through endpoint must be a list, and is {kind_of(methods)}", (*path, "methods")
            )
        where = shapes.resolved(subject, item.get("path"))
        if where is not None and where is not UNKNOWN and not isinstance(where, str):
            yield Hit(f"path of a pass-through endpoint must be a text, and is {kind_of(where)}", (*path, "path"))


def _strategy(subject: Subject, router: Mapping[str, Any]) -> Iterator[Hit]:
    values, path = router.get("routing_strategy_args"), ("router_settings", "routing_strategy_args")
    strategy = router.get("routing_strategy")
    if strategy in _USAGE and isinstance(values, dict) and "ttl" in values:
        ttl = shapes.resolved(subject, values["ttl"])
        if ttl is not UNKNOWN and not fits(ttl, "whole"):
            yield Hit(f"routing_strategy_args.ttl must be a whole number, and is {kind_of(ttl)}", (*path, "ttl"))
    # an empty value stands for no arguments with lar1 alone
    empty = "routing_strategy_args" in router and values is None and strategy in (*_USAGE, _LATENCY)
    if empty or (strategy in _WITH_ARGUMENTS and values and not isinstance(values, dict)):
        yield Hit(f"routing_strategy_args must be a mapping, and is {kind_of(values)}", path)
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
    own = subject.section("callback_settings")
    for path, name in (*surroundings.named_callbacks(subject), *surroundings.default_callbacks(subject)):
        variable = _ENDPOINTS.get(name, "") if subject.runs(since="1.106") and path[1] != "service_callback" else ""
        unset = variable and surroundings.is_set(subject, variable, "GENERIC_LOGGER_ENDPOINT") is False
        if unset and not isinstance(own.get(name), dict):
            yield Hit(f"{name} needs {variable}, which is not set", path)
        if path[1] not in ("callbacks", "guardrails"):
            continue
        if name == "azure_content_safety" and not isinstance(settings.get("azure_content_safety_params"), dict):
            yield Hit("azure_content_safety needs azure_content_safety_params beside it", path)
        elif name == "lakera_prompt_injection" and subject.runs(until="1.77"):
            if surroundings.is_set(subject, "LAKERA_API_KEY") is False:
                yield Hit("lakera_prompt_injection needs LAKERA_API_KEY, which is not set", path)
        elif name == "aporia_prompt_injection" and surroundings.is_set(subject, "APORIO_API_KEY") is False:
            yield Hit("aporia_prompt_injection needs APORIO_API_KEY, which is not set", path)


def _cache(subject: Subject, settings: Mapping[str, Any]) -> Iterator[Hit]:
    params, kind = settings.get("cache_params"), surroundings.cache_type(subject)
    if not isinstance(params, dict) or kind is None:
        return
    base: Path = ("litellm_settings", "cache_params")
    nodes = params.get("redis_startup_nodes")
    if kind == "redis":
        yield from _nodes(subject, nodes, (*base, "redis_startup_nodes"))
    alone = params.get("sentinel_nodes") and not params.get("service_name")
    if kind == "redis" and alone and surroundings.is_set(subject, "REDIS_SERVICE_NAME") is False:
        yield Hit("sentinel_nodes need a service_name beside them", (*base, "sentinel_nodes"))
    named = shapes.resolved(subject, params.get("service_name"))
    single = not params.get("sentinel_nodes") and surroundings.is_set(subject, "REDIS_SENTINEL_NODES") is False
    told = "service_name" in params and named is not UNKNOWN
    if kind == "redis" and single and told and subject.runs(since="1.106"):
        yield Hit("service_name wants sentinel_nodes beside it", (*base, "service_name"))
    if kind == "redis" and "sentinel_nodes" in params and not params["sentinel_nodes"] and subject.runs(since="1.106"):
        yield Hit("sentinel_nodes is empty", (*base, "sentinel_nodes"))
    if kind == "azure-blob":
        for key in ("azure_account_url", "azure_blob_container"):
            if shapes.resolved(subject, params.get(key)) is None:
                yield Hit(f"a cache of type azure-blob needs {key}", (*base, "type"))


def _nodes(subject: Subject, listed: Any, path: Path) -> Iterator[Hit]:
    """Servers of a cluster: a list, or a text that is one in JSON (litellm/_redis.py, init_redis_cluster)."""
    nodes = shapes.resolved(subject, listed)
    if nodes is UNKNOWN or not nodes:
        return
    if isinstance(nodes, str):
        try:
            nodes = json.loads(nodes)
        except ValueError:
            yield Hit("redis_startup_nodes is a text that is no JSON", path, "write a list with `- host:` and `port:`")
            return
    if not isinstance(nodes, list):
        yield Hit(f"redis_startup_nodes must be a list, and is {kind_of(nodes)}", path)
        return
    for index, node in enumerate(nodes):
        lacking = [key for key in ("host", "port") if not isinstance(node, dict) or key not in node]
        if lacking:
            text = "each of redis_startup_nodes must be a mapping with host and port"
            where = (*path, index) if isinstance(listed, list) else path
            yield Hit(f"{text}: {lacking[0]} is missing" if isinstance(node, dict) else text, where)


def _sandboxes(tools: Any) -> Iterator[Hit]:
    if tools and isinstance(tools, bool | int | float):
        yield Hit(f"sandbox_tools must be a list, and is {kind_of(tools)}", ("sandbox_tools",))
    for index, item in enumerate(tools if isinstance(tools, list) else ()):
        if not isinstance(item, dict):
            continue
        path: Path = ("sandbox_tools", index)
        if isinstance(item.get("sandbox_tool_name"), list | dict):
            text = f"sandbox_tool_name must be a text, and is {kind_of(item['sandbox_tool_name'])}"
            yield Hit(text, (*path, "sandbox_tool_name"))
        params = item.get("litellm_params")
        if params and not isinstance(params, dict):
            yield Hit(
                f"litellm_params of a sandbox tool is {kind_of(params)}, not a mapping", (*path, "litellm_params")
            )


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
    if "sandbox_tools" in subject.catalogue.sections:
        yield from _sandboxes(data.get("sandbox_tools"))
    licensed = surroundings.has_licence(subject)
    if data.get("worker_registry") and "worker_registry" in subject.catalogue.sections and licensed is False:
        yield Hit("worker_registry needs a licence, and LITELLM_LICENSE is not set", ("worker_registry",))
