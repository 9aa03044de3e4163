"""Which records of the store are shown, and the line each begins at: found in slices, nearest to the reader first."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable
from typing import Final

from litellm_tui.logs.store import LogStore
from litellm_tui.model.log import LogRecord

# a traceback is folded into a record that has come a moment ago: so many are looked at again
_LATELY: Final = 200


class LogIndex:
    """Grows at both ends from the record `pivot`. `shows` chooses, `height` is in lines. `repeats` says of two records
    that are shown one after the other whether the second is the first again: it is then `folded` into that one's line.

    Lines are counted from an origin of their own, so that what is added above moves nothing: `top` is the first one,
    `end` the one after the last. What was found above waits until `merge`, which puts it in front at once.
    """

    def __init__(
        self,
        store: LogStore,
        shows: Callable[[LogRecord], bool],
        height: Callable[[LogRecord], int],
        pivot: int,
        repeats: Callable[[LogRecord, LogRecord], bool] | None = None,
    ) -> None:
        self._store, self._shows, self._height = store, shows, height
        self._repeats = repeats
        self.folded: dict[int, deque[int]] = {}
        self.sequences: list[int] = []
        self.begins: list[int] = []
        self.top = 0
        self.end = 0
        self.ahead = pivot + 1
        self._behind = pivot
        self._above: list[tuple[int, int]] = []
        self._lines_above = 0
        self.again: int | None = None
        """The first record that was looked at again since somebody has set this to None."""

    # --- looking -----------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether every record was looked at."""
        return self.done_above and self.ahead > self._store.last

    @property
    def done_above(self) -> bool:
        """Whether there is none further up that was not looked at."""
        return self._behind < self._store.first

    @property
    def share(self) -> float:
        """Of all records, the part that was looked at."""
        looked = self.ahead - max(self._behind + 1, self._store.first)
        return looked / max(1, len(self._store))

    @property
    def waiting(self) -> bool:
        """Whether there are lines that `merge` would add."""
        return self._lines_above > 0

    def holds(self, sequence: int, row: int, height: int) -> bool:
        """Whether so many rows as are to be above this record have been found, and those below it up to `height`."""
        line = self.line_of(max(0, self.at_or_before(sequence))) + self._lines_above
        above = line >= row or self._behind < self._store.first
        below = self.end - self.top + self._lines_above - line >= height - row or self.ahead > self._store.last
        return above and below

    def look(self, until: float, room: int) -> None:
        """Look at records until this moment of `perf_counter`, at one at least: `room` lines below the pivot, as many
        above it, then the rest below and the rest above.
        """
        if self.end < room and self._down(until, room):
            return
        if self.end - self.top + self._lines_above < 2 * room and self._up(until, 2 * room - self.end + self.top):
            return
        if self._down(until, None):
            return
        self._up(until, None)

    def _down(self, until: float, lines: int | None) -> bool:
        """Whether the time is over."""
        store, shows, height, repeats = self._store, self._shows, self._height, self._repeats
        self.ahead = max(self.ahead, store.first)
        while self.ahead <= store.last and (lines is None or self.end < lines):
            record = store.get(self.ahead)
            self.ahead += 1
            if record is not None and shows(record):
                if repeats is not None and self.sequences and self._is_again(self.sequences[-1], record, repeats):
                    self.folded.setdefault(self.sequences[-1], deque()).append(record.sequence)
                else:
                    self.sequences.append(record.sequence)
                    self.begins.append(self.end)
                    self.end += height(record)
            if time.perf_counter() >= until:
                return True
        return False

    def _up(self, until: float, lines: int | None) -> bool:
        """Whether the time is over."""
        store, shows, height = self._store, self._shows, self._height
        while self._behind >= store.first and (lines is None or self._lines_above < lines):
            record = store.get(self._behind)
            self._behind -= 1
            if record is not None and shows(record):
                tall = height(record)
                if self._repeats is not None and self._above and self._is_below(record, self._repeats):
                    below, below_tall = self._above.pop()
                    self.folded[record.sequence] = self.folded.pop(below, deque())
                    self.folded[record.sequence].appendleft(below)
                    self._lines_above -= below_tall
                self._above.append((record.sequence, tall))
                self._lines_above += tall
            if time.perf_counter() >= until:
                return True
        return False

    def _is_again(self, sequence: int, record: LogRecord, repeats: Callable[[LogRecord, LogRecord], bool]) -> bool:
        first = self._store.get(sequence)
        return first is not None and repeats(first, record)

    def _is_below(self, record: LogRecord, repeats: Callable[[LogRecord, LogRecord], bool]) -> bool:
        after = self._store.get(self._above[-1][0])
        return after is not None and repeats(record, after)

    # --- changing ----------------------------------------------------------------------------------------------

    def merge(self) -> int:
        """Put what was found above in front; returns how many lines that is."""
        if not self._above:
            return 0
        begins, line = [], self.top
        for _, tall in self._above:
            line -= tall
            begins.append(line)
        self.begins[:0] = reversed(begins)
        self.sequences[:0] = [sequence for sequence, _ in reversed(self._above)]
        self.top = line
        self._above.clear()
        added, self._lines_above = self._lines_above, 0
        return added

    def forget(self) -> int:
        """Take out what the store has dropped; returns how many lines went from the top."""
        first = self._store.first
        # what is fetched from before takes the numbers of what was dropped
        self._behind = max(self._behind, first - 1)
        while self._above and self._above[-1][0] < first:
            self._lines_above -= self._above.pop()[1]
        gone = bisect_left(self.sequences, first)
        if not gone:
            return 0
        before, self.top = self.top, self.begins[gone] if gone < len(self.begins) else self.end
        self._drop_folded(self.sequences[:gone])
        del self.sequences[:gone], self.begins[:gone]
        return self.top - before

    def look_again(self, since: int | None = None) -> None:
        """The newest records may have become others, or those from `since` on: the next look includes them."""
        lately = self.ahead - _LATELY
        # what waits above is not in its place yet
        behind = (self._above[0][0] if self._above else self._behind) + 1
        since = min(self.ahead, max(lately if since is None else min(lately, since), behind))
        place = bisect_left(self.sequences, since)
        if place < len(self.sequences):
            self.end = self.begins[place]
            self._drop_folded(self.sequences[place:])
            del self.sequences[place:], self.begins[place:]
        self.again = since if self.again is None else min(self.again, since)
        if self.sequences and (again := self.folded.get(self.sequences[-1])):
            while again and again[-1] >= since:
                again.pop()
        self.ahead = since

    def _drop_folded(self, heads: list[int]) -> None:
        if self.folded:
            for sequence in heads:
                self.folded.pop(sequence, None)

    # --- places ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def height(self) -> int:
        """How many lines there are."""
        return self.end - self.top

    def at_line(self, line: int) -> int:
        """The place of the record that covers this line, counted from the top; -1 above the first."""
        return bisect_right(self.begins, line + self.top) - 1

    def line_of(self, place: int) -> int:
        """The line, counted from the top, that the record at this place begins at; the last place ends at `height`."""
        return (self.begins[place] if place < len(self.begins) else self.end) - self.top

    def at_or_before(self, sequence: int) -> int:
        """The place of this record, or of the nearest one before it; -1 when there is none."""
        return bisect_right(self.sequences, sequence) - 1

    def at_or_after(self, sequence: int) -> int:
        """The place of this record, or of the nearest one behind it; the number of all when there is none."""
        return bisect_left(self.sequences, sequence)

    def after(self, sequence: int) -> int:
        """How many are shown behind this record."""
        return len(self.sequences) - bisect_right(self.sequences, sequence)
