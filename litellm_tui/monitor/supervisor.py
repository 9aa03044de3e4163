"""Supervises jobs: an exception of one becomes a value, that job starts again after a pause, and the others go on.

This is the only module that catches every exception; all others name those that they expect.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Final, NamedTuple, TypeVar

import litellm_tui
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.host import debug_log
from litellm_tui.model.failures import Crash, Crashed

T = TypeVar("T")

_PACKAGE: Final = os.path.dirname(os.path.abspath(litellm_tui.__file__)) + os.sep
_SHAPES: Final = Redactor()


class Pace(NamedTuple):
    """The pauses before a failed job starts again: `first` seconds, then twice as many, at most `longest`.

    A job that has run for `settled` seconds has recovered: its next failure counts as the first.
    """

    first: float = 0.5
    longest: float = 60.0
    settled: float = 10.0

    def pause(self, failures: int) -> float:
        """The pause after so many failures in a row, with jitter, in seconds."""
        return min(self.first * 2.0 ** min(failures - 1, 16), self.longest) * random.uniform(0.8, 1.2)


def crashed(error: BaseException, redact: Callable[[str], str] = _SHAPES) -> Crashed:
    """The exception as a value: its class and the place where it was raised, masked, without its text.

    Of an exception group the first exception counts.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    name, where = redact(type(error).__name__), redact(place(error.__traceback__))
    return Crashed(f"the console's own fault: {name} at {where}", name, where)


def place(traceback: TracebackType | None) -> str:
    """`monitor.py:88 in run`: the innermost frame of this package, or else the innermost frame."""
    found = innermost = ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        own = code.co_filename.startswith(_PACKAGE)
        file = code.co_filename.removeprefix(_PACKAGE) if own else os.path.basename(code.co_filename)
        innermost = f"{file}:{traceback.tb_lineno} in {code.co_name}"
        found = innermost if own and code.co_filename != __file__ else found
        traceback = traceback.tb_next
    return found or innermost or "an unknown place"


def guarded(call: Callable[[], T], redact: Callable[[str], str] = _SHAPES) -> T | Crashed:
    """The result of the call, or its exception as a value."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  # a supervising boundary: this is what the module is for
        return crashed(error, redact)


async def guarded_async(work: Awaitable[T], redact: Callable[[str], str] = _SHAPES) -> T | Crashed:
    """The result of the awaitable, or its exception as a value. A cancellation is no failure and passes through."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001  # a supervising boundary: this is what the module is for
        return crashed(error, redact)


class Job(NamedTuple):
    """The job that reads one source; `failed` notes its exception as the source's failure."""

    source: str
    run: Callable[[], Awaitable[None]]
    failed: Callable[[Crashed], None] | None = None


class Supervisor:
    """Runs jobs by the name of their source and restarts those that fail.

    `redact` masks a text. `changed` is called when `crashes` has changed.
    """

    def __init__(self, redact: Callable[[str], str], changed: Callable[[], None], pace: Pace | None = None) -> None:
        self._redact, self._changed = redact, changed
        debug_log.mask_by(redact)
        self._pace = pace or Pace()
        self._crashes: dict[str, Crash] = {}

    @property
    def crashes(self) -> tuple[Crash, ...]:
        """The sources that fail now, or failed a moment ago."""
        return tuple(self._crashes.values())

    def note(self, source: str, failure: Crashed, again_in: float | None = None) -> None:
        """Note a failure of this source; it is tried again in `again_in` seconds, or at its next turn."""
        now, before = time.time(), self._crashes.get(source)
        debug_log.failed(source, failure.why + (f", again in {again_in:.1f} s" if again_in is not None else ""))
        self._crashes[source] = Crash(
            source, failure, before.since if before else now, now, before.times + 1 if before else 1, again_in
        )

    def recovered(self, source: str) -> bool:
        """Remove the failure of this source; returns whether there was one."""
        recovered = self._crashes.pop(source, None) is not None
        if recovered:
            debug_log.said(source, "is read again")
        return recovered

    def part(self, source: str, call: Callable[[], T], otherwise: T) -> T:
        """The result of the call; `otherwise` where it fails. The failure is noted until a later call succeeds."""
        found = guarded(call, self._redact)
        if isinstance(found, Crashed):
            self.note(source, found)
            return otherwise
        self.recovered(source)
        return found

    async def supervise(
        self, source: str, job: Callable[[], Awaitable[None]], failed: Callable[[Crashed], None] | None = None
    ) -> None:
        """Run the job until it ends by itself or is cancelled; `failed` is called with each of its failures."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            settled = loop.call_later(self._pace.settled, self._settled, source)
            try:
                ended = await guarded_async(self._uncancelled(job), self._redact)
            finally:
                settled.cancel()
            if not isinstance(ended, Crashed):
                self._settled(source)
                return
            failures = 1 if loop.time() - began >= self._pace.settled else failures + 1
            pause = self._pace.pause(failures)
            self.note(source, ended, pause)
            if failed is not None:
                # the callback may be the part that has failed
                guarded(partial(failed, ended))
            self._changed()
            await asyncio.sleep(pause)

    async def _uncancelled(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run the job; a cancellation that does not come from outside is a failure."""
        try:
            await job()
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise RuntimeError("cancelled by itself") from error

    def _settled(self, source: str) -> None:
        if self.recovered(source):
            self._changed()
