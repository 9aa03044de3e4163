"""The log records of this session: a ring bounded by records and bytes, with tracebacks folded into one record.

Older records, fetched when a reader scrolls back, come before the session's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from sys import getsizeof
from typing import Final

import msgspec

from litellm_tui.logs.requests import RequestAssembler, Requests
from litellm_tui.model.log import Level, LogRecord

MOST_RECORDS: Final = 50_000
MOST_BYTES: Final = 64 << 20
# limits of older records, in addition to these
MOST_OLDER_RECORDS: Final = 20_000
MOST_OLDER_BYTES: Final = 16 << 20
LONGEST_STACK: Final = 64 << 10
# the lines of a traceback are written at once; a later line belongs to something else
FOLD_SECONDS: Final = 1.0
# processes whose last record is remembered
_MOST_PROCESSES: Final = 1000
# bytes of a record beside its strings: the struct, its numbers, its slot in the list and the allocator's rounding
_OVERHEAD: Final = 300
# the lines of an exception group stand behind bars; its own name and count say less than what it holds
_EXCEPTION = re.compile(r"^(?:[ |]{0,40}\| )?(?!(?:Base)?ExceptionGroup:)\w[\w.]*(?:: |$)")
_INDENTED: Final = re.compile(r"^[ |+]{0,40}(?:Exception Group )?Traceback \(most recent call last\)")
_RICH: Final = re.compile(r"^\u256d\u2500{1,200} Traceback \(most recent call last\)")
_TRACEBACK = "Traceback (most recent call last)"

RANK: Final[dict[Level, int]] = {"DEBUG": 0, "INFO": 1, "WARNING": 2, "ERROR": 3, "CRITICAL": 4}


class LogStore:
    """Append-only for its readers: records are found by their sequence; a full store drops the oldest.

    `revision` changes with every append, fold and prepend. `folds` counts the folds, each of which replaces a record.
    `prepended` counts all records that `prepend` has added.
    """

    def __init__(self, most_records: int = MOST_RECORDS, most_bytes: int = MOST_BYTES) -> None:
        # a dropped record leaves an empty slot; many empty slots are removed together
        self._records: list[LogRecord | None] = []
        self._start = 0
        self._next = 0
        self._bytes = 0
        self._own_bounds = self._bounds = most_records, most_bytes
        self._last_of: dict[int, int] = {}
        self.requests = Requests()
        """What was put together of the records that are kept."""
        self._assembler = RequestAssembler(self.requests, self.get)
        self.revision = 0
        self.folds = 0
        self.dropped = 0
        self.prepended = 0

    def __len__(self) -> int:
        return len(self._records) - self._start

    @property
    def first(self) -> int:
        """The sequence of the oldest record kept, below 0 for a prepended one; `last + 1` when there is none."""
        return self._next - len(self._records) + self._start

    @property
    def last(self) -> int:
        """The sequence of the newest record, -1 before the first."""
        return self._next - 1

    @property
    def bytes(self) -> int:
        """The approximate memory of the records, in bytes."""
        return self._bytes

    def get(self, sequence: int) -> LogRecord | None:
        """The record; None when it is not kept any more."""
        if self.first <= sequence <= self.last:
            return self._records[len(self._records) - self._next + sequence]
        return None

    def since(self, sequence: int) -> Iterator[LogRecord]:
        """The records from `sequence` on, oldest first; not valid across changes of the store."""
        for position in range(self._start + max(0, sequence - self.first), len(self._records)):
            if (record := self._records[position]) is not None:
                yield record

    def slice(self, sequence: int, count: int) -> list[LogRecord]:
        """At most `count` records from `sequence` on, oldest first: for readers that pause between slices."""
        begin = self._start + max(0, sequence - self.first)
        return [record for record in self._records[begin : begin + max(0, count)] if record is not None]

    def append(self, record: LogRecord, continues: bool = False) -> LogRecord:
        """Keep a record, with a new `sequence`, or fold it into the one it continues; returns the kept record."""
        self.revision += 1
        if continues:
            if folded := self._fold(record):
                return folded
            if begins_traceback(record.text):
                record = msgspec.structs.replace(record, level="ERROR", stack=record.text, step="")
        record = msgspec.structs.replace(record, sequence=self._next)
        self._records.append(record)
        self._last_of[record.pid] = self._next
        self._next += 1
        self._bytes += _size(record)
        if record.step:
            self._assembler.note(record)
        most_records, most_bytes = self._bounds
        if self._bytes > most_bytes or len(self._records) - self._start > most_records:
            self._shrink()
        return record

    @property
    def full(self) -> bool:
        """Whether there is no room for older records (`make_room`)."""
        return len(self) >= self._bounds[0] or self._bounds[1] - self._bytes < _OVERHEAD

    def make_room(self) -> None:
        """Raise the limits by `MOST_OLDER_RECORDS` and `MOST_OLDER_BYTES`, before older records are fetched."""
        most_records, most_bytes = self._own_bounds
        self._bounds = most_records + MOST_OLDER_RECORDS, most_bytes + MOST_OLDER_BYTES

    def prepend(self, older: Sequence[LogRecord], before: int) -> int:
        """Add records, oldest first, before the one with the sequence `before`, the oldest kept; returns their number.

        `first` moves back by that number, below zero where needed; other records keep their sequence. Without room for
        all (`make_room`) only the newest of them are added. None is added when the oldest record is not `before` any
        more: records would be missing between. New records drop the oldest ones as always: fetched records go first.
        """
        if before != self.first:
            return 0
        room = self._bounds[0] - len(self)
        left = self._bounds[1] - self._bytes
        taken: list[LogRecord | None] = []
        for record in reversed(older):
            left -= _size(record)
            if len(taken) >= room or left < 0:
                break
            taken.append(msgspec.structs.replace(record, sequence=before - len(taken) - 1))
            self._bytes += _size(record)
        taken.reverse()
        self._records[: self._start] = taken
        self._start = 0
        if taken:
            RequestAssembler(self.requests, self.get).note_all(record for record in taken if record is not None)
            self.revision += 1
            self.prepended += len(taken)
        return len(taken)

    def release_older(self) -> None:
        """Lower the limits to those before `make_room`: the readers are back at the session's own records."""
        if self._bounds != self._own_bounds:
            self._bounds = self._own_bounds
            self.revision += 1
            self._shrink()

    def _fold(self, record: LogRecord) -> LogRecord | None:
        before = self.get(self._last_of.get(record.pid, self.last + 1))
        if before is None or record.time - before.time > FOLD_SECONDS or len(before.stack) > LONGEST_STACK:
            return None
        if not before.stack and RANK[before.level] < RANK["WARNING"] and before.text:
            return None
        text = before.text
        if begins_traceback(text) and is_exception(record.text):
            # the last line of a traceback says what happened, its first line does not
            text = record.text.lstrip(" |")
        stack = f"{before.stack}\n{record.text}" if before.stack else record.text
        if not text:
            # the message has begun with an end of line
            text, stack = record.text, before.stack
        after = msgspec.structs.replace(before, text=text, stack=stack, model=before.model or record.model)
        self._records[len(self._records) - self._next + before.sequence] = after
        self.folds += 1
        self._bytes += _size(after) - _size(before)
        return after

    def _shrink(self) -> None:
        most_records, most_bytes = self._bounds
        left = len(self)
        while left > 1 and (left > most_records or self._bytes > most_bytes):
            record = self._records[self._start]
            assert record is not None
            self._bytes -= _size(record)
            self._records[self._start] = None
            self._start += 1
            self.dropped += 1
            left -= 1
        if self._start > 1000:
            del self._records[: self._start]
            self._start = 0
            self.requests.forget(self.first)
        if len(self._last_of) > _MOST_PROCESSES:
            self._last_of = {pid: last for pid, last in self._last_of.items() if last > self._next - _MOST_PROCESSES}


def begins_traceback(text: str) -> bool:
    """Whether it is the first line of a traceback, which does not say what happened."""
    if text.startswith(_TRACEBACK):
        return True
    return _TRACEBACK in text[:300] and bool(_INDENTED.match(text) or _RICH.match(text))


def is_exception(text: str) -> bool:
    """Whether it may be the last line of a traceback, which says what happened."""
    return _EXCEPTION.match(text) is not None


def _size(record: LogRecord) -> int:
    """The approximate bytes of a record: one character outside ASCII makes a string two or four times as large."""
    size = _OVERHEAD + getsizeof(record.text)
    if record.stack:
        size += getsizeof(record.stack)
    if record.call_id:
        size += getsizeof(record.call_id)
    if record.model:
        size += getsizeof(record.model)
    if record.logger:
        size += getsizeof(record.logger)
    return size
