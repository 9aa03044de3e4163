"""A verdict for each deployment: what was seen of real requests and probes outweighs every report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.health.evidence import FAILURE_MEMORY, EvidenceCollector, Testimony, Witness
from litellm_tui.analysis.health.paired import Pair, Pairs, aliases_of, own_names, paired
from litellm_tui.analysis.latest import Last, latest
from litellm_tui.analysis.phrases import age
from litellm_tui.model.configuration import FileDeployment
from litellm_tui.model.diagnosis import SEVERITY, Deployment, Evidence, State, Verdict
from litellm_tui.model.failures import Crashed
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.snapshot import Snapshot

_SET_IT: Final = "set {} in the unit's environment file and restart"
# causes that an unset variable explains
_KEY_CAUSES: Final = ("no key", "401 key refused", "failing")


class _Known(NamedTuple):
    reachable: bool
    loaded: bool
    file: bool
    saved_since_start: bool
    expected_down: Mapping[str, str]
    dropped: frozenset[str]
    why_unknown: str
    start: bool = True


class _Quiet:
    """The rows of which nothing is heard but the health report: they do not change while time goes on."""

    def __init__(self, count: int) -> None:
        self.rows: list[Deployment | None] = [None] * count
        self.missing = set(range(count))


_last: Final = Last()


def judge_deployments(snapshot: Snapshot, now: float, saved_since_start: bool) -> tuple[Deployment, ...]:
    """A row per deployment of the file or the router, in the file's order; the same object while nothing changes."""
    gateway, file = snapshot.gateway, snapshot.configuration.current
    aliases = aliases_of(file, gateway.router.value)
    loaded = own_names(gateway.deployments.value, aliases)
    pairs = paired(file, loaded)
    known = _Known(
        reachable=gateway.liveliness.failure is None and gateway.liveliness.value is not None,
        loaded=gateway.deployments.value is not None,
        file=file is not None,
        saved_since_start=saved_since_start,
        expected_down=snapshot.expected_down,
        dropped=frozenset(n.name for n in snapshot.traffic.notices if n.kind == "dropped"),
        why_unknown=_why_unknown(snapshot),
        start=snapshot.service.value is not None and snapshot.service.value.started_at is not None,
    )
    collector = EvidenceCollector(snapshot, now, loaded)
    quiet = _quiet(pairs, known, collector.standing, gateway.groups.value)
    names = _names(gateway.groups.value)
    active = {place for heard in collector.named for place in pairs.places.get(heard, ())}
    for place in quiet.missing - active:
        quiet.rows[place] = _row(pairs.rows[place], known, collector, names)
        quiet.missing.discard(place)
    rows = list(quiet.rows)
    for place in active:
        rows[place] = _row(pairs.rows[place], known, collector, names)
    return _last(tuple(row for row in rows if row is not None))


def _row(both: Pair, known: _Known, collector: EvidenceCollector, groups: frozenset[str] | None) -> Deployment:
    entry, running, shown = both.entry, both.running, both.shown
    heard = collector.hear(running) if running else Testimony()
    listed = None if groups is None or not known.reachable else shown.group in groups
    verdict = _with_evidence(_verdict(entry, running, heard, known, collector), entry, running, heard, listed)
    note = known.expected_down.get(both.key, known.expected_down.get(shown.group))
    return Deployment(
        key=both.key,
        group=shown.group,
        model=shown.model,
        api_base=both.address,
        verdict=verdict if note is None else _expected_down(verdict, note),
        listed=listed,
        rpm=shown.rpm,
        tpm=shown.tpm,
        differences=both.differences,
        file=entry,
        loaded=running,
        health=heard.entry,
        probe=heard.probed,
        ok=heard.ok,
        failed=heard.failed,
    )


@latest
def _quiet(
    pairs: Pairs, known: _Known, standing: tuple[object, ...], groups: tuple[str, ...] | None
) -> _Quiet:  # of these arguments all quiet rows are made
    return _Quiet(len(pairs.rows))


@latest
def _names(groups: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if groups is None else frozenset(groups)


def verdict_of(
    state: State,
    reason: str = "",
    seen_at: float | None = None,
    do: str = "",
    brief: str = "",
    since: float | None = None,
    contradiction: str = "",
) -> Verdict:
    """A verdict in the words of `State`, as loud as that state is."""
    return Verdict(state, SEVERITY[state], reason, seen_at, do, brief, since, contradiction)


def _verdict(
    entry: FileDeployment | None,
    running: LoadedDeployment | None,
    heard: Testimony,
    known: _Known,
    collector: EvidenceCollector,
) -> Verdict:
    if not known.reachable or not known.loaded:
        return verdict_of("unknown", known.why_unknown)
    if running is None:
        assert entry is not None
        return _not_loaded(entry, known)
    unset = next(iter(entry.missing), "") if entry else ""
    judged = _judged(heard, unset, collector)
    if entry is None and known.file and not running.from_db and judged.severity != "bad":
        gone = verdict_of("not in file", "gone from the file", judged.seen_at, "the next restart removes it")
        return _pending(gone) if known.saved_since_start else gone
    return judged


def _not_loaded(entry: FileDeployment, known: _Known) -> Verdict:
    if known.saved_since_start:
        return _pending(verdict_of("not loaded", "new in the file", do="restart to apply the file (R)"))
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


def _pending(verdict: Verdict) -> Verdict:
    return msgspec.structs.replace(verdict, severity="quiet", pending=True)


def _judged(heard: Testimony, unset: str, collector: EvidenceCollector) -> Verdict:
    direct, health = heard.direct, heard.health
    if direct and direct.ok and health and not health.ok and collector.now - direct.seen_at > FAILURE_MEMORY:
        # an answer of long ago does not speak against what is seen now
        direct = None
    if heard.cooling_until is not None and not (direct and (direct.ok or _explains_cooling(direct))):
        return _cooling(heard, heard.cooling_until, collector.now)
    if direct is not None and not direct.ok:
        confirmed = health is not None and not health.ok and not collector.traffic_visible
        state: State = "degraded" if direct.partly and not confirmed else "failing"
        against = "LiteLLM's /health calls it healthy: its own check is older, or asks otherwise than the callers do"
        return _against(state, _named(direct, heard), unset, against if health and health.ok else "")
    if direct is not None and health is not None and heard.doubtful and direct is heard.traffic:
        ago = age(collector.now - direct.seen_at)
        doubt = verdict_of(
            "unproven",
            f"its health check fails ({health.text}), and its last request, {ago} ago, was answered",
            health.seen_at,
            "probe it (p): that tells which of the two holds now",
            health.cause.name if health.cause else "",
        )
        return msgspec.structs.replace(doubt, severity="warn")
    if direct is not None and heard.group is not None and heard.group.seen_at > direct.seen_at:
        return _suspected(heard.group)
    if direct is not None:
        contradiction = ""
        if health is not None and not health.ok:
            contradiction = f"LiteLLM's /health calls it unhealthy ({health.text}), and requests succeed"
            contradiction += f": {heard.unfit}" if heard.unfit else ""
        return verdict_of("serving", direct.text, direct.seen_at, contradiction=contradiction)
    if health is not None and not health.ok:
        if heard.unfit and health.cause and health.cause.name in ("400 bad request", "404 not found", "failing"):
            return verdict_of(
                "unproven",
                f"only LiteLLM's health check speaks against it ({health.text}): {heard.unfit}",
                health.seen_at,
                "probe it (p): that asks in the right way",
                "health check unfit",
            )
        return _against("failing", health, unset)
    if heard.group is not None:
        return _suspected(heard.group)
    if health is not None:
        if collector.traffic_visible:
            return msgspec.structs.replace(
                verdict_of("idle", "no request in 5 min; its health check answers", health.seen_at), severity="ok"
            )
        return verdict_of("serving", "its health check answers", health.seen_at)
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
    if collector.traffic_visible:
        return verdict_of("idle", "nothing is known against it; no request in 5 min", do="p asks it now")
    return verdict_of("idle", "nothing is known against it, and nothing that was seen has asked it", do="p asks it now")


def _against(state: State, witness: Witness, unset: str, contradiction: str = "") -> Verdict:
    cause = witness.cause or name_cause(witness.text)
    if unset and cause.name in _KEY_CAUSES:
        return verdict_of(
            state,
            f"{unset} is not set",
            witness.seen_at,
            _SET_IT.format(unset),
            f"{unset} unset",
            witness.since,
            contradiction,
        )
    return verdict_of(state, witness.text, witness.seen_at, cause.do, cause.name, witness.since, contradiction)


def _named(witness: Witness, heard: Testimony) -> Witness:
    """The witness with a clearer cause, where another one that speaks against it too knows one."""
    if witness.cause is None or not witness.cause.vague:
        return witness
    for other in (heard.traffic, heard.group, heard.health, heard.probe):
        if other is not None and not other.ok and other.cause and not other.cause.vague:
            return witness._replace(cause=other.cause, text=other.text)
    return witness


def _suspected(group: Witness) -> Verdict:
    return verdict_of(
        "degraded",
        f"requests fail, and the log does not say which of several deployments fails: {group.text}",
        group.seen_at,
        "probe the group (p) to see which",
        group.cause.name if group.cause else "",
        group.since,
    )


def _explains_cooling(witness: Witness) -> bool:
    """Whether it is worse than a pause: with a refused key the next request after the cooldown fails again."""
    cause = witness.cause
    return not witness.partly and cause is not None and cause.name not in ("cooling down", "429 rate limit", "failing")


def _cooling(heard: Testimony, until: float, now: float) -> Verdict:
    began = next(
        (
            w
            for w in (heard.traffic, heard.group, heard.health)
            if w and not w.ok and w.cause and w.cause.name != "cooling down"
        ),
        None,
    )
    why = f": {began.text}" if began else ""
    return verdict_of(
        "cooling down",
        f"the router does not ask it for {age(until - now)} more{why}",
        seen_at=heard.group.seen_at if heard.group else heard.traffic.seen_at if heard.traffic else None,
        do=began.cause.do if began and began.cause else name_cause("cooldown_list=['x']").do,
        brief=began.cause.name if began and began.cause else "cooling down",
        since=began.since if began else None,
    )


def _expected_down(verdict: Verdict, note: str) -> Verdict:
    if verdict.state in ("serving", "idle"):
        said = Evidence("operator", f"marked as expected down ({note or 'no note'}), and it answers", "neither")
        return msgspec.structs.replace(verdict, evidence=(*verdict.evidence, said))
    said = Evidence("operator", f"marked as expected down: {note or 'no note'}", "neither")
    if verdict.state in ("not in file", "unknown"):
        return msgspec.structs.replace(verdict, evidence=(*verdict.evidence, said))
    expected = verdict_of(
        "expected down", note or "marked so by the operator", verdict.seen_at, "", verdict.brief, verdict.since
    )
    was = Evidence("operator", f"without the mark: {verdict.state}, {verdict.reason}", "neither")
    return msgspec.structs.replace(expected, evidence=(*verdict.evidence, said, was))


def _with_evidence(
    verdict: Verdict,
    entry: FileDeployment | None,
    running: LoadedDeployment | None,
    heard: Testimony,
    listed: bool | None,
) -> Verdict:
    """The verdict with everything that was weighed: where it stands first, then what was seen of it."""
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
    if heard.cooling_until is not None:
        found.append(Evidence("cooldown", "the router said that it does not ask this group now", "against"))
    return msgspec.structs.replace(verdict, evidence=(*found, *heard.evidence))


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
