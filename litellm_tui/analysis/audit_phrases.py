"""An audit in one line: the number of findings, and the arithmetic of the score."""

from __future__ import annotations

from litellm_tui.analysis.phrases import count, first_of
from litellm_tui.model.audit import SEVERITIES, Audit, Score

_PLURAL = {"fatal": "fatal", "advice": "advice"}


def summary(result: Audit) -> str:
    """`1 fatal, 2 errors, 3 warnings, 1 advice`; "nothing found" when there is nothing."""
    words = [
        count(number, severity, _PLURAL.get(severity, ""))
        for severity in SEVERITIES
        if (number := sum(finding.severity == severity for finding in result.findings))
    ]
    return ", ".join(words) or "nothing found"


def points(score: Score) -> str:
    """`7.3 of 10`; what it waits for, where it says nothing yet."""
    if score.waits_for:
        return f"waits for the environment: without {first_of(score.waits_for)} LiteLLM does not start"
    return f"{score.value:g} of 10"


def arithmetic(score: Score) -> str:
    """`7.3 of 10 = 10 − 1 error × 2 − 1 warning × 0.5 − 2 advice × 0.1`; rules are counted, not findings."""
    if score.waits_for:
        return points(score)
    taken = [
        f" − {count(d.count, d.severity, _PLURAL.get(d.severity, ''))} × {d.each:g}"
        + ("" if d.points == d.count * d.each else f" (at most {d.points:g})")
        for d in score.deductions
    ]
    return points(score) + (f" = 10{''.join(taken)}, a rule counting once" if taken else "")
