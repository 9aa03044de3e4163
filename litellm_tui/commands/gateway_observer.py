"""An observer for a command that changes something: the console's monitor, without a screen."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from litellm_tui.actions.transaction.events import Seen
from litellm_tui.actions.transaction.observation import ask, said_since
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.commands.look import all_asked
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.storage.starts import StartHistory
from litellm_tui.storage.state import state_of
from litellm_tui.target.profile import Profile


class MonitorObserver:
    """`actions.transaction.events.GatewayObserver` on a monitor that runs."""

    def __init__(self, monitor: Monitor, running: asyncio.Task[None]) -> None:
        self._monitor = monitor
        self._running = running

    def seen(self) -> Seen:
        """What is known now. Raises what has ended the monitor."""
        if self._running.done():
            self._running.result()
        snapshot, now = self._monitor.snapshot(), time.time()
        return Seen(snapshot, diagnose(snapshot, now, {}, self._monitor.audits.audit), now)

    def look_now(self) -> None:
        """Look at everything again."""
        self._monitor.look_now()

    async def probe(self, groups: Sequence[str]) -> None:
        """Ask every deployment of these groups."""
        monitor = self._monitor
        loaded = monitor.snapshot().gateway.deployments.value or ()
        await ask(monitor.profile, loaded, groups, monitor.redact, monitor.add_probe)

    def log_since(self, moment: float) -> tuple[str, ...]:
        """The last records of the service since then."""
        return said_since(self._monitor.store, moment)

    @property
    def complete(self) -> bool:
        """Whether everything that a preflight is about was looked at once."""
        snapshot = self._monitor.snapshot()
        audited = self._monitor.audits.settled or snapshot.configuration.checked_at is None
        return audited and all_asked(snapshot)


@asynccontextmanager
async def looking(
    profile: Profile, history: StartHistory | None = None, patience: float = 6.0
) -> AsyncIterator[MonitorObserver]:
    """A monitor that runs as long as this is entered, with everything looked at once, where that can be."""
    changed = asyncio.Event()
    monitor = Monitor(profile, lambda _: changed.set(), history)
    running = asyncio.create_task(monitor.run())
    observer = MonitorObserver(monitor, running)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not observer.complete:
                    await changed.wait()
                    changed.clear()
        yield observer
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        if monitor.probes:
            # what a proof or a rehearsal has asked is evidence for whoever looks next
            await asyncio.to_thread(state_of(profile).add_probes, tuple(monitor.probes.values()))
