"""What one receiver has to be told now: the difference between what it was told and what is so, as far as rules allow.

Nothing is put off by being forgotten: in quiet hours, or before a problem has lasted as long as a rule wants, nothing
is told, and the next look decides anew. An end is told to whom the beginning was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from typing import Final, Literal, NamedTuple

from litellm_tui.analysis.notify.standing import Standings, has_ended
from litellm_tui.model.diagnosis import Severity
from litellm_tui.model.notification import Belief, Standing
from litellm_tui.model.notify_settings import Rule

_RANK: Final[Mapping[Severity, int]] = {"ok": 0, "quiet": 0, "unknown": 0, "warn": 1, "bad": 2}

Zones = Mapping[str, tzinfo]
"""The zones of the rules, by their names; local time has none."""


class Decision(NamedTuple):
    """One message that is due."""

    event: Literal["began", "worse", "ended"]
    standing: Standing
    before: Severity | Literal[""]


def decide(
    standings: Standings, beliefs: Mapping[str, Belief], rules: Sequence[Rule], zones: Zones, now: float
) -> Iterator[Decision]:
    """What is to be told to a receiver with these rules, the oldest first."""
    due = [found for key in {**standings, **beliefs} if (found := _due(key, standings, beliefs, rules, zones, now))]
    return iter(sorted(due, key=lambda one: (one.event != "ended", one.standing.since, one.standing.key)))


def _due(
    key: str,
    standings: Standings,
    beliefs: Mapping[str, Belief],
    rules: Sequence[Rule],
    zones: Zones,
    now: float,
) -> Decision | None:
    standing, belief = standings.get(key), beliefs.get(key)
    told = belief is not None and belief.there
    last = belief.at if belief is not None else None
    if standing is not None and standing.gone_at is None:
        before: Severity | Literal[""] = belief.severity if belief is not None and told else ""
        if before and _RANK[standing.severity] <= _RANK[before]:
            return None
        allowed = any(
            concerns(rule, standing) and now - standing.since >= rule.lasting and allows(rule, last, zones, now)
            for rule in rules
        )
        return Decision("worse" if before else "began", standing, before) if allowed else None
    if belief is None or not told or (standing is not None and not has_ended(standing, now)):
        return None
    concerned = [rule for rule in rules if concerns(rule, belief.standing)]
    if concerned and not any(allows(rule, last, zones, now) for rule in concerned):
        return None
    return Decision("ended", standing if standing is not None else belief.standing, belief.severity)


def concerns(rule: Rule, standing: Standing) -> bool:
    """Whether the rule is about such a problem."""
    if _RANK[standing.severity] < _RANK[rule.severity]:
        return False
    if rule.subjects and standing.subject not in rule.subjects:
        return False
    return not rule.groups or _any_matches(rule.groups, standing.groups)


def allows(rule: Rule, last: float | None, zones: Zones, now: float) -> bool:
    """Whether the rule lets something be told now of a problem that was told last at `last`."""
    # of a clock that was set back nothing is known
    waits = last is not None and 0 <= now - last < rule.once_in_minutes * 60
    return not waits and not is_quiet(rule, zones, now)


def is_quiet(rule: Rule, zones: Zones, now: float) -> bool:
    """Whether it is one of the rule's quiet hours; the end of a span is no part of it."""
    if not rule.spans:
        return False
    moment = datetime.fromtimestamp(now, zones[rule.zone] if rule.zone else None)
    minute = moment.hour * 60 + moment.minute
    return any(
        first <= minute < last if first < last else minute >= first or minute < last for first, last in rule.spans
    )


def _any_matches(patterns: Iterable[str], names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)
