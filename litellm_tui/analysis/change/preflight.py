"""The checks before a restart, from what is known without changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from litellm_tui.analysis.change.service_drift import drift_words, not_compared, what_brings_it_in
from litellm_tui.analysis.health.database import AWAY
from litellm_tui.analysis.phrases import count
from litellm_tui.model.database import Database
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.release import AT_RISK
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot

# the name of what the dialog takes for its button, and of what changes no order
_ORDERS: Final = {"recreate": "order", "reload": "reload", "another": "not applied"}
PreflightState = Literal["ok", "note", "refused"]


class PreflightCheck(msgspec.Struct, frozen=True):
    """One check: `refused` stops a restart that is not forced, `note` informs."""

    name: str
    state: PreflightState
    text: str


def preflight_checks(snapshot: Snapshot, diagnosis: Diagnosis) -> Iterator[PreflightCheck]:
    """The unit, the file, its audit, the changes that a restart applies, the database, and the requests cut off."""
    configuration, service = snapshot.configuration, snapshot.service.value
    if service is not None and service.load_state == "not-found":
        yield PreflightCheck(
            "unit", "refused", f"{service.unit} is not there: put its file back, or name another with --unit"
        )
    if configuration.error is not None:
        yield PreflightCheck("file", "refused", f"LiteLLM cannot read it: {configuration.error}")
    elif configuration.failure is not None:
        yield PreflightCheck("file", "note", f"what will be loaded cannot be said: {configuration.failure.why}")
    elif configuration.current is None:
        why = configuration.why_unwatched or "it was not read yet"
        yield PreflightCheck("file", "note", f"what will be loaded cannot be said: {why}")
    else:
        file = configuration.current
        yield PreflightCheck("file", "ok", f"{file.path} parses: {count(len(file.deployments), 'deployment')}")
        yield from _audited(diagnosis)
        yield _changes(diagnosis)
    yield from _service_drift(snapshot)
    yield from database_checks(snapshot.database, diagnosis)
    if not stands_still(service):
        yield _in_flight(snapshot)


def stands_still(service: Service | None) -> bool:
    """Whether nothing runs that a restart would end: it is a start."""
    return service is not None and service.active_state in ("inactive", "failed") and not service.main_pid


def database_checks(database: Database, diagnosis: Diagnosis) -> Iterator[PreflightCheck]:
    """Whether LiteLLM would come up again: without its database it does not, unless that is tolerated.

    One that it has lost while Postgres itself answers is no reason against it: a restart mends that.
    """
    verdict = diagnosis.database
    if verdict.severity not in ("warn", "bad") or verdict.state == "slow":
        if verdict.state == "connected" and verdict.severity == "ok":
            yield PreflightCheck("database", "ok", verdict.state)
        return
    proved = database.answer.failure is not None and verdict.state in AWAY and verdict.state != "lost"
    ends = proved and not database.tolerated and diagnosis.gateway.state == "answering"
    text = (
        f"LiteLLM would not start again without its database: {verdict.reason}"
        if ends
        else (f"the database is {verdict.state}: {verdict.reason}")
    )
    yield PreflightCheck("database", "refused" if ends else "note", text)


def _audited(diagnosis: Diagnosis) -> Iterator[PreflightCheck]:
    audit = diagnosis.audit
    if audit is None:
        yield PreflightCheck("audit", "note", "the file was not audited yet")
        return
    fatal = [finding for finding in audit.findings if finding.severity == "fatal"]
    for finding in fatal:
        yield PreflightCheck("audit", "refused", f"LiteLLM would not start: {finding.text} ({finding.mark})")
    serious = [finding for finding in audit.findings if finding.severity == "error"]
    # a start runs what somebody else has planted once more: that is not one error among others
    serious.sort(key=lambda finding: finding.rule not in AT_RISK)
    for finding in serious[:3]:
        yield PreflightCheck("audit", "note", f"{finding.text} ({finding.mark})")
    if len(serious) > 3:
        yield PreflightCheck("audit", "note", f"and {len(serious) - 3} more errors: a shows them")
    if not fatal and not serious:
        yield PreflightCheck("audit", "ok", "no finding that would end the start, or a request")


def _changes(diagnosis: Diagnosis) -> PreflightCheck:
    drift = diagnosis.drift
    if not drift:
        return PreflightCheck("changes", "ok", "nothing differs from what runs")
    more = f"; and {len(drift) - 3} more" if len(drift) > 3 else ""
    return PreflightCheck("changes", "note", f"{'; '.join(drift[:3])}{more}")


def _service_drift(snapshot: Snapshot) -> Iterator[PreflightCheck]:
    """What is written for the service and does not run, the order that brings it in, and what that would take away."""
    reading = snapshot.service_drift
    drift = reading.value
    if unknown := not_compared(reading):
        # a restart would keep what runs, and be taken for the change that was meant
        broken = drift is not None and drift.broken and reading.failure is None
        yield PreflightCheck("written", "refused" if broken else "note", unknown)
    if drift is None or reading.failure is not None:
        return
    words = drift_words(drift)
    more = f"; and {len(words) - 3} more" if len(words) > 3 else ""
    if words:
        yield PreflightCheck("written", "note", f"{'; '.join(words[:3])}{more}")
        if drift.order != "restart":
            yield PreflightCheck(_ORDERS[drift.order], "note", what_brings_it_in(drift))
    elif not drift.unknown and not drift.broken:
        yield PreflightCheck("written", "ok", "it runs as it is written")
    if drift.order == "recreate":
        for text in drift.harm:
            yield PreflightCheck("order", "refused", text)


def _in_flight(snapshot: Snapshot) -> PreflightCheck:
    metrics = snapshot.gateway.metrics
    if metrics.value is None or metrics.failure is not None or metrics.value.in_flight is None:
        return PreflightCheck("requests", "note", "how many are in flight is not known: what is, is cut off")
    number = int(metrics.value.in_flight)
    if not number:
        return PreflightCheck("requests", "ok", "none is in flight")
    return PreflightCheck("requests", "note", f"{count(number, 'request')} in flight will be cut off")
