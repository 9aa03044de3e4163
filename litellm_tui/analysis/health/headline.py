"""The header: the state in a word, the clauses that explain it, and the next step for the worst problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from litellm_tui.analysis.health.crashes import SOURCE_NAMES
from litellm_tui.analysis.health.database_report import database_parts
from litellm_tui.analysis.health.request_counts import (
    RISING_SECONDS,
    count_requests,
    failed_words,
    rate_of,
    rises,
)
from litellm_tui.analysis.health.unnamed_failures import tells_of_failures
from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.diagnosis import Deployment, Headline, Part, Problem, Verdict
from litellm_tui.model.snapshot import Snapshot

# problems at these places affect nobody until something is restarted, or fails
_LATENT: Final = ("chain", "configuration", "audit", "service", "reading")
# states of a gateway that last, and say so
_LASTING: Final = ("down", "hanging", "overloaded")


def make_headline(
    snapshot: Snapshot,
    now: float,
    gateway: Verdict,
    service: Verdict,
    cache: Verdict,
    database: Verdict,
    deployments: Sequence[Deployment],
    problems: Sequence[Problem],
    changes: int,
    saved: bool,
) -> Headline:
    """The headline, from the worst problem that lasts.

    `changes` counts the differences of file and router, `saved` says whether the file is newer than the proxy.
    """
    saved_parts = _config_parts(snapshot, changes, saved)
    tail = (*_reading_parts(snapshot), *_service_parts(snapshot, now))
    if gateway.state != "answering":
        parts = (
            Part(gateway.reason + _lasting(gateway, problems, now), gateway.severity),
            *_unit_parts(snapshot, service),
            *database_parts(database, answering=False),
            *saved_parts,
            *tail,
        )
        return Headline(gateway.state.upper(), gateway.severity, parts, gateway.do)
    lasting = [problem for problem in problems if problem.solved_at is None]
    wrong = [problem for problem in lasting if problem.severity in ("bad", "warn")]
    parts = (
        *_problems_part(wrong),
        *saved_parts,
        _deployments_part(deployments, snapshot.gateway.deployments.value is not None),
        *_request_parts(snapshot, now),
        _cache_part(cache),
        *database_parts(database, answering=True),
        *tail,
    )
    if wrong:
        worst = wrong[0]
        now_hit = any(problem.place.kind not in _LATENT for problem in wrong)
        return Headline("DEGRADED" if now_hit else "AT RISK", worst.severity, parts, _advice(worst))
    if snapshot.gateway.deployments.value is None:
        word = "STARTING" if snapshot.gateway.deployments.failure is None else "ANSWERING"
        return Headline(word, "unknown", parts)
    if any(problem.severity == "quiet" and tells_of_failures(problem) for problem in lasting):
        # requests fail, and by nothing that is the gateway's
        return Headline("ANSWERING", "quiet", parts)
    if any(
        d.verdict.state == "unknown" or (d.verdict.state in ("idle", "unproven") and d.verdict.severity != "ok")
        for d in deployments
        if not d.verdict.pending
    ):
        return Headline("ANSWERING", "quiet", parts)
    return Headline("OK", "ok", parts)


def _reading_parts(snapshot: Snapshot) -> tuple[Part, ...]:
    """The sources that the console itself fails to read."""
    if not snapshot.crashes:
        return ()
    first = snapshot.crashes[0]
    more = f" and {len(snapshot.crashes) - 1} more" if len(snapshot.crashes) > 1 else ""
    return (Part(f"not read: {SOURCE_NAMES.get(first.source, first.source)}{more}", "warn"),)


def _unit_parts(snapshot: Snapshot, service: Verdict) -> tuple[Part, ...]:
    """The state of the unit while the gateway does not answer."""
    if service.severity == "bad":
        return (Part(service.reason, "bad"),)
    unit = snapshot.service.value
    if service.state == "active" and unit is not None and snapshot.gateway.liveliness.failure is not None:
        return (Part(f"{unit.unit} is active", "warn"),)
    return ()


def _advice(problem: Problem) -> str:
    cause = "" if problem.cause in problem.title else f"{problem.cause}; "
    return f"{problem.title}: {cause}{problem.do or problem.reason}"


def _problems_part(wrong: Sequence[Problem]) -> tuple[Part, ...]:
    new = sum(problem.new for problem in wrong)
    words = f"{count(len(wrong), 'problem')}" + (f", {new} new" if new and new < len(wrong) else "")
    return (Part(words, wrong[0].severity),) if wrong else ()


def _deployments_part(deployments: Sequence[Deployment], known: bool) -> Part:
    # a deployment that a restart will load is a change: the clause on the configuration counts it
    present = [d for d in deployments if not (d.verdict.pending and d.loaded is None)]
    total = len(present)
    if not total:
        return Part("no deployments", "warn") if known else Part("no deployment has been read", "unknown")
    # what fails by its callers' own doing is quiet
    told = [d.verdict for d in present if (d.verdict.state, d.verdict.severity) != ("degraded", "quiet")]
    states = Counter(verdict.state for verdict in told if not verdict.pending)
    said = [
        (states["failing"], "failing", "bad"),
        (states["masked"], "masked", "warn"),
        (states["degraded"], "degraded", "warn"),
        (states["cooling down"], "cooling down", "warn"),
        (states["not loaded"], "not loaded", "bad"),
        (states["not in file"], "not in the file", "warn"),
    ]
    wrong = [(number, words, severity) for number, words, severity in said if number]
    if wrong:
        first, *others = wrong
        text = f"{first[0]} of {count(total, 'deployment')} {first[1]}" + "".join(
            f", {n} {words}" for n, words, _ in others
        )
        return Part(text, "bad" if any(s == "bad" for _, _, s in wrong) else "warn")
    expected = f", {states['expected down']} down as expected" if states["expected down"] else ""
    unsure = [
        d
        for d in present
        if not d.verdict.pending
        and d.verdict.severity not in ("ok", "bad")
        and d.verdict.state not in ("expected down", "not in file")
    ]
    if not unsure:
        idle = f", {states['idle']} idle" if states["idle"] else ""
        return Part(
            f"{count(total, 'deployment')} well{idle}{expected}"
            if idle or expected
            else f"{count(total, 'deployment')} serving",
            "ok",
        )
    return Part(f"{count(total, 'deployment')} loaded, the health of {len(unsure)} is not proven{expected}", "quiet")


def _cache_part(cache: Verdict) -> Part:
    return Part(f"cache {cache.state}", cache.severity)


def _lasting(gateway: Verdict, problems: Sequence[Problem], now: float) -> str:
    """For how long: by the problem that tells of it, so that header and problems name one onset."""
    if gateway.state not in _LASTING:
        return ""
    told = [p.since for p in problems if p.solved_at is None and p.place.kind in ("gateway", "service")]
    since = min((moment for moment in (gateway.since, *told) if moment is not None), default=None)
    # a single snapshot does not know for how long
    return f", for {age(now - since)}" if since is not None and now - since >= 1 else ""


def _request_parts(snapshot: Snapshot, now: float) -> tuple[Part, ...]:
    """Requests a minute and those that failed; where none did, lines of errors that are about something else."""
    counts = count_requests(snapshot, now)
    found = []
    if counts.per_minute is not None and counts.asked:
        bars = "" if counts.failed else f" {sparkline(counts.asked_by_minute)}"
        found.append(Part(f"{rate_of('request', counts.per_minute)}/min{bars}"))
    if counts.failed:
        rising = " rising" if counts.rising else ""
        found.append(Part(f"{failed_words(counts)} {sparkline(counts.failed_by_minute)}{rising}", "warn"))
    minutes = snapshot.log.errors_per_minute
    recent = sum(minutes[-5:])
    if recent and not counts.failed:
        since = snapshot.traffic.since
        watched = since is not None and snapshot.taken_at - since >= RISING_SECONDS
        rising = " rising" if watched and rises(minutes) else ""
        found.append(Part(f"{count(recent, 'error line')} in 5 min {sparkline(minutes[-5:])}{rising}", "warn"))
    return tuple(found)


def sparkline(values: Sequence[int], most: int = 0) -> str:
    """A bar per value, scaled to `most` or, without it, to the largest."""
    bars = "▁▂▃▄▅▆▇█"
    most = most or max(values, default=0)
    return "".join(bars[round(value / most * (len(bars) - 1))] if most else bars[0] for value in values)


def _service_parts(snapshot: Snapshot, now: float) -> tuple[Part, ...]:
    service = snapshot.service.value
    if service is None or snapshot.service.failure is not None:
        # why is said once, among what cannot be seen
        return (Part("service unknown", "unknown"),) if snapshot.service.failure else ()
    if service.active_state == "active" and service.started_at:
        return (Part(f"up {age(now - service.started_at)}"),)
    return ()


def _config_parts(snapshot: Snapshot, changes: int, saved: bool) -> tuple[Part, ...]:
    configuration = snapshot.configuration
    if configuration.failure:
        return (Part("config not read", "unknown"),)
    if configuration.error:
        place = f"line {configuration.error.line}: " if configuration.error.line else ""
        how = "not read" if configuration.error.unread else "broken"
        return (Part(f"config {how}, {place}{configuration.error.problem}", "bad"),)
    if changes:
        return (Part(f"config saved, {count(changes, 'change')} not applied", "warn"),)
    if saved:
        return (Part("config saved after the start", "quiet"),)
    return ()
