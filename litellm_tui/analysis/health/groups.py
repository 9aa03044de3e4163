"""The verdict of each model group, from those of its deployments, and the fallback that answers in its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from litellm_tui.analysis.latest import latest
from litellm_tui.model.diagnosis import SEVERITY, Deployment, Group, State, Verdict

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
def judge_groups(deployments: Iterable[Deployment]) -> dict[str, Verdict]:
    """The verdict of each group, as its callers see it: one dead deployment of two only degrades the group."""
    members: defaultdict[str, list[Deployment]] = defaultdict(list)
    for deployment in deployments:
        members[deployment.group].append(deployment)
    return {name: _group_verdict(rows) for name, rows in members.items()}


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


@latest
def mask_failing(
    deployments: Iterable[Deployment], answering: Mapping[str, str], states: Mapping[str, State]
) -> tuple[Deployment, ...]:
    """Mark failing deployments as masked where a fallback answers for their group: `answering` maps group to target."""
    marked = []
    for deployment in deployments:
        target = answering.get(deployment.group)
        if deployment.verdict.state in ("failing", "cooling down") and target:
            masked = _masked(deployment.verdict, target, states.get(target, "unknown"))
            deployment = msgspec.structs.replace(deployment, verdict=masked)
        marked.append(deployment)
    return tuple(marked)


@latest
def describe_groups(
    verdicts: Mapping[str, Verdict], aliases: Mapping[str, str], answering: Mapping[str, str]
) -> tuple[Group, ...]:
    """The groups with their aliases (`aliases` maps alias to group) and the fallback that answers for them."""
    found = []
    states = group_states(verdicts)
    leading: defaultdict[str, list[str]] = defaultdict(list)
    for alias, group in aliases.items():
        leading[group].append(alias)
    for name, verdict in verdicts.items():
        target = answering.get(name, "")
        if target:
            verdict = _masked(verdict, target, states.get(target, "unknown"))
        found.append(Group(name, verdict, tuple(leading.get(name, ())), target))
    return tuple(found)


def _masked(verdict: Verdict, target: str, state: State) -> Verdict:
    proven = state in ("serving", "degraded")
    words = "answers in its place" if proven else "is next in its place, and nothing has shown that it answers"
    return msgspec.structs.replace(
        verdict, state="masked", severity=SEVERITY["masked"], reason=f"{verdict.reason}; {target} {words}"
    )
