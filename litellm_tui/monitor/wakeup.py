"""The pauses between the looks of pollers, all ended by one call."""

from __future__ import annotations

import asyncio


class Wakeup:
    """Shared by the pollers: each has its own `pause`, and `wake` ends all of them."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """End every pause, so that each poller looks again at once."""
        self._woken.set()
        self._woken.clear()

    async def pause(self, seconds: float) -> None:
        """Sleep, at most until the next `wake`."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
