"""The observer that a monitor is: what a restart and a rehearsal are looked at with, without a screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from litellm_tui.actions.transaction.events import Seen
from litellm_tui.actions.transaction.observation import ask, read_since, said_since
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.monitor.monitor import Monitor


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

    async def log_since(self, moment: float) -> tuple[str, ...]:
        """The last records of the service since then."""
        monitor = self._monitor
        return await read_since(monitor.profile, monitor.redact, moment) or said_since(monitor.store, moment)
