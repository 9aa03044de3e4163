"""Successes and failures of one subject over the window, and the times that a verdict needs."""

from __future__ import annotations

from collections import deque
from typing import Final

from litellm_tui.model.traffic import HOUR, STEP, Minute, Step

WINDOW: Final = 300.0
BUCKET: Final = STEP
# one answer a second is remembered, for the last minute with answers
ANSWER_STEP: Final = 1.0
ANSWERS_KEPT: Final = 64


class SubjectCounts:
    """`last_ok` and `last_failed` can be older than the window; `failing_since` is the first failure in a row."""

    def __init__(self) -> None:
        self.buckets: deque[list[int]] = deque()
        self._steps: tuple[Step, ...] | None = ()
        self._minutes: deque[Minute] = deque(maxlen=HOUR)
        self._hour: tuple[Minute, ...] | None = ()
        self.last_ok: float | None = None
        self.last_failed: float | None = None
        self.failing_since: float | None = None
        self.in_a_row = 0
        self.failures: deque[float] = deque(maxlen=3)
        self.answers: deque[float] = deque(maxlen=ANSWERS_KEPT)

    def count(self, time: float, ok: int, failed: int) -> None:
        """Count outcomes at this moment."""
        if ok:
            self.last_ok = max(time, self.last_ok or 0.0)
            if not self.answers or time - self.answers[-1] >= ANSWER_STEP:
                self.answers.append(time)
            self.failing_since = None
            self.in_a_row = 0
        elif self.last_failed is not None and time - self.last_failed > WINDOW:
            # where the log has no successes, only silence ends a row of failures
            self.failing_since = None
            self.in_a_row = 0
        self.in_a_row += failed
        if failed:
            self.failures.append(time)
        start = int(time - time % BUCKET)
        self._steps = None
        if not self.buckets or self.buckets[-1][0] < start:
            self.buckets.append([start, 0, 0])
        self.buckets[-1][1] += ok
        self.buckets[-1][2] += failed
        self._count_minute(int(time // 60), ok, failed)

    def _count_minute(self, minute: int, ok: int, failed: int) -> None:
        self._hour = None
        newest = self._minutes[-1] if self._minutes else None
        if newest is None or newest[0] < minute:
            self._minutes.append((minute, ok, failed))
        else:
            self._minutes[-1] = (newest[0], newest[1] + ok, newest[2] + failed)

    def fail(self, time: float) -> None:
        """Note a failure's time, also of one that is no request of its own."""
        self.last_failed = max(time, self.last_failed or 0.0)
        if self.failing_since is None:
            self.failing_since = time

    def take_back(self, time: float) -> None:
        """Take back a failure that was counted at this moment."""
        self._steps = None
        for bucket in reversed(self.buckets):
            if bucket[0] <= time:
                bucket[2] = max(0, bucket[2] - 1)
                break
        for place in reversed(range(len(self._minutes))):
            minute, ok, failed = self._minutes[place]
            if minute <= time // 60:
                self._minutes[place], self._hour = (minute, ok, max(0, failed - 1)), None
                break
        self.in_a_row = max(0, self.in_a_row - 1)
        if time in self.failures:
            self.failures.remove(time)

    def sums(self, now: float) -> tuple[int, int]:
        """Successes and failures of the window that ends at `now`."""
        steps = self.steps(now)
        return sum(step[1] for step in steps), sum(step[2] for step in steps)

    def steps(self, now: float) -> tuple[Step, ...]:
        """The same in steps of `BUCKET` seconds, the oldest first; one that lies partly in the window is in it."""
        while self.buckets and self.buckets[0][0] + BUCKET <= now - WINDOW:
            self.buckets.popleft()
            self._steps = None
        if self._steps is None:
            self._steps = tuple((begin, ok, failed) for begin, ok, failed in self.buckets)
        return self._steps

    def hour(self, now: float) -> tuple[Minute, ...]:
        """The minutes with outcomes of the last `HOUR` that end with the present one, the oldest first."""
        while self._minutes and self._minutes[0][0] <= now // 60 - HOUR:
            self._minutes.popleft()
            self._hour = None
        if self._hour is None:
            self._hour = tuple(self._minutes)
        return self._hour
