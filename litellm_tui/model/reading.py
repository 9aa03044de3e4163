"""The last good value of one source with the result of the latest attempt, and the step to the next reading.

Times are seconds since the epoch, durations are seconds, sizes are bytes. Records are frozen.
"""

from __future__ import annotations

from typing import Any, Generic, TypeGuard, TypeVar

import msgspec

from litellm_tui.model.failures import Failure, Unreachable

T = TypeVar("T")


class Reading(msgspec.Struct, Generic[T], frozen=True):
    """The last good value of one source and the result of the latest attempt.

    `failure` belongs to the attempt at `tried_at`; `value` may be older (`seen_at`). `interval` is the number of
    seconds between two readings; with it `stale` tells old values from current ones.
    """

    value: T | None = None
    seen_at: float | None = None
    failure: Failure | None = None
    failing_since: float | None = None
    tried_at: float | None = None
    took: float | None = None
    interval: float = 0.0

    def stale(self, now: float) -> bool:
        """Whether the value is older than two and a half intervals and two seconds."""
        return self.seen_at is not None and now - self.seen_at > 2.5 * self.interval + 2.0


def next_reading(before: Reading[Any], result: Any, took: float | None, interval: float, now: float) -> Reading[Any]:
    """The reading after one more attempt. A failure keeps the last good value and the time of the first failure."""
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
    """Whether no answer came in time. A busy machine can cause a single timeout, so the first one is tried again."""
    return isinstance(result, Unreachable) and result.kind == "timeout"
