"""A log file, followed: while it grows, when it is rotated (renamed, and a new one made) and when it is truncated."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from litellm_tui.collectors.journal import HISTORY, LONGEST_LINE, Entry
from litellm_tui.snapshot import Denied, Failure, NotAvailable

LOOK_SECONDS: Final = 0.25
READ_SIZE: Final = 1 << 18
# of a file that is opened, the lines are sought in this much of its end
OPENING: Final = 1 << 22
# by so many bytes before the place where reading goes on, a file is known again that was truncated and has grown since
_KNOWN: Final = 64
# LiteLLM's own times: of a JSON line, and of a plain one, which may begin with a colour (litellm/_logging.py)
_DATED: Final = re.compile(r'"timestamp": ?"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)')
_CLOCK: Final = re.compile(r"^(?:\x1b\[[\d;]*m)?(\d\d):(\d\d):(\d\d) - ")
# several processes may write, and a little out of order
_SLACK: Final = 60.0


class FileTail:
    """Follows one file, which need not be there yet. It tells what a `JournalTail` tells."""

    def __init__(
        self,
        path: str,
        on_entries: Callable[[list[Entry]], None],
        on_state: Callable[[str, Failure | None, str | None], None],
        *,
        history: int = HISTORY,
    ) -> None:
        self._path = Path(path).expanduser()
        self._on_entries = on_entries
        self._on_state = on_state
        self._history = history
        self._file = -1
        self._at = 0
        self._known = b""
        self._rest = b""
        self._state = ""
        self._opened = False

    async def run(self) -> None:
        """Follow for ever."""
        try:
            while True:
                self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._close()

    def look(self) -> None:
        """Take what has been written since the last look."""
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
            self._tell("following")
        except FileNotFoundError:
            self._tell("ended", NotAvailable(f"{self._path} is not there: it is followed as soon as it is"))
        except PermissionError:
            why = f"{self._path} may not be read: run the console as the user who runs LiteLLM"
            self._tell("ended", Denied(why))
        except OSError as error:
            self._close()
            self._tell("ended", NotAvailable(f"{self._path}: {error.strerror}"))

    def _identity(self) -> tuple[int, int] | None:
        try:
            return _identity(os.stat(self._path))
        except FileNotFoundError:
            # renamed, and the new one not made yet: what is still written goes to the old one
            return None

    def _open(self) -> None:
        # a pipe would wait for its writer
        self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self._at, self._known, self._rest = 0, b"", b""
        if not self._opened:
            # what comes after this is new, in whichever file
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
        whole, newline, self._rest = content.rpartition(b"\n")
        self._went(status.st_size, content)
        lines = whole.split(b"\n") if newline else []
        # the first one was cut, when this is not the beginning
        lines = lines[1:] if start else lines
        page = [_text(line) for line in lines[-self._history :]]
        moments = times(page, status.st_mtime)
        if page:
            self._on_entries([Entry(at, text, 6, 0, "") for at, text in zip(moments, page, strict=True)])

    def _read(self) -> None:
        size = os.fstat(self._file).st_size
        if size < self._at or (size > self._at and not self._is_known()):
            # truncated, by logrotate's copytruncate or by hand: all that it holds is new
            self._end_line()
            self._at, self._known = 0, b""
        while chunk := os.pread(self._file, READ_SIZE, self._at):
            self._went(self._at + len(chunk), chunk)
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > LONGEST_LINE:
                self._rest = b""
            self._take(lines)

    def _is_known(self) -> bool:
        return os.pread(self._file, len(self._known), self._at - len(self._known)) == self._known

    def _went(self, to: int, content: bytes) -> None:
        self._at, self._known = to, (self._known + content)[-_KNOWN:]

    def _end_line(self) -> None:
        """The file ends, and with it the line that was being written."""
        lines, self._rest = [self._rest] if self._rest else [], b""
        self._take(lines)

    def _take(self, lines: Sequence[bytes]) -> None:
        if lines:
            now = time.time()
            self._on_entries([Entry(now, _text(line), 6, 0, "") for line in lines])

    def _tell(self, state: str, failure: Failure | None = None) -> None:
        if (told := f"{state} {failure}") != self._state:
            self._state = told
            self._on_state(state, failure, None)


def times(lines: Sequence[str], written: float) -> list[float]:
    """When each line was written, in seconds since the epoch, in a file that was last `written` to then.

    LiteLLM's lines say their time of day, or the whole date; others stand near one that does. Without any, all that is
    known is that they are not younger than the file.
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
    """What the line says of its time; of a time of day, the last one that is not after `latest`."""
    try:
        if match := _DATED.search(line):
            return min(datetime.fromisoformat(match[1]).timestamp(), latest + _SLACK)
        if match := _CLOCK.match(line):
            day = datetime.fromtimestamp(latest + _SLACK)
            at = day.replace(hour=int(match[1]), minute=int(match[2]), second=int(match[3]), microsecond=0)
            return (at if at <= day else at - timedelta(days=1)).timestamp()
    except (ValueError, OverflowError):
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
