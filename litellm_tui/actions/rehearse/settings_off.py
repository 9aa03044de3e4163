"""The settings of a configuration that would do harm in a rehearsal, and what each is to be instead.

What each does at a start was read in `load_config` and `proxy_startup_event` of litellm/proxy/proxy_server.py, and in
litellm/router.py, of LiteLLM 1.77.7, 1.106.2 and 1.109.3. A setting that only takes part in the start stays, and so
does a value of a wrong type: what LiteLLM makes of it is what a rehearsal is to find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.actions.rehearse.changes import GONE, Change

# nothing listens there: the port of the discard protocol, which needs root
NOWHERE: Final = "http://127.0.0.1:9/"
# making one creates tables, collections, containers or files, or asks an embedding model with the first request
_CACHES_THAT_WRITE: Final = ("redis-semantic", "qdrant-semantic", "valkey-semantic", "azure-blob", "disk")
_OLLAMA: Final = ("ollama/", "ollama_chat/")


def settings_off(
    data: Mapping[str, Any], environment: Mapping[str, str], *, with_database: bool, namespace: str
) -> Iterator[Change]:
    """The changes of all but the callbacks, in the order in which they are told."""
    general = _section(data, "general_settings")
    if general.get("background_health_checks"):
        yield Change(
            ("general_settings", "background_health_checks"),
            False,
            "background health checks: each would be a billed request to every deployment",
        )
        if general.get("use_shared_health_check"):
            yield Change(("general_settings", "use_shared_health_check"), False)
    yield from _providers(data, environment)
    yield from _alerts(data, general)
    yield from _database(general, with_database)
    yield from _caches(data, general, namespace)
    yield from _mcp(data)


def has_redis_cache(data: Mapping[str, Any]) -> bool:
    """Whether the cache is Redis itself; LiteLLM then counts there too, in the same namespace."""
    settings = _section(data, "litellm_settings")
    params = settings.get("cache_params")
    kind = params.get("type", "redis") if isinstance(params, dict) else "redis"
    return settings.get("cache") is True and kind == "redis"


def _section(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _providers(data: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Change]:
    """What asks a provider, or starts one, without any request of a caller."""
    settings = _section(data, "litellm_settings")
    general = data.get("general_settings")
    if (isinstance(general, dict) or general is None) and isinstance(data.get("model_list"), list):
        # since 1.106 it asks openai-compatible deployments for their limits, at the start and every few minutes
        yield Change(
            ("general_settings", "disable_model_info_refresh"), True, "limits of models: no provider is asked for them"
        )
    if settings.get("check_provider_endpoint"):
        yield Change(
            ("litellm_settings", "check_provider_endpoint"),
            False,
            "check_provider_endpoint: /v1/models asks no provider",
        )
    tools = settings.get("mcp_semantic_tool_filter")
    if isinstance(tools, dict) and tools.get("enabled"):
        yield Change(
            ("litellm_settings", "mcp_semantic_tool_filter", "enabled"),
            False,
            "the semantic filter of MCP tools: it would ask its embedding model at the start",
        )
    entries = data.get("model_list")
    served = environment.get("OLLAMA_API_BASE") or "http://localhost:11434"
    said = "`ollama serve`: LiteLLM would start it for models of Ollama without api_base"
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        params = entry.get("litellm_params") if isinstance(entry, dict) else None
        if not isinstance(params, dict) or params.get("api_base") is not None:
            continue
        if isinstance(model := params.get("model"), str) and model.startswith(_OLLAMA):
            yield Change(("model_list", index, "litellm_params", "api_base"), served, said)
            said = ""


def _alerts(data: Mapping[str, Any], general: Mapping[str, Any]) -> Iterator[Change]:
    said = "alerting: nothing is sent to Slack, a webhook or by mail"
    if general.get("alerting") is not None:
        yield Change(("general_settings", "alerting"), GONE, said)
        said = ""
    if general.get("alert_to_webhook_url") is not None:
        yield Change(("general_settings", "alert_to_webhook_url"), GONE, said)
        said = ""
    if _section(data, "router_settings").get("alerting_config") is not None:
        yield Change(("router_settings", "alerting_config"), GONE, said)
    if general.get("tracing") is not None:
        yield Change(("general_settings", "tracing"), GONE, "tracing: no trace is kept or exported")


def _database(general: Mapping[str, Any], with_database: bool) -> Iterator[Change]:
    if with_database:
        yield Change(
            ("general_settings", "disable_spend_logs"), True, "spend logs: what is asked of it is not written into them"
        )
        for key in ("maximum_spend_logs_retention_period", "maximum_spend_logs_retention_interval"):
            if general.get(key) is not None:
                yield Change(("general_settings", key), GONE, f"{key}: no spend log is deleted")
        return
    if general.get("database_url") is not None:
        # what is said of it stands with the variables
        yield Change(("general_settings", "database_url"), GONE)
    if general.get("store_model_in_db"):
        yield Change(
            ("general_settings", "store_model_in_db"),
            False,
            "models that are kept in the database: they are not loaded",
        )


def _caches(data: Mapping[str, Any], general: Mapping[str, Any], namespace: str) -> Iterator[Change]:
    """Redis under a namespace of its own, and no cache that writes somewhere when it is made."""
    settings, router = _section(data, "litellm_settings"), _section(data, "router_settings")
    params = settings.get("cache_params")
    said = f"Redis: what is written there has the prefix {namespace}, and what it holds is not read"
    if has_redis_cache(data):
        if isinstance(params, dict) and params:
            yield Change(("litellm_settings", "cache_params", "namespace"), namespace, said)
        else:
            # without any other LiteLLM takes the server from REDIS_URL or REDIS_HOST in both cases
            yield Change(("litellm_settings", "cache_params"), {"type": "redis", "namespace": namespace}, said)
        said = ""
    elif settings.get("cache") is True and isinstance(params, dict) and params.get("type") in _CACHES_THAT_WRITE:
        yield Change(
            ("litellm_settings", "cache"),
            False,
            f"the cache ({params['type']}): it would write where it keeps its entries; whether it can be made is not "
            "rehearsed, and left to the audit, which looks for its package",
        )
    if router.get("redis_url") is not None or router.get("redis_host") is not None:
        given = router.get("cache_kwargs")
        if given is None or isinstance(given, dict):
            yield Change(("router_settings", "cache_kwargs"), {**(given or {}), "namespace": namespace}, said)
            said = ""
    if isinstance(general.get("coordination_redis"), dict):
        yield Change(("general_settings", "coordination_redis", "namespace"), namespace, said)


def _mcp(data: Mapping[str, Any]) -> Iterator[Change]:
    """Servers stay in the file, whose names and settings can end the start, but lead nowhere."""
    said = "MCP servers: none is started or asked, so that in its log none can be reached"
    for name, server in _section(data, "mcp_servers").items():
        if not isinstance(server, dict):
            continue
        path = ("mcp_servers", name)
        if server.get("transport") == "stdio" or (server.get("command") and server.get("transport") is None):
            yield Change((*path, "transport"), "http", said)
            yield Change((*path, "url"), NOWHERE)
            said = ""
        elif isinstance(server.get("url"), str):
            yield Change((*path, "url"), NOWHERE, said)
            said = ""
