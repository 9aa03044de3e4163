"""Follows the log of a container or of a command; its source is opened again after it ends."""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial
from typing import Final, Protocol

from litellm_tui.host.command import argument_vector
from litellm_tui.logs.entry import CUT, Entries, Entry, Prepare, States, gap, read_each, unprepared
from litellm_tui.logs.pump import Pump
from litellm_tui.logs.stream import CommandStream, Stream
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service_kinds import Custom

# a source that runs this long without a line has not failed: it has nothing to show yet
SILENT_SECONDS: Final = 0.3
LONGEST_PAUSE: Final = 30.0
AGAIN: Final = "the log's command was run again: lines may be missing here, or come twice"


class LineSource(Protocol):
    """Where lines come from. `pause` is the longest wait, in seconds, before the source is opened again."""

    pause: float

    async def open(self) -> Stream | Failure:
        """Open the source."""
        ...

    def entries(self, line: str, error: bool) -> list[Entry] | str:
        """The line as an entry of the log, after a gap where lines are missing; a text where it is the tool's message.

        No entry for a line that was read before. Called in the reading thread.
        """
        ...

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """At most `count` entries older than this one, oldest first."""
        ...

    def ended(self, code: int | None, said: list[str]) -> Failure:
        """Why the source has ended; `said` holds the tool's last messages."""
        ...


class CommandTail:
    """Follows a source of lines. It reports as a `JournalTail` does, and ends its child when cancelled."""

    def __init__(
        self, lines: LineSource, on_entries: Entries, on_state: States, *, prepare: Prepare = unprepared
    ) -> None:
        self._lines = lines
        self._on_entries = on_entries
        self._on_state = on_state
        self._prepare = prepare
        self._state = ""

    async def run(self) -> None:
        """Follow until cancelled. Each run reports its state, also when it did not change since the last run."""
        attempts = 0
        self._state = ""
        while True:
            lived = asyncio.get_running_loop().time()
            failure = await self._follow_once()
            attempts = 0 if asyncio.get_running_loop().time() - lived > 10 else attempts + 1
            self._report_state("ended", failure)
            pause = min(self._lines.pause, 0.25 * 2 ** min(attempts, 8))
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """At most `count` entries older than this one, oldest first."""
        return await self._lines.before(entry, count)

    def _report_state(self, state: str, failure: Failure | None = None) -> None:
        # a stopped container is asked every few seconds: the same end is reported once
        if (told := f"{state} {failure}") != self._state:
            self._state = told
            self._on_state(state, failure, None)

    async def _follow_once(self) -> Failure:
        stream = await self._lines.open()
        if isinstance(stream, Failure):
            return stream
        said: list[str] = []
        silent = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._report_state, "following")
        pump = Pump(self._on_entries)
        try:
            await pump.run(lambda: stream.read(pump, partial(self._read_lines, pump, said)))
            code = await stream.status()
        finally:
            silent.cancel()
            await stream.close()
        return self._lines.ended(code, said)

    def _read_lines(self, pump: Pump, said: list[str], output: int, lines: bytes, cut: bool) -> None:
        """In the reading thread."""
        entries: list[Entry] = []
        texts = (line.rstrip("\r") for line in lines.decode(errors="replace").split("\n")) if lines else ()
        for found in read_each(lambda line: self._lines.entries(line, output == 1), texts, _unread):
            if not isinstance(found, str):
                entries += found
            elif found.strip():
                said.append(found.strip())
                del said[:-10]
        if cut:
            entries.append(gap(entries[-1].time if entries else time.time(), CUT))
        if entries:
            pump.call(partial(self._report_state, "following"))
            pump.put(self._prepare(entries))


def _unread(line: str) -> list[Entry] | str:
    return [Entry(time.time(), line, 6, 0, "", unread=True)]


class CommandLines:
    """The output of a command of the profile. Without a stamp before it a line's time is when it was read."""

    pause = LONGEST_PAUSE

    def __init__(self, custom: Custom) -> None:
        self._command = argument_vector(custom.log or ("true",))
        self._any = False
        self._again = False

    async def open(self) -> Stream | Failure:
        self._again = self._any
        return await CommandStream.open(self._command)

    def entries(self, line: str, error: bool) -> list[Entry] | str:
        if error:
            return line
        now = time.time()
        before = [gap(now, AGAIN)] if self._again else []
        self._any, self._again = True, False
        return [*before, Entry(now, line, 6, 0, "", unstamped=True)]

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        return NotAvailable(
            f"{self._command[0]} tells no more than what is shown: custom.log follows, and looks not back"
        )

    def ended(self, code: int | None, said: list[str]) -> Failure:
        how = f"by signal {-code}" if code and code < 0 else f"({code})"
        return NotAvailable(said[-1] if said else f"{self._command[0]} ended {how}: custom.log should follow for ever")
