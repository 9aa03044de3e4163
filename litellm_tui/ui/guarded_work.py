"""Work beside the screen that ends nothing but itself: its exception is told to the operator."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from textual.app import App

from litellm_tui.model.failures import Crashed
from litellm_tui.monitor.supervisor import guarded_async


async def told(app: App[Any], work: Coroutine[Any, Any, None], what: str) -> None:
    """Do the work; why it failed is shown, by class and place."""
    ended = await guarded_async(work)
    if isinstance(ended, Crashed):
        app.notify(f"{what} failed: {ended.why}", severity="error", timeout=20, markup=False)
