"""Decodes GET /metrics: LiteLLM's counters per deployment with `callbacks: ["prometheus"]`. Shapes: 1.106.2."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Final

import msgspec

from litellm_tui.collectors.gateway.metric_lines import FIRST_TOKEN, HISTOGRAMS, LATENCY, UPSTREAM, read_histograms
from litellm_tui.logs.log_line import clean
from litellm_tui.model.failures import Failure, Malformed, NotAvailable
from litellm_tui.model.gateway import DeploymentCounters, Metrics

# LiteLLM counts its own health checks like requests, under this alias of a key
_HEALTH_CHECK: Final = "litellm-internal-health-check"
_SUCCESSES: Final = "litellm_deployment_success_responses_total"
_FAILURES: Final = "litellm_deployment_failure_responses_total"
_COOLED: Final = "litellm_deployment_cooled_down_total"
_HITS: Final = "litellm_cache_hits_metric_total"
_MISSES: Final = "litellm_cache_misses_metric_total"
_IN_FLIGHT: Final = "litellm_in_flight_requests"
# the client library's own; it is missing where several workers share their counters
_STARTED: Final = "process_start_time_seconds"
_TOKENS_IN: Final = "litellm_input_tokens_metric_total"
_TOKENS_OUT: Final = "litellm_output_tokens_metric_total"
_COST: Final = "litellm_spend_metric_total"
_SPENT: Final = {_TOKENS_IN: "tokens_in", _TOKENS_OUT: "tokens_out", _COST: "cost"}
_WANTED: Final = (_SUCCESSES, _FAILURES, _COOLED, _HITS, _MISSES, _IN_FLIGHT, _STARTED, *_SPENT)
_FIELDS: Final = {LATENCY: "latency", UPSTREAM: "upstream", FIRST_TOKEN: "first_token"}


def decode(status: int, body: bytes) -> Metrics | Failure:
    """The counters that are used, from a text of some 40 KB per deployment."""
    from prometheus_client.parser import text_string_to_metric_families

    text = body.decode(errors="replace")
    if "# HELP" not in text and "# TYPE" not in text:
        return Malformed("/metrics: not the text of Prometheus", status=status)
    if "\nlitellm_" not in text:
        return NotAvailable("/metrics has no counters of LiteLLM (before 1.80 they need a licence)")
    # most lines are histograms of no use here: only the lines that are used are parsed
    lines = text.splitlines()
    wanted = "\n".join(line for line in lines if line.startswith(_WANTED))
    found: dict[str, DeploymentCounters] = {}
    totals: defaultdict[str, float] = defaultdict(float)
    seen: set[str] = set()
    for family in text_string_to_metric_families(wanted + "\n"):
        for sample in family.samples:
            seen.add(sample.name)
            if sample.labels.get("api_key_alias") == _HEALTH_CHECK or not math.isfinite(sample.value):
                continue
            if identity := sample.labels.get("model_id"):
                before = found.get(identity) or DeploymentCounters(identity)
                found[identity] = _with(before, sample.name, sample.labels, sample.value)
            totals[sample.name] += sample.value
    for (name, identity), buckets in read_histograms(
        (line for line in lines if line.startswith(HISTOGRAMS)), _HEALTH_CHECK
    ).items():
        before = found.get(identity) or DeploymentCounters(identity)
        found[identity] = msgspec.structs.replace(before, **{_FIELDS[name]: buckets})
    return Metrics(
        deployments=tuple(found.values()),
        cache_hits=totals[_HITS] if _HITS in seen else None,
        cache_misses=totals[_MISSES] if _MISSES in seen else None,
        in_flight=totals[_IN_FLIGHT] if _IN_FLIGHT in seen else None,
        started_at=totals[_STARTED] if _STARTED in seen else None,
    )


def _with(counters: DeploymentCounters, name: str, labels: dict[str, str], value: float) -> DeploymentCounters:
    if name == _SUCCESSES:
        return msgspec.structs.replace(counters, ok=counters.ok + value)
    if name == _COOLED:
        return msgspec.structs.replace(counters, cooled_down=counters.cooled_down + value)
    if (field := _SPENT.get(name)) is not None:
        return msgspec.structs.replace(counters, **{field: (getattr(counters, field) or 0.0) + value})
    if name == _FAILURES:
        words = clean(f"{labels.get('exception_class', '')} {labels.get('exception_status', '')}").strip()[:80]
        errors = counters.errors | {words: counters.errors.get(words, 0.0) + value}
        return msgspec.structs.replace(counters, failed=counters.failed + value, errors=errors)
    return counters
