"""An audit in one line: the number of findings, and the arithmetic of the score."""

from __future__ import annotations

from litellm_tui.analysis.phrases import count
from litellm_tui.model.audit import SEVERITIES, Audit, Score


def summary(result: Audit) -> str:
    """`1 fatal, 2 errors, 3 warnings, 1 advice`; "nothing found" when there is nothing."""
    plural = {"fatal": "fatal", "advice": "advice"}
    words = [
        count(number, severity, plural.get(severity, ""))
        for severity in SEVERITIES
        if (number := sum(finding.severity == severity for finding in result.findings))
    ]
    return ", ".join(words) or "nothing found"


def arithmetic(score: Score) -> str:
    """`7.3 of 10 = 10 − 1 error × 2 − 1 warning × 0.5 − 2 advice × 0.1`; rules are counted, not findings."""
    taken = [
        f" − {d.count} {d.severity} × {d.each:g}" + ("" if d.points == d.count * d.each else f" (at most {d.points:g})")
        for d in score.deductions
    ]
    return f"{score.value:g} of 10" + (f" = 10{''.join(taken)}, a rule counting once" if taken else "")
