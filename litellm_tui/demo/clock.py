"""Time in the simulation, and the thread that lets things happen when they are due."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch, beginning at `start` (None: now) and going on in real time."""

    def __init__(self, start: float | None) -> None:
        self._offset = 0.0 if start is None else start - time.time()
        self._pinned: float | None = None

    def now(self) -> float:
        """The time it is in the simulation."""
        return time.time() + self._offset if self._pinned is None else self._pinned

    def pin(self, at: float) -> None:
        """Stand at `at`, for what happens at once but is dated apart."""
        self._pinned = at

    def unpin(self) -> None:
        """Go on from where it was pinned."""
        if self._pinned is not None:
            self._offset = self._pinned - time.time()
            self._pinned = None

    def real(self) -> None:
        """Go on as if it had never been pinned."""
        self._pinned = None


class Schedule:
    """Calls functions at their time, in one thread and with the lock held; sleeps in between."""

    def __init__(self, lock: threading.RLock, speed: float) -> None:
        self._wake = threading.Condition(lock)
        self._speed = speed
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="demo-story", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Drop what is left. Not to be called with the lock held."""
        with self._wake:
            self._over = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(2)

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call `function` in that many seconds of the simulation."""
        with self._wake:
            due = time.monotonic() + max(0.0, seconds) / self._speed
            heapq.heappush(self._due, (due, next(self._count), function))
            self._wake.notify_all()

    def _run(self) -> None:
        with self._wake:
            while not self._over:
                pause = self._due[0][0] - time.monotonic() if self._due else None
                if pause is None or pause > 0:
                    self._wake.wait(pause)
                else:
                    heapq.heappop(self._due)[2]()
