"""Ends the console when its terminal is gone, even when nothing else can.

A terminal that is taken away in the middle of a write ends Textual's writer thread; its queue then fills up, and the
event loop waits on it for ever, with SIGHUP and every timer behind it. This thread waits on nothing.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable
from typing import Final

from litellm_tui.host.command import kill_helpers

LOOK_SECONDS: Final = 0.5
# how long the console may take to end by itself
GRACE_SECONDS: Final = 1.5
STATUS: Final = 128 + signal.SIGHUP


class TerminalWatchdog(threading.Thread):
    """Watches the terminal; `on_lost` is called once, from this thread, when it is gone."""

    def __init__(self, on_lost: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._on_lost = on_lost

    def run(self) -> None:
        """Look as long as the process lives; one that does not end by itself is ended here, with its helpers.

        Only the helpers: a gateway that was started from here, an editor or an order to the service goes on.
        """
        while terminal_is_there():
            time.sleep(LOOK_SECONDS)
        self._on_lost()
        time.sleep(GRACE_SECONDS)
        kill_helpers()
        os._exit(STATUS)


def terminal_is_there() -> bool:
    """False once the terminal was taken away; an input that never was a terminal counts as there."""
    try:
        termios.tcgetattr(sys.__stdin__.fileno() if sys.__stdin__ else 0)
    except termios.error as error:
        return bool(error.args[0] != errno.EIO)
    except (OSError, ValueError):
        return True
    return True
