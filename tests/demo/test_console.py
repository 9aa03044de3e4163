"""The console's own monitor on the simulation: what a pane needs is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from tests.waiting import DEADLINE


def _profile(simulation: Simulation) -> Profile:
    options = Options(unit=simulation.unit, scope="user")
    return resolve(options, Settings(), tools=simulation.tools, environ={})


@pytest.fixture
async def snapshots(quiet: Simulation) -> AsyncIterator[asyncio.Queue[Snapshot]]:
    published: asyncio.Queue[Snapshot] = asyncio.Queue()
    task = asyncio.create_task(Monitor(_profile(quiet), published.put_nowait).run())
    yield published
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_every_reading_of_the_monitor_fills(snapshots: asyncio.Queue[Snapshot]) -> None:
    def empty(now: Snapshot) -> list[str]:
        readings: dict[str, Reading[object]] = {
            # without a Prometheus callback there are no metrics, without a health URL in the profile no answer of one
            name: getattr(now.gateway, name)
            for name in now.gateway.__struct_fields__
            if name not in ("metrics", "health_url")
        }
        readings["service"] = now.service  # type: ignore[assignment]  # Reading is invariant
        missing = [name for name, reading in readings.items() if reading.value is None]
        missing += ["file"] if now.configuration.current is None else []
        return missing + (["log"] if now.log.last < 200 else [])

    async with asyncio.timeout(DEADLINE):
        while empty(now := await snapshots.get()):
            pass
    failures = {name: getattr(now.gateway, name).failure for name in now.gateway.__struct_fields__}
    assert isinstance(failures.pop("metrics"), NotAvailable)
    assert not any(isinstance(failure, Failure) for failure in failures.values())
    assert now.service.failure is None
