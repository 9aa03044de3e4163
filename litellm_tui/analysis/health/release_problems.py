"""Problems of the release itself: nothing fails by them, and somebody else may hold the gateway's keys."""

from __future__ import annotations

from collections.abc import Iterator

from litellm_tui.analysis.change.service_drift import what_brings_it_in
from litellm_tui.analysis.phrases import count
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.model.release import COMPROMISED, EXPLOITED, NOT_RUNNING, PLANTED
from litellm_tui.model.snapshot import Snapshot

OTHER_INSTALLED = "audit:installed"
"""The key of the note that another release is installed than runs."""
_HIT = "every secret that it can read"


def release_problems(audit: Audit | None, snapshot: Snapshot | None = None) -> Iterator[Problem]:
    """One problem for a compromised release with its files, one for all holes that are exploited, and a note where
    another release is installed, or written for the service, than runs.
    """
    installed = audit is not None and any(finding.rule == NOT_RUNNING for finding in audit.findings)
    if snapshot is not None and not installed:
        yield from _written(snapshot)
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


def _written(snapshot: Snapshot) -> Iterator[Problem]:
    """A note where the image that is written for the service is of another release than its container."""
    drift, readiness = snapshot.service_drift.value, snapshot.gateway.readiness.value
    if drift is None or snapshot.service_drift.failure is not None or not drift.releases[1]:
        return
    tagged, written = drift.releases
    runs = (readiness.version if readiness else "") or tagged
    if not runs or runs == written:
        return
    images = [one for one in drift.found if one.kind == "image"]
    names = [f"{one.source or 'its definition'} names {one.written}" for one in images[:1]]
    until = f": only {drift.command} brings it in" if drift.order == "another" else " until the next restart"
    yield Problem(
        key=OTHER_INSTALLED,
        severity="quiet",
        title="LiteLLM",
        cause=f"installed {written}, runs {runs}{until}",
        reason="; ".join((*names, what_brings_it_in(drift))),
        place=Place("audit"),
        do=f"`litellm-tui audit --litellm {runs} --against {written}` says what that changes",
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
