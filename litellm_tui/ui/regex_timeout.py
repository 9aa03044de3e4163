"""A way out of a regex that backtracks without end: it holds the interpreter, and no other task comes to its turn."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# processor time, so that a machine that is busy with something else ends nothing
PATIENCE_SECONDS: Final = 0.1
# the kernel's own clock of it ticks no finer
_GRAIN_SECONDS: Final = 0.005


class TookTooLong(Exception):
    """What was begun within `patience` did not end in its time."""


@contextmanager
def patience(seconds: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Raise `TookTooLong` when what is done inside takes more processor time than this.

    The regex engine looks for signals while it searches; they reach the main thread only, elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    began = time.thread_time()

    def stop(number: int, frame: FrameType | None) -> None:
        # the timer counts what all threads take
        left = seconds - (time.thread_time() - began)
        if left <= _GRAIN_SECONDS:
            raise TookTooLong
        signal.setitimer(signal.ITIMER_VIRTUAL, left)

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
