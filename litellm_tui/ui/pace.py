"""How often to paint what moves by itself on a terminal that takes long for it: a key must not wait for old news."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any, Final

# of the time, so much is painted unasked: a terminal that needs half a second for it is then left alone for ten
SHARE: Final = 0.05
LONGEST: Final = 12.0
# a link that has become fast again is found out, a little sooner each time
RECOVERY: Final = 0.8
# being late once is a terminal that had something else to do; twice in three paintings is a slow link
_FORGET: Final = 0.75
_SLOW: Final = 1.5


class Pace:
    """Asked before each painting that nobody has pressed a key for. `behind` tells that the last one is on its way."""

    def __init__(self, behind: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._behind = behind
        self._clock = clock
        self._painted = 0.0
        self._late_since: float | None = None
        self._lateness = 0.0
        self._rest = 0.0

    def ready(self) -> bool:
        """Whether to paint now; if so, it is counted as done."""
        now = self._clock()
        if self._behind():
            if self._late_since is None:
                self._late_since = now
                self._lateness += 1
            return False
        if self._late_since is not None:
            if self._lateness >= _SLOW:
                self._rest = min(LONGEST, max(self._rest, (now - self._late_since) / SHARE))
            self._late_since = None
        if now < self._painted + self._rest:
            return False
        self._painted = now
        self._rest *= RECOVERY
        self._lateness *= _FORGET
        return True


def output_waits(driver: Any) -> bool:
    """Whether something that Textual has painted is still to be written, as far as its driver for Unix tells.

    Read from its writer thread, for which there is no public way (Textual 8.2): where it is another, nothing waits.
    """
    writer = getattr(driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    if writer is None or queue is None:
        return False
    return bool(queue.qsize()) or not select.select([], [writer.fileno()], [], 0)[1]
