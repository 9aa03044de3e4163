"""Patience with a deadline, in place of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# no bound of the package: how long a busy machine may take until a test gives up
DEADLINE = 60.0


async def eventually(look: Callable[[], T], what: str = "", seconds: float = DEADLINE) -> T:
    """What `look` returns as soon as it is true, while the event loop goes on."""
    end = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, f"not within {seconds:g} s: {what or look}"
        await asyncio.sleep(0.01)
