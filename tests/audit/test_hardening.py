"""Advice: each where it matters, and little of it for a small gateway that works."""

from __future__ import annotations

import pytest

from litellm_tui.audit.subject import Runtime
from tests.audit.reading import audited, found, lines

HARDENING = {
    *("health-calls-providers", "no-request-timeout", "no-fallbacks", "no-context-window-fallbacks"),
    *("never-cooled-down", "default-retries", "default-cooldown", "no-alerting", "plain-logs", "no-salt-key"),
    *("frequent-batch-writes", "database-pool", "requests-need-database", "workers-never-renewed", "written-secret"),
}
WORKERS = Runtime("litellm.service", ("litellm", "--num_workers", "4"))


def deployments(*names: str, base: str = "http://192.168.1.5:8000/v1") -> str:
    rows = [f"  - model_name: {n}\n    litellm_params: {{model: openai/{n}, api_base: '{base}'}}\n" for n in names]
    return "model_list:\n" + "".join(rows)


def test_a_small_gateway_at_home_gets_few_lines() -> None:
    text = deployments("a", "b") + "general_settings: {master_key: os.environ/KEY}\n"
    said = lines(audited(text, env={"KEY": "sk-x"}, runtime=Runtime("litellm.service", ("litellm",)))).keys()
    assert said & HARDENING == {"health-calls-providers", "no-request-timeout", "no-fallbacks"}


@pytest.mark.parametrize(
    ("base", "severity"),
    [
        ("http://192.168.1.5:8000", "advice"),
        ("http://127.0.0.1:8000", "advice"),
        ("http://vllm:8000", "advice"),
        ("http://gpu.local:8000", "advice"),
        ("os.environ/BASE", "advice"),
        ("https://api.example.com/v1", "warning"),
        ("http://[", "advice"),
    ],
)
def test_a_look_at_health_is_a_warning_where_it_goes_outside(base: str, severity: str) -> None:
    [finding] = found(audited(deployments("a", base=base)), "health-calls-providers")
    assert finding.severity == severity


def test_background_checks_are_right() -> None:
    result = audited(deployments("a") + "general_settings: {background_health_checks: true}\n")
    assert "health-calls-providers" not in lines(result)
    assert any("GET /health" in praise.text for praise in result.right)
    assert "health-calls-providers" not in lines(audited("model_list: []\n"))
    counted = "model_list: [{model_name: o, litellm_params: {model: openai/gpt-4o}}]\n"
    [finding] = found(audited(counted), "health-calls-providers")
    assert finding.text == "GET /health makes 1 call, 1 of them to providers outside"


@pytest.mark.parametrize(
    ("more", "env", "said"),
    [
        ("", None, True),
        ("litellm_settings: {request_timeout: 60}\n", None, False),
        ("router_settings: {timeout: 60}\n", None, False),
        ("", {"REQUEST_TIMEOUT": "60"}, False),
    ],
)
def test_a_timeout_is_missed(more: str, env: dict[str, str] | None, said: bool) -> None:
    assert ("no-request-timeout" in lines(audited(deployments("a") + more, env=env))) is said


def test_fallbacks_are_advised_for_lone_deployments() -> None:
    assert "no-fallbacks" in lines(audited(deployments("a", "b", "b")))
    assert "no-fallbacks" not in lines(audited(deployments("a")))
    assert "no-fallbacks" not in lines(audited(deployments("a", "a", "b", "b")))
    with_some = audited(deployments("a", "b") + "router_settings:\n  fallbacks: [{a: [b]}]\n")
    assert {"no-context-window-fallbacks", "never-cooled-down"} <= lines(with_some).keys()
    assert "no-fallbacks" not in lines(with_some)
    hard = "router_settings:\n  fallbacks: [{a: [b]}]\n  context_window_fallbacks: [{a: [b]}]\n  allowed_fails: 2\n"
    assert not lines(audited(deployments("a", "b") + hard)).keys() & {
        "no-context-window-fallbacks",
        "never-cooled-down",
    }


def test_retries_and_cooldowns_are_for_balanced_groups() -> None:
    both = {"default-retries", "default-cooldown"}
    assert both <= lines(audited(deployments("a", "a"))).keys()
    assert not both & lines(audited(deployments("a", "b"))).keys()
    set_ = "router_settings: {retry_policy: {RateLimitErrorRetries: 3}, allowed_fails: 2}\n"
    assert not both & lines(audited(deployments("a", "a") + set_)).keys()


def test_what_a_database_wants_is_told_only_with_one() -> None:
    wants = {"no-salt-key", "no-alerting", "plain-logs"}
    many = {"database-pool", "frequent-batch-writes", "requests-need-database", "workers-never-renewed"}
    text = deployments("a")
    url = {"DATABASE_URL": "postgresql://db"}
    assert not (wants | many) & lines(audited(text, env={})).keys()
    assert wants <= lines(audited(text, env=url)).keys()
    assert not many & lines(audited(text, env=url)).keys()
    assert many <= lines(audited(text, env=url, runtime=WORKERS)).keys()
    done = """\
litellm_settings: {json_logs: true}
general_settings: {alerting: [slack], proxy_batch_write_at: 60, database_connection_pool_limit: 10,
  allow_requests_on_db_unavailable: false}
"""
    runtime = Runtime("u", ("litellm", "--num_workers=4", "--max_requests_before_restart", "10000"))
    result = audited(text + done, env={**url, "LITELLM_SALT_KEY": "x"}, runtime=runtime)
    assert not (wants | many) & lines(result).keys()
    assert {"logs are written as JSON", "stored credentials have a key of their own (LITELLM_SALT_KEY)"} <= {
        praise.text for praise in result.right
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("general_settings: {master_key: sk-secret}", True),
        ("general_settings: {master_key: os.environ/KEY}", False),
        ("general_settings: {database_url: 'postgresql://u:pw@db/x'}", True),
        ("general_settings: {database_url: 'postgresql://db/x'}", False),
        ("litellm_settings: {cache_params: {password: hidden}}", True),
        ("litellm_settings: {cache_params: {password: ''}}", False),
        ("router_settings: {redis_password: hidden}", True),
    ],
)
def test_a_secret_in_the_file_is_told_and_not_shown(line: str, said: bool) -> None:
    findings = found(audited(f"{line}\n"), "written-secret")
    assert bool(findings) is said
    assert not any(word in f"{finding}" for finding in findings for word in ("sk-secret", "hidden", "pw@"))


def test_what_the_first_users_were_told_to_do_in_vain_is_found() -> None:
    text = """\
server_settings: {workers: 4}
rate_limit_settings: {rpm: 10}
litellm_settings:
  context_window_fallback_dict: {a: b}
  service_callbacks: [prometheus_system]
  prometheus_port: 9090
environment_variables:
  SEPARATE_HEALTH_PORT: 4001
"""
    said = lines(audited(text))
    assert said["unknown-section"] == [1, 2]
    assert said["unknown-litellm-key"] == [4, 5, 6]
    assert said["variable-of-the-image"] == [8]


def test_workers_whose_environment_is_not_known_are_not_judged() -> None:
    assert "workers-never-renewed" in lines(audited("model_list: []\n", env={}, runtime=WORKERS))
    assert "workers-never-renewed" not in lines(audited("model_list: []\n", runtime=WORKERS))
