"""The pauses between looks, which one call ends all at once."""

from __future__ import annotations

import asyncio


class Wakeup:
    """Shared by all pollers: each has its own `pause`, and `wake` ends every one of them."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """End every pause, whatever the pace or back-off of a poller."""
        self._woken.set()
        self._woken.clear()

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the next call of `wake`."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
