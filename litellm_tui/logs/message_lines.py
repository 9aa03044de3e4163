"""Which lines of a plain log are further lines of the message before them, in the log of the same process.

Only the first line of a message has a form. What follows it at once and has none is of that message; anything else
without a form is a line that is not understood.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from litellm_tui.logs.line_facts import Facts
from litellm_tui.logs.log_line import Shape
from litellm_tui.logs.store import FOLD_SECONDS, RANK, begins_traceback
from litellm_tui.model.log import LogRecord

# processes whose last message may go on
MOST_OPEN: Final = 200
# the last line of the process is not understood
_LOST: Final = -1
_WARNING: Final = RANK["WARNING"]
_ERROR: Final = RANK["ERROR"]


class _Open(NamedTuple):
    """The last message of a process: the rank of its level, when its last line was written, and whether it is empty."""

    rank: int
    time: float
    empty: bool = False


class MessageLines:
    """Gets every line of a log that is not a whole record, and those after it. `open` is empty where none may go on."""

    def __init__(self) -> None:
        self.open: OrderedDict[int, _Open] = OrderedDict()

    def join(self, record: LogRecord, said: Facts, shape: Shape) -> tuple[Facts, bool]:
        """The facts of a line, which continue the message before it where the line is of that message; and whether a
        line that stays a record of its own is understood.
        """
        before = self.open.get(record.pid)
        if before is not None and before.rank != _LOST and record.time - before.time > FOLD_SECONDS:
            del self.open[record.pid]
            before = None
        if shape == "either" and before is not None and before.rank >= _WARNING:
            return said._replace(continues=True), True
        if shape == "either" and record.source == "postgres" and before is not None and before.rank != _LOST:
            # a migration that LiteLLM settles by itself is told with Postgres' words in it
            return Facts(), True
        if shape == "loose":
            if before is not None and before.empty:
                self.open[record.pid] = before._replace(empty=False)
                return said._replace(continues=True), True
            if before is None or before.rank == _LOST:
                self._note(record, _LOST)
            elif before.rank >= _WARNING:
                return said._replace(continues=True), False
            # a message of a lower level keeps its lines as records
            return Facts(attempt=said.attempt, attempted=said.attempted), self.open[record.pid].rank != _LOST
        if said.continues:
            if begins_traceback(record.text):
                self._note(record, _ERROR)
            return said, before is None or before.rank != _LOST
        if shape != "whole":
            self._note(record, RANK[record.level])
        elif before is not None and (record.source != "stdout" or before.rank == _LOST):
            # what looks like a print may be a line of the message, and ends none
            del self.open[record.pid]
        return said, True

    def _note(self, record: LogRecord, rank: int) -> None:
        self.open[record.pid] = _Open(rank, record.time, not record.text)
        if len(self.open) > MOST_OPEN:
            self.open.popitem(last=False)
