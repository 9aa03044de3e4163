"""How often to paint on a terminal that takes long for it: a slow link must not answer a key with old news."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any, Final

# of the time, so much is painted unasked: a terminal that needs half a second for it is then left alone for four
SHARE: Final = 0.12
LONGEST: Final = 5.0
# a link that has become fast again is found out, a little sooner each time
RECOVERY: Final = 0.85


class Pace:
    """Asked before each painting that nobody has pressed a key for. `behind` tells that the last one is on its way."""

    def __init__(self, behind: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._behind = behind
        self._clock = clock
        self._painted = 0.0
        self._late = False
        self._rest = 0.0

    def ready(self) -> bool:
        """Whether to paint now; if so, it is counted as done."""
        now = self._clock()
        if self._behind():
            self._late = True
            return False
        if self._late:
            self._late = False
            self._rest = min(LONGEST, max(self._rest, (now - self._painted) / SHARE))
        if now < self._painted + self._rest:
            return False
        self._painted = now
        self._rest *= RECOVERY
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
