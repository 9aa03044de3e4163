"""The pauses between looks, which one beat ends all at once."""

from __future__ import annotations

import asyncio


class Wakeup:
    """Shared by all who look: each `pause` is its own, a `beat` wakes everybody."""

    def __init__(self) -> None:
        self._beat = asyncio.Event()

    def beat(self) -> None:
        """Whoever pauses looks again at once, whatever his pace or back-off."""
        self._beat.set()
        self._beat.clear()

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the next beat."""
        try:
            async with asyncio.timeout(seconds):
                await self._beat.wait()
        except TimeoutError:
            return
