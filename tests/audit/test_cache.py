"""The response cache."""

from __future__ import annotations

import pytest

from litellm_tui.audit.subject import Runtime
from litellm_tui.model.edits import Edit, Insert, Rename, SetValue
from tests.audit.reading import audited, found, lines

CACHE = ("litellm_settings", "cache")
PARAMS = ("litellm_settings", "cache_params")


def cache(value: str, params: str | None = None) -> str:
    text = f"litellm_settings:\n  cache: {value}\n"
    return text if params is None else f"{text}  cache_params: {params}\n"


@pytest.mark.parametrize(
    ("text", "edits", "decided"),
    [
        (cache('"true"', "{type: local}"), (SetValue(CACHE, True),), True),
        (cache('"true"'), (SetValue(CACHE, True),), False),
        (cache('"False"'), (SetValue(CACHE, False),), True),
        (cache("{type: redis}"), (Rename(CACHE, "cache_params"),), False),
        (cache("{type: redis}", "{}"), None, False),
        (cache("1"), None, False),
        (cache("[]"), None, False),
    ],
)
def test_a_cache_that_is_no_switch_is_an_error(text: str, edits: tuple[Edit, ...] | None, decided: bool) -> None:
    [finding] = found(audited(text), "cache-not-a-switch")
    assert (finding.severity, finding.mark.line) == ("error", 2)
    assert (finding.fix.edits if finding.fix else None) == edits
    assert finding.fix is None or (finding.fix.decision == "") is decided


@pytest.mark.parametrize("value", ["true", "false", "null", "os.environ/CACHE", "on"])
def test_a_switch_is_a_switch(value: str) -> None:
    assert "cache-not-a-switch" not in lines(audited(cache(value)))


@pytest.mark.parametrize(
    ("text", "env", "line"),
    [
        (cache("true"), {}, 2),
        (cache("true", "{type: redis, ttl: 60}"), {}, 3),
        (cache("true", "{type: redis, host: os.environ/NOWHERE}"), {}, 3),
        (cache("true", "{type: redis, redis_url: 'redis://r'}"), {}, 3),
        (cache("true"), {"REDIS_PORT": "6379"}, 2),
        (cache("true"), None, 0),
        (cache("true", "{type: redis, host: os.environ/NOWHERE}"), None, 0),
        (cache("true"), {"REDIS_HOST": "r"}, 0),
        (cache("true", "{type: redis, host: r}"), {}, 0),
        (cache("true", "{type: redis, redis_startup_nodes: [{host: r, port: 1}]}"), {}, 0),
        (cache("true", "{type: local}"), {}, 0),
        (cache("true", "{ttl: 60}"), {}, 0),
        (cache("false"), {}, 0),
        (cache("true") + "environment_variables: {REDIS_HOST: r}\n", {}, 0),
        (cache("true") + "general_settings: {key_management_system: local}\n", {}, 0),
    ],
)
def test_a_redis_cache_needs_an_address(text: str, env: dict[str, str] | None, line: int) -> None:
    assert lines(audited(text, env=env)).get("cache-without-address", [0]) == [line]


def test_an_address_under_another_name_is_renamed() -> None:
    [finding] = found(audited(cache("true", "{type: redis, redis_host: r}"), env={}), "cache-without-address")
    assert finding.fix is not None
    assert finding.fix.edits == (Rename((*PARAMS, "redis_host"), "host"),)
    assert finding.fix.decision == ""


@pytest.mark.parametrize(
    ("kind", "edits", "decided"),
    [
        ("in-memory", (SetValue((*PARAMS, "type"), "local"),), True),
        ("Redis", (SetValue((*PARAMS, "type"), "redis"),), False),
        ("memcached", None, False),
        ("null", None, False),
        ("[redis]", None, False),
    ],
)
def test_a_type_that_does_not_exist_is_fatal(kind: str, edits: tuple[Edit, ...] | None, decided: bool) -> None:
    [finding] = found(audited(cache("true", f"{{host: r, type: {kind}}}")), "unknown-cache-type")
    assert (finding.severity, finding.mark.line) == ("fatal", 3)
    assert (finding.fix.edits if finding.fix else None) == edits
    assert finding.fix is None or (finding.fix.decision == "") is decided


def test_a_type_that_came_later_is_unknown_before() -> None:
    text = cache("true", "{type: valkey-semantic, similarity_threshold: 0.8}")
    assert "unknown-cache-type" in lines(audited(text, version="1.77.7"))
    assert "unknown-cache-type" not in lines(audited(text))
    assert "unknown-cache-type" not in lines(audited(cache("true", "{type: os.environ/KIND}")))


@pytest.mark.parametrize(
    ("params", "env", "severity"),
    [
        ("{type: redis, host: r, connection_pool_kwargs: {}}", None, "fatal"),
        ("{type: redis, host: r, connection_pool_kwargs: {}}", {}, "fatal"),
        ("{type: redis, host: r, connection_pool_kwargs: {}}", {"REDIS_URL": "redis://r"}, "warning"),
        ("{type: redis, url: 'redis://r', connection_pool_kwargs: {}}", {}, "warning"),
        ("{type: local, connection_pool_kwargs: {}}", {}, "warning"),
        ("{type: redis, host: r, redis_port: 6379}", {}, "warning"),
        ("{type: redis, host: r, max_connections: 100, socket_timeout: 3, ssl: true}", {}, ""),
        ("{type: local, ttl: 60, mode: default_off, supported_call_types: [acompletion]}", {}, ""),
    ],
)
def test_a_parameter_that_is_not_known_ends_the_start_only_where_a_client_refuses_it(
    params: str, env: dict[str, str] | None, severity: str
) -> None:
    findings = found(audited(cache("true", params), env=env), "unknown-cache-param")
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


def test_an_address_without_a_type_is_a_cache_in_memory() -> None:
    [finding] = found(audited(cache("true", "{host: r, port: 6379}")), "cache-type-missing")
    assert finding.path == (*PARAMS, "host")
    assert finding.fix is not None
    assert finding.fix.edits == (Insert((*PARAMS, "type"), "redis"),)
    assert finding.fix.decision
    for params in ("{ttl: 60}", "{}", "{type: local, host: r}"):
        assert "cache-type-missing" not in lines(audited(cache("true", params)))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("litellm_settings:\n  cache_params: {type: local}\n", 2),
        ("litellm_settings:\n  cache: false\n  cache_params: {type: local}\n", 0),
        ("litellm_settings:\n  cache: true\n  cache_params: {type: local}\n", 0),
        ("litellm_settings:\n  cache_params: {}\n", 0),
    ],
)
def test_parameters_without_a_cache_are_idle_unless_it_is_off_on_purpose(text: str, line: int) -> None:
    assert lines(audited(text)).get("cache-params-idle", [0]) == [line]


@pytest.mark.parametrize(
    ("params", "said"), [("", True), ("local", True), ("false", True), ("[a]", True), ("{}", False), ("[]", False)]
)
def test_parameters_must_be_a_mapping(params: str, said: bool) -> None:
    assert ("cache-params-no-mapping" in lines(audited(cache("true", params)))) is said


def test_a_semantic_cache_needs_its_threshold() -> None:
    [finding] = found(audited(cache("true", "{type: qdrant-semantic, similarity_threshold: 0.8}")), "cache-incomplete")
    assert finding.text == "qdrant-semantic needs qdrant_collection_name"
    assert "cache-incomplete" not in lines(audited(cache("true", "{type: redis-semantic, similarity_threshold: 0.8}")))


def test_advice_speaks_where_it_matters() -> None:
    redis = cache("true", "{type: redis, host: r}")
    assert {"cache-without-ttl", "cache-four-messages"} <= lines(audited(redis)).keys()
    assert "cache-four-messages" not in lines(audited(redis, version="1.105.7"))
    assert "cache-unwatched" not in lines(audited(redis))
    watched = redis + "  callbacks: [prometheus]\n"
    assert "cache-unwatched" in lines(audited(watched))
    assert "cache-unwatched" not in lines(audited(watched + "  service_callback: [prometheus_system]\n"))
    kept = audited(cache("true", "{type: redis, host: r, ttl: 600, max_messages: null}"))
    assert not {"cache-without-ttl", "cache-four-messages"} & lines(kept).keys()
    assert any("600 s" in praise.text for praise in kept.right)


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (("litellm", "--num_workers", "4"), {}, True),
        (("litellm",), {"NUM_WORKERS": "2"}, True),
        (("litellm",), {}, False),
    ],
)
def test_workers_do_not_share_a_local_cache(arguments: tuple[str, ...], env: dict[str, str], said: bool) -> None:
    result = audited(cache("true", "{type: local}"), env=env, runtime=Runtime("litellm.service", arguments))
    assert ("cache-per-worker" in lines(result)) is said
