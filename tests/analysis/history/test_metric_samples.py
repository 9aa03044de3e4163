"""Percentiles, tokens and cost from two readings of /metrics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.history.metric_samples import between, cache_between, difference, joined, quantile
from litellm_tui.model.gateway import CacheCount, CacheCounts, DeploymentCounters, Histogram, Metrics
from litellm_tui.model.history import Sample

INF = float("inf")
NOW = 1_760_000_400.0
FAST: Histogram = ((0.1, 50.0), (1.0, 90.0), (2.0, 100.0), (INF, 100.0))


def test_a_percentile_lies_in_its_bucket() -> None:
    assert quantile(FAST, 0.5) == pytest.approx(0.1)
    assert quantile(FAST, 0.25) == pytest.approx(0.05)
    assert quantile(FAST, 0.95) == pytest.approx(1.5)
    assert quantile(FAST, 0.7) == pytest.approx(0.55)


def test_beyond_the_last_bound_that_bound_is_told() -> None:
    assert quantile(((1.0, 0.0), (INF, 4.0)), 0.5) == 1.0


def test_without_requests_there_is_no_percentile() -> None:
    assert quantile((), 0.5) is None
    assert quantile(((1.0, 0.0), (INF, 0.0)), 0.5) is None


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_never_further_off_than_its_bucket(times: list[float], share: float) -> None:
    bounds = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0)
    histogram = (*((b, float(sum(t <= b for t in times))) for b in bounds), (INF, float(len(times))))
    found = quantile(histogram, share)
    true = sorted(times)[max(0, -(-len(times) * share // 1).__int__() - 1)]
    upper = min(b for b in bounds if true <= b)
    lower = max((b for b in bounds if b < true), default=0.0)
    assert found is not None
    assert lower - 1e-9 <= found <= upper + 1e-9


def test_a_restart_sets_the_counters_back() -> None:
    before, after = ((1.0, 90.0), (INF, 100.0)), ((1.0, 2.0), (INF, 3.0))
    assert difference(before, after) == after
    assert difference(before, ((1.0, 95.0), (INF, 110.0))) == ((1.0, 5.0), (INF, 10.0))
    assert joined(after, after) == ((1.0, 4.0), (INF, 6.0))


def _metrics(**more: object) -> Metrics:
    return Metrics((DeploymentCounters("id-1", **more),))  # type: ignore[arg-type]


def _told(before: Metrics, after: Metrics, seconds: float = 30.0) -> list[Sample]:
    return list(between(before, after, NOW, NOW + seconds, {"id-1": ("a", "small")}))


def test_percentiles_stand_for_every_step_between_two_readings() -> None:
    found = [one for one in _told(_metrics(), _metrics(latency=FAST, first_token=FAST)) if one.measure == "latency_p95"]
    assert {(one.subject, round(one.value, 2)) for one in found} == {
        ("deployment:a", 1.5), ("group:small", 1.5), ("", 1.5)
    }  # fmt: skip
    assert sorted({one.at for one in found}) == [NOW + 10, NOW + 20, NOW + 30]


def test_a_deployments_own_latency_is_its_providers() -> None:
    slow: Histogram = ((5.0, 0.0), (10.0, 4.0), (INF, 4.0))
    found = _told(_metrics(), _metrics(latency=slow, upstream=FAST))
    by = {one.subject: one.value for one in found if one.measure == "latency_p50"}
    assert by["deployment:a"] == pytest.approx(0.1)
    assert by["group:small"] == pytest.approx(7.5)


def test_tokens_and_cost_are_spread_over_the_time_and_none_is_lost() -> None:
    before, after = _metrics(tokens_in=100.0, cost=1.0), _metrics(tokens_in=400.0, cost=1.6, tokens_out=9.0)
    found = _told(before, after)
    for subject in ("deployment:a", "group:small", ""):
        sums = {m: sum(o.value for o in found if (o.subject, o.measure) == (subject, m)) for m in ("tokens_in", "cost")}
        assert sums == {"tokens_in": pytest.approx(300.0), "cost": pytest.approx(0.6)}
    assert sum(o.value for o in found if (o.subject, o.measure) == ("", "tokens_out")) == pytest.approx(9.0)


def test_readings_that_lie_far_apart_tell_nothing_of_their_steps() -> None:
    assert _told(_metrics(), _metrics(latency=FAST), seconds=3600.0) == []
    assert _told(_metrics(), _metrics(latency=FAST), seconds=0.0) == []


def test_the_caches_counts_are_those_after_the_last_ones() -> None:
    counts = CacheCounts("redis", tuple(CacheCount(NOW + 30 * n, 10.0 * n, 5.0 * n) for n in range(4)))
    found = list(cache_between(counts, NOW + 30))
    assert sum(one.value for one in found if one.measure == "cache_hits") == pytest.approx(20.0)
    assert sum(one.value for one in found if one.measure == "cache_misses") == pytest.approx(10.0)
    assert {one.source for one in found} == {"redis"}
