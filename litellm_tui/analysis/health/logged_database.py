"""What LiteLLM's log tells of its database: errors count also while readiness still says connected.

Readiness repeats an old `connected` for a while, and asks only whether an empty query is answered: a full disk, a pool
without a free connection or missing tables are told by LiteLLM's error lines alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.failures.explanations import explain_cause
from litellm_tui.analysis.phrases import count
from litellm_tui.model.diagnosis import Evidence, Verdict
from litellm_tui.model.traffic import FailureTally

# an error that is older tells nothing of now, in seconds
RECENT: Final = 120.0
# from so many errors in that time on it is no single accident
LEAST: Final = 2


class _Meaning(NamedTuple):
    """The state that an error tells of; `asked` means that readiness itself asks for it: a later answer counts."""

    state: str
    asked: bool = False


_MEANINGS: Final = {
    "database unreachable": _Meaning("lost", asked=True),
    "database client lost": _Meaning("lost", asked=True),
    "no connection": _Meaning("lost", asked=True),
    "refused": _Meaning("lost", asked=True),
    "no such host": _Meaning("lost", asked=True),
    "timeout": _Meaning("slow", asked=True),
    "database login refused": _Meaning("refuses", asked=True),
    "database does not exist": _Meaning("refuses", asked=True),
    "database disk full": _Meaning("refuses"),
    "database out of connections": _Meaning("out of connections"),
    "database pool timeout": _Meaning("slow"),
    "database deadlock": _Meaning("slow"),
    "database read-only": _Meaning("read-only"),
    "database tables missing": _Meaning("migrations failed"),
    "migration failed": _Meaning("migrations failed"),
    "database forbids it": _Meaning("refuses"),
}
# in these states the log says why, or says no more: what is well or not known is what it contradicts
_CONTRADICTED: Final = ("connected", "answers", "unknown", "lost")


class _Logged(NamedTuple):
    tally: FailureTally
    meaning: _Meaning
    times: int


def with_logged_errors(
    verdict: Verdict, tallies: Sequence[FailureTally], now: float, started_at: float, asked_after: float | None
) -> Verdict:
    """The verdict with what the log of this process tells of the last minutes.

    `asked_after` is the time after which LiteLLM itself has surely reached its database; None where it has not.
    """
    found = _newest(tallies, now, started_at, asked_after)
    if found is None or verdict.state not in _CONTRADICTED or (verdict.severity == "bad" and verdict.state != "lost"):
        return verdict
    tally, meaning, times = found
    said = f"its log: {first_words(tally.words, 200)}"
    evidence = (*verdict.evidence, Evidence("traffic", said, "against", tally.last))
    if verdict.state == "lost":
        # readiness says so too, and the log says why
        return msgspec.structs.replace(verdict, reason=f"{verdict.reason}; {said}", evidence=evidence)
    known = explain_cause(tally.cause, "database")
    return Verdict(
        meaning.state,
        "warn" if meaning.state == "slow" or times < LEAST else "bad",
        f"{known.means} ({count(times, 'error')} in {RECENT / 60:g} min; {said})",
        seen_at=tally.last,
        do=known.do,
        brief=tally.cause.removeprefix("database ") or meaning.state,
        since=max(tally.first, started_at),
        contradiction=verdict.reason if verdict.severity == "ok" else verdict.contradiction,
        evidence=evidence,
    )


def _newest(
    tallies: Sequence[FailureTally], now: float, started_at: float, asked_after: float | None
) -> _Logged | None:
    """The newest error of the database that still counts."""
    begun = max(started_at, now - RECENT)
    found = []
    for tally in tallies:
        meaning = _MEANINGS.get(tally.cause) if tally.subject == "database" else None
        if meaning is None or tally.last < begun:
            continue
        if meaning.asked and asked_after is not None and asked_after >= tally.last:
            continue
        times = sum(number for minute, number in tally.counts if minute >= int(begun // 60))
        found.append(_Logged(tally, meaning, max(1, times)))
    return max(found, key=lambda one: one.tally.last, default=None)
