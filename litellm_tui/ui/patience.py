"""A way out of a regex that backtracks without end: it holds the interpreter, and no other task comes to its turn."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# processor time, so that a machine that is busy with something else ends nothing
PATIENCE_SECONDS: Final = 0.1


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
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TookTooLong
