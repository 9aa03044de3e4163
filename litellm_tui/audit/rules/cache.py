"""The response cache: switched on in a way that fails, without an address, or keeping less than is thought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from litellm_tui.audit import surroundings
from litellm_tui.audit.rule import Hit, Right, rule
from litellm_tui.audit.subject import UNKNOWN, Subject, reference
from litellm_tui.model.edits import Edit, Insert, Rename, SetValue

_CACHE: Final = ("litellm_settings", "cache")
_PARAMS: Final = ("litellm_settings", "cache_params")
_LOAD: Final = "litellm/proxy/proxy_server.py, ProxyConfig.load_config (1.106.2)"
_MADE: Final = "litellm/caching/caching.py, Cache.__init__ (1.106.2)"
_ADDRESS: Final = ("host", "url", "redis_startup_nodes", "startup_nodes", "sentinel_nodes")
_VARIABLES: Final = ("REDIS_HOST", "REDIS_URL", "REDIS_CLUSTER_NODES", "REDIS_SENTINEL_NODES")
_MEANT: Final = {"redis_host": "host", "redis_port": "port", "redis_password": "password", "redis_url": "url"}
_REACHABLE: Final = "whether that cache is reachable: LiteLLM starts only then"
_LOCAL: Final = ("in-memory", "in_memory", "inmemory", "memory", "ram")
_NEEDED: Final = {
    "redis-semantic": ("similarity_threshold",),
    "valkey-semantic": ("similarity_threshold",),
    "qdrant-semantic": ("qdrant_collection_name", "similarity_threshold"),
}


def _params(subject: Subject) -> Mapping[str, Any]:
    """The parameters of a cache that is switched on; empty otherwise."""
    settings = subject.section("litellm_settings")
    params = settings.get("cache_params")
    return params if settings.get("cache") is True and isinstance(params, dict) else {}


@rule(
    "cache-not-a-switch",
    "error",
    "The cache's switch is neither true nor false",
    why="Any other value becomes the cache itself, and every request then fails because it cannot be used as one.",
    source=_LOAD,
    fix="write `cache: true` and put what describes the cache under cache_params",
)
def cache_not_a_switch(subject: Subject) -> Iterator[Hit | Right]:
    value = subject.section("litellm_settings").get("cache")
    if value is None or isinstance(value, bool) or reference(value) is not None:
        return
    word = value.strip().lower() if isinstance(value, str) else ""
    edits: tuple[Edit, ...] = ()
    decision = "what kind of cache is wanted"
    if word in ("false", "off", "no"):
        edits, decision = (SetValue(_CACHE, False),), ""
    elif word in ("true", "on", "yes"):
        kept = subject.section("litellm_settings").get("cache_params")
        local = isinstance(kept, dict) and kept.get("type") == "local"
        edits, decision = (
            (SetValue(_CACHE, True),),
            "" if local else _REACHABLE,
        )
    elif isinstance(value, dict) and "cache_params" not in subject.section("litellm_settings"):
        edits, decision = (
            (Rename(_CACHE, "cache_params"),),
            "whether a cache is wanted: it needs `cache: true` beside it",
        )
    yield Hit(f"cache is {_kind(value)}, so every request fails", _CACHE, edits=edits, decision=decision)


@rule(
    "cache-params-idle",
    "warning",
    "Parameters of a cache that is off",
    why="cache_params are looked at only when `cache: true` stands beside them.",
    source=_LOAD,
    fix="add `cache: true`, or take the parameters out",
)
def cache_params_idle(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section("litellm_settings")
    if settings.get("cache_params") and settings.get("cache") is None:
        yield Hit("cache_params are set, but the cache is not switched on", _PARAMS)


@rule(
    "cache-params-no-mapping",
    "fatal",
    "cache_params is not a mapping",
    why="LiteLLM copies the parameters into a mapping of its own at the start, and ends when that fails.",
    source=_LOAD,
    fix="write the parameters as `key: value` lines below cache_params, or take the key out",
)
def cache_params_no_mapping(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section("litellm_settings")
    if settings.get("cache") is True and "cache_params" in settings:
        params = settings["cache_params"]
        if not isinstance(params, dict) and params not in ("", []) and reference(params) is None:
            yield Hit(f"cache_params is {_kind(params)}", _PARAMS)


@rule(
    "cache-without-address",
    "fatal",
    "A Redis cache without an address",
    why="Without cache_params, or with `type: redis`, LiteLLM ends when nothing tells it where Redis is.",
    source="litellm/_redis.py, _get_redis_client_logic (1.106.2)",
    fix="set cache_params.host and port (or url), or `type: local` for a cache in the process's own memory",
)
def cache_without_address(subject: Subject) -> Iterator[Hit | Right]:
    settings = subject.section("litellm_settings")
    if surroundings.cache_type(subject) != "redis" or surroundings.is_set(subject, *_VARIABLES) is not False:
        return
    params = _params(subject)
    given = {key: surroundings.resolve(subject, params.get(key)) for key in _ADDRESS}
    # no node at all is as good as no key
    if given["redis_startup_nodes"] in ([], "", {}):
        del given["redis_startup_nodes"]
    if any(value is not None for value in given.values()):
        return
    unset = [str(reference(params[key])) for key in _ADDRESS if reference(params.get(key))]
    path = _PARAMS if "cache_params" in settings else _CACHE
    for wrong, right in _MEANT.items():
        if wrong in params and right in _ADDRESS:
            there = (*_PARAMS, wrong)
            yield Hit(
                f"the address is read from {right}, not {wrong}", there, f"write {right}", (Rename(there, right),)
            )
            return
    yield Hit(f"the address comes from {unset[0]}, which is not set" if unset else "nothing says where Redis is", path)


@rule(
    "cache-type-missing",
    "warning",
    "An address for a cache that stays in memory",
    why="The type is redis only while cache_params are empty. With parameters, but no type among them, it is local.",
    source=_MADE,
    fix="add `type: redis` to cache_params",
)
def cache_type_missing(subject: Subject) -> Iterator[Hit | Right]:
    params = _params(subject)
    if params and "type" not in params and (given := [key for key in (*_ADDRESS, "port", *_MEANT) if key in params]):
        path = (*_PARAMS, given[0])
        text = f"cache_params has {given[0]} but no type, so the cache is in memory and Redis is not used"
        yield Hit(text, path, edits=(Insert((*_PARAMS, "type"), "redis"),), decision=_REACHABLE)


@rule(
    "unknown-cache-type",
    "fatal",
    "A kind of cache that LiteLLM does not have",
    why="LiteLLM makes no cache for a type it does not know, and ends when it then looks at it.",
    source=_MADE,
    fix="write one of the types that LiteLLM has",
)
def unknown_cache_type(subject: Subject) -> Iterator[Hit | Right]:
    params = _params(subject)
    if "type" not in params:
        return
    value, types = surroundings.resolve(subject, params["type"]), subject.catalogue.cache_types
    if value is UNKNOWN or not types or (isinstance(value, str) and value in types):
        return
    word = value.lower() if isinstance(value, str) else ""
    near = ("local",) if word in _LOCAL else (word,) if word in types else subject.catalogue.close("cache_types", word)
    path = (*_PARAMS, "type")
    edits = (SetValue(path, near[0]),) if len(near) == 1 else ()
    meant = f": did you mean {near[0]}?" if edits else f"; there are {', '.join(sorted(types))}"
    yield Hit(
        f"{value!r} is no type of cache{meant}" if isinstance(value, str | None) else f"the type is {_kind(value)}",
        path,
        f"write {near[0]}" if edits else "",
        edits,
        "" if near == ("local",) else _REACHABLE,
    )


@rule(
    "unknown-cache-param",
    "warning",
    "A parameter that the cache does not take",
    why="What Cache does not know goes on to the Redis or S3 client, which ends the start; other caches ignore it.",
    source=_MADE,
    fix="take it out, or write the parameter that is meant",
)
def unknown_cache_param(subject: Subject) -> Iterator[Hit | Right]:
    params, kind = _params(subject), surroundings.cache_type(subject)
    known = subject.catalogue.cache_params | subject.catalogue.redis_params
    if kind is None or not known or kind not in subject.catalogue.cache_types or kind.endswith("-semantic"):
        return
    strict = kind == "s3" or (kind == "redis" and _plain(subject, params))
    for key in params:
        if not isinstance(key, str) or (key in known and key not in _MEANT):
            continue
        path, meant = (*_PARAMS, key), _MEANT.get(key, "") if kind == "redis" else ""
        edits = (Rename(path, meant),) if meant and meant not in params else ()
        refuses = strict and key not in _MEANT
        yield Hit(
            f"cache_params.{key} is not known to {kind}" + (": LiteLLM does not start" if refuses else ""),
            path,
            f"write {meant}" if edits else "",
            edits,
            severity="fatal" if refuses else None,
        )


@rule(
    "cache-incomplete",
    "fatal",
    "A semantic cache without what it needs",
    why="Such a cache must be told how similar two questions have to be; LiteLLM ends without it.",
    source="litellm/caching/redis_semantic_cache.py and qdrant_semantic_cache.py, __init__ (1.106.2)",
    fix="add the missing parameter below cache_params",
)
def cache_incomplete(subject: Subject) -> Iterator[Hit | Right]:
    kind, params = surroundings.cache_type(subject), _params(subject)
    missing = [key for key in _NEEDED.get(kind or "", ()) if surroundings.resolve(subject, params.get(key)) is None]
    if missing:
        yield Hit(f"{kind} needs {' and '.join(missing)}", (*_PARAMS, "type"), f"add {' and '.join(missing)}")


@rule(
    "cache-four-messages",
    "advice",
    "Long conversations are never cached",
    why="Since 1.106 a request with more than max_messages messages, 4 by default, is neither looked up nor stored.",
    source=_MADE,
    fix="set cache_params.max_messages higher, or to null for no limit, if conversations are to be cached",
    since="1.106",
)
def cache_four_messages(subject: Subject) -> Iterator[Hit | Right]:
    if surroundings.cache_type(subject) is not None and "max_messages" not in _params(subject):
        yield Hit("only requests of up to 4 messages are cached", _CACHE)


@rule(
    "cache-without-ttl",
    "advice",
    "A cache that forgets by a default",
    why="Without a ttl an answer is kept for 60 seconds in Redis, and for 10 minutes in the process's own memory.",
    source="docs.litellm.ai/docs/proxy/caching",
    fix="set cache_params.ttl to the seconds for which an answer stays true",
)
def cache_without_ttl(subject: Subject) -> Iterator[Hit | Right]:
    kind, params = surroundings.cache_type(subject), _params(subject)
    if kind not in ("redis", "local"):
        return
    own = "default_in_redis_ttl" if kind == "redis" else "default_in_memory_ttl"
    seconds = params.get("ttl", params.get(own))
    if seconds is None:
        yield Hit(f"no ttl: answers are kept for {'60 seconds' if kind == 'redis' else '10 minutes'}", _CACHE)
    elif isinstance(seconds, int | float) and 0 < seconds < 10**9:
        yield Right(f"the cache keeps an answer for {seconds:g} s", (*_PARAMS, "ttl") if "ttl" in params else _PARAMS)


@rule(
    "cache-per-worker",
    "advice",
    "Each worker has a cache of its own",
    why="A cache of type local lives in the memory of one process; other workers neither see nor fill it.",
    source="docs.litellm.ai/docs/proxy/caching",
    fix="use `type: redis`, so that all workers share one cache",
)
def cache_per_worker(subject: Subject) -> Iterator[Hit | Right]:
    count = surroundings.worker_count(subject)
    if surroundings.cache_type(subject) == "local" and count is not None and count > 1:
        yield Hit(f"{count} workers, each with a local cache of its own", _CACHE)


@rule(
    "cache-unwatched",
    "advice",
    "Nobody is told when Redis fails",
    why="Requests are answered while Redis is down, only dearer and slower; a service callback reports its failures.",
    source="docs.litellm.ai/docs/proxy/prometheus",
    fix="add `service_callback: [prometheus_system]` beside the Prometheus callback",
)
def cache_unwatched(subject: Subject) -> Iterator[Hit | Right]:
    if surroundings.cache_type(subject) != "redis":
        return
    names = {(path[1], name) for path, name in surroundings.named_callbacks(subject)}
    if ("callbacks", "prometheus") in names and not subject.section("litellm_settings").get("service_callback"):
        yield Hit("Prometheus is on, but Redis is not among what it measures", _CACHE)


def _plain(subject: Subject, params: Mapping[str, Any]) -> bool:
    """Whether it is one Redis at a host: a URL or a cluster's client lets parameters pass that it does not know."""
    elsewhere = surroundings.is_set(subject, *_VARIABLES[1:])
    named = any(params.get(key) for key in _ADDRESS[1:])
    return not named and (elsewhere is False or (elsewhere is None and isinstance(params.get("host"), str)))


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, str):
        return "a text"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a number"
