"""The counts of real requests by deployment, model and group, and since when requests can be seen at all.

A failure names what was asked for: a group, one of its aliases, or a name that a wildcard group takes. All of them
count for the group whose deployments were asked, found as the router finds it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.latest import latest
from litellm_tui.analysis.routing.router_simulation import DeploymentIndex, IndexedDeployment, RequestSimulation
from litellm_tui.analysis.routing.what_if import current_routing, current_rules
from litellm_tui.model.gateway import LoadedDeployment, Readiness
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import STEP, FailedOnce, Minute, Step, Tally

# with answers in between, failures count from this number on
DEGRADED_FAILURES: Final = 2
# answers after a row of failures until the outage counts as over
ANSWERED_IN_A_ROW: Final = 3
# lines of one failure are written within this time
_TOGETHER_SECONDS: Final = 10.0
_NOTHING: Final = Tally("group", "")
# /metrics is read this rarely and with some delay: a log line that is older by less is still newer evidence
METRICS_LAG: Final = 60.0
# of what is seen for a shorter time it is not said that there was no request
LEAST_SEEN: Final = 30.0

Tallies = Mapping[tuple[str, str], Tally]


def tallies_of(snapshot: Snapshot, loaded: tuple[LoadedDeployment, ...], since: float = 0.0) -> Tallies:
    """The tallies by kind and name; those of aliases and wildcard names are added to their group's.

    What was before `since` is not counted: it was another process.
    """
    tallies: dict[tuple[str, str], Tally] = {
        (tally.kind, tally.name): counted_since(tally, since) for tally in snapshot.traffic.tallies
    }
    groups = {deployment.group for deployment in loaded}
    others = [name for kind, name in tallies if kind == "group" and name not in groups]
    routing = current_routing(snapshot)
    if not others or not loaded or routing is None:
        return tallies
    rules, index = current_rules(snapshot), _index_of(loaded)
    asked: defaultdict[str, list[Tally]] = defaultdict(list)
    for name in others:
        found = RequestSimulation(routing, index, {}, name, rules).resolve(name)
        for group in {member.group for member in found}:
            asked[group].append(tallies["group", name])
    for group, named in asked.items():
        own = tallies.get(("group", group))
        tallies["group", group] = _added(group, [*([own] if own else []), *named])
    return tallies


def counted_since(tally: Tally, since: float) -> Tally:
    """The tally with the counts of what was at or after `since`, as far as it tells when they were."""
    if newest_at(tally) < since:
        return msgspec.structs.replace(tally, ok=0, failed=0, broken=0, steps=())
    if not tally.steps or tally.steps[0][0] + STEP > since:
        return tally
    kept = tuple(step for step in tally.steps if step[0] + STEP > since)
    ok, failed = sum(step[1] for step in kept), sum(step[2] for step in kept)
    return msgspec.structs.replace(tally, ok=ok, failed=failed, broken=min(tally.broken, failed), steps=kept)


@latest
def _index_of(loaded: tuple[LoadedDeployment, ...]) -> DeploymentIndex:
    return DeploymentIndex(IndexedDeployment(d.id, d.group, d.model, d.id) for d in loaded)


def _added(group: str, tallies: list[Tally]) -> Tally:
    """One tally of several names of a group. The log has no successes of groups."""
    if len(tallies) == 1:
        return msgspec.structs.replace(tallies[0], name=group)
    newest = max(tallies, key=lambda tally: tally.last_failed or 0.0)
    onsets = [tally.failing_since for tally in tallies if tally.failing_since is not None]
    ends = [tally.cooling_until for tally in tallies if tally.cooling_until is not None]
    failures = sorted(time for tally in tallies for time in tally.failures)
    return Tally(
        kind="group",
        name=group,
        failed=sum(tally.failed for tally in tallies),
        last_failed=newest.last_failed,
        failing_since=min(onsets, default=None),
        in_a_row=sum(tally.in_a_row for tally in tallies),
        error=newest.error,
        cooling_until=max(ends, default=None),
        failures=tuple(failures[-3:]),
        broken=sum(tally.broken for tally in tallies),
        steps=tuple(sorted(step for tally in tallies for step in tally.steps)),
        hour=_summed(minute for tally in tallies for minute in tally.hour),
        errors=tuple(sorted(error for tally in tallies for error in tally.errors)[-3:]),
    )


def _summed(minutes: Iterable[Minute]) -> tuple[Minute, ...]:
    """The same minutes with their numbers added, the oldest first."""
    found: dict[int, tuple[int, int]] = {}
    for minute, ok, failed in minutes:
        before = found.get(minute, (0, 0))
        found[minute] = before[0] + ok, before[1] + failed
    return tuple((minute, *found[minute]) for minute in sorted(found))


def hour_of(written: Tally | None, group: Tally | None, *, alone: bool) -> tuple[Minute, ...]:
    """The last hour of a deployment, as far as it is told of it `alone`; `group` is that of a group of one."""
    if not alone:
        return () if written or group is None else group.hour
    if written is None or group is None:
        return (written or group or _NOTHING).hour
    return _merged_hour(written, group)


def last_errors(own: Tally | None, group: Tally | None) -> tuple[FailedOnce, ...]:
    """The last failures of a deployment; those of its group where they are newer, for not all name a deployment."""
    own_errors, group_errors = own.errors if own else (), group.errors if group else ()
    if own_errors and (not group_errors or own_errors[-1].time >= group_errors[-1].time - _TOGETHER_SECONDS):
        return own_errors
    return group_errors


def _merged_hour(own: Tally, group: Tally) -> tuple[Minute, ...]:
    """The minutes of a group of one: failures stand in lines that name it, in lines that name its group, or in both."""
    ours = {minute: (ok, failed) for minute, ok, failed in own.hour}
    theirs = {minute: failed for minute, _, failed in group.hour}
    return tuple(
        (minute, ours.get(minute, (0, 0))[0], max(ours.get(minute, (0, 0))[1], theirs.get(minute, 0)))
        for minute in sorted({*ours, *theirs})
    )


def traffic_visible(snapshot: Snapshot) -> bool:
    """Whether successful requests are visible with their model, in INFO lines or in /metrics."""
    return snapshot.traffic.counted or _log_tells(snapshot)


def _log_tells(snapshot: Snapshot) -> bool:
    level = snapshot.gateway.readiness.value
    verbose = isinstance(level, Readiness) and (level.log_level or "").upper() in ("INFO", "DEBUG")
    reads_log = snapshot.log.state in ("following", "starting") and snapshot.log.failure is None
    return reads_log and (snapshot.traffic.per_model or verbose)


def no_request(snapshot: Snapshot, now: float) -> str:
    """ "no request in 5 min", as far as that is known; empty where requests have not been seen for long enough.

    The text does not depend on the second in which it is asked for.
    """
    traffic, service = snapshot.traffic, snapshot.service.value
    starts = [traffic.counted_since] if traffic.counted else []
    starts += [traffic.since] if _log_tells(snapshot) else []
    since = min((start for start in starts if start is not None), default=None)
    if since is None:
        return ""
    started_at = service.started_at if service is not None else None
    if started_at is not None and now - started_at < traffic.window and since <= started_at + 1:
        return "no request since its process started"
    if now - since >= traffic.window:
        return f"no request in {traffic.window / 60:g} min"
    return "no request since the console has watched" if now - since >= LEAST_SEEN else ""


def newest_at(tally: Tally) -> float:
    """The time of its newest outcome."""
    return max(tally.last_ok or 0.0, tally.last_failed or 0.0)


def answered_whole(own: Tally | None, group: Tally) -> int:
    """The answers of a deployment without those streams of its group that were only begun."""
    return max(0, own.ok - group.broken) if own else 0


def merge_with_group(own: Tally, group: Tally) -> Tally:
    """The tally of a group of one: some failures name the deployment, others (timeouts) only the group.

    A stream that broke is among the answers of the deployment and among the failures of the group.
    """
    begun = own.last_ok if answered_whole(own, group) or not group.broken else None
    last_ok = begun or 0.0
    onset = [t.failing_since for t in (own, group) if t.failing_since is not None and t.failing_since > last_ok]
    behind = group.in_a_row if (group.failing_since or 0.0) > last_ok else sum(t > last_ok for t in group.failures)
    newer, older = (own, group) if (own.last_failed or 0.0) > (group.last_failed or 0.0) else (group, own)
    if own.kind == "deployment" and newest_at(group) > newest_at(own) - METRICS_LAG:
        # /metrics has only the class of the exception: a refused connection is a 500 there
        newer_error, older_error = group.error, own.error
    else:
        newer_error, older_error = newer.error, older.error
    vague = name_cause(newer_error).vague and older_error and not name_cause(older_error).vague
    return Tally(
        kind=own.kind,
        name=own.name,
        ok=answered_whole(own, group),
        failed=max(own.failed, group.failed),
        last_ok=begun,
        last_failed=newer.last_failed,
        failing_since=min(onset, default=None),
        in_a_row=max(own.in_a_row, behind),
        error=older_error if vague else newer_error,
        failures=newer.failures,
        answers=own.answers if begun is not None else (),
        steps=_joined(own, group),
    )


def _joined(own: Tally, group: Tally) -> tuple[Step, ...]:
    """The answers of a deployment, and the failures of whichever of the two has more of them."""
    more = own if own.failed >= group.failed else group
    answered = ((begin, ok, 0) for begin, ok, _ in own.steps)
    return tuple(sorted((*answered, *((begin, 0, failed) for begin, _, failed in more.steps if failed))))


def has_recovered(tally: Tally) -> bool:
    """Whether every request failed for a time and every request since was answered: an outage that is over.

    During a cooldown the router asks nothing, so such an outage has few failures.
    """
    failed = tally.failures
    if len(failed) < DEGRADED_FAILURES or any(failed[0] < answer < failed[-1] for answer in tally.answers):
        return False
    return sum(answer > failed[-1] for answer in tally.answers) >= ANSWERED_IN_A_ROW


def since_start(moment: float | None, started_at: float) -> float | None:
    """The moment, where it is not before the start."""
    return moment if moment is not None and moment >= started_at else None


@latest
def count_members(loaded: tuple[LoadedDeployment, ...]) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """The number of deployments of each group and of each model."""
    return Counter(d.group for d in loaded), Counter(d.model for d in loaded)
