"""What all observers have in common: asking groups, and the last words of the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from typing import Any, Final

from litellm_tui.actions.probe import probe
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.failures import Failure
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.monitor.supervisor import guarded_async
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile

# of the log, when a restart fails: looked through, and handed on
_LOOKED_THROUGH: Final = 400
_RECORDS: Final = 60
# the log is read to where it ends, or pauses for so long; in no case for longer than the other
_QUIET_SECONDS: Final = 0.5
_READ_SECONDS: Final = 3.0


async def ask(
    profile: Profile,
    loaded: Iterable[LoadedDeployment],
    groups: Sequence[str],
    redact: Callable[[str], str],
    take: Callable[[ProbeResult], None],
) -> None:
    """A real request to each loaded deployment of these groups; what came of it is given to `take`."""
    wanted = [deployment for deployment in loaded if deployment.group in groups]
    async with aclosing(probe(profile, wanted, redact=redact)) as events:
        async for event in events:
            if isinstance(event, ProbeResult):
                take(event)


def said_since(store: LogStore, moment: float) -> tuple[str, ...]:
    """The last records of the service since then."""
    found = [r.text for r in store.since(store.last - _LOOKED_THROUGH) if r.time >= moment and not r.own]
    return tuple(found[-_RECORDS:])


async def read_since(profile: Profile, redact: Callable[[str], str], moment: float) -> tuple[str, ...]:
    """The last records of the service since then, read from its log now; none where it cannot be read.

    Who follows the log may be some seconds behind, and the log of a container that is replaced goes with it.
    """
    store, more, over = LogStore(), asyncio.Event(), asyncio.Event()
    intake = LogIntake(store, redact, TrafficCounter())

    def add(lines: list[Any]) -> None:
        intake.add_lines(lines)
        more.set()

    def note(state: str, *_: object) -> None:
        if state == "ended":
            over.set()

    tail = driver(profile.service_target).tail(add, note, intake.prepare, lines=_LOOKED_THROUGH)
    if isinstance(tail, Failure):
        return ()
    reading = asyncio.create_task(guarded_async(tail.run()))
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_READ_SECONDS):
                await _first_of(reading, more, over)
                while more.is_set() and not over.is_set():
                    more.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(_first_of(reading, more, over), _QUIET_SECONDS)
    finally:
        reading.cancel()
        await asyncio.wait([reading])
    return said_since(store, moment)


async def _first_of(reading: asyncio.Task[Any], *events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait([reading, *waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
