"""From a thread that reads to the event loop that takes: in order, a slice at a time, and no faster than it is taken.

A flood must neither keep a key waiting nor let memory grow. So whatever reads and decodes does it in a thread of its
own, which waits while a few batches have not been taken yet; what it reads from, journalctl for one, waits with it.
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from litellm_tui.logs.entry import LONGEST_LINE, READ_SIZE

# batches that wait to be taken; each is what one read brought, at most
MOST_WAITING: Final = 8
# lines that are taken in one go: some two milliseconds of the event loop
SLICE: Final = 500
# after a read that brought less than half of what the smallest pipe holds, more is let come together: each batch wakes
# the event loop once
GATHER_SECONDS: Final = 0.02
FULL_PIPE: Final = 1 << 15


class Stopped(Exception):
    """The event loop takes no more: the thread has to end."""


class Pump:
    """One thread's way to the event loop. `take` is called there with what the thread puts, in that order."""

    def __init__(self, take: Callable[[list[Any]], None]) -> None:
        self._take = take
        self._waiting: deque[Callable[[], None] | list[Any]] = deque()
        self._room = threading.Semaphore(MOST_WAITING)
        self._stopped = False
        self._stop_reader, self._stop_writer = -1, -1

    # --- the thread's side -------------------------------------------------------------------------------------

    def put(self, items: list[Any]) -> None:
        """Hand over; waits while too much has not been taken. Raises `Stopped`."""
        for start in range(0, len(items), SLICE):
            self._hand(items[start : start + SLICE])

    def call(self, function: Callable[[], None]) -> None:
        """Have this called on the event loop, after all that was put before."""
        self._hand(function)

    def _hand(self, item: Callable[[], None] | list[Any]) -> None:
        self._room.acquire()
        if self._stopped:
            raise Stopped
        self._waiting.append(item)
        self._loop.call_soon_threadsafe(self._came.set)

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the event loop takes no more. Raises `Stopped`."""
        if select.select([self._stop_reader], [], [], seconds)[0]:
            raise Stopped

    def read(self, files: Sequence[int], heed: Callable[[int, bytes, bool], None]) -> None:
        """Read pipes to their ends. `heed(which, lines, cut)` gets whole lines, and whether a too long one was cut out.

        Raises `Stopped`.
        """
        rests = [Rest() for _ in files]

        def take(which: int, chunk: bytes) -> None:
            lines, cut = rests[which].take(chunk)
            if lines or cut:
                heed(which, lines, cut)

        self.chunks(files, take)

    def chunks(self, files: Sequence[int], heed: Callable[[int, bytes], None], timeout: float | None = None) -> None:
        """Read pipes or sockets to their ends. `heed(which, chunk)` gets what each read brought, b"" at an end.

        Raises `Stopped`, OSError, and TimeoutError when nothing comes for `timeout` seconds.
        """
        open_files = set(files)
        poll = select.poll()
        for file in (self._stop_reader, *files):
            poll.register(file, select.POLLIN)
        while open_files:
            most = 0
            ready = poll.poll(None if timeout is None else timeout * 1000)
            if not ready:
                raise TimeoutError
            for file, _ in ready:
                if file == self._stop_reader:
                    raise Stopped
                chunk = os.read(file, READ_SIZE)
                most = max(most, len(chunk))
                heed(files.index(file), chunk)
                if not chunk:
                    poll.unregister(file)
                    open_files.discard(file)
            if most < FULL_PIPE:
                self.pause(GATHER_SECONDS)

    # --- the event loop's side ---------------------------------------------------------------------------------

    async def run(self, work: Callable[[], None]) -> None:
        """Do the work in a thread and take what it puts until it has ended; what it raises is raised here."""
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._stop_reader, self._stop_writer = os.pipe()
        ended: list[BaseException | None] = []

        def body() -> None:
            try:
                work()
            except Stopped:
                ended.append(None)
            except BaseException as error:  # noqa: BLE001  # handed to the event loop, which raises it
                ended.append(error)
            else:
                ended.append(None)
            self._loop.call_soon_threadsafe(self._came.set)

        thread = threading.Thread(target=body, name="log", daemon=True)
        thread.start()
        try:
            while not (ended and not self._waiting):
                await self._came.wait()
                self._came.clear()
                await self._take_waiting()
        finally:
            self._stopped = True
            os.write(self._stop_writer, b".")
            self._room.release()
            thread.join()
            os.close(self._stop_reader)
            os.close(self._stop_writer)
        if ended[0] is not None:
            raise ended[0]

    async def _take_waiting(self) -> None:
        while self._waiting:
            item = self._waiting.popleft()
            self._room.release()
            if callable(item):
                item()
            else:
                self._take(item)
            # a key that was pressed meanwhile comes first
            await asyncio.sleep(0)


class Rest:
    """The line that has not ended yet, in `size` bytes."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self.size = 0
        self._skipping = False

    def take(self, chunk: bytes) -> tuple[bytes, bool]:
        """The lines that are whole now, without the last newline, and whether one was cut out; b"" ends the last."""
        if not chunk:
            lines, self._begun, self.size = b"".join(self._begun), [], 0
            return lines, False
        whole, newline, rest = chunk.rpartition(b"\n")
        if not newline:
            return b"", self._add(rest)
        if self._skipping:
            # the end of the line that was too long
            _, _, whole = whole.partition(b"\n")
            self._skipping = False
        lines = b"".join([*self._begun, whole])
        self._begun, self.size = [], 0
        return lines, self._add(rest)

    def _add(self, part: bytes) -> bool:
        if self._skipping or not part:
            return False
        self._begun.append(part)
        self.size += len(part)
        if self.size <= LONGEST_LINE:
            return False
        self._begun, self.size, self._skipping = [], 0, True
        return True
