"""What the steps of a transaction have in common: how long each takes, and that each way ends in an outcome."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from litellm_tui.actions.transaction.events import Event, Outcome, Step, StepName
from litellm_tui.model.failures import Crashed
from litellm_tui.monitor.supervisor import guarded_async


class StepClock:
    """The time of one step: called with what came of it when it ends."""

    def __init__(self, name: StepName) -> None:
        self._name = name
        self._began = time.monotonic()

    def __call__(self, detail: str = "", *, ok: bool = True) -> Step:
        return Step(self._name, time.monotonic() - self._began, detail, ok)


async def whole(
    events: AsyncGenerator[Event, None], fell: Callable[[Crashed], Awaitable[Outcome]]
) -> AsyncGenerator[Event, None]:
    """The events; where the console itself fails between two of them, the last one is the outcome that `fell` gives."""
    async with aclosing(events):
        while (event := await guarded_async(anext(events, None))) is not None:
            if isinstance(event, Crashed):
                yield await fell(event)
                return
            yield event
