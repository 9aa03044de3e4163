"""From a snapshot to a view: at once where that is quick, beside the screen where it would keep a key waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from litellm_tui.model.failures import Crashed
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.supervisor import guarded
from litellm_tui.ui.view import View

# from so many deployments on, judging a snapshot takes longer than a key may wait: it is done beside the screen,
# and takes no more than this share of the time
MANY: Final = 300
SHARE: Final = 0.2


class DiagnosisWorker:
    """`judge` makes a view of a snapshot, `learned` is called with what is to be drawn, `start` runs a coroutine.

    A snapshot is judged once, and again when one of `inputs` is another object. Where that fails `fallen` makes a view
    of the failure, the snapshot and the last view that was good; the next snapshot is judged as if nothing had been.
    """

    def __init__(
        self,
        judge: Callable[[Snapshot], View | None],
        learned: Callable[[View], None],
        start: Callable[[Coroutine[Any, Any, None]], object],
        *,
        inputs: Callable[[], tuple[object, ...]],
        fallen: Callable[[Crashed, Snapshot, View | None], View | None],
    ) -> None:
        self._judge, self._learned, self._start = judge, learned, start
        self._inputs, self._fallen = inputs, fallen
        self._snapshot: Snapshot | None = None
        self._judged: View | None = None
        self._of: tuple[object, ...] = ()
        """What `_judged` was made of."""
        self._good: View | None = None
        self._judging = False

    def take(self, snapshot: Snapshot) -> None:
        """This is the newest snapshot."""
        self._snapshot = snapshot
        if self._many:
            self._begin()
        elif view := self.view:
            self._learned(view)

    @property
    def view(self) -> View | None:
        """What is to be drawn now; None before the first snapshot."""
        if self._snapshot is None:
            return None
        if self._is_old:
            if self._many and self._judged is not None:
                self._begin()
            else:
                self._of, self._judged = self._seen, self._made(self._snapshot)
        return self._judged._replace(now=time.time()) if self._judged is not None else None

    @property
    def _seen(self) -> tuple[object, ...]:
        return (self._snapshot, *self._inputs())

    @property
    def _is_old(self) -> bool:
        seen = self._seen
        return len(seen) != len(self._of) or any(one is not other for one, other in zip(seen, self._of, strict=True))

    @property
    def _many(self) -> bool:
        """Whether there are more deployments than can be judged between two keys."""
        if self._snapshot is None:
            return False
        file, loaded = self._snapshot.configuration.current, self._snapshot.gateway.deployments.value
        return max(len(file.deployments) if file else 0, len(loaded or ())) > MANY

    def _made(self, snapshot: Snapshot) -> View | None:
        """The view of a snapshot; in any thread."""
        found = guarded(partial(self._judge, snapshot))
        if isinstance(found, Crashed):
            return self._fallen(found, snapshot, self._good)
        self._good = found
        return found

    def _begin(self) -> None:
        if not self._judging:
            self._judging = True
            self._start(self._judge_newest())

    async def _judge_newest(self) -> None:
        """Judge the newest snapshot in a thread, until there is none that is newer."""
        try:
            while self._snapshot is not None and self._is_old:
                began = time.monotonic()
                of = self._seen
                found = await asyncio.to_thread(self._made, self._snapshot)
                self._of, self._judged = of, found
                if found is not None:
                    self._learned(found)
                await asyncio.sleep((time.monotonic() - began) * (1 / SHARE - 1))
        finally:
            self._judging = False
