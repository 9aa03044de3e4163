"""The log records of this session: a ring bounded by records and bytes, in which tracebacks are folded together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from litellm_tui.snapshot import Level, LogRecord

MOST_RECORDS: Final = 50_000
MOST_BYTES: Final = 64 << 20
LONGEST_STACK: Final = 64 << 10
# a traceback's lines are written at once; what comes later belongs to something else
FOLD_SECONDS: Final = 1.0
# what a record costs beside its text: the struct, two strings' headers, the slot
_OVERHEAD: Final = 250
_EXCEPTION = re.compile(r"^\w[\w.]*(?:: |$)")
_TRACEBACK = "Traceback (most recent call last)"

RANK: Final[dict[Level, int]] = {"DEBUG": 0, "INFO": 1, "WARNING": 2, "ERROR": 3, "CRITICAL": 4}


class LogStore:
    """Append-only for its readers: records are found by their sequence, the oldest ones go when it is full.

    `revision` changes with every append and fold, `folds` counts the folds: a record already read is another then.
    """

    def __init__(self, most_records: int = MOST_RECORDS, most_bytes: int = MOST_BYTES) -> None:
        self._records: list[LogRecord] = []
        self._start = 0
        self._next = 0
        self._bytes = 0
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._last_of: dict[int, int] = {}
        self.revision = 0
        self.folds = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._records) - self._start

    @property
    def first(self) -> int:
        """The sequence of the oldest record kept; equal to `last + 1` when there is none."""
        return self._next - len(self)

    @property
    def last(self) -> int:
        """The sequence of the newest record, -1 before the first."""
        return self._next - 1

    def get(self, sequence: int) -> LogRecord | None:
        """The record, or None when it is not kept any more."""
        if self.first <= sequence <= self.last:
            return self._records[self._start + sequence - self.first]
        return None

    def since(self, sequence: int) -> Iterator[LogRecord]:
        """The records from `sequence` on, oldest first."""
        begin = self._start + max(0, sequence - self.first)
        for position in range(begin, len(self._records)):
            yield self._records[position]

    def append(self, record: LogRecord, continues: bool = False) -> LogRecord:
        """Keep a record (its `sequence` is given here), or fold it into the one it continues; returns what is kept."""
        self.revision += 1
        if continues and (folded := self._fold(record)):
            return folded
        if continues and record.text.startswith(_TRACEBACK):
            record = msgspec.structs.replace(record, level="ERROR", stack=record.text)
        record = msgspec.structs.replace(record, sequence=self._next)
        self._records.append(record)
        self._last_of[record.pid] = self._next
        self._next += 1
        self._bytes += _size(record)
        self._shrink()
        return record

    def _fold(self, record: LogRecord) -> LogRecord | None:
        before = self.get(self._last_of.get(record.pid, -1))
        if before is None or record.time - before.time > FOLD_SECONDS or len(before.stack) > LONGEST_STACK:
            return None
        if not before.stack and RANK[before.level] < RANK["WARNING"]:
            return None
        text = before.text
        if text.startswith(_TRACEBACK) and _EXCEPTION.match(record.text):
            # the last line of a traceback says what happened; its first says nothing
            text = record.text
        stack = f"{before.stack}\n{record.text}" if before.stack else record.text
        after = msgspec.structs.replace(before, text=text, stack=stack)
        self._records[self._start + before.sequence - self.first] = after
        self.folds += 1
        self._bytes += _size(after) - _size(before)
        return after

    def _shrink(self) -> None:
        while len(self) > 1 and (len(self) > self._most_records or self._bytes > self._most_bytes):
            self._bytes -= _size(self._records[self._start])
            self._start += 1
            self.dropped += 1
        if self._start > 1000 and self._start > len(self._records) // 2:
            del self._records[: self._start]
            self._start = 0


def _size(record: LogRecord) -> int:
    return len(record.text) + len(record.stack) + _OVERHEAD
