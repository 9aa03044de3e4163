"""What two readings of /metrics tell of the time between them: percentiles, tokens, cost, the cache. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from litellm_tui.model.gateway import CacheCounts, DeploymentCounters, Histogram, Metrics
from litellm_tui.model.history import Measure, Sample
from litellm_tui.model.traffic import STEP

_SHARES: Final[tuple[tuple[Measure, float], ...]] = (("latency_p50", 0.5), ("latency_p95", 0.95), ("latency_p99", 0.99))
# two readings are half a minute apart; what lies further apart tells nothing of its single steps
LONGEST_SECONDS: Final = 120.0


def quantile(histogram: Histogram, share: float) -> float | None:
    """The value below which this share lies, taken as even within a bucket; None without any observation.

    `histogram` has `(upper bound, how many up to it)`. Beyond the last bound nothing is known: that bound is told.
    """
    total = histogram[-1][1] if histogram else 0.0
    if total <= 0:
        return None
    wanted, below, lower = total * share, 0.0, 0.0
    for bound, upto in histogram:
        if upto >= wanted:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (wanted - below) / (upto - below) if upto > below else bound
        below, lower = upto, bound
    return lower


def difference(before: Histogram, after: Histogram) -> Histogram:
    """What came between two readings; all of `after` where the counters were set back by a restart."""
    known = dict(before)
    if any(upto < known.get(bound, 0.0) for bound, upto in after):
        return after
    return tuple((bound, upto - known.get(bound, 0.0)) for bound, upto in after)


def joined(*histograms: Histogram) -> Histogram:
    """Several histograms in one."""
    found: dict[float, float] = {}
    for histogram in histograms:
        for bound, upto in histogram:
            found[bound] = found.get(bound, 0.0) + upto
    return tuple(sorted(found.items()))


def between(
    before: Metrics, after: Metrics, since: float, until: float, keys: Mapping[str, tuple[str, str]]
) -> Iterator[Sample]:
    """The samples of the time between two readings at `since` and `until`.

    `keys` gives the key and the group of a deployment by its id. A percentile stands for each step of the time, what
    is counted is spread over them evenly: LiteLLM does not tell more.
    """
    if not 0 < until - since <= LONGEST_SECONDS:
        return
    steps = _steps(since, until)
    old = {one.id: one for one in before.deployments}
    groups: dict[str, list[Histogram]] = {}
    first: dict[str, list[Histogram]] = {}
    for one in after.deployments:
        known = old.get(one.id, DeploymentCounters(one.id))
        whole, token = difference(known.latency, one.latency), difference(known.first_token, one.first_token)
        if one.id not in keys:
            groups.setdefault("", []).append(whole)
            continue
        key, group = keys[one.id]
        subject = f"deployment:{key}"
        yield from _percentiles(steps, subject, difference(known.upstream, one.upstream) or whole, token)
        for measure, was, now in _counters(known, one):
            part = (now - was if now >= was else now) / len(steps)
            for whose in (subject, f"group:{group}", ""):
                yield from (Sample(at, whose, measure, part, "metrics") for at in steps)
        groups.setdefault(f"group:{group}", []).append(whole)
        first.setdefault(f"group:{group}", []).append(token)
    for subject, several in groups.items():
        if subject:
            yield from _percentiles(steps, subject, joined(*several), joined(*first.get(subject, [])))
    every = [one for several in groups.values() for one in several]
    yield from _percentiles(steps, "", joined(*every), joined(*(one for several in first.values() for one in several)))


def _counters(before: DeploymentCounters, after: DeploymentCounters) -> Iterator[tuple[Measure, float, float]]:
    for measure, was, now in (
        ("tokens_in", before.tokens_in, after.tokens_in),
        ("tokens_out", before.tokens_out, after.tokens_out),
        ("cost", before.cost, after.cost),
    ):
        if now is not None:
            yield measure, was or 0.0, now  # type: ignore[misc]  # each is a measure


def _steps(since: float, until: float) -> list[float]:
    """A time within each step that ended between the two, at least the last."""
    first, last = int(since // STEP), int(until // STEP)
    return [step * STEP for step in range(first + 1, last + 1)] or [last * STEP]


def _percentiles(steps: list[float], subject: str, latency: Histogram, first_token: Histogram) -> Iterator[Sample]:
    for measure, share in _SHARES:
        if (value := quantile(latency, share)) is not None:
            for at in steps:
                yield Sample(at, subject, measure, value, "metrics")
    if (value := quantile(first_token, 0.5)) is not None:
        for at in steps:
            yield Sample(at, subject, "ttft", value, "metrics")


def cache_between(counts: CacheCounts, since: float) -> Iterator[Sample]:
    """The hits and misses between the readings after `since`."""
    for before, after in zip(counts.counts, counts.counts[1:], strict=False):
        if after.time <= since or after.time - before.time > LONGEST_SECONDS:
            continue
        steps = _steps(before.time, after.time)
        for at in steps:
            yield Sample(at, "", "cache_hits", max(after.hits - before.hits, 0.0) / len(steps), counts.source)
            yield Sample(at, "", "cache_misses", max(after.misses - before.misses, 0.0) / len(steps), counts.source)
