"""What is searched for in the log: how many of its lines have it, and the piece of a record around it."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable
from typing import Final

from litellm_tui.analysis.log_filter.pattern import LONGEST_SEARCHED, Pattern
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.widgets.log_index import LogIndex

# of the room of a line, the part that stands in front of a match
_BEFORE: Final = 3


class MatchCount:
    """The lines of an index that match, by their records' sequences: looked at in slices, the newest first, and kept
    true while lines come, go and change. `known` says whether all were looked at.
    """

    def __init__(self) -> None:
        self.known = False
        self._index: LogIndex | None = None
        self._found: list[int] = []
        # what was looked at, as sequences: from the first one to before the second
        self._low = self._high = 0

    def look(self, index: LogIndex, matches: Callable[[int], bool], until: float) -> bool:
        """Look at lines until this moment of `perf_counter`; whether there are more."""
        if index is not self._index:
            self._index, self._found = index, []
            self._low = self._high = index.ahead
        elif index.again is not None:
            self._high = min(self._high, index.again)
            self._low = min(self._low, self._high)
            del self._found[bisect_left(self._found, self._high) :]
        index.again = None
        self.known = not (self._look_down(index, matches, until) or self._look_up(index, matches, until))
        return not self.known

    def _look_down(self, index: LogIndex, matches: Callable[[int], bool], until: float) -> bool:
        """What has come below; whether the time is over."""
        for sequence in index.sequences[index.at_or_after(self._high) :]:
            if matches(sequence):
                self._found.append(sequence)
            self._high = sequence + 1
            if time.perf_counter() >= until:
                return True
        return False

    def _look_up(self, index: LogIndex, matches: Callable[[int], bool], until: float) -> bool:
        """What is further up; whether the time is over."""
        above: list[int] = []
        place, over = index.at_or_before(self._low - 1), False
        while place >= 0 and not over:
            self._low = index.sequences[place]
            if matches(self._low):
                above.append(self._low)
            place -= 1
            over = time.perf_counter() >= until
        # at once: a list is slow to grow in front
        self._found[:0] = reversed(above)
        return over

    def place(self, sequence: int | None, first: int) -> tuple[int, int]:
        """`(number of this record among those from `first` on that match, number of all)`; 0 where it is none."""
        gone = bisect_left(self._found, first)
        place = bisect_left(self._found, sequence) if sequence is not None else len(self._found)
        is_one = place < len(self._found) and self._found[place] == sequence
        return (place - gone + 1 if is_one else 0), len(self._found) - gone


def excerpt(records: list[LogRecord], sought: Pattern, width: int) -> str:
    """The piece of the first of these texts that matches, so cut that the match is in its `width` cells; may be empty.

    May raise TookTooLong inside `patience`.
    """
    for text in (text for record in records for text in (record.text, record.stack) if text):
        found = sought.regex.search(text, 0, LONGEST_SEARCHED)
        if found is None:
            continue
        begin = max(0, found.start() - width // _BEFORE)
        piece = drawable(text[begin : begin + 4 * width].strip().replace("\n", " "))
        return f"…{piece}" if begin else piece
    return ""
