"""Records what the monitor sees: fed with each view on the event loop, it writes in a thread for files.

It asks nothing of the gateway, its upstreams or anything else than the monitor has asked; only the ends of the
service's runs are looked up where the monitor's own driver knows them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from litellm_tui.analysis.health.asked import all_asked
from litellm_tui.analysis.history.facts import Outage, outage_after
from litellm_tui.host.file_thread import FileThread
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import Crashed, Failure
from litellm_tui.model.service import Exit, Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.record_keeper import RecordKeeper, Seen
from litellm_tui.monitor.supervisor import crashed, guarded_async
from litellm_tui.storage.starts import run_of

# twice a step: a kill takes less than one step
WRITE_SECONDS: Final = 5.0
# a view in which not all has been asked tells of ends and onsets that are none
PATIENCE_SECONDS: Final = 10.0
# the messages about an end may come a little after it
AGAIN_SECONDS: Final = 6.0
LAST_SECONDS: Final = 5.0

Exits = Callable[[Service | None], Awaitable[tuple[Exit, ...] | Failure]]
Told = Callable[[str | Crashed | None], None]


class Recorder:
    """`told` gets why nothing can be recorded, or the own failure at it; None when all is recorded.

    `exits` looks up how the runs of the service have ended.
    """

    def __init__(self, path: Path, redact: Callable[[str], str], told: Told, exits: Exits) -> None:
        self.keeper = RecordKeeper(path, redact)
        self._thread = FileThread("record")
        self._told, self._ask = told, exits
        self._busy = False
        self._due = 0.0
        self._first: float | None = None
        self._settled = False
        self._outage: Outage | None = None
        self._outages: list[Outage] = []
        self._standing: object = None
        """How the problems stood that were written last."""
        self._signature: object = None
        self._asks: list[float] = []
        self._asking: asyncio.Task[None] | None = None
        self._exits: tuple[Exit, ...] | Failure | None = None

    def take(self, snapshot: Snapshot, diagnosis: Diagnosis, now: float) -> None:
        """This is what is seen now."""
        if self._first is None:
            self._first = now
        self._settled = self._settled or all_asked(snapshot) or now - self._first >= PATIENCE_SECONDS
        if not self._settled:
            return
        self._note_outage(snapshot, diagnosis, now)
        self._look_up_exits(snapshot, now)
        # what comes and goes between two writes is told by no later view
        standing = tuple((one.key, one.cause, one.severity, one.solved_at is None) for one in diagnosis.problems)
        waits = now < self._due < now + 2 * WRITE_SECONDS and standing == self._standing
        if self._busy or waits:
            return
        self._busy, self._due, self._standing = True, now + WRITE_SECONDS, standing
        outages = (*self._outages, *((self._outage,) if self._outage is not None else ()))
        self._outages = []
        seen = Seen(snapshot, diagnosis, now, self._exits, outages)
        loop = asyncio.get_running_loop()
        future = self._thread.submit(self.keeper.keep, seen)
        future.add_done_callback(lambda done: _on(loop, lambda: self._kept(done)))

    def _note_outage(self, snapshot: Snapshot, diagnosis: Diagnosis, now: float) -> None:
        found = outage_after(self._outage, snapshot, diagnosis, now)
        if found is not None and found.until is not None:
            self._outages.append(found)
            found = None
        self._outage = found

    def _look_up_exits(self, snapshot: Snapshot, now: float) -> None:
        service = snapshot.service.value
        if service is None:
            return
        signature = run_of(service), service.active_state, service.sub_state, service.restarts
        if signature != self._signature:
            self._signature, self._asks = signature, [now, now + AGAIN_SECONDS]
        if self._asks and now >= self._asks[0] and self._asking is None:
            del self._asks[0]
            self._asking = asyncio.create_task(self._looked_up(service))

    async def _looked_up(self, service: Service) -> None:
        try:
            found = await guarded_async(self._ask(service))
            if not isinstance(found, Crashed):
                self._exits = found
            else:
                self._told(found)
        finally:
            self._asking = None

    def _kept(self, done: Future[str]) -> None:
        self._busy = False
        error = done.exception()
        self._told(crashed(error) if error is not None else done.result() or None)

    async def close(self) -> None:
        """Write what is left; a file system that hangs is not waited for."""
        if self._asking is not None:
            self._asking.cancel()
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await guarded_async(self._thread.run(self.keeper.close))
        except TimeoutError:
            # what was written before stays; the lock ends with the process
            return
        finally:
            self._thread.stop()


def _on(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
