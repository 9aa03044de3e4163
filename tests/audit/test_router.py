"""The rules about router_settings."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_tui.model.edits import Insert, Move, Remove, Rename, SetValue
from tests.audit.reading import audited, found, lines

AT = "router_settings"


def _router(settings: str) -> str:
    return "router_settings:\n" + "".join(f"  {row}\n" for row in settings.splitlines())


@pytest.mark.parametrize(
    ("settings", "rule", "line", "severity"),
    [
        ("context_window_fallback_dict: {a: b}", "unknown-router-key", 2, "warning"),
        ("num_retries: 1\nenable_pre_call_check: true", "unknown-router-key", 3, "warning"),
        ("max_budget: 5", "unknown-router-key", 2, "warning"),
        ("assistants_config: {}", "unknown-router-key", 2, "warning"),
        ("ignore_invalid_deployments: true", "unknown-router-key", 2, "warning"),
        ("4: x", "unknown-router-key", 1, "warning"),
        ("health_check_interval: 60", "health-checks-in-router-settings", 2, "fatal"),
        ("routing_strategy: rate_limit_aware_v2", "unknown-routing-strategy", 2, "fatal"),
        ("routing_strategy: [simple-shuffle]", "unknown-routing-strategy", 2, "fatal"),
        ("routing_strategy:", "unknown-routing-strategy", 2, "error"),
        ("routing_strategy: provider-budget-routing", "unknown-routing-strategy", 2, "error"),
        ("routing_strategy: usage-based-routing-v2", "usage-based-routing", 2, "advice"),
        ('num_retries: "2"', "number-as-text", 2, "error"),
        ("retry_after: os.environ/AFTER", "number-as-text", 2, "error"),
        ("cooldown_time: 0", "zero-means-default", 2, "warning"),
        ("timeout: 0", "zero-means-default", 2, "warning"),
        ("stream_timeout: 0.0", "zero-means-default", 2, "warning"),
        ("retry_policy:\n  RateLimitRetries: 3", "unknown-policy-field", 3, "warning"),
        ("allowed_fails_policy:\n  RateLimitErrorRetries: 3", "unknown-policy-field", 3, "warning"),
        ("model_group_retry_policy:\n  a:\n    Foo: 3", "unknown-policy-field", 4, "warning"),
        ("retry_policy:\n  RateLimitErrorRetries: often", "policy-shape", 3, "fatal"),
        ("retry_policy: 3", "policy-shape", 2, "warning"),
        ("redis_host: h", "half-a-redis", 2, "warning"),
        ("redis_port: 6379", "half-a-redis", 2, "warning"),
        ("redis_url: redis://h", "router-redis-url", 2, "advice"),
        ("redis_host: h\nredis_port: 1\nredis_db: 2", "router-redis-db", 4, "advice"),
    ],
)
def test_found_with_its_line(settings: str, rule: str, line: int, severity: str) -> None:
    (one,) = found(audited(_router(settings)), rule)
    assert (one.mark.line, one.severity) == (line, severity)


def test_a_zero_of_a_deployment_gives_way_to_the_router() -> None:
    text = (
        "model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/a\n      stream_timeout: 0\n"
        "  - model_name: b\n    litellm_params: {model: openai/b, timeout: 0.5, stream_timeout: false}\n"
    )
    (one,) = found(audited(text), "zero-means-default")
    assert (one.mark.line, one.severity) == (5, "warning")
    assert one.fix
    assert one.fix.decision
    assert one.fix.edits == (Remove(("model_list", 0, "litellm_params", "stream_timeout")),)


RULES = {
    *("unknown-router-key", "router-key-given-twice", "health-checks-in-router-settings", "unknown-routing-strategy"),
    *("usage-based-routing", "number-as-text", "zero-means-default", "unknown-policy-field", "policy-shape"),
    *("half-a-redis", "router-redis-url", "router-redis-db"),
}


@pytest.mark.parametrize(
    "settings",
    [
        "num_retries: 2\ntimeout: 30\nstream_timeout: 10\ncooldown_time: 30",
        'timeout: "60"',
        "cooldown_time: false",
        "routing_strategy: simple-shuffle",
        "routing_strategy: lar1",
        "retry_policy: {RateLimitErrorRetries: 3, DefaultRetries: '2', TimeoutErrorRetries: null}",
        "redis_host: h\nredis_port: '6379'",
        "redis_host: os.environ/HOST\nredis_port: os.environ/PORT",
        "routing_strategy: os.environ/STRATEGY",
    ],
)
def test_what_works_is_left_alone(settings: str) -> None:
    assert not RULES & lines(audited(_router(settings))).keys()


def test_older_versions_take_some_of_it_otherwise() -> None:
    text = _router(
        "ignore_invalid_deployments: true\nhealth_check_interval: 60\nrouting_strategy: lar1\nretry_policy: 3"
    )
    old = audited(text, version="1.77.7")
    assert {(finding.rule, finding.severity) for finding in old.findings if finding.rule in RULES} == {
        ("router-key-given-twice", "fatal"),
        ("unknown-router-key", "warning"),
        ("unknown-routing-strategy", "error"),
        ("policy-shape", "fatal"),
    }


def test_the_proxys_own_redis_is_shared_with_the_router() -> None:
    text = _router("redis_host: h") + "litellm_settings: {cache: true, cache_params: {type: redis, host: h, port: 1}}\n"
    assert not found(audited(text), "half-a-redis")


@pytest.mark.parametrize(("env", "hits"), [(None, 0), ({}, 1), ({"PORT": "6379"}, 0)])
def test_a_port_from_the_environment_is_judged_where_that_is_known(env: dict[str, str] | None, hits: int) -> None:
    text = _router("redis_host: h\nredis_port: os.environ/PORT")
    assert len(found(audited(text, env=env), "half-a-redis")) == hits


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('litellm_settings: {num_retries: "3"}\n', ("litellm_settings", "num_retries")),
        ('litellm_settings: {max_fallbacks: "3"}\n', ("litellm_settings", "max_fallbacks")),
        ('litellm_settings: {num_retries: "3"}\nrouter_settings: {num_retries: 1}\n', None),
        ('litellm_settings: {num_retries: 3}\nrouter_settings: {num_retries: "1"}\n', (AT, "num_retries")),
        ('litellm_settings: {retry_after: "3"}\n', None),
    ],
)
def test_a_number_as_text_is_found_where_the_router_takes_it_from(text: str, path: tuple[str, str] | None) -> None:
    findings = found(audited(text), "number-as-text")
    assert [finding.path for finding in findings] == ([path] if path else [])
    for finding in findings:
        assert finding.fix is not None
        assert finding.fix.edits == (SetValue(finding.path, 3 if path and path[0] != AT else 1),)


@pytest.mark.parametrize(("env", "hits"), [(None, 1), ({}, 0), ({"N": "3"}, 1)])
def test_a_number_that_the_environment_does_not_hold_is_the_default(env: dict[str, str] | None, hits: int) -> None:
    assert len(found(audited(_router("num_retries: os.environ/N"), env=env), "number-as-text")) == hits


def test_what_only_other_versions_read_is_said_to_be_so() -> None:
    (one,) = found(audited(_router("enable_weighted_failover: true"), version="1.77.7"), "unknown-router-key")
    assert "since 1." in one.text


@pytest.mark.parametrize(
    ("settings", "rule", "edits", "automatic"),
    [
        (
            "context_window_fallback_dict: {a: b}",
            "unknown-router-key",
            (
                Insert((AT, "context_window_fallbacks"), [{"a": ["b"]}]),
                Remove((AT, "context_window_fallback_dict")),
            ),
            True,
        ),
        (
            "context_window_fallback_dict: {a: b, c: d}\ncontext_window_fallbacks: [{a: [b]}]",
            "unknown-router-key",
            (
                Insert((AT, "context_window_fallbacks", 1), {"c": ["d"]}),
                Remove((AT, "context_window_fallback_dict")),
            ),
            True,
        ),
        (
            "context_window_fallback_dict: {a: b}\ncontext_window_fallbacks: [{a: [b]}]",
            "unknown-router-key",
            (Remove((AT, "context_window_fallback_dict")),),
            True,
        ),
        (
            "enable_pre_call_check: true",
            "unknown-router-key",
            (Rename((AT, "enable_pre_call_check"), "enable_pre_call_checks"),),
            True,
        ),
        (
            "health_check_interval: 60",
            "health-checks-in-router-settings",
            (Move((AT, "health_check_interval"), ("general_settings", "health_check_interval")),),
            True,
        ),
        ("routing_strategy: Least-Busy", "unknown-routing-strategy",
         (SetValue((AT, "routing_strategy"), "least-busy"),), True),
        ("routing_strategy:", "unknown-routing-strategy", (Remove((AT, "routing_strategy")),), True),
        ("routing_strategy: random", "unknown-routing-strategy",
         (SetValue((AT, "routing_strategy"), "simple-shuffle"),), False),
        ('num_retries: "2"', "number-as-text", (SetValue((AT, "num_retries"), 2),), True),
        ("cooldown_time: 0", "zero-means-default",
         (Insert((AT, "disable_cooldowns"), True), Remove((AT, "cooldown_time"))), False),
        ("retry_policy: {RateLimitErrorRetry: 3}", "unknown-policy-field",
         (Rename((AT, "retry_policy", "RateLimitErrorRetry"), "RateLimitErrorRetries"),), True),
        ("redis_host: h\nredis_port: 1\nredis_db: 2", "router-redis-db",
         (Move((AT, "redis_db"), (AT, "cache_kwargs", "db")),), True),
    ],
)  # fmt: skip
def test_the_fix(settings: str, rule: str, edits: tuple[Any, ...], automatic: bool) -> None:
    fix = found(audited(_router(settings)), rule)[0].fix
    assert fix is not None
    assert fix.edits == edits
    assert automatic == (fix.decision == "")


@pytest.mark.parametrize("there", ["[{a: [c]}]", "{a: [b]}", "[a]", "null"])
def test_no_fix_decides_between_two_targets(there: str) -> None:
    text = _router(f"context_window_fallback_dict: {{a: b}}\ncontext_window_fallbacks: {there}")
    assert [f.fix for f in found(audited(text), "unknown-router-key")] == [None]


def test_settings_that_are_all_read_are_praised() -> None:
    right = {praise.text for praise in audited(_router("num_retries: 2\nrouting_strategy: simple-shuffle")).right}
    assert "every key of router_settings is read (2)" in right
    assert any("simple-shuffle" in text for text in right)
