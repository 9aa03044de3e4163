"""The document of `litellm-tui status --json`, and its exit status: docs/status.md describes them."""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec

from litellm_tui import __version__
from litellm_tui.analysis.fleet.content_digest import content_digest, section_digests
from litellm_tui.analysis.health.phases import UNREACHABLE
from litellm_tui.analysis.health.request_counts import MINUTES, count_requests
from litellm_tui.commands.look import Look
from litellm_tui.model.diagnosis import Diagnosis

# another number when a field of before means something else, or is gone
FORMAT: Final = 1


def exit_status(diagnosis: Diagnosis) -> int:
    """The worst of what is wrong now, as a number for scripts."""
    if diagnosis.gateway.state in UNREACHABLE:
        return 3
    severities = {problem.severity for problem in diagnosis.problems if problem.solved_at is None}
    return 2 if "bad" in severities else 1 if "warn" in severities else 0


def _rates(seen: Look) -> dict[str, float | None]:
    """Requests, those that failed and lines of errors in the log, each a minute over the last five."""
    counts = count_requests(seen.snapshot, seen.now)
    return {
        "requests_per_minute": counts.per_minute,
        "failed_per_minute": counts.failed / (counts.seconds / 60),
        "error_lines_per_minute": sum(seen.snapshot.log.errors_per_minute[-MINUTES:]) / MINUTES,
    }


def _configuration(seen: Look) -> dict[str, Any] | None:
    """Digests of what the file says; None where none can be read."""
    file = seen.snapshot.configuration.current
    return None if file is None else {"digest": content_digest(file), "sections": section_digests(file)}


def document(seen: Look) -> dict[str, Any]:
    """The look as plain data. Times are seconds since the epoch; nothing of the file's own content is in it."""
    diagnosis, snapshot = seen.diagnosis, seen.snapshot
    readiness, service = snapshot.gateway.readiness.value, snapshot.service.value
    plain = msgspec.to_builtins
    return {
        "format": FORMAT,
        "program": __version__,
        "written_at": time.time(),
        "taken_at": seen.now,
        "host": seen.profile.host,
        "url": seen.profile.address,
        "litellm_version": readiness.version if readiness else None,
        "unit": service.unit if service else None,
        "exit_status": exit_status(diagnosis),
        "headline": plain(diagnosis.headline),
        "rates": _rates(seen),
        "configuration": _configuration(seen),
        "problems": plain(diagnosis.problems),
        "changes": list(seen.changes),
        "gateway": plain(diagnosis.gateway),
        "service": plain(diagnosis.service),
        "cache": plain(diagnosis.cache),
        "database": plain(diagnosis.database) | {"answer": plain(snapshot.database.answer.value)},
        "groups": plain(diagnosis.groups),
        "deployments": [
            {
                "key": d.key,
                "id": d.loaded.id if d.loaded else None,
                "group": d.group,
                "model": d.model,
                "api_base": d.api_base,
                "listed": d.listed,
                "answered": d.ok,
                "failed": d.failed,
                "verdict": plain(d.verdict),
            }
            for d in diagnosis.deployments
        ],
        "not_applied": list(diagnosis.drift),
        "looked_at": plain(diagnosis.looked),
        "blind_spots": plain(diagnosis.blind_spots),
        "crashes": plain(snapshot.crashes),
    }
