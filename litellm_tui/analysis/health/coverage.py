"""Which sources were read and when, and what cannot be seen here: how much "nothing is wrong" is worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from litellm_tui.analysis.health.database_report import database_looked
from litellm_tui.analysis.health.health_round import HealthRound
from litellm_tui.analysis.health.pods import hidden_parts
from litellm_tui.analysis.health.request_counts import count_requests
from litellm_tui.analysis.health.tallies import traffic_visible
from litellm_tui.analysis.phrases import count
from litellm_tui.model.configuration import NOT_KNOWN
from litellm_tui.model.diagnosis import BlindSpot, Looked
from litellm_tui.model.failures import Denied, NotAvailable, Unauthorized
from litellm_tui.model.log import Log
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot

# the console's own requests cause access lines: with none so long after the first answer, LiteLLM writes none
_ACCESS_SECONDS: Final = 20.0
# what a module of the operator's own prints now and then is no blind spot
_FEW_UNKNOWN: Final = 0.01
_VERBOSE: Final = (
    'LITELLM_LOG=INFO in the unit\'s environment, or callbacks: ["prometheus"] (LiteLLM 1.80 or newer), and a restart'
)


def source_coverage(snapshot: Snapshot) -> tuple[Looked, ...]:
    """Every source with what it gave, and when."""
    return tuple(_cover_sources(snapshot))


def _cover_sources(snapshot: Snapshot) -> Iterator[Looked]:
    gateway, traffic = snapshot.gateway, snapshot.traffic
    yield Looked("gateway", _failure_or(gateway.liveliness, "it answers"), gateway.liveliness.seen_at)
    groups, loaded = gateway.groups, gateway.deployments
    yield Looked(
        "models",
        _failure_or(
            loaded,
            f"{count(len(loaded.value or ()), 'deployment')} loaded, {count(len(groups.value or ()), 'name')} listed",
        ),
        loaded.seen_at,
    )
    report = gateway.health.value
    service = snapshot.service.value
    last = HealthRound(snapshot, (service.started_at if service else None) or 0.0)
    told = f"{len(report.healthy)} healthy, {len(report.unhealthy)} not; asked {last.ago}" if report else ""
    yield Looked(
        "health report", _failure_or(gateway.health, told), last.asked_at if report else gateway.health.seen_at
    )
    counts = count_requests(snapshot, snapshot.taken_at)
    yield Looked(
        "requests",
        f"{traffic.requests:,} in {traffic.window / 60:g} min, {counts.failed:,} failed"
        + (f", {counts.refused:,} refused by their callers' doing" if counts.refused else "")
        if traffic.access_lines
        else "not counted: no access line was seen",
        snapshot.log.last_at,
    )
    if snapshot.probes:
        good = sum(probe.ok for probe in snapshot.probes)
        newest = max(probe.asked_at for probe in snapshot.probes)
        yield Looked("probes", f"{good} of {len(snapshot.probes)} answered", newest)
    metrics = gateway.metrics
    yield Looked(
        "metrics",
        _failure_or(metrics, f"{count(len(metrics.value.deployments), 'deployment')} counted" if metrics.value else ""),
        metrics.seen_at,
    )
    ping = gateway.cache_ping
    yield Looked(
        "cache", _failure_or(ping, f"/cache/ping says {ping.value.status}" if ping.value else ""), ping.seen_at
    )
    if snapshot.redis_answer.tried_at is not None:
        yield Looked(
            "Redis",
            _failure_or(snapshot.redis_answer, f"it answers {snapshot.redis_answer.value}"),
            snapshot.redis_answer.seen_at,
        )
    yield from database_looked(snapshot)
    configuration = snapshot.configuration
    file = configuration.current
    text = (
        str(configuration.error)
        if configuration.error
        else configuration.failure.why
        if configuration.failure
        else f"{count(len(file.deployments), 'deployment')}, it parses"
        if file
        else configuration.why_unwatched or "none"
    )
    yield Looked("configuration", text, configuration.checked_at)
    state = f"{service.unit} is {service.active_state}" if service else ""
    yield Looked("unit", _failure_or(snapshot.service, state), snapshot.service.seen_at)
    log = snapshot.log
    said = log.failure.why if log.failure else log.source or log.state
    yield Looked("log", "; ".join(filter(None, (said, unread_lines(log)))), log.last_at)


def unread_lines(log: Log) -> str:
    """The number of log lines that could not be read, or are of no known form, as text; empty where all are known."""
    unread = f"{count(log.unread, 'line')} could not be read" if log.unread else ""
    return "; ".join(filter(None, (unread, unknown_lines(log))))


def unknown_lines(log: Log) -> str:
    """The number of log lines of no known form, of all, as text; empty where there is none."""
    if not log.unknown:
        return ""
    return f"{log.unknown:,} of {count(log.lines, 'line')} {'is' if log.unknown == 1 else 'are'} of an unknown form"


def log_permission(snapshot: Snapshot) -> str:
    """The permission that would let this user read the log."""
    if _is_systemd_log(snapshot):
        return "membership of the group systemd-journal, or run as the unit's user"
    return "the console as a user who may read it"


def _how_to_name_service(snapshot: Snapshot) -> str:
    return "--unit NAME with --user or --system" if _is_systemd_log(snapshot) else "the profile, in the settings file"


def _is_systemd_log(snapshot: Snapshot) -> bool:
    # the log tells the kind of service also while the service cannot be read
    return snapshot.log.source.startswith("journalctl ") or not snapshot.log.source


def _failure_or(reading: Reading[Any], text: str) -> str:
    if reading.failure is not None:
        return reading.failure.why
    return text if reading.value is not None else "not asked yet"


def blind_spots(snapshot: Snapshot, now: float) -> tuple[BlindSpot, ...]:
    """What cannot be seen here, each with the setting or permission that would show it."""
    return tuple(_find_blind_spots(snapshot, now))


def _find_blind_spots(snapshot: Snapshot, now: float) -> Iterator[BlindSpot]:
    gateway, log = snapshot.gateway, snapshot.log
    answering = gateway.liveliness.value is not None and gateway.liveliness.failure is None
    if answering and isinstance(gateway.deployments.failure, Unauthorized):
        yield BlindSpot("models, routing and cache: the gateway wants a key", "a key: see litellm-tui where")
    visible = traffic_visible(snapshot)
    if answering and not visible:
        yield BlindSpot("which model a successful request went to", _VERBOSE)
    health = isinstance(gateway.health.failure, NotAvailable) and gateway.health.value is None
    if answering and health:
        file = snapshot.configuration.current
        on = file is not None and file.background_health_checks
        mend = (
            "it comes by itself, or with the next restart"
            if on
            else "general_settings.background_health_checks: true (each check of a paid deployment is billed); "
            "probes ask on demand"
        )
        yield BlindSpot("LiteLLM's own health report", mend)
    if answering and health and not visible:
        yield BlindSpot("a dead model behind its fallback: its requests succeed, and nothing is written", _VERBOSE)
    log_told = isinstance(log.failure, Denied) or log.state == "off" or bool(log.hint and log.last < 0)
    if log_told:
        why = log.failure.why if log.failure else log.hint or "no log"
        what = "the unit and its log" if _lack_the_same(snapshot) else "the log"
        yield BlindSpot(
            f"{what}: {why}", _how_to_name_service(snapshot) if log.state == "off" else log_permission(snapshot)
        )
    elif answering and not snapshot.traffic.access_lines and _long_answering(snapshot, now):
        yield BlindSpot(
            "how many requests there are: LiteLLM writes no access lines here",
            "json_logs: false on versions before 1.100, or /metrics",
        )
    if log.unread:
        yield BlindSpot(
            f"what {count(log.unread, 'line')} of the log say: they could not be read, and are counted nowhere",
            "they stand in the log as they are; a fault of litellm-tui, worth a report",
        )
    if log.unknown > log.lines * _FEW_UNKNOWN:
        yield BlindSpot(
            f"what some lines of the log say: {unknown_lines(log)}, and counted nowhere",
            f"they stand in the log as they are, such as: {log.unknown_example}",
        )
    if snapshot.configuration.current is None and snapshot.configuration.error is None:
        yield BlindSpot("what the file says, and what a restart would change", "--config FILE")
    configuration = snapshot.configuration
    file = configuration.current
    if configuration.environment_unknown and file and any(r.source == NOT_KNOWN for r in file.references):
        what = f"which variables LiteLLM has, and so what is unset: {configuration.environment_unknown}"
        yield BlindSpot(what, "the console as the user who runs LiteLLM, or the profile, in the settings file")
    if snapshot.service.value is None and not (log_told and _lack_the_same(snapshot)):
        why = snapshot.service.failure.why if snapshot.service.failure else "not asked yet"
        yield BlindSpot(f"the unit: {why}", _how_to_name_service(snapshot))
    yield from hidden_parts(snapshot)
    ping = gateway.cache_ping.value
    if answering and ping is not None and ping.ping is None and ping.status == "healthy":
        yield BlindSpot(f"whether the cache works: LiteLLM does not test type {ping.type}", "cache_params.type: redis")


def _lack_the_same(snapshot: Snapshot) -> bool:
    """Whether the service and its log cannot be read for one and the same reason: a tool, a bus or an engine."""
    lacks = snapshot.service.failure, snapshot.log.failure
    return snapshot.service.value is None and lacks[0] is not None and lacks[0] == lacks[1]


def _long_answering(snapshot: Snapshot, now: float) -> bool:
    service = snapshot.service.value
    return service is not None and service.started_at is not None and now - service.started_at > _ACCESS_SECONDS
