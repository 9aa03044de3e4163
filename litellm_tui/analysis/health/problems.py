"""All problems, one for each cause and place, with who is affected and what to do; worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from litellm_tui.analysis.health.cache import MISCONFIGURED
from litellm_tui.analysis.health.crashes import crash_problems
from litellm_tui.analysis.health.database_report import database_problems
from litellm_tui.analysis.health.next_start import next_start_problems
from litellm_tui.analysis.health.part_failures import part_problems
from litellm_tui.analysis.health.pods import pod_problems
from litellm_tui.analysis.health.release_problems import release_problems
from litellm_tui.analysis.health.service_drift_problems import service_drift_problems
from litellm_tui.analysis.health.unnamed_failures import log_problems, unnamed_failures
from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.phrases import count
from litellm_tui.analysis.routing.table import FALLBACK_KINDS
from litellm_tui.analysis.routing.what_if import served_without
from litellm_tui.model.audit import Audit
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.diagnosis import Chain, Deployment, Group, Place, PlaceKind, Problem, Severity, Verdict
from litellm_tui.model.snapshot import Snapshot

_RANK: Final[dict[Severity, int]] = {"bad": 0, "warn": 1, "unknown": 2, "quiet": 3, "ok": 4}
# what nobody is hit by yet stands behind what somebody is
_PLACES: Final[dict[PlaceKind, int]] = {
    "gateway": 0, "service": 0, "reading": 7, "configuration": 6, "audit": 6, "database": 1, "group": 2, "alias": 2,
    "deployment": 3, "log": 4, "cache": 5, "chain": 6,
}  # fmt: skip
# how long requests for an unknown name are reported, and how many names: a client can invent any number
ASKED: Final = 900.0
MOST_STRANGERS: Final = 3


def find_problems(
    snapshot: Snapshot,
    now: float,
    gateway: Verdict,
    service: Verdict,
    cache: Verdict,
    database: Verdict,
    deployments: Sequence[Deployment],
    groups: Sequence[Group],
    chains: Sequence[Chain],
    drift: Sequence[str],
    audit: Audit | None = None,
) -> tuple[Problem, ...]:
    """The problems at this moment; `since` is set where the evidence has the onset."""
    found = [
        *_operation(gateway, service),
        *pod_problems(snapshot, now),
        *next_start_problems(snapshot),
        *_health_url(snapshot, gateway),
        *_configuration(snapshot, drift, audit),
    ]
    if gateway.state == "answering":
        # what the cache breaks is told there, and not once more for each deployment
        found += _models(deployments, groups, chains, cache.brief if cache.state == MISCONFIGURED else "")
        if snapshot.gateway.deployments.value is not None:
            found += _routing(snapshot, now, deployments, chains, groups)
    if cache.severity in ("warn", "bad"):
        broken = cache.state == MISCONFIGURED
        hit = "every request fails" if broken else "nobody fails: requests go on, uncached"
        found.append(_problem("cache", "", "cache", cache, hit=hit, severity="bad" if broken else "warn"))
    found += database_problems(snapshot.database, database)
    if gateway.state == "answering":
        known = groups if snapshot.gateway.deployments.value is not None else ()
        found += unnamed_failures(snapshot, now, known, {problem.cause for problem in found}, deployments)
        parts = (("database", database), ("worker", service))
        found += part_problems(snapshot, now, [name for name, verdict in parts if verdict.severity in ("bad", "warn")])
    found += service_drift_problems(snapshot)
    found += log_problems(snapshot, now, found)
    found += crash_problems(snapshot.crashes, snapshot.unrecorded)
    found += release_problems(audit, snapshot)
    return in_order(found)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems as they are shown: the worst first."""
    return tuple(sorted(problems, key=_order))


def _order(problem: Problem) -> tuple[int, int]:
    return (_RANK[problem.severity], _PLACES[problem.place.kind])


def _problem(
    kind: PlaceKind, key: str, title: str, verdict: Verdict, *, hit: str = "", severity: Severity | None = None
) -> Problem:
    return Problem(
        key=f"{kind}:{key}",
        severity=severity or verdict.severity,
        title=title,
        cause=verdict.brief or verdict.state,
        reason=verdict.reason + (f". {verdict.contradiction}" if verdict.contradiction else ""),
        place=Place(kind, key),
        do=verdict.do,
        hit=hit,
        since=verdict.since,
        state=verdict.state if kind == "cache" else "",
    )


def _operation(gateway: Verdict, service: Verdict) -> Iterator[Problem]:
    down = gateway.severity in ("bad", "warn")
    everyone = "every request fails" if gateway.state in ("down", "hanging", "not LiteLLM", "proxy answers") else ""
    if down and service.severity == "bad":
        # the unit's problem is the cause of the gateway's, and began no later
        onset = min(filter(None, (service.since, gateway.since)), default=None)
        yield _problem("service", "", "gateway down", msgspec.structs.replace(service, since=onset), hit=everyone)
        return
    if down:
        yield _problem("gateway", "", f"gateway {gateway.state}", gateway, hit=everyone)
    if service.severity in ("bad", "warn"):
        yield _problem("service", "", "service", service)


def _health_url(snapshot: Snapshot, gateway: Verdict) -> Iterator[Problem]:
    told = snapshot.gateway.health_url
    if gateway.state == "answering" and told.failure is not None:
        yield Problem(
            key="gateway:health_url",
            severity="warn",
            title="health URL",
            cause="answers otherwise",
            reason=f"the gateway answers, its health URL does not: {told.failure.why}",
            place=Place("gateway"),
            do="see whether LiteLLM serves it (SEPARATE_HEALTH_APP, SEPARATE_HEALTH_PORT), or correct health_url",
            hit="what asks only that (a container's check, a load balancer) takes the gateway for dead",
            since=told.failing_since,
        )


@latest
def _unset(file: ConfigFile) -> tuple[Problem, ...]:
    entries = {name for entry in file.deployments for name in entry.missing}
    return tuple(
        Problem(
            key=f"configuration:{reference.name}",
            severity="warn",
            title=reference.name,
            cause=f"{reference.name} unset",
            reason=f"{reference.mark} refers to it and nothing sets it",
            place=Place("configuration"),
            do=f"set {reference.name} in the unit's environment file and restart",
        )
        for reference in file.references
        if reference.source is None and reference.name not in entries
    )


def _configuration(snapshot: Snapshot, drift: Sequence[str], audit: Audit | None) -> Iterator[Problem]:
    configuration = snapshot.configuration
    if error := configuration.error:
        place = f"{error.file}:{error.line}:{error.column}" if error.line else error.file
        yield Problem(
            key="configuration:parse",
            severity="warn",
            title="configuration",
            cause="cannot be read" if error.unread else "does not parse",
            reason=str(error),
            place=Place("configuration"),
            do=f"put it back, or give --config: LiteLLM would not start without it ({place})"
            if error.unread
            else f"mend it before anything restarts: LiteLLM would not start ({place})",
            hit="nobody yet: what runs was read before",
            since=error.since or None,
        )
    file = configuration.current
    if file is None:
        return
    yield from _unset(file)
    for finding in audit.findings if audit and not configuration.error else ():
        if finding.severity == "fatal":
            yield Problem(
                key=f"audit:{finding.rule}:{'.'.join(map(str, finding.path))}",
                severity="warn",
                title="configuration",
                cause="LiteLLM would not start",
                reason=f"{finding.mark}: {finding.text}",
                place=Place("audit"),
                do=f"before anything restarts: {finding.do}",
                hit="nobody yet: what runs was read before",
            )
    if drift:
        yield Problem(
            key="configuration:drift",
            severity="quiet",
            title="configuration",
            cause="not applied",
            reason=f"{count(len(drift), 'change')} saved, and what runs is older: {drift[0]}"
            + (" …" if len(drift) > 1 else ""),
            place=Place("configuration"),
            do="R applies it",
        )


@latest
def _models(
    deployments: Sequence[Deployment], groups: Sequence[Group], chains: Sequence[Chain], told: str
) -> tuple[Problem, ...]:
    return tuple(problem for problem in _of_models(deployments, groups, chains) if problem.cause != (told or None))


def _of_models(
    deployments: Sequence[Deployment], groups: Sequence[Group], chains: Sequence[Chain]
) -> Iterator[Problem]:
    members: defaultdict[str, list[Deployment]] = defaultdict(list)
    for deployment in deployments:
        members[deployment.group].append(deployment)
    total = sum((d.ok or 0) + (d.failed or 0) for d in deployments)
    relying = _relying(chains)
    for group in groups:
        rows = members[group.name]
        hit = _hit(group, rows, relying.get(group.name, ()), total)
        wrong = [row for row in rows if row.verdict.severity in ("bad", "warn") and not row.verdict.pending]
        together = len(rows) > 1 and len(wrong) == len(rows) and len({row.verdict.brief for row in rows}) == 1
        if together and group.verdict.severity in ("bad", "warn"):
            # all deployments fail, or it is not known which: one problem, not several
            severity: Severity = "bad" if group.verdict.state in ("failing", "cooling down") else "warn"
            yield _problem("group", group.name, group.name, group.verdict, hit=hit, severity=severity)
            continue
        if group.verdict.severity == "bad" and wrong and all(row.verdict.severity != "bad" for row in wrong):
            # every request fails, and by nothing that is a deployment's
            yield _problem("group", group.name, group.name, group.verdict, hit=hit)
            continue
        if not wrong and group.verdict.severity in ("bad", "warn"):
            # its callers meet failures that none of its deployments shows
            yield _problem("group", group.name, group.name, group.verdict, hit=hit)
        elif group.verdict.severity == "quiet" and group.verdict.state == "degraded":
            yield _problem("group", group.name, group.name, group.verdict, hit=hit)
        for row in wrong:
            loud = group.verdict.severity if row.verdict.severity == "bad" else row.verdict.severity
            yield _problem("deployment", row.key, _title(row, rows), row.verdict, hit=hit, severity=loud)
        for row in rows:
            if row.verdict.contradiction and row.verdict.severity == "ok":
                yield Problem(
                    key=f"health:{row.key}",
                    severity="quiet",
                    title=_title(row, rows),
                    cause="health report is wrong",
                    reason=row.verdict.contradiction,
                    place=Place("deployment", row.key),
                    do="nothing fails by it; dashboards that read /health show it as down",
                )


def _title(row: Deployment, rows: Sequence[Deployment]) -> str:
    # a deployment that is not loaded yet does not count as a second one
    return row.group if sum(other.loaded is not None for other in rows) <= 1 else f"{row.group} · {row.model}"


def _relying(chains: Iterable[Chain]) -> dict[str, list[str]]:
    """The groups that fall back on each group."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for chain in chains:
        if chain.kind != "alias":
            source = "any group" if chain.source.name == "*" else chain.source.name
            for name in dict.fromkeys(target.name for target in chain.targets):
                found[name].append(source)
    return found


def _hit(group: Group, rows: Iterable[Deployment], relying: Collection[str], total: int) -> str:
    """Who is affected: the group with its aliases, the groups that fall back on it, its share of the requests."""
    words = [f"group {group.name}"]
    if group.aliases:
        words.append(f"alias {', '.join(group.aliases)}")
    if relying:
        words.append(f"fallback of {', '.join(dict.fromkeys(relying))}")
    mine = sum((row.ok or 0) + (row.failed or 0) for row in rows)
    if total and mine:
        words.append(f"{mine / total:.0%} of the requests")
    if group.in_place:
        words.append(group.in_place)
    return ", ".join(words)


def _ghost(
    snapshot: Snapshot,
    deployments: Sequence[Deployment],
    groups: Sequence[Group],
    chain: Chain,
    ghosts: Sequence[str],
    severity: Severity,
) -> Problem:
    """The problem of targets that do not exist; only a note where another target answers."""
    source = "any group" if chain.source.name == "*" else chain.source.name
    kind = next((kind for _, kind in FALLBACK_KINDS if kind == chain.kind), None)
    served = (
        served_without(snapshot, deployments, kind, chain.source.name, groups)
        if kind and chain.source.name != "*"
        else None
    )
    ends = f"is answered by {served}" if served else "fails"
    return Problem(
        key=f"chain:{chain.key}",
        severity="quiet" if served else severity,
        title=source,
        cause="ghost fallback",
        reason=f"its {chain.kind} fallback {', '.join(ghosts)} is no group: a request that needs it {ends}",
        place=Place("chain", chain.key),
        do="correct the name in the file, or add the group",
        hit="" if served else f"{source}, when it fails",
    )


def _routing(
    snapshot: Snapshot,
    now: float,
    deployments: Sequence[Deployment],
    chains: Sequence[Chain],
    groups: Sequence[Group],
) -> Iterator[Problem]:
    service = snapshot.service.value
    begun = max((service.started_at if service else None) or 0.0, now - ASKED)
    notices = [notice for notice in snapshot.traffic.notices if notice.last >= begun]
    asked: Mapping[str, int] = {n.name: n.times for n in notices if n.kind == "no such group"}
    known = {name for group in groups for name in (group.name, *group.aliases)}
    explained: set[str] = set()
    for chain in chains:
        severity: Severity = "quiet" if chain.applied is False else "warn"
        name = chain.source.name
        if chain.kind == "alias" and any(target.flaw == "malformed" for target in chain.targets):
            explained.add(name)
            # 1.77 logs the failure of such a request without the name
            failed = asked.get(name) or sum(n.times for n in notices if n.kind == "alias")
            refused = f", {count(failed, 'request')} refused" if failed else ""
            yield Problem(
                key=f"alias:{name}",
                severity="quiet" if chain.applied is False else "bad",
                title=name,
                cause="alias is a list",
                reason=chain.note or "an alias takes one name",
                place=Place("alias", chain.key),
                do=f"write model_group_alias: {{{name}: GROUP}}, one name, or make {name} a group of its own",
                hit=f"every request for {name}{refused}",
            )
            continue
        ghosts = [target.name for target in chain.targets if target.flaw == "ghost"]
        if ghosts and chain.kind == "alias":
            yield Problem(
                key=f"alias:{name}",
                severity=severity,
                title=name,
                cause="ghost alias",
                reason=f"it leads to {ghosts[0]}, and no group has that name",
                place=Place("alias", chain.key),
                do="correct the name, or add the group",
                hit=f"every request for {name}",
            )
        elif ghosts:
            yield _ghost(snapshot, deployments, groups, chain, ghosts, severity)
        elif chain.source.flaw == "ghost":
            yield Problem(
                key=f"chain:{chain.key}",
                severity="quiet",
                title=name,
                cause="chain never fires",
                reason=chain.note or "no model group has this name",
                place=Place("chain", chain.key),
                do="correct the name in the file, or remove the chain",
            )
        elif any(target.flaw == "cycle" for target in chain.targets):
            yield Problem(
                key=f"chain:{chain.key}",
                severity="quiet",
                title=name,
                cause="fallback cycle",
                reason="its fallbacks lead back to it",
                place=Place("chain", chain.key),
                do="harmless but slow: the router gives up after max_fallbacks (5) hops",
            )
    strangers = sorted((name for name in asked if name not in known | explained), key=lambda n: -asked[n])
    for name in strangers[:MOST_STRANGERS]:
        more = len(strangers) - MOST_STRANGERS
        others = f"; so it is with {count(more, 'other name')}" if more > 0 and name == strangers[0] else ""
        yield Problem(
            key=f"log:asked:{name}",
            severity="quiet",
            title=name,
            cause="no such group",
            reason=f"{count(asked[name], 'request')} asked for it, and no model group or alias has that name{others}",
            place=Place("log"),
            do="tell the client, or add an alias",
            hit="whoever asks for it",
        )
