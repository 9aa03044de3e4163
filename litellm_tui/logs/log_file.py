"""Follows a log file: while it grows, when it is rotated (renamed and created again) and when it is truncated."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Final

from litellm_tui.logs.entry import CUT, HISTORY, READ_SIZE, Entries, Entry, Prepare, States, gap, unprepared
from litellm_tui.logs.file_past import Files
from litellm_tui.logs.line_prefix import stamp_of
from litellm_tui.logs.pump import PartialLine, Pump
from litellm_tui.model.failures import Denied, Failure, NotAvailable

LOOK_SECONDS: Final = 0.25
TRUNCATED: Final = "the file was truncated here: lines of its last quarter of a second are missing, if any were written"
# the opening page is read from this much of the file's end
OPENING: Final = 1 << 22
# bytes before the reading position that are compared, to notice a file that was truncated and has grown again
_KNOWN: Final = 64
# LiteLLM's own times: of a JSON line, and of a plain one (litellm/_logging.py), maybe behind a prefix
_DATED: Final = re.compile(r'"timestamp": ?"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)')
_CLOCK: Final = re.compile(r"(?<![0-9:.])([0-9]{2}):([0-9]{2}):([0-9]{2}) - ")
_CLOCK_WITHIN: Final = 200
# several processes may write slightly out of order
_SLACK: Final = 60.0


class FileTail:
    """Follows one file, which need not exist yet. It reports as a `JournalTail` does."""

    def __init__(
        self,
        path: str,
        on_entries: Entries,
        on_state: States,
        *,
        prepare: Prepare = unprepared,
        history: int = HISTORY,
    ) -> None:
        self._path = Path(path).expanduser()
        self._on_entries = on_entries
        self._on_state = on_state
        self._prepare = prepare
        self._history = history
        self._file = -1
        self._at = 0
        self._known = b""
        self._rest = PartialLine()
        self._files = Files(self._path)
        self._state = ""
        self._opened = False

    async def run(self) -> None:
        """Follow until cancelled. A run after an exception continues at the same place and reports its state."""
        on_entries, on_state = self._on_entries, self._on_state
        pump = Pump(on_entries)
        self._state = ""

        def follow() -> None:
            while True:
                self.look()
                pump.pause(LOOK_SECONDS)

        # files are read in a thread; the lines go through the pump
        self._on_entries = lambda entries: pump.put(self._prepare(entries))
        self._on_state = lambda *state: pump.call(partial(on_state, *state))
        try:
            await pump.run(follow)
        except asyncio.CancelledError:
            self._close()
            raise
        finally:
            self._on_entries, self._on_state = on_entries, on_state

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """Lines older than this one, in the file or in what it was before it was rotated (not compressed)."""
        try:
            found = await asyncio.to_thread(self._files.lines_before, entry.place, count)
        except OSError as error:
            return NotAvailable(f"{error.filename or self._path}: {error.strerror}")
        texts = [_text(line) for _, line in found]
        moments = times(texts, entry.time)
        return [
            Entry(moment, text, 6, 0, "", place, unstamped=True)
            for (place, _), text, moment in zip(found, texts, moments, strict=True)
        ]

    def look(self) -> None:
        """Read what was written since the last look."""
        try:
            if self._file >= 0:
                self._read()
                there = self._identity()
                if there is not None and there != _identity(os.fstat(self._file)):
                    # the last lines may have come between the reading and the renaming
                    self._read()
                    self._end_line()
                    self._close()
            if self._file < 0:
                self._open()
                self._read()
            self._report_state("following")
        except FileNotFoundError:
            self._report_state("ended", NotAvailable(f"{self._path} is not there: it is followed as soon as it is"))
        except PermissionError:
            why = f"{self._path} may not be read: run the console as the user who runs LiteLLM"
            self._report_state("ended", Denied(why))
        except OSError as error:
            self._close()
            self._report_state("ended", NotAvailable(f"{self._path}: {error.strerror}"))

    def _identity(self) -> tuple[int, int] | None:
        try:
            return _identity(os.stat(self._path))
        except FileNotFoundError:
            # renamed, and not created again yet: writers still use the old file
            return None

    def _open(self) -> None:
        # a pipe would wait for its writer
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self._at, self._known, self._rest = 0, b"", PartialLine()
        self._files.opened(self._file)
        if not self._opened:
            # from here on every line is new, in any file
            self._opened = True
            self._read_opening_page()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _read_opening_page(self) -> None:
        status = os.fstat(self._file)
        start = max(0, status.st_size - OPENING)
        content = _read_fully(self._file, status.st_size - start, start)
        whole, newline, rest = content.rpartition(b"\n")
        self._went(status.st_size, content)
        _, cut = self._rest.add(rest)
        lines = whole.split(b"\n") if newline else []
        page = lines[-self._history :]
        # unless this is the beginning of the file, the first line is incomplete
        page = page[1:] if start and len(page) == len(lines) else page
        moments = times([_text(line) for line in page], status.st_mtime)
        self._put(page, moments, start + len(whole) + 1)
        if cut:
            self._on_entries([gap(status.st_mtime, CUT, self._files.place(status.st_size))])

    def _read(self) -> None:
        size = os.fstat(self._file).st_size
        if size < self._at or not self._is_known():
            # truncated, by logrotate's copytruncate or by hand: its whole content is new
            self._end_line()
            self._at, self._known = 0, b""
            self._files.opened(self._file)
            self._on_entries([gap(time.time(), TRUNCATED, self._files.place(0))])
        while chunk := os.pread(self._file, READ_SIZE, self._at):
            self._went(self._at + len(chunk), chunk)
            lines, cut = self._rest.add(chunk)
            now = time.time()
            if lines:
                self._put(lines.split(b"\n"), [now], self._at - self._rest.size)
            if cut:
                self._on_entries([gap(now, CUT, self._files.place(self._at))])

    def _is_known(self) -> bool:
        return os.pread(self._file, len(self._known), self._at - len(self._known)) == self._known

    def _went(self, to: int, content: bytes) -> None:
        self._at, self._known = to, (self._known + content)[-_KNOWN:]

    def _end_line(self) -> None:
        """End the line that was being written: the file has ended."""
        lines, _ = self._rest.add(b"")
        if lines:
            self._put([lines], [time.time()], self._at + 1)

    def _put(self, lines: Sequence[bytes], moments: Sequence[float], end: int) -> None:
        """Hand on lines that end before this offset, with a time for each or one for all."""
        at = end - sum(map(len, lines)) - len(lines)
        entries = []
        for line, moment in zip(lines, moments if len(moments) == len(lines) else repeat(moments[0]), strict=False):
            entries.append(Entry(moment, _text(line), 6, 0, "", self._files.place(at), unstamped=True))
            at += len(line) + 1
        if entries:
            self._on_entries(entries)

    def _report_state(self, state: str, failure: Failure | None = None) -> None:
        if (told := f"{state} {failure}") != self._state:
            self._state = told
            self._on_state(state, failure, None)


def times(lines: Sequence[str], written: float) -> list[float]:
    """When each line was written, in seconds since the epoch, in a file that was last `written` to then.

    LiteLLM's lines have their time of day or the whole date, and what handed lines on may have put a stamp before them;
    other lines get the time of a line near them. Without any, the time of the file's last change is used.
    """
    found: list[float | None] = []
    latest = written
    for line in reversed(lines):
        own = _own_time(line, latest)
        latest = latest if own is None else min(own, latest)
        found.append(own)
    found.reverse()
    before = next((at for at in found if at is not None), written)
    moments = []
    for at in found:
        before = before if at is None else at
        moments.append(before)
    return moments


def _own_time(line: str, latest: float) -> float | None:
    """The time that the line itself has; for a time of day, the last one that is not after `latest`."""
    try:
        if match := _DATED.search(line):
            return min(datetime.fromisoformat(match[1]).timestamp(), latest + _SLACK)
        if (stamp := stamp_of(line, latest)) is not None:
            return min(stamp, latest + _SLACK)
        if match := _CLOCK.search(line, 0, _CLOCK_WITHIN):
            day = datetime.fromtimestamp(latest + _SLACK)
            at = day.replace(hour=int(match[1]), minute=int(match[2]), second=int(match[3]), microsecond=0)
            return (at if at <= day else at - timedelta(days=1)).timestamp()
    except (ValueError, OverflowError, OSError):
        # digits that are no time
        return None
    return None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _read_fully(file: int, size: int, start: int) -> bytes:
    content = b""
    while len(content) < size and (chunk := os.pread(file, size - len(content), start + len(content))):
        content += chunk
    return content


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
