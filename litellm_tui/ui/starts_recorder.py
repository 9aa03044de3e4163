"""Notes the starts of the gateway that snapshots show, in the thread for files: a busy lock keeps no key waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from litellm_tui.host.file_thread import FileThread
from litellm_tui.model.failures import Crashed
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.supervisor import crashed
from litellm_tui.storage.starts import Start, StartHistory, current_start

# what could not be kept is tried again after so many seconds, then after twice as many
AGAIN_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 60.0


class StartsRecorder:
    """`told` gets why a start could not be noted, or the console's own failure at it; None when all is noted."""

    def __init__(self, history: StartHistory, thread: FileThread, told: Callable[[str | Crashed | None], None]) -> None:
        self._history, self._thread, self._told = history, thread, told
        self._noted: Start | None = None
        self._busy = False
        self._failures = 0
        self._again_at = 0.0

    def take(self, snapshot: Snapshot) -> None:
        """Note the start that this snapshot shows, unless it is noted already."""
        found = current_start(snapshot)
        if found is None or found == self._noted or self._busy or time.monotonic() < self._again_at:
            return
        self._busy = True
        loop = asyncio.get_running_loop()
        future = self._thread.submit(self._history.record_snapshot, snapshot)
        future.add_done_callback(lambda done: _on(loop, lambda: self._came(found, done)))

    def _came(self, found: Start, done: Future[bool]) -> None:
        self._busy = False
        error = done.exception()
        if error is None and not self._history.retry:
            self._noted, self._failures, self._again_at = found, 0, 0.0
            self._told(None)
            return
        self._failures += 1
        pause = min(AGAIN_SECONDS * 2.0 ** min(self._failures - 1, 8), LONGEST_SECONDS)
        self._again_at = time.monotonic() + pause
        self._told(crashed(error) if error is not None else self._history.failure)


def _on(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
