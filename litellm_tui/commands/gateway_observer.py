"""An observer for a command that changes something: the console's monitor, without a screen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litellm_tui.actions.transaction.monitor_observer import MonitorObserver
from litellm_tui.analysis.health.asked import all_asked
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.storage.starts import StartHistory
from litellm_tui.storage.state import state_of
from litellm_tui.target.profile import Profile


class CommandObserver(MonitorObserver):
    """The observer of a command, which waits until everything was looked at once."""

    @property
    def complete(self) -> bool:
        """Whether everything that a preflight is about was looked at once."""
        snapshot = self._monitor.snapshot()
        audited = self._monitor.audits.settled or snapshot.configuration.checked_at is None
        return audited and all_asked(snapshot)


@asynccontextmanager
async def looking(
    profile: Profile, history: StartHistory | None = None, patience: float = 6.0
) -> AsyncIterator[CommandObserver]:
    """A monitor that runs as long as this is entered, with everything looked at once, where that can be."""
    changed = asyncio.Event()
    monitor = Monitor(profile, lambda _: changed.set(), history)
    running = asyncio.create_task(monitor.run())
    observer = CommandObserver(monitor, running)
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
