"""The live log under its keys: level, filter, search, times, calls and copies."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Callable
from typing import Final, NamedTuple

from textual.message import Message

from litellm_tui.analysis.log_filter.log_filter import LogFilter
from litellm_tui.analysis.log_filter.pattern import Pattern
from litellm_tui.analysis.log_filter.times import FORMS, parse_moment
from litellm_tui.logs.store import RANK
from litellm_tui.model.log import Level, LogRecord
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.widgets.log_cursor import LogCursor
from litellm_tui.ui.widgets.log_matches import MatchCount

LEVELS: Final[tuple[Level, ...]] = ("DEBUG", "INFO", "WARNING", "ERROR")
_CALL: Final = re.compile(r"litellm_call_id=([\w-]+)")
# seen on 1.106.2, with json_logs and without, also with request_correlation_in_logs, whose trace_id is another one
NO_CALL: Final = (
    "this record names no call: LiteLLM writes litellm_call_id where a request fails, from 1.106 on; "
    "who asked has it as the header x-litellm-call-id, and call_id: filters by it"
)


class _Seek(NamedTuple):
    """What n and N go to, and in which direction; `from_` is the next record to be looked at, `first` the first one.

    A regex that takes too long is taken as text: what was passed by before that is looked at anew.
    """

    matches: Callable[[LogRecord], bool]
    what: str
    step: int
    from_: int
    first: int
    is_regex: bool


class LogView(LogCursor):
    """What each key of the log does."""

    class Copied(Message):
        """These records are to be copied."""

        def __init__(self, records: list[LogRecord]) -> None:
            super().__init__()
            self.records = records

    def __init__(self, pace: Pace | None = None) -> None:
        super().__init__(pace)
        self._seek: _Seek | None = None
        # in which direction the last search came to the end, and which record that was: the same again goes round
        self._ended: tuple[int, int] | None = None
        self._matches = MatchCount()
        # the time jumped to, while it is before the first record
        self._time_wanted: float | None = None

    @property
    def seeking(self) -> str:
        """What is being looked for at the moment."""
        return self._seek.what if self._seek else ""

    def records(self) -> list[LogRecord]:
        """What is shown, the oldest first; of a line that stands for several records all of them."""
        shown = (self.store.get(sequence) for sequence in self._index.sequences)
        if not self.reading:
            return [record for record in shown if record is not None]
        every = {one for record in shown if record is not None for one in self.behind(record)}
        found = (self.store.get(sequence) for sequence in sorted(every))
        return [record for record in found if record is not None]

    # --- times -----------------------------------------------------------------------------------------------------

    def jump_to(self, typed: str) -> str:
        """Go to the first line at or after a time as it is typed; what is wrong with it, or empty."""
        wanted = parse_moment(typed.strip(), time.time(), self.zone)
        if wanted is None:
            return f"no time: {typed}; {FORMS}" if typed.strip() else ""
        if self.store.last < self.store.first:
            return "there is no line yet"
        self._to_time(wanted)
        return ""

    def go_to_time(self, wanted: float) -> None:
        """Go to the first line at or after a time, seconds since the epoch."""
        if self.store.last < self.store.first:
            self.notify("there is no line yet", markup=False)
        elif self.size.height:
            self._to_time(wanted)
        else:
            # it has come into sight only now
            self.call_after_refresh(self._to_time, wanted)

    def _to_time(self, wanted: float) -> None:
        sequences = range(self.store.first, self.store.last + 1)
        found = bisect_left(sequences, wanted, key=self._time_of)
        sequence = sequences[min(found, len(sequences) - 1)]
        if not self._index.done:
            # what is there comes first
            self._set_following(False)
            self._at = sequence
            self._rebuild()
        self._go(self._index.at_or_after(sequence))
        begin = self._time_of(sequences[0])
        if wanted < begin:
            self._time_wanted = wanted
            self.notify(f"what is held begins at {self.clock(begin)}", markup=False)
            self.want_older(wanted)

    def older_came(self) -> None:
        """Go on to the time that was before the first record."""
        if self._time_wanted is not None:
            self._to_time(self._time_wanted)

    def _time_of(self, sequence: int) -> float:
        record = self.store.get(sequence)
        return record.time if record is not None else 0.0

    # --- searching ---------------------------------------------------------------------------------------------

    def search(self, typed: str) -> None:
        """Highlight what matches."""
        self.sought = Pattern(typed)
        self._seek = self._ended = None
        self._matches = MatchCount()
        self.refresh()
        self.post_message(self.Changed())
        if self._timer is None and self.room:
            self._work()

    @property
    def matches(self) -> str:
        """Which of the lines that match the cursor is on, and how many there are; empty until that is known."""
        if not self.sought or not self._matches.known:
            return ""
        number, every = self._matches.place(self._at, self.store.first)
        if not every:
            return "none"
        return f"{number} of {every:,}" if number else f"{every:,} found"

    def action_next_match(self, step: int) -> None:
        index = self._index
        what = f"match of {self.sought.typed!r}" if self.sought else "error"
        # without a cursor the last line in sight counts as not yet looked at
        place = self._place() + (step if self._at is not None or step > 0 else 0)
        if self._ended == (step, self._limit(step)):
            place = 0 if step > 0 else len(index) - 1
        if 0 <= place < len(index):
            begin = index.sequences[place]
        else:
            begin = self.store.last + 1 if step > 0 or not index.sequences else index.sequences[0] - 1
        self._ended = None
        matches = self._is_sought if self.sought else self._is_error
        self._seek = _Seek(matches, what, step, begin, begin, self.sought.is_regex)
        if self._timer is None:
            self._work()

    def _limit(self, step: int) -> int:
        """The last record there is in this direction."""
        return self.store.last if step > 0 else self.store.first

    def _more_work(self, until: float) -> bool:
        """Go on with the search, and then with the count; whether there is more after this slice."""
        if self._seek is None:
            return self._count(until)
        self._merge()
        index, seek = self._index, self._seek
        if seek.is_regex and not self.sought.is_regex:
            seek = seek._replace(from_=seek.first, is_regex=False)
        matches, what, step, begin, *_ = seek
        place = index.at_or_after(begin) if step > 0 else index.at_or_before(begin)
        while 0 <= place < len(index):
            begin = index.sequences[place] + step
            record = self.store.get(index.sequences[place])
            if record is not None and matches(record):
                self._seek = None
                self._go(place)
                return self._count(until)
            place += step
            if time.perf_counter() >= until:
                break
        ended = not 0 <= place < len(index) and (index.ahead > self.store.last if step > 0 else index.done_above)
        if not ended:
            self._seek = seek._replace(from_=begin)
            return True
        self._seek, self._ended = None, (step, self._limit(step))
        where, end, key = ("below", "top", "n") if step > 0 else ("above", "end", "N")
        self.notify(f"no {what} {where}; {key} again goes on at the {end}", markup=False)
        self.post_message(self.Changed())
        if step < 0:
            self.want_older()
        return False

    def _count(self, until: float) -> bool:
        """Count what is searched for; whether there is more to be counted."""
        if not self.sought or not self._index.done:
            return False
        self._merge()
        return self._matches.look(self._index, self._has_match, until)

    def _has_match(self, sequence: int) -> bool:
        record = self.store.get(sequence)
        return record is not None and self._is_sought(record)

    def action_bottom(self) -> None:
        self._seek = self._ended = self._time_wanted = None
        super().action_bottom()

    def _go(self, place: int) -> None:
        self._ended = self._time_wanted = None
        super()._go(place)
        if self.sought:
            self.post_message(self.Changed())

    # --- what is shown -----------------------------------------------------------------------------------------

    def set_filter(self, typed: str) -> None:
        """Show only records that match."""
        if typed != self.filter.typed:
            self.filter = LogFilter(typed, time.time(), self.zone)
            self._rebuild()

    def action_level(self) -> None:
        self.level = LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)]
        self._rebuild()

    def action_wrap(self) -> None:
        self.wrapped = not self.wrapped
        self._rebuild()

    def action_polling(self) -> None:
        self.polling = not self.polling
        self._rebuild()

    def action_clear(self) -> None:
        self.sought = Pattern("")
        self.set_filter("")
        self.action_bottom()

    def action_call(self) -> None:
        """Only what belongs to the call that the record under the cursor is of."""
        if (record := self._taken()) is not None:
            self.show_call(record)

    def reveal(self, sequence: int) -> bool:
        """Put the cursor on this record, past whatever hides it; False when it is not kept any more."""
        record = self.store.get(sequence)
        if record is None:
            return False
        sequence = self.line_of_record(sequence)
        record = self.store.get(sequence) or record
        if not self._shows(record):
            self.filter, self.level = LogFilter(), "DEBUG"
        if self.reading and self.reads.is_inside(record):
            # only the lines themselves show it
            self.reading = False
        self._set_following(False)
        self._at = sequence
        self._rebuild()
        # the pane may have come into sight only now: it is placed once it has its size
        self.call_after_refresh(lambda: self._go(self._index.at_or_before(sequence)))
        return True

    def show_call(self, record: LogRecord) -> None:
        """Only what belongs to the call that this record is of."""
        call = ""
        for one in self.reads.together(record) if self.reading else (record,):
            named = _CALL.search(one.text)
            call = call or one.call_id or (named[1] if named else "")
        if call:
            self.set_filter(f"call_id:{call}")
        else:
            self.notify(NO_CALL, severity="warning", markup=False)

    def action_copy(self) -> None:
        if (record := self._taken()) is not None:
            self.post_message(self.Copied(self.reads.together(record) if self.reading else [record]))

    def action_lines(self) -> None:
        """One line a request, or the lines of the log; the record in sight stays in sight."""
        self.reading = not self.reading
        if self.reading and self._at is not None:
            self._at = self.line_of_record(self._at)
        self._rebuild()
        self.post_message(self.Changed())

    def _is_sought(self, record: LogRecord) -> bool:
        return any(map(self.sought.matches, self.reads.together(record) if self.reading else (record,)))

    def _is_error(self, record: LogRecord) -> bool:
        if self.reading:
            return self.reads.rank(record) >= RANK["ERROR"]
        return RANK[record.level] >= RANK["ERROR"] or record.status >= 500
