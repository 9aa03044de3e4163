"""`diagnose`: all that is thought of one snapshot. Pure: time comes in, nothing goes out but the value."""

from __future__ import annotations

from litellm_tui.analysis.cache import judge_cache
from litellm_tui.analysis.drift import router_differences
from litellm_tui.analysis.headline import make_headline
from litellm_tui.analysis.records import Deployment, Diagnosis
from litellm_tui.analysis.routing import Routing, answering_fallback, resolve_chains
from litellm_tui.analysis.verdicts import group_states, judge_deployments, mask
from litellm_tui.snapshot import Snapshot


def diagnose(snapshot: Snapshot, now: float) -> Diagnosis:
    """Decide what the snapshot means at `now` (seconds since the epoch)."""
    file, gateway = snapshot.configuration.current, snapshot.gateway
    saved = _saved_after_start(snapshot)
    deployments = judge_deployments(snapshot, now, saved)
    states = group_states(deployments)
    running = Routing.of_router(gateway.router.value) if gateway.router.value is not None else None
    wanted = Routing.of_file(file) if file else running
    chains = resolve_chains(wanted, running, states, from_file=file is not None) if wanted else ()
    dead = [group for group, state in states.items() if state == "failing"]
    answering = {group: target for group in dead if (target := answering_fallback(chains, group))}
    deployments = mask(deployments, answering)
    reachable = gateway.liveliness.failure is None and gateway.liveliness.value is not None
    cache = judge_cache(gateway.cache_ping, reachable, file)
    drift = _drift(snapshot, deployments)
    return Diagnosis(
        headline=make_headline(snapshot, now, deployments, cache, len(drift), saved),
        deployments=deployments,
        chains=chains,
        cache=cache,
        drift=drift,
        health_note=gateway.health.failure.why if gateway.health.failure else "",
    )


def _saved_after_start(snapshot: Snapshot) -> bool:
    service, file = snapshot.service.value, snapshot.configuration.current
    if service is None or service.started_at is None or file is None:
        return False
    return file.modified_at > service.started_at


def _drift(snapshot: Snapshot, deployments: tuple[Deployment, ...]) -> tuple[str, ...]:
    """What a restart would change, in words; empty when nothing is known to differ."""
    gateway, file = snapshot.gateway, snapshot.configuration.current
    if file is None or gateway.deployments.value is None:
        return ()
    words = [f"added: {d.group} ({d.model})" for d in deployments if d.file and not d.loaded]
    words += [
        f"removed: {d.group} ({d.model})" for d in deployments if d.loaded and not d.file and not d.loaded.from_db
    ]
    words += [f"{d.group}: {difference}" for d in deployments for difference in d.differences]
    return (*words, *router_differences(file, gateway.router.value or {}))
