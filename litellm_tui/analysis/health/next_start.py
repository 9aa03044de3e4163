"""What the next start of a service that runs would fail on."""

from __future__ import annotations

from collections.abc import Iterator

from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.model.snapshot import Snapshot


def next_start_problems(snapshot: Snapshot) -> Iterator[Problem]:
    """The obstacles of a service that runs, each as a problem: it was started before they were there."""
    service = snapshot.service.value
    if service is None or snapshot.service.failure is not None or service.active_state != "active":
        return
    for obstacle in service.obstacles:
        yield Problem(
            key=f"service:start:{obstacle.brief}:{obstacle.subject}",
            severity="warn",
            title="next start",
            cause=obstacle.brief,
            reason=f"{service.unit} would not start again: {obstacle.text}",
            place=Place("service"),
            do=f"before anything restarts it: {obstacle.do}",
            hit="nobody yet: what runs was started before",
        )
