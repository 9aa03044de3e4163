"""Hands lines from a reading thread to the event loop: in order, in slices, and no faster than they are processed.

A flood must neither delay a key nor let memory grow. Reading and decoding therefore run in a thread, which waits while
a few batches are unprocessed; the process that it reads from, such as journalctl, waits with it.
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

# batches that may wait for the event loop; each holds at most what one read returned
MOST_WAITING: Final = 8
# lines that are handed over at once: some two milliseconds of the event loop
SLICE: Final = 500
# after a read of less than half of the smallest pipe, the thread waits for more: each batch wakes the event loop once
GATHER_SECONDS: Final = 0.02
FULL_PIPE: Final = 1 << 15


class Stopped(Exception):
    """The event loop has stopped: the thread must end."""


class Pump:
    """Connects one thread to the event loop, which calls `on_items` with what the thread puts, in order."""

    def __init__(self, on_items: Callable[[list[Any]], None]) -> None:
        self._on_items = on_items
        self._waiting: deque[Callable[[], None] | list[Any]] = deque()
        self._room = threading.Semaphore(MOST_WAITING)
        self._stopped = False
        self._stop_reader, self._stop_writer = -1, -1

    # --- the thread's side -------------------------------------------------------------------------------------

    def put(self, items: list[Any]) -> None:
        """Hand over items; waits while too many are unprocessed. Raises `Stopped`."""
        for start in range(0, len(items), SLICE):
            self._hand(items[start : start + SLICE])

    def call(self, function: Callable[[], None]) -> None:
        """Call a function on the event loop, after all items that were put before. Raises `Stopped`."""
        self._hand(function)

    def _hand(self, item: Callable[[], None] | list[Any]) -> None:
        self._room.acquire()
        if self._stopped:
            raise Stopped
        self._waiting.append(item)
        self._loop.call_soon_threadsafe(self._came.set)

    def pause(self, seconds: float) -> None:
        """Sleep, at most until the event loop stops. Raises `Stopped`."""
        if select.select([self._stop_reader], [], [], seconds)[0]:
            raise Stopped

    def read(
        self,
        files: Sequence[int],
        on_lines: Callable[[int, bytes, bool], None],
        on_quiet: Callable[[], None] | None = None,
    ) -> None:
        """Read pipes to their ends. `on_lines(which, lines, cut)` gets whole lines; `cut` when a long one is left out.

        `on_quiet` is called each time all pipes have been read empty. Raises `Stopped`.
        """
        rests = [PartialLine() for _ in files]

        def add(which: int, chunk: bytes) -> None:
            lines, cut = rests[which].add(chunk)
            if lines or cut:
                on_lines(which, lines, cut)

        self.chunks(files, add, on_quiet=on_quiet)

    def chunks(
        self,
        files: Sequence[int],
        on_chunk: Callable[[int, bytes], None],
        timeout: float | None = None,
        on_quiet: Callable[[], None] | None = None,
    ) -> None:
        """Read pipes or sockets to their ends. `on_chunk(which, chunk)` gets the bytes of each read, b"" at an end.

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
                on_chunk(files.index(file), chunk)
                if not chunk:
                    poll.unregister(file)
                    open_files.discard(file)
            if on_quiet is not None and not poll.poll(0):
                on_quiet()
            if most < FULL_PIPE:
                self.pause(GATHER_SECONDS)

    # --- the event loop's side ---------------------------------------------------------------------------------

    async def run(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread and process what it puts until it ends; an exception of `work` is raised here."""
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
                await self._hand_over()
        finally:
            self._stopped = True
            os.write(self._stop_writer, b".")
            self._room.release()
            thread.join()
            os.close(self._stop_reader)
            os.close(self._stop_writer)
        if ended[0] is not None:
            raise ended[0]

    async def _hand_over(self) -> None:
        while self._waiting:
            item = self._waiting.popleft()
            self._room.release()
            if callable(item):
                item()
            else:
                self._on_items(item)
            # handle keys that were pressed meanwhile
            await asyncio.sleep(0)


class PartialLine:
    """The bytes of a line that has not ended yet, `size` of them."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self.size = 0
        self._skipping = False

    def add(self, chunk: bytes) -> tuple[bytes, bool]:
        """The complete lines without the last newline, and whether one was left out; b"" ends the last line."""
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
