"""Folds what follows from another failure into it: one event is one incident, whoever tells of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from litellm_tui.analysis.failures.attribution import FailureGroup
from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.failures.part_causes import START_FAILED
from litellm_tui.model.traffic import Subject

Key = tuple[str, str, str]
Found = Mapping[Key, FailureGroup]

# failures further apart than these seconds do not belong to one outage
APART: Final = 600.0
# what ended a start stands in the lines just before its last word
JUST_BEFORE: Final = 120.0
# consequences of another failure of the same group; an incident of their own only without a better cause
_OF_A_GROUP: Final = ("cooling down", "no connection", "failing", "no such group", "")
# the least telling first: each follows from any later one, and from any other cause of the same part
_OF_A_PART: Final[dict[Subject, tuple[str, ...]]] = {
    "database": ("", "no connection", "timeout", "refused", "key check cannot connect", "database client lost"),
    "cache": ("", "no connection", "cache breaker open"),
    "worker": ("worker died",),
}
_STARTS: Final[tuple[Subject, ...]] = ("start-up", "database", "cache", "mcp", "machine", "gateway", "")


def fold_consequences(found: Found) -> dict[Key, FailureGroup]:
    """The failures without those that follow from others; these are counted or noted there."""
    return _fold_starts(_fold_parts(_fold_groups(found)))


def _near(one: FailureGroup, other: FailureGroup) -> bool:
    return other.first - APART <= one.last and one.first <= other.last + APART


def _fold_groups(found: Found) -> dict[Key, FailureGroup]:
    """Add consequences, such as a cooldown or an error without a cause, to the cause of the same group."""
    causes: dict[str, list[FailureGroup]] = defaultdict(list)
    for (cause, subject, _), one in found.items():
        if subject and cause not in _OF_A_GROUP and _is_of_a_group(one):
            causes[subject].append(one)
    kept = {}
    for key, one in found.items():
        cause, subject, _ = key
        if cause in _OF_A_GROUP and subject and _is_of_a_group(one):
            near = [other for other in causes[subject] if _near(one, other)]
            if near:
                _add(one, max(near, key=lambda other: other.last))
                continue
        kept[key] = one
    return kept


def _is_of_a_group(one: FailureGroup) -> bool:
    return one.kind in ("group", "model") or one.failure_of in ("upstream", "")


def _add(one: FailureGroup, cause: FailureGroup) -> None:
    """Count it as a failure of that cause: a request that a cooldown refuses has failed too."""
    if one.cause in ("cooling down", "no such group"):
        cause.also[one.cause] += sum(one.counts().values())
    cause.example = cause.example or max(cause.tallies, key=lambda tally: tally.last)
    cause.tallies += one.tallies


def _fold_parts(found: Found) -> dict[Key, FailureGroup]:
    """Add what says little of the database or the cache to what says more of it at the same time."""
    kept = dict(found)
    for part, telling in _OF_A_PART.items():
        for cause in telling:
            for key in [key for key, one in kept.items() if one.failure_of == part and one.cause == cause]:
                one, rank = kept[key], telling.index(cause)
                near = [
                    other
                    for other in kept.values()
                    if other.failure_of == part and _near(one, other) and _rank(other.cause, telling) > rank
                ]
                if near:
                    into = min(near, key=lambda other: (-_rank(other.cause, telling), abs(other.last - one.last)))
                    into.also[one.cause or first_words(one.tallies[-1].words, 60)] += sum(one.counts().values())
                    # a part tells of one failure in several lines, and of each request that failed by it in one
                    asked = [tally for tally in one.tallies if tally.voice == "request"]
                    into.example = into.example or max(into.tallies, key=lambda tally: tally.last)
                    into.tallies += asked
                    del kept[key]
    return kept


def _rank(cause: str, telling: tuple[str, ...]) -> int:
    return telling.index(cause) if cause in telling else len(telling)


def _fold_starts(found: Found) -> dict[Key, FailureGroup]:
    """Note that a start was given up with the failure just before, which is why."""
    kept = dict(found)
    # the service's own note of it tells the last words: what else says so goes first
    given_up = sorted(
        (key for key, one in found.items() if one.cause == START_FAILED), key=lambda key: found[key].kind == "service"
    )
    for key in given_up:
        one = kept[key]
        why = [
            other
            for other in kept.values()
            if other is not one and other.failure_of in _STARTS and other.first <= one.last <= other.last + JUST_BEFORE
        ]
        if why:
            cause = max(why, key=lambda other: (other.cause != START_FAILED, other.failure_of != "", other.last))
            if cause.cause != START_FAILED:
                cause.also[START_FAILED] = max(cause.also[START_FAILED], sum(one.counts().values()))
            cause.failure_of = cause.failure_of or "start-up"
            del kept[key]
    return kept
