"""router_settings on the real LiteLLM: what is not read, and what means something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.proving.case import Case, both, fails, logs, refused, runs, serves
from tests.proving.cases_fallbacks import MODELS, passed_on

if TYPE_CHECKING:
    from tests.proving.ground import Run

IGNORED: Final = """\
router_settings:
  num_retries: "1"
  context_window_fallback_dict: {short: good}
  enable_pre_call_check: true
  cooldown_time: 0
  redis_host: 127.0.0.1
  retry_policy: {RateLimitErrorRetry: 3}
"""


NO_REDIS: Final = "Error connecting to Sync Redis client"
"""What LiteLLM writes where it is to use a Redis, and there is none."""


def _settings(run: Run) -> dict[str, Any]:
    """The settings of the running router."""
    status, body, _ = run.get("/get/config/callbacks")
    assert status == 200, body
    found: dict[str, Any] = body["router_settings"]
    return found


def ignored(run: Run) -> None:
    assert NO_REDIS not in run.log
    settings = _settings(run)
    assert settings["cooldown_time"] == 5
    assert "Retry Policy Set:\n{}" in run.log, run.log[-3000:]
    assert not settings.get("context_window_fallbacks")


def mended(run: Run) -> None:
    settings = _settings(run)
    assert "Retry Policy Set:\n{'RateLimitErrorRetries': 3}" in run.log, run.log[-3000:]
    assert settings["num_retries"] == 1


def strategy(run: Run) -> None:
    if run.refused:
        assert "Invalid routing_strategy: 'Simple-Shuffle'" in run.log
    else:
        fails("good", "No deployments available", 429)(run)


def undeprecated(run: Run) -> None:
    runs(run)
    assert "Deprecated 'redis_db'" not in run.log


def one_second(run: Run) -> None:
    """The router's timeout is what holds, for what is answered at once and for a stream."""
    for stream in (False, True):
        body = {"model": "slowly", "messages": [{"role": "user", "content": "hello"}], "stream": stream}
        status, body, _ = run.post("/v1/chat/completions", body)
        # the upstream answers after five seconds, with 200
        assert status == 408, (status, body)
        # a stream's words name no number
        assert stream or "timeout value=1.0" in body["error"]["message"], body


CASES: Final = (
    Case(
        "router-zero-of-a-deployment",
        "model_list:\n"
        "  - model_name: slowly\n"
        "    litellm_params:\n"
        "      {model: openai/zero-slow, api_base: '{upstream}', api_key: none, timeout: 0, stream_timeout: 0}\n"
        "router_settings: {num_retries: 0, timeout: 1, stream_timeout: 1}\n",
        {"zero-means-default": 4},
        one_second,
    ),
    Case(
        "router-ignored",
        MODELS + IGNORED,
        {
            "number-as-text": 11,
            "unknown-router-key": 12,
            "zero-means-default": 14,
            "half-a-redis": 15,
            "unknown-policy-field": 16,
        },
        both(ignored, serves("good"), fails("bad", "'>' not supported between"), fails("short")),
        env={"LITELLM_LOG": "INFO"},
        fixed=both(mended, passed_on("short"), fails("bad", "upstream exploded")),
    ),
    Case(
        "router-warns",
        MODELS + "router_settings: {assistants_configs: {}, num_retries: 1}\n",
        {},
        logs("Key 'assistants_configs' is not a valid argument for Router.__init__(). Ignoring this key."),
        since="1.81.3",
    ),
    Case(
        "router-number-from-environment",
        MODELS + "router_settings: {max_fallbacks: os.environ/HOPS, num_retries: 0, fallbacks: [{bad: [good]}]}\n",
        {"number-as-text": 10},
        fails("bad", "'>=' not supported between"),
        env={"HOPS": "3"},
    ),
    Case(
        "router-strategy",
        MODELS + "router_settings:\n  routing_strategy: Simple-Shuffle\n",
        {"unknown-routing-strategy": 11},
        strategy,
        fixed=serves("good"),
    ),
    Case(
        "router-strategy-empty",
        MODELS + "router_settings:\n  num_retries: 0\n  routing_strategy:\n",
        {"unknown-routing-strategy": 12},
        fails("good", "No deployments available", 429),
        fixed=serves("good"),
    ),
    Case(
        "router-strategy-of-budgets",
        MODELS + "router_settings: {routing_strategy: provider-budget-routing}\n",
        {"unknown-routing-strategy": 10},
        fails("good", "No deployments available", 429),
    ),
    Case(
        "router-key-twice",
        MODELS + "router_settings: {num_retries: 0, ignore_invalid_deployments: true}\n",
        {"router-key-given-twice": 10},
        refused("got multiple values for keyword argument 'ignore_invalid_deployments'"),
        fixed=serves("good"),
        otherwise=logs("Key 'ignore_invalid_deployments' is not a valid argument"),
        until="1.100",
    ),
    Case(
        "router-health-interval",
        MODELS + "router_settings: {num_retries: 0, health_check_interval: 60}\n",
        {"health-checks-in-router-settings": 10},
        refused("'health_check_interval' is NOT a valid router_settings parameter"),
        fixed=serves("good"),
        otherwise=serves("good"),
        since="1.81.3",
    ),
    Case(
        "router-policy",
        MODELS + "router_settings:\n  retry_policy:\n    RateLimitErrorRetries: often\n",
        {"policy-shape": 12},
        refused("validation error for RetryPolicy"),
    ),
    Case(
        "router-redis-db",
        MODELS + "router_settings: {redis_host: 127.0.0.1, redis_port: 1, redis_db: 2}\n",
        {"router-redis-db": 10},
        # with host and port the router does ask for its Redis
        both(logs("Deprecated 'redis_db' argument used"), logs(NO_REDIS)),
        fixed=undeprecated,
        since="1.81.7",
    ),
    Case(
        "router-retries-as-text-elsewhere",
        MODELS + 'litellm_settings:\n  num_retries: "3"\n',
        {"number-as-text": 11},
        both(serves("good"), fails("bad", "'>' not supported between")),
        fixed=fails("bad", "upstream exploded"),
    ),
)
