"""What is taken from /metrics, as LiteLLM 1.106.2 wrote it, and what is left out."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.collectors.gateway.metrics import decode
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.failures import Malformed, NotAvailable
from litellm_tui.model.gateway import DeploymentCounters, Metrics
from tests.recorded import FOLDER

BODY = (FOLDER / "1.106.2" / "metrics.txt").read_bytes()
CALM = "4ecbdecd7a5f5f81fce66f30064d3f533b6aa25856fa7dea85f3c1d7d1e9f2b0"
FAILS = "9eb88a10d6b0ede484339004f6d38e33ebd94c6e2696376cdd9c29a926c9ffcb"
BADKEY = "2778b5e39c320421841dd1e2092c8475123f87817665312ba948d0fb6544e717"
NOW = 1_800_000_000.0


def _decoded(body: bytes = BODY) -> Metrics:
    found = decode(200, body)
    assert isinstance(found, Metrics), found
    return found


def _of(identity: str, body: bytes = BODY) -> DeploymentCounters:
    (found,) = [d for d in _decoded(body).deployments if d.id == identity]
    return found


def test_answers_and_failures_of_real_requests_are_counted_by_deployment() -> None:
    # by its own name and by its alias: two lines
    assert _of(CALM).ok == 3
    fails = _of(FAILS)
    assert (fails.ok, fails.failed, fails.errors) == (0, 2, {"Openai.InternalServerError 500": 2})
    assert name_cause(next(iter(fails.errors))).name == "500"


def test_health_checks_are_not_requests() -> None:
    assert b'api_key_alias="litellm-internal-health-check"' in BODY
    assert sum(d.ok for d in _decoded().deployments) < 10
    assert "" not in {d.id for d in _decoded().deployments}


def test_cooldowns_and_the_caches_counters_are_read() -> None:
    assert _of(BADKEY).cooled_down == 1
    assert _decoded().cache_misses is not None
    # nothing was ever answered from the cache: LiteLLM writes no such line then
    assert _decoded().cache_hits is None
    assert _decoded().in_flight == 1


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b'{"error": "x"}', b"\xff\xfe"])
def test_what_is_not_prometheus_is_called_so(body: bytes) -> None:
    assert isinstance(decode(200, body), Malformed)


def test_metrics_without_litellms_counters_are_a_feature_that_is_off() -> None:
    """1.77.7 without a licence."""
    assert isinstance(decode(200, b"# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 3\n"),
                      NotAvailable)  # fmt: skip


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_a_number_that_is_none_is_left_out_and_kills_no_counter(value: str) -> None:
    line = b'\nlitellm_deployment_success_responses_total{model_id="x"} ' + value.encode() + b"\n"
    counter = TrafficCounter()
    counter.add_metrics(_decoded(), NOW)
    counter.add_metrics(_decoded(BODY + line), NOW + 30)
    assert counter.traffic(NOW + 31, lambda _: None).tallies == ()


def test_a_label_cannot_move_the_terminal_or_grow_without_end() -> None:
    labels = f'exception_class="\x1b[31mOops{"x" * 500}",exception_status="500",model_id="x"'
    line = f"\nlitellm_deployment_failure_responses_total{{{labels}}} 1\n".encode()
    (words,) = _of("x", BODY + line).errors
    assert words.startswith("Oops")
    assert len(words) <= 80


def test_between_two_readings_the_difference_is_the_traffic() -> None:
    counter = TrafficCounter()
    counter.add_metrics(_decoded(), NOW)
    more = BODY.replace(f'model_id="{FAILS}",requested_model="fails",team="None",team_alias="None",user_agent=""}} 2.0'
                        .encode(), f'model_id="{FAILS}",requested_model="fails",team="None",team_alias="None",'
                        'user_agent=""} 5.0'.encode())  # fmt: skip
    assert more != BODY
    counter.add_metrics(_decoded(more), NOW + 30)
    (tally,) = counter.traffic(NOW + 31, lambda _: None).tallies
    assert (tally.name, tally.ok, tally.failed) == (FAILS, 0, 3)
    assert name_cause(tally.error).name == "500"


# as LiteLLM 1.109.3 writes it, with fewer buckets
_LABELS = (
    'api_key_alias="{alias}",api_provider="openai",end_user="{user}",hashed_api_key="a",{le}model="m",'
    'model_group="small",model_id="d-1",org_alias="None",org_id="None",requested_model="small",service_tier="None",'
    'team="None",team_alias="None",user="default_user_id"'
)


def _lines(alias: str = "None", user: str = "None") -> str:
    found = ["# HELP litellm_request_total_latency_metric Total latency", "litellm_in_flight_requests 0.0"]
    plain = _LABELS.format(alias=alias, user=user, le="")
    for name in ("litellm_request_total_latency_metric", "litellm_llm_api_time_to_first_token_metric"):
        for bound, count in (("0.5", 1.0), ("1.0", 3.0), ("+Inf", 4.0)):
            labels = _LABELS.format(alias=alias, user=user, le=f'le="{bound}",')
            found.append(f"{name}_bucket{{{labels}}} {count}")
        found.append(f"{name}_count{{{plain}}} 4.0")
    for name, value in (("input_tokens", 40.0), ("output_tokens", 9.0), ("spend", 0.25)):
        found.append(f"litellm_{name}_metric_total{{{plain}}} {value}")
    return "\n".join(found) + "\n"


def test_latencies_tokens_and_cost_are_read_of_all_callers_together() -> None:
    (found,) = _decoded((_lines() + _lines(user="somebody")).encode()).deployments
    assert found.id == "d-1"
    assert found.latency == found.first_token == ((0.5, 2.0), (1.0, 6.0), (float("inf"), 8.0))
    assert found.upstream == ()
    assert (found.tokens_in, found.tokens_out, found.cost) == (80.0, 18.0, 0.5)


def test_the_latencies_of_health_checks_are_left_out() -> None:
    (found,) = _decoded((_lines() + _lines(alias="litellm-internal-health-check")).encode()).deployments
    assert found.latency[-1] == (float("inf"), 4.0)
    assert found.cost == 0.25


@pytest.mark.parametrize("user", [',model_id=\\"other\\"', "} 9.0", "x,model_id=", "a\\\\"])
def test_what_a_caller_calls_himself_is_not_taken_for_a_label(user: str) -> None:
    (found,) = _decoded(_lines(user=user).encode()).deployments
    assert (found.id, found.latency[-1][1]) == ("d-1", 4.0)
