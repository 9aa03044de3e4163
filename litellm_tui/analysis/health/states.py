"""A verdict by its state, with the severity that goes with it."""

from __future__ import annotations

from litellm_tui.model.diagnosis import SEVERITY, State, Verdict


def verdict_of(
    state: State,
    reason: str = "",
    seen_at: float | None = None,
    do: str = "",
    brief: str = "",
    since: float | None = None,
    contradiction: str = "",
) -> Verdict:
    """A verdict with the severity of its state."""
    return Verdict(state, SEVERITY[state], reason, seen_at, do, brief, since, contradiction)
