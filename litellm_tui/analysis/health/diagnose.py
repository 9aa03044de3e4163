"""`diagnose` turns one snapshot into a diagnosis. It is pure: time and memory are arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litellm_tui.analysis.advice import Advisor
from litellm_tui.analysis.audit_places import on_chains, on_deployments
from litellm_tui.analysis.change.drift import router_differences
from litellm_tui.analysis.health.cache import judge_cache
from litellm_tui.analysis.health.coverage import blind_spots, source_coverage
from litellm_tui.analysis.health.database import judge_database
from litellm_tui.analysis.health.database_report import database_blind_spots, with_lost_database
from litellm_tui.analysis.health.groups import (
    describe_groups,
    group_states,
    judge_groups,
    mask_failing,
    observed_substitutes,
)
from litellm_tui.analysis.health.headline import make_headline
from litellm_tui.analysis.health.memory import Memory, recall
from litellm_tui.analysis.health.operation import add_health_url, judge_gateway, judge_service
from litellm_tui.analysis.health.problems import find_problems
from litellm_tui.analysis.health.verdicts import judge
from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.routing.chains import resolve_chains
from litellm_tui.analysis.routing.table import Routing, alias_target, routing_of_file, routing_of_router
from litellm_tui.analysis.routing.what_if import find_substitutes
from litellm_tui.model.audit import Audit
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.diagnosis import Deployment, Diagnosis, State
from litellm_tui.model.snapshot import Snapshot

NOTHING: Final[Memory] = {}


def diagnose(snapshot: Snapshot, now: float, memory: Memory = NOTHING, audit: Audit | None = None) -> Diagnosis:
    """The diagnosis of a snapshot at `now` (seconds since the epoch).

    `memory` holds the problems of earlier snapshots, `audit` is the audit of the file on disk.
    """
    file, gateway = snapshot.configuration.current, snapshot.gateway
    saved = _saved_after_start(snapshot)
    deployments, failing = judge(snapshot, now, saved)
    verdicts = judge_groups(deployments, failing)
    states = group_states(verdicts)
    running = routing_of_router(gateway.router.value, file) if gateway.router.value is not None else None
    wanted = routing_of_file(file) if file else running
    # without a list of the groups every target would seem to be missing
    named = file is not None or gateway.deployments.value is not None
    chains = resolve_chains(wanted, running, states, from_file=file is not None) if wanted and named else ()
    aliases = _leading(running or wanted)
    answering = find_substitutes(snapshot, deployments, _dead(states, aliases), _dead_groups(states))
    substitutes = observed_substitutes(snapshot, now, answering)
    deployments = mask_failing(deployments, substitutes, states, aliases)
    groups = describe_groups(verdicts, aliases, substitutes)
    reachable = gateway.liveliness.failure is None and gateway.liveliness.value is not None
    told, failed = snapshot.redis_server, snapshot.failures.tallies
    cache = judge_cache(gateway.cache_ping, snapshot.redis_answer, reachable, file, told, failed)
    database = judge_database(snapshot, now)
    service = judge_service(snapshot, now)
    answer = add_health_url(judge_gateway(snapshot, now, service), gateway.health_url)
    answer = with_lost_database(answer, database)
    drift = _drift(snapshot, deployments)
    advisor = Advisor.of(snapshot.words, snapshot.service_drift.value)
    found = find_problems(snapshot, now, answer, service, cache, database, deployments, groups, chains, drift, audit)
    problems = recall(memory, advisor.problems(found), now)
    diagnosis = Diagnosis(
        headline=make_headline(
            snapshot, now, answer, service, cache, database, deployments, problems, len(drift), saved
        ),
        gateway=answer,
        service=service,
        cache=cache,
        deployments=on_deployments(deployments, audit),
        groups=groups,
        chains=on_chains(chains, audit, file),
        problems=problems,
        looked=source_coverage(snapshot),
        blind_spots=(*blind_spots(snapshot, now), *database_blind_spots(snapshot, database)),
        drift=drift,
        health_note=gateway.health.failure.why if gateway.health.failure else "",
        audit=audit,
        database=database,
    )
    return advisor.diagnosis(diagnosis)


@latest
def _dead_groups(states: Mapping[str, State]) -> tuple[str, ...]:
    return tuple(group for group, state in states.items() if state in ("failing", "cooling down"))


@latest
def _dead(states: Mapping[str, State], aliases: Mapping[str, str]) -> tuple[str, ...]:
    """The dead groups and the aliases that lead to them."""
    groups = _dead_groups(states)
    return (*groups, *(alias for alias, group in aliases.items() if group in groups))


@latest
def _leading(routing: Routing | None) -> dict[str, str]:
    """The aliases, each with its group."""
    return {name: to for name, value in (routing.aliases.items() if routing else ()) if (to := alias_target(value))}


def _saved_after_start(snapshot: Snapshot) -> bool:
    service, file = snapshot.service.value, snapshot.configuration.current
    if service is None or service.started_at is None or file is None:
        return False
    return file.modified_at > service.started_at


def _drift(snapshot: Snapshot, deployments: tuple[Deployment, ...]) -> tuple[str, ...]:
    """The changes that a restart would bring, as texts; empty when no difference is known."""
    gateway, file = snapshot.gateway, snapshot.configuration.current
    if file is None or gateway.deployments.value is None:
        return ()
    return _differences(deployments, file, gateway.router.value)


@latest
def _differences(
    deployments: tuple[Deployment, ...], file: ConfigFile, router: Mapping[str, Any] | None
) -> tuple[str, ...]:
    # an entry that LiteLLM dropped at its start is a fault, not a change
    words = [f"added: {d.group} ({d.model})" for d in deployments if d.file and not d.loaded and d.verdict.pending]
    words += [
        f"removed: {d.group} ({d.model})" for d in deployments if d.loaded and not d.file and not d.loaded.from_db
    ]
    words += [f"{d.group}: {difference}" for d in deployments for difference in d.differences]
    return (*words, *router_differences(file, router or {}))
