"""The verdict of each model group, from those of its deployments, and the fallback that answers in its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.health.observation import Observation, failure_of
from litellm_tui.analysis.latest import latest
from litellm_tui.model.diagnosis import SEVERITY, Deployment, Group, State, Verdict
from litellm_tui.model.snapshot import Snapshot

# failures of a name that are so many and so recent speak against a fallback that would take over
RECENT: Final = 60.0
LEAST_FAILING: Final = 2

_DEAD = ("failing", "not loaded", "cooling down", "expected down", "masked")
# the first of these states that a deployment has is the state of its group
_LOUDEST: tuple[State, ...] = (
    "failing",
    "cooling down",
    "degraded",
    "unproven",
    "not loaded",
    "expected down",
    "not in file",
    "idle",
    "serving",
    "unknown",
)
_RANKS: Mapping[str, int] = {state: rank for rank, state in enumerate(_LOUDEST)}


@latest
def judge_groups(
    deployments: Iterable[Deployment], failing: tuple[tuple[str, Observation], ...] = ()
) -> dict[str, Verdict]:
    """The verdict of each group, as its callers see it: one dead deployment of two only degrades the group.

    `failing` are the failures of whole groups: one that none of its deployments shows is the group's own.
    """
    members: defaultdict[str, list[Deployment]] = defaultdict(list)
    for deployment in deployments:
        members[deployment.group].append(deployment)
    told = dict(failing)
    return {name: _with_failures(_group_verdict(rows), told.get(name)) for name, rows in members.items()}


def _with_failures(verdict: Verdict, failing: Observation | None) -> Verdict:
    """The verdict of its deployments, unless its callers meet failures that these do not show."""
    if failing is None or (verdict.severity in ("bad", "warn") and (failing.partly or verdict.state in _DEAD)):
        return verdict
    theirs = failing.failure_of == "caller"
    if theirs and (failing.partly or verdict.severity != "ok"):
        return verdict
    if verdict.state in ("expected down", "not in file", "unknown"):
        return verdict
    state: State = "degraded" if failing.partly or theirs else "failing"
    cause = failing.cause
    unseen = "; none of its deployments shows it by itself" if failing.failure_of == "upstream" else ""
    return Verdict(
        state,
        "quiet" if theirs else SEVERITY[state],
        f"{failing.text}{unseen}",
        failing.seen_at,
        cause.do if cause else "",
        cause.name if cause else "failing",
        failing.since,
    )


@latest
def group_states(verdicts: Mapping[str, Verdict]) -> dict[str, State]:
    """The state of each group."""
    return {name: verdict.state for name, verdict in verdicts.items()}  # type: ignore[misc]  # groups use State's words


def _group_verdict(rows: list[Deployment]) -> Verdict:
    # callers do not get what only a restart will load
    present = [row for row in rows if row.loaded is not None] or rows
    verdicts = sorted((row.verdict for row in present), key=_rank)
    worst = verdicts[0]
    if len(present) == 1:
        return worst
    dead = [verdict for verdict in verdicts if verdict.state in _DEAD]
    if not dead:
        return worst if worst.state == "degraded" else verdicts[-1]
    if not any(verdict.state not in _DEAD and verdict.state != "unproven" for verdict in verdicts):
        failing = worst if worst.state != "expected down" or len({v.state for v in dead}) == 1 else dead[0]
        reason = f"all {len(present)} deployments: {failing.reason}"
        return msgspec.structs.replace(failing, reason=reason)
    text = f"{len(dead)} of {len(present)} deployments: {worst.reason}"
    if all(verdict.state == "expected down" for verdict in dead):
        return verdicts[-1]
    return msgspec.structs.replace(worst, state="degraded", severity=SEVERITY["degraded"], reason=text)


def _rank(verdict: Verdict) -> int:
    return _RANKS.get(verdict.state, len(_LOUDEST))


class Substitutes(NamedTuple):
    """Who answers in the place of dead groups: `answering` maps a group or alias to the group that answers for it.

    `failing` are the names whose callers get errors all the same, as the log shows.
    """

    answering: Mapping[str, str]
    failing: frozenset[str] = frozenset()

    def of(self, name: str) -> str:
        """The group that answers requests for this name; empty where none does."""
        return "" if name in self.failing else self.answering.get(name, "")

    def masks(self, group: str, aliases: Iterable[str]) -> bool:
        """Whether a dead group is hidden: its own callers get answers, and no alias of it is seen to fail."""
        return bool(self.of(group)) and not any(name in self.failing for name in aliases)


def observed_substitutes(snapshot: Snapshot, now: float, answering: Mapping[str, str]) -> Substitutes:
    """The substitutes as the router would take them, less those that its callers do not get at this moment."""
    service = snapshot.service.value
    begun = max((service.started_at if service else None) or 0.0, now - RECENT)
    failing = {
        failed.name
        for failed in snapshot.traffic.failed
        if failed.by == "group" and failed.last >= begun and failed.times >= LEAST_FAILING
        and failure_of(name_cause(failed.words)) != "caller"
    }  # fmt: skip
    return Substitutes(answering, frozenset(failing))


def who_answers(group: str, aliases: Iterable[str], substitutes: Substitutes, states: Mapping[str, State]) -> str:
    """Who answers in the place of a dead group, for each of its names; empty where no name has a substitute."""
    names = (group, *aliases)
    served: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        served[substitutes.of(name)].append(name)
    if set(served) == {""}:
        return ""
    words = []
    for target, whose in sorted(served.items(), key=lambda item: item[0] == ""):
        only = f" for {', '.join(whose)}" if len(served) > 1 else ""
        if not target:
            words.append(f"nobody{only}")
        elif states.get(target, "unknown") in ("serving", "degraded"):
            words.append(f"{target} answers in its place{only}")
        else:
            words.append(f"{target} is next in its place{only}, and nothing has shown that it answers")
    return ", ".join(words)


@latest
def mask_failing(
    deployments: Iterable[Deployment],
    substitutes: Substitutes,
    states: Mapping[str, State],
    aliases: Mapping[str, str],
) -> tuple[Deployment, ...]:
    """Mark failing deployments as masked where a fallback answers for their group; `aliases` maps alias to group."""
    leading = _leading(aliases)
    marked = []
    for deployment in deployments:
        if deployment.verdict.state in ("failing", "cooling down"):
            names = leading.get(deployment.group, ())
            verdict = _masked(deployment.verdict, deployment.group, names, substitutes, states)
            deployment = msgspec.structs.replace(deployment, verdict=verdict)
        marked.append(deployment)
    return tuple(marked)


@latest
def describe_groups(
    verdicts: Mapping[str, Verdict], aliases: Mapping[str, str], substitutes: Substitutes
) -> tuple[Group, ...]:
    """The groups with their aliases (`aliases` maps alias to group) and the fallback that answers for them."""
    found = []
    states = group_states(verdicts)
    leading = _leading(aliases)
    for name, verdict in verdicts.items():
        names = tuple(leading.get(name, ()))
        dead = verdict.state in ("failing", "cooling down")
        shown = _masked(verdict, name, names, substitutes, states) if dead else verdict
        instead = who_answers(name, names, substitutes, states) if dead else ""
        served = substitutes.of(name) if dead and substitutes.masks(name, names) else ""
        unserved = tuple(one for one in (name, *names) if dead and one in substitutes.failing)
        found.append(Group(name, shown, names, served, instead, unserved))
    return tuple(found)


def _leading(aliases: Mapping[str, str]) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for alias, group in aliases.items():
        found[group].append(alias)
    return found


def _masked(
    verdict: Verdict, group: str, aliases: Iterable[str], substitutes: Substitutes, states: Mapping[str, State]
) -> Verdict:
    """The verdict of a dead group or deployment with who answers in its place; masked where nobody is hit."""
    words = who_answers(group, aliases, substitutes, states)
    if not words:
        return verdict
    reason = f"{verdict.reason}; {words}"
    if not substitutes.masks(group, aliases):
        return msgspec.structs.replace(verdict, reason=reason)
    return msgspec.structs.replace(verdict, state="masked", severity=SEVERITY["masked"], reason=reason)
