"""Reads older lines of a log file, also from the files that it was renamed to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from litellm_tui.logs.entry import READ_SIZE

# the bits of a place that hold the offset in one of several files
_OFFSET_BITS: Final = 48
_COMPRESSED: Final = (".gz", ".xz", ".bz2", ".zst", ".lz4")

Identity = tuple[int, int]


class Files:
    """The files that successively had one name, numbered from 1 for the first one found.

    A line's place is the number of its file and its offset there. A truncated file counts as a new one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers: dict[int, Identity] = {}
        self.number = 0

    def opened(self, file: int) -> None:
        """Note the file that now has the name, new or truncated."""
        for number, identity in list(self._numbers.items()):
            if identity == _identity(os.fstat(file)):
                # truncated: its former content is gone
                del self._numbers[number]
        self.number += 1
        self._numbers[self.number] = _identity(os.fstat(file))

    def place(self, offset: int) -> int:
        """The place of a line at this offset of the current file."""
        return self.number << _OFFSET_BITS | offset

    def lines_before(self, place: int, count: int) -> list[tuple[int, bytes]]:
        """At most `count` lines before a place, oldest first, each with its own place. Blocks; raises OSError."""
        number, offset = place >> _OFFSET_BITS, place & ((1 << _OFFSET_BITS) - 1)
        found: list[tuple[int, bytes]] = []
        while len(found) < count:
            path = self._find(number)
            if path is not None:
                lines = _read_back(path, offset, count - len(found))
                found[:0] = [(number << _OFFSET_BITS | at, line) for at, line in lines]
            elif (number - 1) not in self._numbers:
                break
            number, offset = number - 1, (1 << _OFFSET_BITS) - 1
            if number not in self._numbers and not self._add_older(number):
                break
        return found

    def _siblings(self) -> list[Path]:
        """The file and those that it may have been renamed to, newest first."""
        found = [
            path
            for path in self._path.parent.glob(f"{_literal(self._path.name)}*")
            if path.is_file() and path.suffix not in _COMPRESSED
        ]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)

    def _find(self, number: int) -> Path | None:
        wanted = self._numbers.get(number)
        return next((path for path in self._siblings() if _identity(path.stat()) == wanted), None)

    def _add_older(self, number: int) -> bool:
        """Add the newest file that was renamed before all known ones."""
        known = set(self._numbers.values())
        oldest = self._find(number + 1)
        if oldest is None:
            return False
        for path in self._siblings():
            status = path.stat()
            if _identity(status) not in known and status.st_mtime <= oldest.stat().st_mtime:
                self._numbers[number] = _identity(status)
                return True
        return False


# reading back does not find a longer line
MOST_BYTES: Final = 64 << 20


def _read_back(path: Path, end: int, count: int) -> list[tuple[int, bytes]]:
    """The last `count` lines before the offset, each with its own."""
    with path.open("rb") as file:
        start = end = min(end, os.fstat(file.fileno()).st_size)
        parts: list[bytes] = []
        seen = 0
        while start > 0 and seen <= count and end - start < MOST_BYTES:
            size = min(READ_SIZE, start)
            start -= size
            file.seek(start)
            parts.append(file.read(size))
            seen += parts[-1].count(b"\n")
        content = b"".join(reversed(parts))
    lines = content.split(b"\n")
    if not lines[-1]:
        del lines[-1]
    at = end - len(content)
    found = []
    for number, line in enumerate(lines):
        # unless this is the beginning of the file, the first line is incomplete
        if number or not start:
            found.append((at, line))
        at += len(line) + 1
    return found[-count:]


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
