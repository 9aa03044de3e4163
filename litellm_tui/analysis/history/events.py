"""What began, got worse and ended from one diagnosis to the next, and which verdicts changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from litellm_tui.model.diagnosis import Deployment, Diagnosis, Problem, Severity
from litellm_tui.model.history import Change

# of the same rank one verdict is as good as the other: requests come and go
_RANK: Final[Mapping[Severity, int]] = {"ok": 0, "quiet": 0, "warn": 1, "bad": 2}


def began_and_ended(before: Diagnosis | None, after: Diagnosis, now: float) -> list[Change]:
    """The changes from `before` to `after` at `now`: what began first, then what got worse, ended, and the verdicts.

    Both are diagnoses with a memory of problems (`health.memory`): what is not known any more, such as a deployment
    while the gateway does not answer, has not ended. Notes (`quiet`), and what cannot be told, are none of these.
    Without `before` all that lasts has begun, and nothing has ended.
    """
    known = {problem.key: problem for problem in before.problems} if before is not None else {}
    lasting = [p for p in after.problems if p.solved_at is None and _counts(p)]
    began = [_began(p, now) for p in lasting if not _lasts(known.get(p.key))]
    worse = [
        _change("worse", _onset_of_worse(was, p, now), p, was)
        for p in lasting
        if (was := known.get(p.key)) is not None and _lasts(was) and _became_worse(was, p)
    ]
    return [*began, *worse, *_ended(known, after, first=before is None), *_verdicts(before, after, now)]


def _counts(problem: Problem) -> bool:
    return problem.severity in ("warn", "bad")


def _lasts(problem: Problem | None) -> bool:
    return problem is not None and problem.solved_at is None and _counts(problem)


def _began(problem: Problem, now: float) -> Change:
    onset = min(problem.since, now) if problem.since is not None else now
    return _change("began", onset, problem, None)


def _became_worse(was: Problem, problem: Problem) -> bool:
    """Whether it is another trouble at the same place by now, or a worse one."""
    worse = problem.severity == "bad" and was.severity != "bad"
    return worse or was.cause != problem.cause or (bool(was.state) and was.state != problem.state)


def _onset_of_worse(was: Problem, problem: Problem, now: float) -> float:
    """The memory gives what has become another trouble an onset of its own."""
    later = problem.since is not None and (was.since is None or problem.since > was.since)
    return min(problem.since, now) if later and problem.since is not None else now


def _ended(known: Mapping[str, Problem], after: Diagnosis, *, first: bool) -> Iterator[Change]:
    if first:
        return
    for problem in after.problems:
        if problem.solved_at is None or not _counts(problem):
            continue
        was = known.get(problem.key)
        # it may have been unknown for a while before it was seen to have ended
        if was is None or was.solved_at != problem.solved_at:
            yield _change("ended", problem.solved_at, problem, was)


def _change(what: str, at: float, problem: Problem, was: Problem | None) -> Change:
    return Change(
        what=what,  # type: ignore[arg-type]  # only this module names it
        at=at, key=problem.key, subject=_subject(problem), severity=problem.severity, title=problem.title,
        cause=problem.cause, do=problem.do, hit=problem.hit, was=was.cause if was is not None else "",
    )  # fmt: skip


def _subject(problem: Problem) -> str:
    """`deployment:KEY` or `group:NAME`, as measurements are named; else the kind of the place."""
    place = problem.place
    return f"{place.kind}:{place.key}" if place.key else place.kind


def _verdicts(before: Diagnosis | None, after: Diagnosis, now: float) -> Iterator[Change]:
    """The deployments whose verdict is of another rank, while both are known."""
    known = {deployment.key: deployment for deployment in before.deployments} if before is not None else {}
    for deployment in after.deployments:
        was = known.get(deployment.key)
        if was is None or _rank(was) == _rank(deployment) or "unknown" in (was.verdict.state, deployment.verdict.state):
            continue
        verdict = deployment.verdict
        onset = min(verdict.since, now) if verdict.since is not None else now
        yield Change(
            "verdict", onset, deployment.key, f"deployment:{deployment.key}", verdict.severity,
            f"{deployment.group} ({deployment.model}): {was.verdict.state} → {verdict.state}",
            cause=verdict.brief or verdict.reason, do=verdict.do, was=was.verdict.state,
        )  # fmt: skip


def _rank(deployment: Deployment) -> int:
    return _RANK.get(deployment.verdict.severity, -1)
