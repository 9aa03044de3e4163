"""Problems of the release itself: nothing fails by them, and somebody else may hold the gateway's keys."""

from __future__ import annotations

from collections.abc import Iterator

from litellm_tui.analysis.phrases import count
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.model.release import COMPROMISED, EXPLOITED, NOT_RUNNING, PLANTED

OTHER_INSTALLED = "audit:installed"
"""The key of the note that another release is installed than runs."""
_HIT = "every secret that it can read"


def release_problems(audit: Audit | None) -> Iterator[Problem]:
    """One problem for a compromised release with its files, one for all holes that are exploited, and a note where
    another release is installed than runs.
    """
    if audit is None:
        return
    taken = [finding for finding in audit.findings if finding.rule in (COMPROMISED, PLANTED)]
    if taken:
        cause = "compromised release" if taken[0].rule == COMPROMISED else "planted file"
        yield _problem("audit:release", "LiteLLM", cause, taken, "bad", _HIT)
    holes = [finding for finding in audit.findings if finding.rule == EXPLOITED]
    if holes:
        cause = count(len(holes), "exploited hole")
        yield _problem("audit:holes", "LiteLLM", cause, holes, "warn", f"{_HIT}, once it is used")
    for finding in audit.findings:
        if finding.rule == NOT_RUNNING:
            yield Problem(
                key=OTHER_INSTALLED,
                severity="quiet",
                title="LiteLLM",
                cause=finding.text,
                reason="what runs was read into memory at its start; a restart changes the release",
                place=Place("audit"),
                do=finding.do,
                hit="",
            )


def _problem(key: str, title: str, cause: str, findings: list[Finding], severity: str, hit: str) -> Problem:
    more = f" (and {len(findings) - 1} more: a shows them)" if len(findings) > 1 else ""
    return Problem(
        key=key,
        severity="bad" if severity == "bad" else "warn",
        title=title,
        cause=cause,
        reason=f"{findings[0].text}{more}",
        place=Place("audit"),
        do=findings[0].do,
        hit=hit,
    )
