"""What happened, as events, by what a snapshot tells of it: starts, ends, saves, audits, probes, marks, outages. Pure.

The same thing gives the same key however often it is seen.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from litellm_tui.analysis.exits import describe_exit, was_unwanted
from litellm_tui.analysis.phrases import count
from litellm_tui.model.audit import SEVERITIES, Audit
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.diagnosis import Diagnosis, Severity
from litellm_tui.model.history import Change, Event
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.service import Exit, Service
from litellm_tui.model.snapshot import Snapshot

# the gateway answers nobody in these states of its verdict
SILENT: Final = frozenset({"down", "hanging", "starting", "stopping", "not LiteLLM", "proxy answers"})
# a cause that is only that it stops or starts is none, where another one is known
_PASSING: Final = frozenset({"starting", "stopping"})
# nothing is known of an outage in these
UNKNOWN: Final = frozenset({"connecting", "not read", "not judged"})
_LONGEST_DIGEST: Final = 16
_RESTARTED_SECONDS: Final = 2.0


class Outage(NamedTuple):
    """The gateway did not answer from `since` on; `until` it did again. `cause` is in two or three words."""

    since: float
    until: float | None = None
    cause: str = ""
    passing: bool = True


def outage_after(before: Outage | None, snapshot: Snapshot, diagnosis: Diagnosis, now: float) -> Outage | None:
    """The outage that lasts, or one that has just ended, after this view of the gateway; None where there is none."""
    verdict, liveliness = diagnosis.gateway, snapshot.gateway.liveliness
    lasts = before is not None and before.until is None
    if verdict.state in UNKNOWN or verdict.state.startswith("overloaded"):
        return before if lasts else None
    if verdict.state not in SILENT:
        if not lasts or before is None:
            return None
        seen = liveliness.seen_at
        return before._replace(until=seen if seen is not None and before.since <= seen <= now else now)
    passing = verdict.state in _PASSING
    cause = verdict.brief or verdict.state
    if before is None or not lasts:
        since = liveliness.failing_since
        return Outage(min(since, now) if since is not None else now, None, cause, passing)
    if passing and not before.passing:
        return before
    return before._replace(cause=cause, passing=passing)


def outage_event(outage: Outage, number: int = 0) -> Event:
    """The event of an outage, with this number of the record."""
    return Event(
        number, outage.since, "downtime", "gateway", "", "bad", "the gateway did not answer", outage.cause,
        until=outage.until,
    )  # fmt: skip


def start_event(service: Service | None, run: str, file: ConfigFile | None, version: str) -> Event | None:
    """The start of the process that runs; `run` tells it from others. Its text names the configuration, where known."""
    if service is None or service.started_at is None or not run:
        return None
    known = file is not None and file.modified_at <= service.started_at
    return Event(
        0, service.started_at, "start", run, service.unit, "quiet", "started",
        hit=f"LiteLLM {version}" if version else "",
        text=f"configuration {file.digest[:_LONGEST_DIGEST]}" if known and file is not None else "",
    )  # fmt: skip


def is_same_start(one: Event, other: Event) -> bool:
    """Whether both are one start: its time is computed anew at each look."""
    return one.key == other.key or (one.subject == other.subject and abs(one.at - other.at) < _RESTARTED_SECONDS)


def applied_event(before: Event | None, start: Event, path: str) -> Event | None:
    """That a start runs with another configuration than the start before it."""
    if before is None or not before.text or not start.text or before.text == start.text:
        return None
    words = f"{path.rpartition('/')[2]} applied, {start.text}"
    return Event(0, start.at, "applied", start.text, path, "quiet", words)


def end_event(exit: Exit, unit: str) -> Event:
    """The end of a run with its reason."""
    severity: Severity = "bad" if was_unwanted(exit) and (exit.status or exit.by or exit.result) else "quiet"
    key = f"run {round(exit.began)}" if exit.began is not None else f"end {round(exit.at)}"
    cause = {"order": "by order", "memory": "out of memory", "reboot": "the machine was restarted"}.get(exit.by, "")
    return Event(0, exit.at, "end", key, unit, severity, describe_exit(exit), cause)


def saved_event(file: ConfigFile | None) -> Event | None:
    """The last save of the configuration."""
    if file is None or not file.modified_at:
        return None
    return Event(0, file.modified_at, "saved", file.digest, file.path, "quiet", f"{file.path.rpartition('/')[2]} saved")


def audit_event(audit: Audit | None, at: float) -> Event | None:
    """The result of the audit; the key is another one where it finds something else."""
    if audit is None:
        return None
    numbers = Counter(finding.severity for finding in audit.findings)
    told = ", ".join(count(numbers[severity], severity) for severity in SEVERITIES if numbers[severity])
    # one advice, two advice
    told = told.replace("advices", "advice")
    found = sorted((finding.rule, str(finding.path)) for finding in audit.findings)
    key = hashlib.sha256(repr(found).encode(errors="replace")).hexdigest()[:_LONGEST_DIGEST]
    severity: Severity = "bad" if numbers["fatal"] else "warn" if numbers["error"] else "quiet"
    return Event(0, at, "audit", key, audit.path, severity, f"audit: {told or 'nothing found'}")


def probe_event(probe: ProbeResult) -> Event | None:
    """The result of a probe; None for one that was not sent."""
    if probe.skipped:
        return None
    title = f"{probe.group} ({probe.model}): " + (
        f"answered in {probe.took:.1f} s" if probe.ok else f"failed ({probe.status})" if probe.status else "failed"
    )
    return Event(
        0, probe.asked_at, "probe", probe.deployment, f"group:{probe.group}", "quiet" if probe.ok else "warn", title,
        probe.error.partition("\n")[0],
    )  # fmt: skip


def mark_event(name: str, note: str, now: float) -> Event:
    """The mark of the operator that something is expected to be down."""
    return Event(0, now, "mark", name, name, "quiet", f"{name} is expected to be down", note)


def problem_event(change: Change, until: float | None = None) -> Event:
    """A problem that began, or became another one."""
    return Event(
        0, change.at, "problem", change.key, change.subject, change.severity, change.title, change.cause, change.do,
        change.hit, until, f"before: {change.was}" if change.was and change.what == "worse" else "",
    )  # fmt: skip


def verdict_event(change: Change) -> Event:
    """A deployment whose verdict is another one."""
    return Event(
        0, change.at, "verdict", change.key, change.subject, change.severity, change.title, change.cause, change.do
    )


def new_marks(marks: Mapping[str, str], known: Sequence[Event]) -> tuple[list[str], list[Event]]:
    """The names that are marked and have no event yet, and the events of marks that are gone."""
    lasting = {event.key: event for event in known}
    return [name for name in marks if name not in lasting], [e for name, e in lasting.items() if name not in marks]
