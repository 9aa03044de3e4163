"""How a source's readings follow one another."""

from __future__ import annotations

from typing import Any, TypeGuard

from litellm_tui.snapshot import Failure, Reading, Unreachable


def next_reading(before: Reading[Any], result: Any, took: float | None, interval: float, now: float) -> Reading[Any]:
    """The reading after one more attempt: a failure keeps the last good value, and the moment at which it began."""
    if isinstance(result, Failure):
        return Reading(
            value=before.value,
            seen_at=before.seen_at,
            failure=result,
            failing_since=before.failing_since if before.failure else now,
            tried_at=now,
            took=took,
            interval=interval,
        )
    return Reading(value=result, seen_at=now, tried_at=now, took=took, interval=interval)


def is_silence(result: Any) -> TypeGuard[Unreachable]:
    """Whether no answer came in time: once may be a busy machine's fault, so a new one is asked about once more."""
    return isinstance(result, Unreachable) and result.kind == "timeout"
