"""What is written for the service, and does not run, as problems."""

from __future__ import annotations

from collections.abc import Iterator

from litellm_tui.analysis.change.service_drift import summary, what_brings_it_in
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.model.snapshot import Snapshot


def service_drift_problems(snapshot: Snapshot) -> Iterator[Problem]:
    """A definition that cannot be used, and what of it does not run yet."""
    drift = snapshot.service_drift.value
    if drift is not None and drift.broken:
        yield Problem(
            key="service:definition",
            severity="warn",
            title="service",
            cause="definition broken",
            reason=drift.broken,
            place=Place("service"),
            do="mend it before anything is recreated from it",
            hit="nobody yet: what runs was made before",
        )
    if drift is None or not drift.found:
        return
    yield Problem(
        key="service:drift",
        severity="quiet",
        title="service",
        cause="not applied",
        reason=f"{summary(drift)}; what runs is older",
        place=Place("service"),
        do=what_brings_it_in(drift) if drift.order == "another" else f"R applies it: {what_brings_it_in(drift)}",
    )
