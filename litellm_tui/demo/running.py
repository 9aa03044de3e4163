"""What the simulated proxy makes of its configuration file at a start: a router, or the error it dies with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

# the arguments of Router.__init__ in 1.106.2 that may stand in router_settings
_ROUTER_ARGUMENTS = frozenset(
    [
        "alerting_config",
        "allowed_fails",
        "allowed_fails_policy",
        "background_health_check_model_groups",
        "cache_kwargs",
        "cache_responses",
        "caching_groups",
        "client_ttl",
        "content_policy_fallbacks",
        "context_window_fallbacks",
        "cooldown_time",
        "debug_level",
        "default_fallbacks",
        "default_litellm_params",
        "default_max_parallel_requests",
        "default_priority",
        "deployment_affinity_ttl_seconds",
        "disable_cooldowns",
        "enable_health_check_routing",
        "enable_pre_call_checks",
        "enable_tag_filtering",
        "enable_weighted_failover",
        "fallbacks",
        "guardrail_list",
        "health_check_ignore_transient_errors",
        "health_check_staleness_threshold",
        "max_fallbacks",
        "model_group_affinity_config",
        "model_group_alias",
        "model_group_retry_policy",
        "num_retries",
        "optional_pre_call_checks",
        "plugins",
        "polling_interval",
        "provider_budget_config",
        "redis_db",
        "redis_host",
        "redis_password",
        "redis_port",
        "redis_url",
        "retry_after",
        "retry_policy",
        "routing_groups",
        "routing_strategy",
        "routing_strategy_args",
        "set_verbose",
        "stream_timeout",
        "tag_filtering_match_any",
        "tag_routing_prefix",
        "timeout",
    ]
)
_STRATEGIES = frozenset(
    [
        "simple-shuffle",
        "lar1",
        "least-busy",
        "latency-based-routing",
        "cost-based-routing",
        "usage-based-routing-v2",
        "usage-based-routing",
        "provider-budget-routing",
    ]
)


class StartError(Exception):
    """Why the proxy cannot start. `kind` says where it dies, which decides how the log shows it.

    `parse`: reading the file, before logging is set up (exit status 1); `startup`: building the router (3);
    `key`: the master key check (3).
    """

    def __init__(self, kind: Literal["parse", "startup", "key"], name: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.name = name
        self.text = text

    @property
    def status(self) -> int:
        """The exit status of the process."""
        return 1 if self.kind == "parse" else 3


@dataclass(frozen=True)
class Deployment:
    """One deployment of the running router. `id` is derived from its parameters, as LiteLLM derives it."""

    id: str
    group: str
    model: str
    params: Mapping[str, Any]
    info: Mapping[str, Any]

    @property
    def provider(self) -> str:
        """The part of `model` before the first slash."""
        return self.model.partition("/")[0]

    @property
    def upstream(self) -> str:
        """The part of `model` after the provider."""
        return self.model.partition("/")[2] or self.model

    @property
    def api_base(self) -> str | None:
        """Where it is served, None for a provider's own address."""
        value = self.params.get("api_base")
        return None if value is None else str(value)

    @property
    def weight(self) -> int:
        """What simple-shuffle weighs it by."""
        return max(1, int(self.params.get("rpm") or 100))

    @property
    def is_weighed(self) -> bool:
        """Whether the router weighs it against the others of its group."""
        return any(self.params.get(name) for name in ("weight", "rpm", "tpm"))


@dataclass(frozen=True)
class Running:
    """A configuration as the running proxy holds it."""

    deployments: tuple[Deployment, ...]
    router: Mapping[str, Any]
    general: Mapping[str, Any]
    settings: Mapping[str, Any]
    ignored: tuple[str, ...] = ()
    content_policy_fallbacks: tuple[Mapping[str, list[str]], ...] = ()
    master_key: str = field(default="", repr=False)

    @property
    def groups(self) -> list[str]:
        """The model groups, each once, in the order of the file."""
        return list(dict.fromkeys(deployment.group for deployment in self.deployments))

    @property
    def aliases(self) -> dict[str, str]:
        """Aliases that resolve: one that maps to anything but a group is dropped, as the router drops it."""
        named = self.router["model_group_alias"] or {}
        return {name: target for name, target in named.items() if target in self.groups}

    def members(self, group: str) -> list[Deployment]:
        """The deployments of a group, of an alias, or the one with this id."""
        group = self.aliases.get(group, group)
        return [entry for entry in self.deployments if group in (entry.group, entry.id)]

    def fallbacks_of(self, group: str) -> list[str]:
        """Where a request of this group goes next: its own list, else the default one."""
        chains: dict[str, list[str]] = {}
        for item in self.router["fallbacks"] or ():
            chains |= {str(name): list(targets) for name, targets in item.items()}
        return chains.get(group, chains.get("*", []))


def load(path: Path, environment: Mapping[str, str]) -> Running:
    """Read the file the way LiteLLM does at a start. Raises `StartError` for what it would die of."""
    data = _read(path)
    try:
        return _built(data, path, environment)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise StartError("startup", type(error).__name__, str(error)) from error


def _built(data: Mapping[str, Any], path: Path, environment: Mapping[str, str]) -> Running:
    general = _mapping(data, "general_settings")
    settings = _mapping(data, "litellm_settings")
    deployments = tuple(_deployments(data.get("model_list"), environment))
    given = data.get("router_settings")
    given = given if isinstance(given, dict) else {}
    router = _router(given, settings)
    named = general.get("master_key")
    key = environment.get("LITELLM_MASTER_KEY") if named is None else _resolved(named, environment)
    if not key or key == "sk-1234":
        raise StartError("key", "UnsafeMasterKeyError", path.name)
    made = Running(
        deployments=deployments,
        router=router,
        general=general,
        settings=settings,
        ignored=tuple(str(name) for name in given if name not in _ROUTER_ARGUMENTS),
        content_policy_fallbacks=tuple(given.get("content_policy_fallbacks") or ()),
        master_key=str(key),
    )
    # whatever a value of the wrong type would break later breaks the start: no request may end the story
    made.fallbacks_of("")
    int(made.router["num_retries"])
    int((settings.get("cache_params") or {}).get("port") or 0)
    sum(deployment.weight for deployment in deployments)
    return made


def _read(path: Path) -> dict[str, Any]:
    try:
        # a stream, not a string: PyYAML then names the file in its error, as it does for LiteLLM
        with path.open(encoding="utf-8") as stream:
            data = yaml.safe_load(stream)
    except yaml.YAMLError as error:
        kind = type(error)
        raise StartError("parse", f"{kind.__module__}.{kind.__qualname__}", str(error)) from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise StartError("parse", type(error).__name__, str(error)) from error
    if not data:
        raise StartError("parse", "Exception", "Config cannot be None or Empty.")
    if not isinstance(data, dict):
        raise StartError("parse", "AttributeError", f"'{type(data).__name__}' object has no attribute 'get'")
    return data


def _mapping(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name) or {}
    if not isinstance(value, dict):
        wanted = "items" if name == "litellm_settings" else "get"
        raise StartError("startup", "AttributeError", f"'{type(value).__name__}' object has no attribute '{wanted}'")
    return value


def _deployments(entries: Any, environment: Mapping[str, str]) -> Iterable[Deployment]:
    if entries is None:
        return
    if not isinstance(entries, list):
        raise StartError("startup", "AttributeError", "'str' object has no attribute 'get'")
    for entry in entries:
        for name in ("litellm_params", "model_name"):
            if not isinstance(entry, dict) or entry.get(name) is None:
                raise StartError("startup", "KeyError", f"'{name}'")
        given = entry["litellm_params"]
        if not isinstance(given, dict) or "model" not in given:
            raise StartError("startup", "KeyError", "'model'")
        params = {name: _resolved(value, environment) for name, value in given.items()}
        if params["model"] is None:
            raise StartError("startup", "TypeError", "argument of type 'NoneType' is not iterable")
        # without the key, which is another one in every simulation: the same story has the same ids
        public = {name: value for name, value in params.items() if name != "api_key"}
        identity = json.dumps([entry["model_name"], public], sort_keys=True, default=str)
        yield Deployment(
            id=hashlib.sha256(identity.encode()).hexdigest(),
            group=str(entry["model_name"]),
            model=str(params["model"]),
            params={name: value for name, value in public.items() if name != "model"},
            info=dict(entry.get("model_info") or {}),
        )


def _router(given: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """`router_settings` as GET /get/config/callbacks shows them: default fallbacks appear under `*`."""
    strategy = given.get("routing_strategy", "simple-shuffle")
    if strategy not in _STRATEGIES:
        raise StartError("startup", "ValueError", f"'{strategy}' is not a valid RoutingStrategy")
    fallbacks = given.get("fallbacks") or settings.get("fallbacks") or []
    for item in fallbacks:
        if not isinstance(item, dict):
            raise StartError("startup", "ValueError", f"Item '{item}' is not a dictionary.")
        if len(item) != 1:
            raise StartError(
                "startup", "ValueError", f"Dictionary '{item}' must have exactly one key, but has {len(item)} keys."
            )
    default = given.get("default_fallbacks") or settings.get("default_fallbacks")
    if default:
        fallbacks = [*fallbacks, {"*": default}]
    alias = given.get("model_group_alias") or {}
    if not isinstance(alias, dict):
        raise StartError("startup", "AttributeError", f"'{type(alias).__name__}' object has no attribute 'items'")
    return {
        "routing_strategy_args": given.get("routing_strategy_args") or {},
        "routing_strategy": strategy,
        "allowed_fails": given.get("allowed_fails", settings.get("allowed_fails", 3)),
        "cooldown_time": given.get("cooldown_time") or 5,
        "num_retries": given.get("num_retries", settings.get("num_retries", 2)),
        "timeout": given.get("timeout") or settings.get("request_timeout") or 6000,
        "retry_after": given.get("retry_after", 0),
        "fallbacks": fallbacks,
        "context_window_fallbacks": given.get("context_window_fallbacks") or settings.get("context_window_fallbacks"),
        "model_group_retry_policy": given.get("model_group_retry_policy") or {},
        "retry_policy": given.get("retry_policy"),
        "model_group_alias": alias,
        "enable_weighted_failover": bool(given.get("enable_weighted_failover", False)),
        "enable_tag_filtering": bool(given.get("enable_tag_filtering", False)),
        "tag_routing_prefix": given.get("tag_routing_prefix", ""),
        "routing_groups": given.get("routing_groups") or [],
    }


def _resolved(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith("os.environ/"):
        return environment.get(value.removeprefix("os.environ/"))
    return value
