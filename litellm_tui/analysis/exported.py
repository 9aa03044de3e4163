"""What one look gives as metrics, in Prometheus' terms: names, units, labels and values. docs/metrics.md lists them.

Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for what only grows, `_info` for
labels alone. What is not known has no sample, which is not 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, get_args

from litellm_tui.model.diagnosis import Deployment, Diagnosis, Severity, State
from litellm_tui.model.gateway import DeploymentCounters, Histogram
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import STEP, Step

PREFIX: Final = "litellm_tui_"
_STATES: Final[tuple[str, ...]] = get_args(State)
_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
# a label of any length would cost every scrape
_LONGEST: Final = 200
# longer than the window of the steps: an older one does not come again
_KEPT_SECONDS: Final = 3600.0

Kind = Literal["gauge", "counter", "histogram"]


class Family(NamedTuple):
    """One metric with its help and the names of its labels; each sample is its labels' values and its value.

    A histogram has its buckets in `histograms`, and no samples.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    samples: tuple[tuple[tuple[str, ...], float], ...] = ()
    histograms: tuple[tuple[tuple[str, ...], Histogram], ...] = ()


class Described(NamedTuple):
    """A metric as the page describes it."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str


_ROW: Final = ("deployment", "group", "model")
METRICS: Final[tuple[Described, ...]] = tuple(
    Described(PREFIX + name, kind, labels, help)  # type: ignore[arg-type]  # the table below says gauge or counter
    for name, kind, labels, help in (
        ("build_info", "gauge", ("version",), "The release of litellm-tui, always 1."),
        (
            "gateway_info", "gauge", ("gateway", "address", "unit", "litellm_version"),
            "Which gateway is looked at, always 1; labels that are not known are empty.",
        ),
        ("last_look_timestamp_seconds", "gauge", (), "When the gateway was looked at last, since the epoch."),
        ("gateway_up", "gauge", (), "1 while the gateway answers, else 0."),
        ("gateway_answer_seconds", "gauge", (), "How long the last answer to /health/liveliness took."),
        (
            "part_severity", "gauge", ("part", "severity"),
            "1 for the severity of the verdict on gateway, service, cache and database, 0 for all others.",
        ),
        ("deployment_state", "gauge", (*_ROW, "state"), "1 for the state of a deployment, 0 for all others."),
        ("group_state", "gauge", ("group", "state"), "1 for the state of a model group, 0 for all others."),
        ("problems", "gauge", ("severity",), "Problems that last, by severity: bad, warn, and quiet for notes."),
        (
            "requests_total", "counter", ("result",),
            "Requests for a model by uvicorn's access lines: answered, or failed (4xx and 5xx); since the start here.",
        ),
        (
            "failed_requests_total", "counter", ("by",),
            "Requests that failed, by whose failure the log tells it is: group, model, caller, refused, stream, other, "
            "or unknown; since the start here.",
        ),
        (
            "deployment_attempts_total", "counter", (*_ROW, "result"),
            "Attempts at a deployment, answered or failed: a request that is tried again is several. Only where "
            "LiteLLM's INFO lines or /metrics show them; since the start here.",
        ),
        (
            "deployment_latency_seconds", "histogram", _ROW,
            "Requests through the proxy that a deployment answered, by LiteLLM's /metrics; buckets without a sum.",
        ),
        (
            "deployment_first_token_seconds", "histogram", _ROW,
            "Time to the first token of streams, by LiteLLM's /metrics; buckets without a sum.",
        ),
        (
            "deployment_tokens_total", "counter", (*_ROW, "direction"),
            "Tokens of a deployment, in and out, by LiteLLM's /metrics.",
        ),
        ("deployment_cost_dollars_total", "counter", _ROW, "US dollars by LiteLLM's prices, by its /metrics."),
        ("probe_seconds", "gauge", _ROW, "How long the last probe of a deployment took, where it was answered."),
        ("cache_hits_total", "counter", ("source",), "Cache hits as counted by LiteLLM (metrics) or Redis (redis)."),
        ("cache_misses_total", "counter", ("source",), "Cache misses, likewise."),
        ("redis_memory_bytes", "gauge", (), "Memory that the cache's Redis uses."),
        ("redis_clients", "gauge", (), "Clients that are connected to the cache's Redis."),
        ("service_running", "gauge", (), "1 while the service is active, else 0."),
        ("service_memory_bytes", "gauge", (), "Memory of the service with all its processes."),
        ("service_cpu_seconds_total", "counter", (), "Processor time of the service in this run."),
        ("service_processes", "gauge", (), "Processes of the service that serve requests."),
        ("service_restarts_total", "counter", (), "Restarts by what keeps the service, as that counts them."),
        ("service_start_time_seconds", "gauge", (), "When this run of the service began, since the epoch."),
        ("unreadable_sources", "gauge", (), "Sources that litellm-tui itself fails to read."),
    )
)  # fmt: skip


class Totals:
    """Adds up the steps of one look after another to numbers that only grow.

    A step is shown in many looks, and grows until its time is over: of each only what is new is added.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[tuple[str, ...], int], tuple[int, int]] = {}
        self._totals: dict[tuple[str, ...], list[float]] = {}

    def add(self, subject: tuple[str, ...], steps: Iterable[Step]) -> None:
        """Take in the steps of a subject."""
        total = self._totals.setdefault(subject, [0.0, 0.0])
        for began, answered, failed in steps:
            before = self._seen.get((subject, began), (0, 0))
            # what is attributed anew may become less here: nothing is taken back
            total[0] += max(0, answered - before[0])
            total[1] += max(0, failed - before[1])
            self._seen[subject, began] = (max(answered, before[0]), max(failed, before[1]))

    def forget(self, now: float) -> None:
        """Steps that do not come again need not be kept."""
        self._seen = {key: seen for key, seen in self._seen.items() if now - key[1] <= _KEPT_SECONDS + STEP}

    def of(self, subject: tuple[str, ...]) -> tuple[float, float] | None:
        """Answered and failed, None where nothing was ever taken in."""
        found = self._totals.get(subject)
        return (found[0], found[1]) if found is not None else None


def count_up(totals: Totals, snapshot: Snapshot, diagnosis: Diagnosis, now: float) -> None:
    """Take the requests of this look into the totals."""
    traffic = snapshot.traffic
    if traffic.access_lines:
        totals.add(("requests",), traffic.steps)
    merged: dict[tuple[str, int], int] = {}
    for one in traffic.failed:
        for began, _, failed in one.steps:
            # callers may name what they like: of the names only whose they are is kept
            place = (one.by or "unknown", began)
            merged[place] = merged.get(place, 0) + failed
    for (by, began), failed in merged.items():
        totals.add(("failed", by), [(began, 0, failed)])
    for row in diagnosis.deployments:
        if row.ok is not None or row.failed is not None:
            totals.add(("deployment", row.key), row.steps)
    totals.forget(now)


def families(
    snapshot: Snapshot,
    diagnosis: Diagnosis,
    totals: Totals,
    version: str,
    gateway: str,
    mask: Callable[[str], str] = lambda text: text,
) -> list[Family]:
    """All metrics of this look that have a sample, in the order of `METRICS`; `mask` takes secrets out of labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for name, labels, value in _samples(snapshot, diagnosis, totals, version, gateway):
        # two that are the same once they are masked are one: a scrape with both would be refused as a whole
        found.setdefault(PREFIX + name, {}).setdefault(tuple(_label(text, mask) for text in labels), value)
    buckets: dict[str, dict[tuple[str, ...], Histogram]] = {}
    for name, labels, histogram in _histograms(snapshot, diagnosis):
        buckets.setdefault(PREFIX + name, {}).setdefault(tuple(_label(text, mask) for text in labels), histogram)
    return [
        Family(
            one.name, one.kind, one.help, one.labels, tuple(found.get(one.name, {}).items()),
            tuple(buckets.get(one.name, {}).items()),
        )
        for one in METRICS
        if one.name in found or one.name in buckets
    ]  # fmt: skip


def _label(text: str, mask: Callable[[str], str]) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in mask(text))[:_LONGEST]


_Sample = tuple[str, tuple[str, ...], float]


def _samples(snapshot: Snapshot, diagnosis: Diagnosis, totals: Totals, version: str, gateway: str) -> Iterator[_Sample]:
    readiness, service = snapshot.gateway.readiness.value, snapshot.service.value
    yield "build_info", (version,), 1.0
    release = (readiness.version if readiness else None) or ""
    yield "gateway_info", (gateway, snapshot.address, service.unit if service else "", release), 1.0
    yield "last_look_timestamp_seconds", (), snapshot.taken_at
    yield from _verdicts(snapshot, diagnosis)
    yield from _requests(diagnosis, totals)
    yield from _by_metrics(snapshot, diagnosis)
    yield from _cache(snapshot)
    yield from _service(snapshot)
    yield "unreadable_sources", (), float(len(snapshot.crashes))


def _verdicts(snapshot: Snapshot, diagnosis: Diagnosis) -> Iterator[_Sample]:
    liveliness = snapshot.gateway.liveliness
    if liveliness.tried_at is not None:
        answers = liveliness.failure is None and liveliness.value is not None
        yield "gateway_up", (), float(answers)
        if answers and liveliness.took is not None:
            yield "gateway_answer_seconds", (), liveliness.took
    parts = (
        ("gateway", diagnosis.gateway), ("service", diagnosis.service), ("cache", diagnosis.cache),
        ("database", diagnosis.database),
    )  # fmt: skip
    for part, verdict in parts:
        yield from _one_of("part_severity", (part,), _SEVERITIES, verdict.severity)
    for row in diagnosis.deployments:
        yield from _one_of("deployment_state", _row(row), _STATES, row.verdict.state)
    for group in diagnosis.groups:
        yield from _one_of("group_state", (group.name,), _STATES, group.verdict.state)
    lasting = [problem.severity for problem in diagnosis.problems if problem.solved_at is None]
    for severity in ("bad", "warn", "quiet"):
        yield "problems", (severity,), float(sum(one == severity for one in lasting))


def _one_of(name: str, labels: tuple[str, ...], values: Sequence[str], value: str) -> Iterator[_Sample]:
    for one in values:
        yield name, (*labels, one), float(one == value)


def _row(row: Deployment) -> tuple[str, str, str]:
    return row.key, row.group, row.model


def _requests(diagnosis: Diagnosis, totals: Totals) -> Iterator[_Sample]:
    if (asked := totals.of(("requests",))) is not None:
        yield "requests_total", ("answered",), asked[0]
        yield "requests_total", ("failed",), asked[1]
    for by in ("group", "model", "caller", "refused", "stream", "other", "unknown"):
        if (failed := totals.of(("failed", by))) is not None:
            yield "failed_requests_total", (by,), failed[1]
    for row in diagnosis.deployments:
        if (counted := totals.of(("deployment", row.key))) is not None:
            yield "deployment_attempts_total", (*_row(row), "answered"), counted[0]
            yield "deployment_attempts_total", (*_row(row), "failed"), counted[1]
        if row.probe is not None and row.probe.ok:
            yield "probe_seconds", _row(row), row.probe.took


def _counted(snapshot: Snapshot, diagnosis: Diagnosis) -> Iterator[tuple[tuple[str, str, str], DeploymentCounters]]:
    """The rows that LiteLLM's /metrics count, by the id of what is loaded."""
    metrics = snapshot.gateway.metrics.value
    by_id = {one.id: one for one in metrics.deployments} if metrics else {}
    for row in diagnosis.deployments:
        if row.loaded is not None and row.loaded.id in by_id:
            yield _row(row), by_id[row.loaded.id]


def _by_metrics(snapshot: Snapshot, diagnosis: Diagnosis) -> Iterator[_Sample]:
    for labels, counted in _counted(snapshot, diagnosis):
        for direction, tokens in (("in", counted.tokens_in), ("out", counted.tokens_out)):
            if tokens is not None:
                yield "deployment_tokens_total", (*labels, direction), tokens
        if counted.cost is not None:
            yield "deployment_cost_dollars_total", labels, counted.cost


def _histograms(snapshot: Snapshot, diagnosis: Diagnosis) -> Iterator[tuple[str, tuple[str, ...], Histogram]]:
    for labels, counted in _counted(snapshot, diagnosis):
        if counted.latency:
            yield "deployment_latency_seconds", labels, counted.latency
        if counted.first_token:
            yield "deployment_first_token_seconds", labels, counted.first_token


def _cache(snapshot: Snapshot) -> Iterator[_Sample]:
    counts = snapshot.cache_counts
    if counts is not None and counts.counts:
        yield "cache_hits_total", (counts.source,), counts.counts[-1].hits
        yield "cache_misses_total", (counts.source,), counts.counts[-1].misses
    if redis := snapshot.gateway.redis.value:
        yield "redis_memory_bytes", (), float(redis.used_memory)
        yield "redis_clients", (), float(redis.clients)


def _service(snapshot: Snapshot) -> Iterator[_Sample]:
    service = snapshot.service.value
    if service is None:
        return
    running = service.active_state == "active"
    figures: Mapping[str, float | None] = {
        "service_running": float(running),
        "service_memory_bytes": service.memory,
        "service_cpu_seconds_total": service.cpu_seconds,
        "service_processes": float(len(service.workers) or bool(service.main_pid)) if running else 0.0,
        "service_restarts_total": service.restarts,
        "service_start_time_seconds": service.started_at if running else None,
    }
    for name, value in figures.items():
        if value is not None:
            yield name, (), float(value)


def page() -> str:
    """The metrics as a table in Markdown."""
    rows = [
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels) or '–'} | {one.help} |"
        for one in METRICS
    ]
    return "\n".join(("| metric | kind | labels | what it is |", "|---|---|---|---|", *rows))
