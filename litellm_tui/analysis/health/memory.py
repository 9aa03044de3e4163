"""The memory of problems between snapshots: their onset, whether the operator saw them, and when they ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from litellm_tui.model.diagnosis import Problem

# how long an ended problem is still listed
SOLVED_SECONDS: Final = 1800.0
# a problem that returns this soon had not ended
FLAPPING_SECONDS: Final = 60.0
# problems that are known without the gateway; of all others nothing is known while it does not answer
WITHOUT_GATEWAY: Final = ("gateway", "service", "configuration", "reading")


class Remembered(msgspec.Struct, frozen=True):
    """The last form of one problem, its first and last time, and whether the operator has seen it (`looked`).

    It was another problem until `not_before`: evidence that reaches further back is of that one.
    """

    problem: Problem
    first_seen: float
    last_seen: float
    looked: bool = False
    solved_at: float | None = None
    not_before: float = 0.0


Memory = Mapping[str, Remembered]
"""By `Problem.key`."""


def recall(memory: Memory, problems: Iterable[Problem], now: float) -> tuple[Problem, ...]:
    """The problems with onset and newness from the memory, followed by those that have ended, the latest first.

    A problem that has become another one (its cause, or worse than it was) is new, and has an onset of its own.
    """
    current = []
    for problem in problems:
        known = memory.get(problem.key)
        lasts = known is not None and _lasts(known, now) and not _became_another(known, problem)
        since = _onset(known, problem, now)
        new = known is None or not known.looked or not lasts
        current.append(msgspec.structs.replace(problem, since=since, new=new))
    keys = {problem.key for problem in current}
    ended = [
        msgspec.structs.replace(known.problem, new=not known.looked, since=known.first_seen, solved_at=known.solved_at)
        for key, known in memory.items()
        if key not in keys and known.solved_at is not None and now - known.solved_at <= SOLVED_SECONDS
    ]
    ended.sort(key=lambda problem: problem.solved_at or 0.0, reverse=True)
    return (*current, *ended)


def remember(memory: Memory, problems: Iterable[Problem], now: float, gateway_known: bool) -> Memory:
    """The memory after a snapshot. While the gateway does not answer, no problem behind it counts as ended."""
    after: dict[str, Remembered] = {}
    current = {problem.key: problem for problem in problems if problem.solved_at is None}
    for key, known in memory.items():
        if key in current or (known.solved_at is not None and now - known.solved_at > SOLVED_SECONDS):
            continue
        unknown = not gateway_known and known.problem.place.kind not in WITHOUT_GATEWAY
        ended = known.solved_at if known.solved_at is not None else None if unknown else now
        after[key] = msgspec.structs.replace(known, solved_at=ended)
    for key, problem in current.items():
        before = memory.get(key)
        lasting = before is not None and _lasts(before, now) and not _became_another(before, problem)
        looked = before is not None and lasting and before.looked
        onset = _onset(before, problem, now)
        became = before is not None and _lasts(before, now) and not lasting
        floor = onset if became else before.not_before if before is not None and lasting else 0.0
        after[key] = Remembered(problem, onset, now, looked, not_before=floor)
    return after


def mark_seen(memory: Memory) -> Memory:
    """The memory with every problem marked as seen by the operator."""
    return {key: msgspec.structs.replace(known, looked=True) for key, known in memory.items()}


def merge_remembered(one: Remembered, other: Remembered) -> Remembered:
    """One problem from the memories of two consoles: the later one counts, and it is seen if either operator saw it."""
    later, earlier = (one, other) if _last_known_at(one) >= _last_known_at(other) else (other, one)
    same = earlier.solved_at is None and not _became_another(earlier, later.problem)
    first = max(min(one.first_seen, other.first_seen), later.not_before) if same else later.first_seen
    return msgspec.structs.replace(later, first_seen=first, looked=one.looked or other.looked)


def _became_another(known: Remembered, problem: Problem) -> bool:
    """Whether the trouble at the same place is another one by now, or a worse one."""
    before = known.problem
    if before.cause != problem.cause or (before.state and before.state != problem.state):
        return True
    return before.severity != "bad" and problem.severity == "bad"


def _onset(known: Remembered | None, problem: Problem, now: float) -> float:
    """Since when this problem lasts, by its own evidence and by the memory."""
    if known is None or not _lasts(known, now):
        return min(problem.since, now) if problem.since is not None else now
    if _became_another(known, problem):
        # it was the other one when it was last seen: evidence may tell the onset of both
        return max(min(problem.since, now) if problem.since is not None else now, known.last_seen)
    if problem.since is None:
        return known.first_seen
    return min(max(problem.since, known.not_before), known.first_seen)


def _last_known_at(known: Remembered) -> float:
    return max(known.last_seen, known.solved_at or 0.0)


def _lasts(known: Remembered, now: float) -> bool:
    return known.solved_at is None or now - known.solved_at <= FLAPPING_SECONDS
