"""A session without a screen that goes on until it is told to end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

from litellm_tui.ui.session import Session


def ended_by_signals() -> asyncio.Event:
    """Set by SIGTERM, SIGHUP and SIGINT; to be called in the event loop."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    return ended


async def until_ended(session: Session, ended: asyncio.Event, *work: Coroutine[Any, Any, None]) -> None:
    """Do this work until `ended` is set, or one of it ends; raises what that raised. Then the session is closed."""
    tasks = [asyncio.create_task(one) for one in (*work, _set(ended))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            # what none of them should have met is told by the command line
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        session.keep()
        await session.close()


async def _set(ended: asyncio.Event) -> None:
    await ended.wait()
