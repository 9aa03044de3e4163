"""A verdict for each deployment and each group, from what the file, the proxy, its health report and the log say."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.causes import first_words, name_cause
from litellm_tui.analysis.drift import deployment_differences, pair
from litellm_tui.analysis.records import Deployment, State, Verdict
from litellm_tui.snapshot import (
    FileDeployment,
    HealthEntry,
    HealthReport,
    LoadedDeployment,
    LogRecord,
    Reading,
    Snapshot,
)

# how long a failure in the log speaks against a deployment that nothing else speaks for
FAILURE_MEMORY: Final = 300.0
# "model group 'X' failed" on 1.106, "original model_group=X" on 1.77
_SET_IT: Final = "set {} in the unit's environment file and restart"
_GROUP_FAILED: Final = re.compile(r"model group '([^']+)' failed|original model_group=([^\s,.]+)")


class _Evidence(NamedTuple):
    reachable: bool
    loaded_known: bool
    file_known: bool
    changed_since_start: bool
    health: Reading[HealthReport]
    failures: Mapping[str, LogRecord]
    group_sizes: Mapping[str, int]
    why_unknown: str


def judge_deployments(snapshot: Snapshot, now: float, changed_since_start: bool) -> tuple[Deployment, ...]:
    """A row per deployment of the file or the router, in the file's order."""
    gateway, file = snapshot.gateway, snapshot.configuration.current
    loaded = [_under_its_own_name(d, _aliases(snapshot)) for d in gateway.deployments.value or ()]
    pairs = pair(file.deployments if file else (), loaded)
    evidence = _Evidence(
        reachable=gateway.liveliness.failure is None and gateway.liveliness.value is not None,
        loaded_known=gateway.deployments.value is not None,
        file_known=file is not None,
        changed_since_start=changed_since_start,
        health=gateway.health,
        failures=_recent_failures(snapshot.log.recent_failures, now),
        group_sizes=Counter((f or d).group for f, d in pairs if f or d),  # type: ignore[union-attr]  # filtered
        why_unknown=_why_unknown(snapshot),
    )
    report = _Report(_current_report(snapshot))
    groups = set(gateway.groups.value or ()) if gateway.groups.value is not None else None
    seen: Counter[str] = Counter()
    rows = []
    for entry, running in pairs:
        shown = entry or running
        assert shown is not None
        base = f"{shown.group}|{shown.model}|{shown.api_base}"
        seen[base] += 1
        health, healthy = report.entry(running) if running else (None, False)
        rows.append(
            Deployment(
                key=f"{base}|{seen[base]}",
                group=shown.group,
                model=shown.model,
                api_base=shown.api_base,
                verdict=_verdict(entry, running, health, healthy, evidence),
                listed=None if groups is None or not evidence.reachable else shown.group in groups,
                rpm=shown.rpm,
                tpm=shown.tpm,
                differences=deployment_differences(entry, running) if entry and running else (),
                file=entry,
                loaded=running,
                health=health,
            )
        )
    return tuple(rows)


def group_states(deployments: Iterable[Deployment]) -> dict[str, State]:
    """The state of each group: serving when nothing in it fails, degraded when something else in it still serves."""
    members: defaultdict[str, list[State]] = defaultdict(list)
    for deployment in deployments:
        members[deployment.group].append(deployment.verdict.state)
    return {group: _group_state(states) for group, states in members.items()}


def mask(deployments: Iterable[Deployment], answering: Mapping[str, str]) -> tuple[Deployment, ...]:
    """Failing deployments are masked where a fallback answers for their group: `answering` maps group to target."""
    marked = []
    for deployment in deployments:
        target = answering.get(deployment.group)
        if deployment.verdict.state == "failing" and target:
            reason = f"{deployment.verdict.reason}; {target} answers in its place"
            verdict = msgspec.structs.replace(deployment.verdict, state="masked", reason=reason)
            deployment = msgspec.structs.replace(deployment, verdict=verdict)
        marked.append(deployment)
    return tuple(marked)


def _group_state(states: list[State]) -> State:
    present = [state for state in states if state != "not loaded"] or states
    if "serving" in present:
        return "serving" if all(state in ("serving", "unproven", "not in file") for state in present) else "degraded"
    quieter: tuple[State, ...] = ("degraded", "failing", "unproven", "not in file", "not loaded")
    for state in quieter:
        if state in present:
            return state
    return "unknown"


def _aliases(snapshot: Snapshot) -> set[str]:
    file, router = snapshot.configuration.current, snapshot.gateway.router.value or {}
    found: set[str] = set()
    for settings in (router, file.section("router_settings") if file else {}):
        alias = settings.get("model_group_alias")
        found |= {str(name) for name in alias} if isinstance(alias, dict) else set()
    return found


def _under_its_own_name(loaded: LoadedDeployment, aliases: set[str]) -> LoadedDeployment:
    """The deployment under the name of its group: the proxy lists it under its aliases too, on 1.77 before it."""
    own = next((name for name in loaded.names if name not in aliases), loaded.group)
    return loaded if own == loaded.group else msgspec.structs.replace(loaded, group=own)


def _current_report(snapshot: Snapshot) -> HealthReport | None:
    """The health report, unless it was made by a process that has since been replaced."""
    health, service = snapshot.gateway.health, snapshot.service.value
    if service and service.started_at and health.seen_at is not None and health.seen_at < service.started_at:
        return None
    return health.value


class _Report:
    """The health report by deployment: by id where the version gives it, else by model and api_base."""

    def __init__(self, report: HealthReport | None) -> None:
        self._by_id: dict[str, tuple[HealthEntry, bool]] = {}
        self._by_address: dict[tuple[str, str], tuple[HealthEntry, bool]] = {}
        for entries, healthy in ((report.healthy, True), (report.unhealthy, False)) if report else ():
            for entry in entries:
                if entry.model_id:
                    self._by_id[entry.model_id] = (entry, healthy)
                else:
                    self._by_address[entry.model, (entry.api_base or "").rstrip("/")] = (entry, healthy)

    def entry(self, loaded: LoadedDeployment) -> tuple[HealthEntry | None, bool]:
        address = (loaded.model, (loaded.api_base or "").rstrip("/"))
        return self._by_id.get(loaded.id) or self._by_address.get(address) or (None, False)


def _verdict(
    entry: FileDeployment | None,
    running: LoadedDeployment | None,
    health: HealthEntry | None,
    healthy: bool,
    evidence: _Evidence,
) -> Verdict:
    if not evidence.reachable or not evidence.loaded_known:
        return Verdict("unknown", evidence.why_unknown)
    if running is None:
        if evidence.changed_since_start:
            return Verdict("not loaded", "new in the file", do="restart to apply the file (R)", pending=True)
        return Verdict("not loaded", "in the file, not in the router: dropped at the start",
                       do="search the start-up log for its name; a model needs a provider in front")  # fmt: skip
    if entry is None and evidence.file_known and not running.from_db:
        state = _judged(running, entry, health, healthy, evidence)
        if state.state != "failing":
            return Verdict("not in file", "gone from the file", seen_at=state.seen_at,
                           do="the next restart removes it", pending=evidence.changed_since_start)  # fmt: skip
        return state
    return _judged(running, entry, health, healthy, evidence)


def _judged(
    running: LoadedDeployment,
    entry: FileDeployment | None,
    health: HealthEntry | None,
    healthy: bool,
    evidence: _Evidence,
) -> Verdict:
    seen_at = evidence.health.seen_at
    unset = next(iter(entry.missing), None) if entry else None
    if health is not None and not healthy:
        error = health.error or (f"HTTP {health.status}" if health.status else "unhealthy")
        cause = name_cause(error)
        if unset and cause.name in ("no key", "401 key refused", "failing"):
            return Verdict("failing", f"{unset} is not set", seen_at, _SET_IT.format(unset), f"{unset} unset")
        words = first_words(error).rstrip(".")
        reason = words if cause.name == "failing" else f"{cause.name}: {words}"
        return Verdict("failing", reason, seen_at, cause.do, cause.name)
    if health is not None:
        return Verdict("serving", "its health check answers", seen_at)
    failure = evidence.failures.get(running.group)
    if failure is not None:
        cause = name_cause(failure.text)
        alone = evidence.group_sizes[running.group] == 1
        return Verdict(
            "failing" if alone else "degraded",
            f"{cause.name}: requests to its group fail (log)",
            failure.time,
            cause.do,
            cause.name,
        )
    if unset:
        return Verdict(
            "unproven", f"{unset} is not set; nothing has asked it", None, _SET_IT.format(unset), f"{unset} unset"
        )
    return Verdict("unproven", "loaded; nothing has asked it", None,
                   "general_settings.background_health_checks: true would show its health")  # fmt: skip


def _recent_failures(records: Iterable[LogRecord], now: float) -> dict[str, LogRecord]:
    found: dict[str, LogRecord] = {}
    for record in records:
        if now - record.time > FAILURE_MEMORY:
            continue
        # without json_logs 1.106 names the group on a line of its own, which is folded in below the failure
        if match := _GROUP_FAILED.search(record.text) or _GROUP_FAILED.search(record.stack):
            found[match[1] or match[2]] = record
    return found


def _why_unknown(snapshot: Snapshot) -> str:
    gateway = snapshot.gateway
    if gateway.liveliness.failure:
        return f"the gateway does not answer: {gateway.liveliness.failure.why}"
    if gateway.liveliness.value is None:
        return "not asked yet"
    if gateway.deployments.failure:
        return gateway.deployments.failure.why
    return "not asked yet"
