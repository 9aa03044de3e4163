"""Looks at the service again and again: often while it changes, and with fewer commands while nothing seems to."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

import msgspec

from litellm_tui.analysis.container_health import masked
from litellm_tui.host import debug_log
from litellm_tui.model.failures import Crashed, NotAvailable
from litellm_tui.model.reading import Reading, next_reading
from litellm_tui.model.service import Service
from litellm_tui.monitor.service_minutes import ServiceMinutes
from litellm_tui.monitor.wakeup import Wakeup
from litellm_tui.services.capabilities import CostlyLooks
from litellm_tui.services.driver import Driver
from litellm_tui.services.systemd.unit_state import cpu_percent

SERVICE_SECONDS: Final = 2.0
SERVICE_SECONDS_IN_MOTION: Final = 0.5
# a unit in which nothing seems to change is asked about by a command this often: one costs as much as all other looks
# of its interval together
SERVICE_SECONDS_AT_REST: Final = 6.0
MOST_LOST: Final = 50
# the start of a process is reckoned from two clocks that are read one after the other, and one of them is set at times
SAME_START: Final = 1.0


class ServicePoller:
    """Polls one service. `reading` holds its last state, `minutes` what its runs took.

    `gateway_answers` tells whether the gateway answers, `redact` masks a text. `on_look` is called after each look
    by a command, and then `changed`, or `same` where the look shows what the one before showed; `on_new_run` is
    called when another process is seen to run.
    """

    def __init__(
        self,
        driver: Driver,
        wakeup: Wakeup,
        *,
        gateway_answers: Callable[[], bool],
        redact: Callable[[str], str],
        on_look: Callable[[], None],
        on_new_run: Callable[[], None],
        changed: Callable[[], None],
        same: Callable[[], None],
    ) -> None:
        self._costly = driver.look_seconds if isinstance(driver, CostlyLooks) else 0.0
        self.reading: Reading[Service] = Reading(interval=self._pause)
        self.minutes = ServiceMinutes()
        self._driver = driver
        self._wakeup = wakeup
        self._gateway_answers, self._redact = gateway_answers, redact
        self._on_look, self._on_new_run, self._changed, self._same = on_look, on_new_run, changed, same
        self._looked_at = self._measured_at = 0.0

    @property
    def _pause(self) -> float:
        return self._costly or SERVICE_SECONDS

    def absent(self, why: str) -> None:
        """There is no service to be polled, for this reason."""
        self.reading = Reading(failure=NotAvailable(why), tried_at=time.time())

    def failed(self, crash: Crashed) -> None:
        """The poll itself failed."""
        self.reading = next_reading(self.reading, crash, None, self._pause, time.time())

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            if self._is_at_rest():
                await self._wakeup.pause(self._pause)
                continue
            await self._look()
            service = self.reading.value
            calm = service is not None and service.active_state == "active" and self._gateway_answers()
            await self._wakeup.pause(self._pause if calm else max(self._costly / 4, SERVICE_SECONDS_IN_MOTION))

    def _is_at_rest(self) -> bool:
        """Whether a look without a command shows that nothing has changed since the last one with a command."""
        before, now = self.reading, time.time()
        if before.value is None or before.failure is not None or now - self._looked_at >= SERVICE_SECONDS_AT_REST:
            return False
        if not self._gateway_answers() or not self._driver.unchanged(before.value):
            return False
        self.reading = msgspec.structs.replace(before, seen_at=now, tried_at=now)
        self._same()
        return True

    @debug_log.timed("service")
    async def _look(self) -> None:
        before, started = self.reading, time.time()
        self._looked_at = started
        result = await self._driver.look()
        now = time.time()
        if isinstance(result, Service):
            elapsed = now - self._measured_at if self._measured_at else 0.0
            self._measured_at = now
            if result.cpu_percent is None:
                share = cpu_percent(before.value, result, elapsed)
                result = msgspec.structs.replace(result, cpu_percent=share)
            if before.value and before.value.invocation != result.invocation:
                self._on_new_run()
            result = msgspec.structs.replace(masked(result, self._redact), lost=lost_workers(before.value, result, now))
            self.minutes.note(result, now)
        self.reading = next_reading(before, result, now - started, self._pause, now)
        self._on_look()
        if as_shown(before) == as_shown(self.reading):
            self._same()
        else:
            self._changed()


def lost_workers(before: Service | None, now: Service, at: float) -> tuple[float, ...]:
    """The times at which a worker of this run was seen to be gone, this look included."""
    if before is None or before.invocation != now.invocation or before.main_pid != now.main_pid or now.recycles:
        return ()
    stay = {worker.pid: worker.started_at for worker in now.workers}
    gone = sum(abs(stay.get(worker.pid, math.inf) - worker.started_at) > SAME_START for worker in before.workers)
    return (*before.lost, *[at] * gone)[-MOST_LOST:]


def as_shown(reading: Reading[Service]) -> object:
    """What makes a reading of the service another one: its memory and its CPU time always are."""
    value = reading.value
    if value is not None:
        value = msgspec.structs.replace(
            value,
            memory=None,
            cpu_seconds=None,
            cpu_percent=None,
            booted_at=None,
            workers=tuple(msgspec.structs.replace(worker, memory=0, started_at=0.0) for worker in value.workers),
        )
    return value, reading.failure, value is not None and reading.stale(time.time())
