"""router_settings: keys that the router does not read, and values that mean something else than they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from litellm_tui.audit.names import effective_setting
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import UNKNOWN, Subject, reference
from litellm_tui.audit.unread import find_unread_keys
from litellm_tui.model.audit import Severity
from litellm_tui.model.edits import Edit, Insert, Move, Path, Remove, Rename, SetValue

_AT: Final = "router_settings"
# what the proxy gives to the router itself; before it kept these apart, a second value ended the start
_OF_THE_PROXY: Final = frozenset({"assistants_config", "router_general_settings", "ignore_invalid_deployments"})
# keys that end the start, and since when
_HEALTH: Final = {"health_check_interval": "1.81.3", "health_check_concurrency": "1.82"}
# advice that is passed around: why it does nothing; what to do
_ADVICE: Final[Mapping[str, str]] = {
    "context_window_fallback_dict": "it is an argument of litellm.completion(), not of the router; write "
    "context_window_fallbacks, a list: `- GROUP: [OTHER]`",
    "max_retries": "it is a parameter of a deployment; write num_retries here",
    "retries": "it is not read; write num_retries",
    "cooldown": "it is not read; write cooldown_time",
    "model_alias": "it is not read; write model_group_alias, a mapping: `ALIAS: GROUP`",
    "redis_db": "this version does not read it; write `cache_kwargs: {db: N}`",
    "redis_ssl": "it is not read; write `cache_kwargs: {ssl: true}`",
}


@rule(
    "unknown-router-key",
    "warning",
    "A key of router_settings that the router does not read",
    why="Only parameters of Router.__init__ are passed on. Others are ignored: with one warning in the log since "
    "1.81.3, and without a word before.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.77.7, 1.106.2)",
    fix="take it out, or write the key that was meant",
)
def unknown_router_key(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section(_AT)
    managed = dict.fromkeys(subject.catalogue.router_managed & settings.keys(), "it is the proxy's own; take it out")
    unknown = 0
    for hit in find_unread_keys(subject, "router", {**managed, **_ADVICE}):
        key = hit.path[1]
        # those end the start, and have rules of their own
        if key not in _HEALTH or not subject.runs(since=_HEALTH[str(key)]):
            unknown += 1
            if key == "context_window_fallback_dict":
                edits = _listed(settings, settings[key])
                said = edits and all(isinstance(edit, Remove) for edit in edits)
                do = "take it out: context_window_fallbacks, beside it, says all of it" if said else hit.do
                hit = msgspec.structs.replace(hit, edits=edits, do=do)
            yield hit
    for key in settings:
        if not isinstance(key, str):
            unknown += 1
            yield Hit(f"a key is a {type(key).__name__}, not the name of a setting", (_AT,))
    if settings and not unknown:
        yield Right(f"every key of router_settings is read ({len(settings)})", (_AT,))


def _listed(settings: Mapping[str, Any], value: Any) -> tuple[Edit, ...]:
    """`{group: other}` in the list of the router; nothing where that has other targets for one of the groups."""
    key = "context_window_fallbacks"
    pairs = value.items() if isinstance(value, dict) else ()
    chains = [{name: [other] if isinstance(other, str) else other} for name, other in pairs]
    plain = all(
        isinstance(name, str) and isinstance(others, list) and all(isinstance(other, str) for other in others)
        for chain in chains
        for name, others in chain.items()
    )
    if not chains or not plain:
        return ()
    gone = Remove((_AT, "context_window_fallback_dict"))
    if key not in settings:
        return Insert((_AT, key), chains), gone
    there = settings[key]
    if not isinstance(there, list) or not all(isinstance(chain, dict) for chain in there):
        return ()
    missing = [chain for chain in chains if chain not in there]
    taken = {name for chain in there for name in chain}
    if any(name in taken for chain in missing for name in chain):
        return ()
    return *(Insert((_AT, key, len(there) + i), chain) for i, chain in enumerate(missing)), gone


@rule(
    "router-key-given-twice",
    "fatal",
    "A key of router_settings that the proxy sets itself",
    why="The proxy gives this parameter to the router too, and Python ends the start: `got multiple values for keyword "
    "argument`. Later versions ignore the key.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.77.7)",
    fix="take it out",
    until="1.100",
)
def router_key_given_twice(subject: Subject) -> Iterator[Hit | Right]:
    for key in subject.section(_AT):
        if key in _OF_THE_PROXY and key in subject.catalogue.router:
            yield Hit(f"{key!r} cannot be set here", (_AT, key), edits=(Remove((_AT, key)),))


@rule(
    "health-checks-in-router-settings",
    "fatal",
    "Settings of the health checks in router_settings",
    why="LiteLLM ends with `is NOT a valid router_settings parameter`. Older versions ignore these keys.",
    source="litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.106.2)",
    fix="move it to general_settings",
    since="1.81.3",
)
def health_checks_in_router_settings(subject: Subject) -> Iterator[Hit | Right]:
    for key in subject.section(_AT):
        if key in _HEALTH and subject.runs(since=_HEALTH[key]) and key not in subject.catalogue.router:
            there = key in subject.section("general_settings")
            edit: Edit = Remove((_AT, key)) if there else Move((_AT, key), ("general_settings", key))
            yield Hit(
                f"{key!r} belongs to general_settings",
                (_AT, key),
                edits=(edit,),
                decision="general_settings has its own: whether this one can go" if there else "",
            )


@rule(
    "unknown-routing-strategy",
    "error",
    "A routing strategy that LiteLLM does not know",
    why="Since 1.80.12 LiteLLM ends with `Invalid routing_strategy`; before, it starts, and answers every request with "
    "429 `No deployments available`. So it does, in all versions, with `provider-budget-routing` and an empty value.",
    source="litellm/router.py, Router.routing_strategy_init and Router.get_available_deployment (1.77.7, 1.106.2)",
    fix="use simple-shuffle, which is also what is used without the key",
)
def unknown_routing_strategy(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section(_AT)
    path: Path = (_AT, "routing_strategy")
    if "routing_strategy" not in settings:
        return
    value = subject.resolve(settings["routing_strategy"])
    if value is UNKNOWN:
        return
    if value is None:
        yield Hit("routing_strategy is empty", path, do="take it out", edits=(Remove(path),))
    elif value == "provider-budget-routing":
        yield Hit(
            f"{value!r} is no strategy to route by: the budgets of provider_budget_config hold with any other",
            path,
            edits=(SetValue(path, "simple-shuffle"),),
            decision="which strategy is to be used",
        )
    elif not isinstance(value, str) or value not in subject.catalogue.strategies:
        shown = repr(value) if isinstance(value, str) else f"a {type(value).__name__}"
        near = subject.catalogue.close("strategies", value) if isinstance(value, str) else ()
        span = subject.spans.words("strategies", value) if isinstance(value, str) else ""
        yield Hit(
            f"routing_strategy is {shown}" + (f": known {span}" if span else f": {near[0]}?" if near else ""),
            path,
            edits=(SetValue(path, near[0] if near else "simple-shuffle"),),
            decision="" if len(near) == 1 else "which strategy is to be used",
            severity="fatal" if subject.runs(since="1.80.12") else None,
        )


@rule(
    "usage-based-routing",
    "advice",
    "A routing strategy that costs time with every request",
    why="Usage-based routing counts tokens and requests of every deployment, in Redis where there is one; LiteLLM's "
    "production guide advises against it.",
    source="docs.litellm.ai/docs/proxy/prod",
    fix="use simple-shuffle; it keeps to `rpm`, `tpm` and `weight` of the deployments",
)
def usage_based_routing(subject: Subject) -> Iterator[Hit | Right]:
    value = subject.section(_AT).get("routing_strategy")
    path = (_AT, "routing_strategy")
    if isinstance(value, str) and value in ("usage-based-routing", "usage-based-routing-v2"):
        edits = (SetValue(path, "simple-shuffle"),)
        yield Hit(f"routing_strategy is {value!r}", path, edits=edits, decision="which strategy is to be used")
    elif value == "simple-shuffle":
        yield Right("routing by simple-shuffle, which LiteLLM advises for production", path)


@rule(
    "number-as-text",
    "error",
    "A number of the router that is a text",
    why="LiteLLM compares it with numbers, and Python refuses: a request that would be tried again or passed on fails "
    "instead. A value from the environment (os.environ/NAME) is always a text. What router_settings does not set, the "
    "router takes from litellm_settings.",
    source="litellm/router.py, Router.async_function_with_retries; "
    "litellm/router_utils/fallback_event_handlers.py, run_async_fallback (1.77.7, 1.106.2)",
    fix="write the number itself, without quotes",
)
def number_as_text(subject: Subject) -> Iterator[Hit | Right]:
    for key in ("num_retries", "max_fallbacks", "retry_after"):
        section, value = (_AT, subject.section(_AT).get(key))
        if key != "retry_after":
            section, value = effective_setting(subject, key, falsy=True)
        if not isinstance(value, str) or subject.resolve(value) is None:
            continue
        path = (section, key)
        if reference(value) is not None:
            yield Hit(f"{key} comes from the environment, as a text", path)
        else:
            number = int(value) if value.isascii() and value.isdigit() and len(value) < 9 else None
            edits = (SetValue(path, number),) if number is not None else ()
            yield Hit(f"{key} is a text", path, edits=edits)


@rule(
    "zero-means-default",
    "warning",
    "A zero that LiteLLM takes for `not set`",
    why="`cooldown_time: 0` becomes 5 s, `timeout: 0` the request_timeout (6000 s where that is not set either), and "
    "`stream_timeout: 0` the timeout of other requests. In a deployment both give way to the router's.",
    source="litellm/router.py, Router.__init__, _get_stream_timeout and _get_non_stream_timeout (1.77.7, 1.106.2)",
    fix="take it out, or give a number above zero",
)
def zero_means_default(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section(_AT)
    for entry in subject.entries:
        for key in ("timeout", "stream_timeout"):
            if _is_zero(entry.params.get(key)):
                text = f"{key}: 0 of {entry.name[:40]!r} means the router's {key}"
                yield Hit(text, entry.at(key), edits=(Remove(entry.at(key)),), decision="how long to wait")
    for key in ("cooldown_time", "timeout", "stream_timeout"):
        if not _is_zero(settings.get(key)):
            continue
        path = (_AT, key)
        if key == "cooldown_time":
            edits: tuple[Edit, ...] = (Remove(path),)
            if "disable_cooldowns" not in settings:
                edits = (Insert((_AT, "disable_cooldowns"), True), Remove(path))
            yield Hit(
                "cooldown_time: 0 means 5 seconds",
                path,
                do="for no cooldown at all write `disable_cooldowns: true`",
                edits=edits,
                decision="whether failing deployments are to be asked on",
            )
        else:
            what = "the timeout of other requests" if key == "stream_timeout" else "request_timeout"
            yield Hit(f"{key}: 0 means {what}", path, edits=(Remove(path),), decision="how long to wait")


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == 0


@rule(
    "unknown-policy-field",
    "warning",
    "A field of a retry or allowed-fails policy that does not exist",
    why="Fields that the policy does not have are dropped without a word.",
    source="litellm/types/router.py, RetryPolicy and AllowedFailsPolicy (1.77.7, 1.106.2)",
    fix="take it out, or write the field that was meant",
)
def unknown_policy_field(subject: Subject) -> Iterator[Hit | Right]:
    for path, policy in _policies(subject):
        if not isinstance(policy, dict):
            continue
        kind = _kind(path)
        for key in policy:
            if not isinstance(key, str) or key in subject.catalogue.keys(kind):
                continue
            near = [name for name in subject.catalogue.close(kind, key) if name not in policy]
            span = subject.spans.words(kind, key)
            hint = f": known {span}" if span else f": did you mean {' or '.join(near)}?" if near else ""
            edits = (Rename((*path, key), near[0]),) if len(near) == 1 and not span else ()
            yield Hit(f"{key!r} is no field of {path[1]}{hint}", (*path, key), edits=edits)


@rule(
    "policy-shape",
    "fatal",
    "A retry or allowed-fails policy that is no mapping of numbers",
    why="LiteLLM builds the policy while it starts, and ends when a value is not a whole number.",
    source="litellm/router.py, Router.__init__ (1.77.7, 1.106.2)",
    fix="write it as a mapping: `RateLimitErrorRetries: 3`",
)
def policy_shape(subject: Subject) -> Iterator[Hit | Right]:
    for path, policy in _policies(subject):
        if path[1] == "model_group_retry_policy" or policy is None:
            continue
        if not isinstance(policy, dict):
            # since then it is taken for none
            severity: Severity | None = "warning" if subject.runs(since="1.81.11") else None
            yield Hit(f"{path[1]} is a {type(policy).__name__}", path, severity=severity)
            continue
        for key, value in policy.items():
            if key in subject.catalogue.keys(_kind(path)) and not _whole(subject.resolve(value)):
                yield Hit(f"{key} is not a whole number", (*path, key), do="write a whole number")


def _policies(subject: Subject) -> Iterator[tuple[Path, Any]]:
    settings = subject.section(_AT)
    for key in ("retry_policy", "allowed_fails_policy"):
        if key in settings:
            yield (_AT, key), settings[key]
    groups = settings.get("model_group_retry_policy")
    for group, policy in groups.items() if isinstance(groups, dict) else ():
        if isinstance(group, str):
            yield (_AT, "model_group_retry_policy", group), policy


def _kind(path: Path) -> Any:
    return "allowed_fails_policy" if path[1] == "allowed_fails_policy" else "retry_policy"


def _whole(value: Any) -> bool:
    """Whether pydantic makes a whole number of it; what is not known is taken for one."""
    if value is UNKNOWN or value is None or isinstance(value, int):
        return True
    if isinstance(value, float):
        return value.is_integer()
    if not isinstance(value, str):
        return False
    digits = value.strip().removeprefix("-").removeprefix("+")
    return digits.removesuffix(".0").replace("_", "").isdigit()


@rule(
    "half-a-redis",
    "warning",
    "The router's Redis lacks its host or its port",
    why="Without both (or redis_url) the router keeps cooldowns and usage in its own memory, and says nothing: several "
    "workers or instances then do not know of each other's.",
    source="litellm/router.py, Router.__init__ (1.77.7, 1.106.2)",
    fix="set redis_host and redis_port",
)
def half_a_redis(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section(_AT)
    host, port, url = (subject.resolve(settings.get(f"redis_{key}")) for key in ("host", "port", "url"))
    if url is not None or (host is None) == (port is None) or _proxy_has_redis(subject):
        return
    key, other = ("redis_host", "redis_port") if port is None else ("redis_port", "redis_host")
    name = reference(settings.get(other))
    why = f"{name} is not set" if name else f"{other} is missing"
    edits = (Insert((_AT, other), 6379),) if other == "redis_port" and not name else ()
    yield Hit(f"{key} alone has no effect: {why}", (_AT, key), edits=edits, decision="the port" if edits else "")


def _proxy_has_redis(subject: Subject) -> bool:
    """Whether the proxy's own cache is in Redis: a router without one then shares it."""
    section = subject.section("litellm_settings")
    params = section.get("cache_params")
    kind = params.get("type", "redis") if isinstance(params, dict) else "redis"
    return bool(section.get("cache")) and kind == "redis"


@rule(
    "router-redis-url",
    "advice",
    "The router's Redis by redis_url",
    why="LiteLLM's production guide measured 80 requests a second less by redis_url than by host, port and password.",
    source="docs.litellm.ai/docs/proxy/prod",
    fix="set redis_host, redis_port and redis_password instead",
)
def router_redis_url(subject: Subject) -> Iterator[Hit | Right]:
    if subject.section(_AT).get("redis_url"):
        yield Hit("router_settings has redis_url", (_AT, "redis_url"))


@rule(
    "router-redis-db",
    "advice",
    "The router's redis_db is deprecated",
    why="LiteLLM warns at each start that redis_db will go.",
    source="litellm/router.py, Router.__init__ (1.106.2)",
    fix="write `cache_kwargs: {db: N}`",
    since="1.81.7",
)
def router_redis_db(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section(_AT)
    used = settings.get("redis_url") or (settings.get("redis_host") and settings.get("redis_port"))
    if used and settings.get("redis_db") is not None and "redis_db" in subject.catalogue.router:
        kwargs = settings.get("cache_kwargs")
        free = kwargs is None or (isinstance(kwargs, dict) and "db" not in kwargs)
        edits = (
            (Move((_AT, "redis_db"), (_AT, "cache_kwargs", "db")),) if free and "cache_kwargs" not in settings else ()
        )
        yield Hit("router_settings has redis_db", (_AT, "redis_db"), edits=edits)
