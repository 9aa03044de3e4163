"""Keeps what the runs of a service took, for the last half hour: one record a minute, however often it is looked at."""

from __future__ import annotations

from collections import deque
from typing import Final

from litellm_tui.model.service import Service
from litellm_tui.model.service_minutes import ServiceMinute

KEPT_MINUTES: Final = 30


class ServiceMinutes:
    """`kept` are the minutes in which the service was looked at, the oldest first."""

    def __init__(self) -> None:
        self._kept: deque[ServiceMinute] = deque(maxlen=KEPT_MINUTES)
        self.kept: tuple[ServiceMinute, ...] = ()
        self._run: tuple[str, int] | None = None
        # of the shares of the processor in the newest minute
        self._shares = 0
        self._sum = 0.0

    def note(self, service: Service, at: float) -> None:
        """Take up a look at the service, made at `at` in seconds since the epoch."""
        minute = int(at // 60)
        last = self._kept.pop() if self._kept and self._kept[-1].minute >= minute else None
        if last is None:
            self._shares, self._sum = 0, 0.0
            last = ServiceMinute(minute)
        if service.cpu_percent is not None:
            self._shares, self._sum = self._shares + 1, self._sum + service.cpu_percent
        memory = max((size for size in (last.memory, service.memory) if size is not None), default=None)
        cpu = self._sum / self._shares if self._shares else None
        began = self._begins(service, at) or last.began
        self._kept.append(ServiceMinute(last.minute, memory, cpu, began))
        self.kept = tuple(self._kept)

    def _begins(self, service: Service, at: float) -> float | None:
        """When the run began, where it is another one than was seen before; a service that stands still runs none."""
        run = service.invocation, service.main_pid
        if not service.main_pid and service.active_state != "active":
            return None
        before, self._run = self._run, run
        if before in (None, run):
            return None
        return min(service.started_at or at, at)
