"""The verdict of each deployment: real requests and probes outweigh the health report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.health.evidence import FAILURE_MEMORY, DeploymentEvidence, EvidenceCollector
from litellm_tui.analysis.health.marks import expected_down, keep_marks
from litellm_tui.analysis.health.observation import Observation
from litellm_tui.analysis.health.paired import Pair, Pairs, all_aliases, pair_deployments, under_group_names
from litellm_tui.analysis.health.states import verdict_of
from litellm_tui.analysis.latest import Last, latest
from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.configuration import FileDeployment
from litellm_tui.model.diagnosis import Deployment, Evidence, State, Verdict
from litellm_tui.model.failures import Crashed
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.snapshot import Snapshot

_SET_IT: Final = "set {} in the unit's environment file and restart"
# causes that an unset variable explains
_KEY_CAUSES: Final = ("no key", "401 key refused", "failing")


class _Context(NamedTuple):
    reachable: bool
    loaded: bool
    file: bool
    saved_since_start: bool
    expected_down: Mapping[str, str]
    dropped: frozenset[str]
    why_unknown: str
    start: bool = True


class _UnobservedRows:
    """Rows without evidence beside the health report: they do not depend on the time."""

    def __init__(self, count: int) -> None:
        self.rows: list[Deployment | None] = [None] * count
        self.missing = set(range(count))


_keep_equal: Final = Last()


_keep_equal_groups: Final = Last()


class Judged(NamedTuple):
    """A row for each deployment, in the file's order, and the failures of whole groups as their callers met them."""

    deployments: tuple[Deployment, ...]
    groups: tuple[tuple[str, Observation], ...]


def judge_deployments(snapshot: Snapshot, now: float, saved_since_start: bool) -> tuple[Deployment, ...]:
    """The rows of `judge`."""
    return judge(snapshot, now, saved_since_start).deployments


def judge(snapshot: Snapshot, now: float, saved_since_start: bool) -> Judged:
    """All that is known of each deployment of the file or the router; the same tuples for an equal result."""
    gateway, file = snapshot.gateway, snapshot.configuration.current
    aliases = all_aliases(file, gateway.router.value)
    loaded = under_group_names(gateway.deployments.value, aliases)
    pairs = pair_deployments(file, loaded)
    known = _Context(
        reachable=gateway.liveliness.failure is None and gateway.liveliness.value is not None,
        loaded=gateway.deployments.value is not None,
        file=file is not None,
        saved_since_start=saved_since_start,
        expected_down=keep_marks(snapshot.expected_down, now),
        dropped=frozenset(n.name for n in snapshot.traffic.notices if n.kind == "dropped"),
        why_unknown=_why_unknown(snapshot),
        start=snapshot.service.value is not None and snapshot.service.value.started_at is not None,
    )
    collector = EvidenceCollector(snapshot, now, loaded)
    quiet = _unobserved_rows(pairs, known, collector.report_inputs, gateway.groups.value)
    names = _name_set(gateway.groups.value)
    active = {place for name in collector.observed_names for place in pairs.positions.get(name, ())}
    for place in quiet.missing - active:
        quiet.rows[place] = _row(pairs.rows[place], known, collector, names)
        quiet.missing.discard(place)
    rows = list(quiet.rows)
    for place in active:
        rows[place] = _row(pairs.rows[place], known, collector, names)
    failing = tuple(collector.observe_groups().items()) if known.reachable and known.loaded else ()
    return Judged(_keep_equal(tuple(row for row in rows if row is not None)), _keep_equal_groups(failing))


def _row(both: Pair, known: _Context, collector: EvidenceCollector, groups: frozenset[str] | None) -> Deployment:
    entry, running, shown = both.entry, both.running, both.shown
    evidence = collector.collect(running) if running else DeploymentEvidence()
    listed = None if groups is None or not known.reachable else shown.group in groups
    verdict = _with_evidence(
        _verdict_of_row(entry, running, evidence, known, collector), entry, running, evidence, listed
    )
    note = known.expected_down.get(both.key, known.expected_down.get(shown.group))
    return Deployment(
        key=both.key,
        group=shown.group,
        model=shown.model,
        api_base=both.address,
        verdict=verdict if note is None else expected_down(verdict, note),
        listed=listed,
        rpm=shown.rpm,
        tpm=shown.tpm,
        differences=both.differences,
        file=entry,
        loaded=running,
        health=evidence.entry,
        probe=evidence.probed,
        ok=evidence.ok,
        failed=evidence.failed,
        steps=evidence.steps,
        hour=evidence.hour,
        errors=evidence.errors,
    )


@latest
def _unobserved_rows(
    pairs: Pairs, known: _Context, inputs: tuple[object, ...], groups: tuple[str, ...] | None
) -> _UnobservedRows:
    """The rows that depend on these arguments alone."""
    return _UnobservedRows(len(pairs.rows))


@latest
def _name_set(groups: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if groups is None else frozenset(groups)


def _verdict_of_row(
    entry: FileDeployment | None,
    running: LoadedDeployment | None,
    evidence: DeploymentEvidence,
    known: _Context,
    collector: EvidenceCollector,
) -> Verdict:
    if not known.reachable or not known.loaded:
        return verdict_of("unknown", known.why_unknown)
    if running is None:
        assert entry is not None
        return _not_loaded(entry, known)
    unset = next(iter(entry.missing), "") if entry else ""
    judged = _judge(running, evidence, unset, collector)
    if entry is None and known.file and not running.from_db and judged.severity != "bad":
        gone = verdict_of("not in file", "gone from the file", judged.seen_at, "the next restart removes it")
        return _as_pending(gone) if known.saved_since_start else gone
    return judged


def _not_loaded(entry: FileDeployment, known: _Context) -> Verdict:
    if known.saved_since_start:
        return _as_pending(verdict_of("not loaded", "new in the file", do="restart to apply the file (R)"))
    bare = "/" not in entry.model and not entry.params.get("custom_llm_provider")
    if bare or entry.model in known.dropped:
        return verdict_of(
            "not loaded",
            f"{entry.model or 'its model'} names no provider: LiteLLM dropped it at the start",
            do=f"write openai/{entry.model}, ollama/{entry.model} or whatever serves it, and restart",
            brief="no provider",
        )
    return verdict_of(
        "not loaded",
        "in the file, not in the router: dropped at the start"
        + ("" if known.start else ", or saved after it (when that was is not known here)"),
        do="search the start-up log for its name",
        brief="not loaded",
    )


def _as_pending(verdict: Verdict) -> Verdict:
    return msgspec.structs.replace(verdict, severity="quiet", pending=True)


def _judge(
    running: LoadedDeployment, evidence: DeploymentEvidence, unset: str, collector: EvidenceCollector
) -> Verdict:
    direct, health = evidence.direct, evidence.health
    if direct and direct.ok and health and not health.ok and collector.now - direct.seen_at > FAILURE_MEMORY:
        # an old answer does not contradict current evidence
        direct = None
    if evidence.cooling_until is not None and not (direct and (direct.ok or _explains_cooling(direct))):
        return _cooling_verdict(evidence, evidence.cooling_until, collector.now)
    if direct is not None and direct.failure_of != "upstream":
        if not direct.partly:
            return _others_verdict(direct)
        direct = None
    if direct is not None and not direct.ok:
        confirmed = health is not None and not health.ok and not collector.traffic_visible
        state: State = "degraded" if direct.partly and not confirmed else "failing"
        against = "LiteLLM's /health calls it healthy: its own check is older, or asks otherwise than the callers do"
        return _failing_verdict(
            state, _with_clearer_cause(direct, evidence), unset, against if health and health.ok else ""
        )
    if direct is not None and health is not None and evidence.doubtful and direct is evidence.traffic:
        ago = age(collector.now - direct.seen_at)
        doubt = verdict_of(
            "unproven",
            f"its health check fails ({health.text}), and its last request, {ago} ago, was answered",
            health.seen_at,
            "probe it (p): that tells which of the two holds now",
            health.cause.name if health.cause else "",
        )
        return msgspec.structs.replace(doubt, severity="warn")
    if direct is not None and evidence.group is not None and evidence.group.seen_at > direct.seen_at:
        return _suspected_verdict(evidence.group)
    if direct is not None:
        contradiction = ""
        if health is not None and not health.ok:
            contradiction = f"LiteLLM's /health calls it unhealthy ({health.text}), and requests succeed"
            contradiction += f": {evidence.unfit}" if evidence.unfit else ""
        return verdict_of("serving", direct.text, direct.seen_at, contradiction=contradiction)
    if health is not None and not health.ok and health.failure_of != "upstream":
        return _others_verdict(health)
    if health is not None and not health.ok:
        if evidence.unfit and health.cause and health.cause.name in ("400 bad request", "404 not found", "failing"):
            return verdict_of(
                "unproven",
                f"only LiteLLM's health check speaks against it ({health.text}): {evidence.unfit}",
                health.seen_at,
                "probe it (p): that asks in the right way",
                "health check unfit",
            )
        return _failing_verdict("failing", health, unset)
    if evidence.group is not None:
        return _suspected_verdict(evidence.group)
    if health is not None:
        return _checked_verdict(health, collector)
    if evidence.earlier is not None:
        doubt = verdict_of(
            "unproven",
            f"{evidence.earlier.text}; nothing has shown since that it answers",
            evidence.earlier.seen_at,
            "probe it (p): that tells whether it still fails",
            evidence.earlier.cause.name if evidence.earlier.cause else "",
            evidence.earlier.since,
        )
        return msgspec.structs.replace(doubt, severity="warn")
    if unset:
        return msgspec.structs.replace(
            verdict_of(
                "unproven",
                f"{unset} is not set, and nothing has asked it",
                None,
                _SET_IT.format(unset),
                f"{unset} unset",
            ),
            severity="warn",
        )
    quiet = collector.no_request or "nothing that was seen has asked it"
    if not collector.no_request and (served := collector.served_sometime(running)):
        quiet = f"it has answered {count(served, 'request')} since its process started, the last one at an unknown time"
    if evidence.direct is not None and evidence.direct.failure_of != "upstream":
        quiet = evidence.direct.text
    return verdict_of("idle", f"nothing is known against it; {quiet}", do="p asks it now")


def _checked_verdict(health: Observation, collector: EvidenceCollector) -> Verdict:
    """The verdict where nothing but LiteLLM's own check speaks of a deployment, and speaks for it."""
    if not collector.round.current:
        text = f"its health check answered {collector.round.ago}; nothing shows that it still answers"
        return verdict_of("unproven", text, health.seen_at, "p asks it now", "old check")
    if collector.traffic_visible:
        quiet = collector.no_request or "no request was seen"
        return msgspec.structs.replace(
            verdict_of("idle", f"{quiet}; its health check answers", health.seen_at), severity="ok"
        )
    return verdict_of("serving", "its health check answers", health.seen_at)


def _others_verdict(observation: Observation) -> Verdict:
    """Requests fail, and not by the deployment: where by their callers' doing, it is no problem of the gateway's."""
    cause = observation.cause or name_cause(observation.text)
    theirs = observation.failure_of == "caller"
    brief = f"callers' own: {cause.name}" if theirs else cause.name
    verdict = verdict_of("degraded", observation.text, observation.seen_at, cause.do, brief, observation.since)
    return msgspec.structs.replace(verdict, severity="quiet") if theirs else verdict


def _failing_verdict(state: State, observation: Observation, unset: str, contradiction: str = "") -> Verdict:
    cause = observation.cause or name_cause(observation.text)
    if unset and cause.name in _KEY_CAUSES:
        return verdict_of(
            state,
            f"{unset} is not set",
            observation.seen_at,
            _SET_IT.format(unset),
            f"{unset} unset",
            observation.since,
            contradiction,
        )
    return verdict_of(
        state, observation.text, observation.seen_at, cause.do, cause.name, observation.since, contradiction
    )


def _with_clearer_cause(observation: Observation, evidence: DeploymentEvidence) -> Observation:
    """The observation with the clearer cause of another failed observation, if there is one."""
    if observation.cause is None or not observation.cause.vague:
        return observation
    for other in (evidence.traffic, evidence.group, evidence.health, evidence.probe):
        if other is not None and not other.ok and other.cause and not other.cause.vague:
            return observation._replace(cause=other.cause, text=other.text)
    return observation


def _suspected_verdict(group: Observation) -> Verdict:
    return verdict_of(
        "degraded",
        f"requests fail, and the log does not say which of several deployments fails: {group.text}",
        group.seen_at,
        "probe the group (p) to see which",
        group.cause.name if group.cause else "",
        group.since,
    )


def _explains_cooling(observation: Observation) -> bool:
    """Whether the failure outlasts a cooldown: with a refused key the next request fails again."""
    cause = observation.cause
    return (
        not observation.partly and cause is not None and cause.name not in ("cooling down", "429 rate limit", "failing")
    )


def _cooling_verdict(evidence: DeploymentEvidence, until: float, now: float) -> Verdict:
    began = next(
        (
            w
            for w in (evidence.traffic, evidence.group, evidence.health)
            if w and not w.ok and w.cause and w.cause.name != "cooling down"
        ),
        None,
    )
    why = f": {began.text}" if began else ""
    return verdict_of(
        "cooling down",
        f"the router does not ask it for {age(until - now)} more{why}",
        seen_at=evidence.group.seen_at if evidence.group else evidence.traffic.seen_at if evidence.traffic else None,
        do=began.cause.do if began and began.cause else name_cause("cooldown_list=['x']").do,
        brief=began.cause.name if began and began.cause else "cooling down",
        since=began.since if began else None,
    )


def _with_evidence(
    verdict: Verdict,
    entry: FileDeployment | None,
    running: LoadedDeployment | None,
    evidence: DeploymentEvidence,
    listed: bool | None,
) -> Verdict:
    """The verdict with all its evidence: first where the deployment is listed, then the observations."""
    found = []
    if entry is not None:
        found.append(Evidence("file", f"in the file at {entry.mark}", "for"))
        found += [Evidence("file", f"{name} is not set", "against") for name in entry.missing]
    if running is not None:
        found.append(Evidence("router", "loaded by the proxy", "for"))
    elif verdict.state == "not loaded":
        found.append(Evidence("router", "not loaded by the proxy", "against"))
    if listed is not None:
        text = "its group is in /v1/models" if listed else "its group is not in /v1/models"
        found.append(Evidence("listed", text, "for" if listed else "against"))
    if evidence.cooling_until is not None:
        found.append(Evidence("cooldown", "the router said that it does not ask this group now", "against"))
    return msgspec.structs.replace(verdict, evidence=(*found, *evidence.evidence))


def _why_unknown(snapshot: Snapshot) -> str:
    gateway = snapshot.gateway
    if isinstance(gateway.liveliness.failure, Crashed):
        return gateway.liveliness.failure.why
    if gateway.liveliness.failure:
        return f"the gateway does not answer: {gateway.liveliness.failure.why}"
    if gateway.liveliness.value is None:
        return "not asked yet"
    if gateway.deployments.failure:
        return gateway.deployments.failure.why
    return "not asked yet"
