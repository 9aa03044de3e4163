"""The rehearsal as a step of a restart: what does not start beside the running gateway is not restarted into.

Where it cannot be rehearsed the restart goes on as without it. One that was started, and had shown nothing when its
time was over, is asked about: a restart proves within the same time, and would be without an answer for all of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from litellm_tui.actions.transaction.events import Seen, Step
from litellm_tui.actions.transaction.steps import StepClock
from litellm_tui.model.rehearsal import Rehearsal

ANSWER_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.1

Rehearse = Callable[[Callable[[], Seen], Callable[[str], None]], Awaitable[Rehearsal]]
"""Rehearses what is on the disk, beside what is seen of the gateway each time that it looks.

It tells how it stands each time that this changes.
"""


class RehearsalStep:
    """Nothing is rehearsed while nothing serves: it is proved at once then, and the time would be an outage."""

    def __init__(self, rehearse: Rehearse | None) -> None:
        self._rehearse = rehearse
        self.done: Rehearsal | None = None

    @property
    def refusal(self) -> str:
        """Why what is on the disk must not be applied, with its place; empty where nothing speaks against it."""
        done = self.done
        if done is None or not done.stops:
            return ""
        return f"{done.cause} ({done.mark})" if done.mark else done.cause

    def changed_since(self, digest: str) -> bool:
        """Whether the configuration of this digest is another one than was rehearsed."""
        return self.done is not None and bool(self.done.digest) and self.done.digest != digest

    async def events(self, seen: Seen, again: Callable[[], Seen | None]) -> AsyncGenerator[Step, None]:
        """Rehearse, and tell the step. `again` looks at the gateway another time, where that can be done."""
        if self._rehearse is None or not await _serves(seen, again):
            return
        step = StepClock("rehearsal")
        yield Step("rehearsal")
        told: asyncio.Queue[str] = asyncio.Queue()
        running = asyncio.ensure_future(self._rehearse(lambda: again() or seen, told.put_nowait))
        try:
            while not running.done():
                waiting = asyncio.ensure_future(told.get())
                await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
                if waiting.done():
                    yield Step("rehearsal", None, waiting.result())
                waiting.cancel()
        finally:
            if not running.done():
                running.cancel()
                # it ends what it has started before it is over
                await asyncio.wait((running,))
        self.done = done = running.result()
        if done.outcome == "not possible":
            yield step(f"not rehearsed: {done.cause}; the restart goes on without it")
            return
        notes = (*done.dropped, *done.differs)
        yield Step("rehearsal", step().took, self.refusal or _passed(done), not done.stops, notes)


async def _serves(seen: Seen, again: Callable[[], Seen | None]) -> bool:
    """Whether it serves. One that is busy may take a moment until it has answered for the first time."""
    end = time.monotonic() + ANSWER_SECONDS
    while True:
        service, liveliness = seen.snapshot.service.value, seen.snapshot.gateway.liveliness
        if service is None or service.active_state != "active":
            return False
        if liveliness.failure is None and liveliness.value is not None:
            return True
        if time.monotonic() > end:
            return False
        await asyncio.sleep(_LOOK_SECONDS)
        seen = again() or seen


def _passed(done: Rehearsal) -> str:
    ready = f"it answers after {done.ready:.1f} s" if done.ready is not None else "it answers"
    return ready + (f" and holds {done.memory / 1e6:.0f} MB" if done.memory else "")
