"""From a snapshot to a view: at once where that is quick, beside the screen where it would keep a key waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from litellm_tui.snapshot import Snapshot
from litellm_tui.ui.view import View

# from so many deployments on, thinking about a snapshot takes longer than a key may wait: it is done beside the screen,
# and takes no more than this share of the time
MANY: Final = 300
SHARE: Final = 0.2


class Thinking:
    """`judge` makes a view of a snapshot, `learned` is called with what is to be drawn, `start` runs a coroutine."""

    def __init__(
        self,
        judge: Callable[[Snapshot], View | None],
        learned: Callable[[View], None],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._judge, self._learned, self._start = judge, learned, start
        self._snapshot: Snapshot | None = None
        self._thought: View | None = None
        self._thinking = False

    def take(self, snapshot: Snapshot) -> None:
        """This is the newest snapshot."""
        self._snapshot = snapshot
        if self._many:
            if not self._thinking:
                self._thinking = True
                self._start(self._think())
        elif view := self.view:
            self._learned(view)

    @property
    def view(self) -> View | None:
        """What is to be drawn now; None before the first snapshot."""
        if self._many and self._thought is not None:
            return self._thought._replace(now=time.time())
        return self._judge(self._snapshot) if self._snapshot is not None else None

    @property
    def _many(self) -> bool:
        """Whether there are more deployments than can be judged between two keys."""
        if self._snapshot is None:
            return False
        file, loaded = self._snapshot.configuration.current, self._snapshot.gateway.deployments.value
        return max(len(file.deployments) if file else 0, len(loaded or ())) > MANY

    async def _think(self) -> None:
        """Judge the newest snapshot in a thread, until there is none that is newer."""
        try:
            while self._snapshot is not None and (
                self._thought is None or self._thought.snapshot is not self._snapshot
            ):
                began = time.monotonic()
                self._thought = await asyncio.to_thread(self._judge, self._snapshot)
                if self._thought is not None:
                    self._learned(self._thought)
                await asyncio.sleep((time.monotonic() - began) * (1 / SHARE - 1))
        finally:
            self._thinking = False
