"""The simulated journal: a bounded file of `journalctl -o json` lines that a `tail` follows."""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

# journald's own priority numbers (syslog.h)
WARNING, NOTICE, INFO = 4, 5, 6
MAX_LINES = 20_000


class Journal:
    """Appends lines to `journal` in the folder and moves it to `journal.old` when it has `max_lines`.

    It is moved, not cut: `tail -F` has read all of it by then and goes on with the new file from its first line.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float],
        *,
        randomness: random.Random,
        booted_at: float,
        max_lines: int = MAX_LINES,
    ) -> None:
        self.path = folder / "journal"
        self._clock = clock
        self._max_lines = max_lines
        self._source = f"{randomness.getrandbits(128):032x}"
        self.boot = f"{randomness.getrandbits(128):032x}"
        self._booted_at = booted_at
        self._sequence = 0x178
        self._last = 0
        self._lines = 0
        self._lock = threading.Lock()
        self._file = self._open()

    def write(
        self,
        messages: Sequence[str],
        *,
        pid: int,
        identifier: str = "litellm",
        priority: int = INFO,
        time: float | None = None,
    ) -> None:
        """Append one line per message. `time` is seconds since the epoch; it never goes back."""
        with self._lock:
            if self._file < 0:
                return
            at = self._clock() if time is None else time
            lines = [self._line(text, pid, identifier, priority, at) for text in messages if text]
            os.write(self._file, b"".join(lines))
            self._lines += len(lines)
            if self._lines >= self._max_lines:
                os.close(self._file)
                self.path.replace(self.path.with_suffix(".old"))
                self._file, self._lines = self._open(), 0

    def close(self) -> None:
        """Write nothing more."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _line(self, text: str, pid: int, identifier: str, priority: int, time: float) -> bytes:
        self._last = real = max(int(time * 1e6), self._last + 1)
        self._sequence += 1
        monotonic = max(1, real - int(self._booted_at * 1e6))
        digest = hashlib.blake2b(f"{self._sequence}{text}".encode(), digest_size=8).hexdigest().lstrip("0") or "0"
        cursor = f"s={self._source};i={self._sequence:x};b={self.boot};m={monotonic:x};t={real:x};x={digest}"
        entry = {
            "__CURSOR": cursor,
            "__REALTIME_TIMESTAMP": str(real),
            "__MONOTONIC_TIMESTAMP": str(monotonic),
            "_BOOT_ID": self.boot,
            "PRIORITY": str(priority),
            "_PID": str(pid),
            "SYSLOG_IDENTIFIER": identifier,
            "MESSAGE": _field(text),
        }
        return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _field(text: str) -> str | list[int]:
    """journalctl prints a field that is not printable as its bytes: LiteLLM's coloured lines are such."""
    if all(character >= " " or character in "\n\t" for character in text):
        return text
    return list(text.encode())
