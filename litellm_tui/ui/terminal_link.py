"""Whether what was painted has reached the terminal: it is asked itself, for nothing in between tells.

The kernel, ssh and every proxy take a hundred KB and more before a writer has to wait; on a slow line that is ten
seconds of old news in front of the answer to a key. A terminal answers the question for its cursor (CPR, `CSI 6 n`)
only when it has drawn all that came before.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

QUESTION: Final = "\x1b[6n"
# an answer that has not come after this time is lost, with the terminal that was to give it
LOST: Final = 30.0


class Link:
    """`write` sends to the terminal; `waits` says whether something has not even been taken from here yet, which is all
    that is known of a terminal that never answers.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        waits: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._waits = waits
        self._clock = clock
        self._asked_at: float | None = None
        self._answered = asyncio.Event()
        # the line's own delay: of an answer behind nothing that was painted
        self._shortest: float | None = None
        self._waiting_since: float | None = None
        self._busy = 0.0
        self._due = False

    @property
    def answers(self) -> bool:
        """Whether this terminal has ever answered."""
        return self._shortest is not None

    def behind(self) -> bool:
        """Whether something that was painted is still on its way, as far as is known."""
        now = self._clock()
        if self._waits():
            self._waiting_since = now if self._waiting_since is None else self._waiting_since
            return True
        if self._waiting_since is not None:
            self._busy += 0.0 if self.answers else now - self._waiting_since
            self._waiting_since = None
        return self.answers and self._asked_at is not None and now - self._asked_at < LOST

    def busy(self) -> float:
        """The seconds since this was asked last for which something was behind."""
        busy, self._busy = self._busy, 0.0
        return busy

    def ask_soon(self) -> None:
        """Something large is about to be painted: ask behind it."""
        self._due = True

    def painted(self) -> None:
        """What was to be painted is written."""
        if self._due:
            self._due = False
            self.ask()

    def ask(self) -> None:
        """Ask for an answer behind all that was written: one at a time, and only one of who has never answered."""
        now = self._clock()
        if self._asked_at is None or (self.answers and now - self._asked_at >= LOST):
            self._asked_at = now
            self._answered.clear()
            self._write(QUESTION)

    def heard(self) -> None:
        """The terminal has said where its cursor is."""
        if self._asked_at is None:
            return
        took = self._clock() - self._asked_at
        self._asked_at = None
        self._shortest = took if self._shortest is None else min(took, self._shortest)
        self._busy += took - self._shortest
        self._answered.set()

    async def quiet(self, seconds: float = 1.0) -> None:
        """Until no answer is on its way: a shell or an editor would take it for something that was typed."""
        if self.answers and self._asked_at is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._answered.wait()
