"""The store's records as lines that scroll: indexed in slices beside the keys, followed or held, drawn when visible.

This module is over 400 lines: index, scroll position and drawing change together with every record.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, tzinfo
from typing import ClassVar, Final, Self

from rich.cells import cell_len
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from litellm_tui.analysis.log_filter.log_filter import LogFilter
from litellm_tui.analysis.log_filter.pattern import Pattern
from litellm_tui.logs.store import RANK, LogStore
from litellm_tui.model.log import Level, LogRecord
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.regex_timeout import TookTooLong, patience
from litellm_tui.ui.terminal_link import Link
from litellm_tui.ui.textual_internals import resize_without_layout
from litellm_tui.ui.widgets.lines import Lines, Span, cell
from litellm_tui.ui.widgets.log_index import LogIndex
from litellm_tui.ui.widgets.log_matches import excerpt
from litellm_tui.ui.widgets.log_paint import GAP, highlighted, lines_of, spans_of
from litellm_tui.ui.widgets.log_reading import LEAD, LogReading, rows_of

# a slice of work, and the pause after it in which keys and paints come to their turn
SLICE_SECONDS: Final = 0.006
PAUSE_SECONDS: Final = 0.004
# so long what is read may wait for the rows around it
HELD_SECONDS: Final = 0.05
# between two paintings while there is more to come
PAINT_SECONDS: Final = 0.25
# on a slow line: some 800 bytes at a time, a tenth of a second at 8 KiB/s
PART_ROWS: Final = 2
PART_SECONDS: Final = 0.15
_NOTHING: Final = " no record passes the filter: Esc clears it"
TOO_LONG: Final = "takes too long: taken as text"


class LogLines(Lines):
    """Follows the newest line until one scrolls up; then it stays, and counts what has come since."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("logs")

    class Changed(Message):
        """Following, filter, level, progress or the count of unseen lines is another."""

    class FollowsAgain(Message):
        """One is at the newest line again."""

    class WantsOlder(Message):
        """One is at the first record and wants what was before it (`before_time`, seconds since the epoch).

        `wanted` is the time that one would like to go to, when one was named.
        """

        def __init__(self, before_time: float, wanted: float | None = None) -> None:
            super().__init__()
            self.before_time, self.wanted = before_time, wanted

    def __init__(self, pace: Pace | None = None) -> None:
        super().__init__(id="logs-lines")
        self._pace = pace or Pace(Link(lambda _: None))
        self._parts: deque[Region] = deque()
        self._parts_timer: Timer | None = None
        self._is_collecting = False
        self._more_came = False
        self.store: LogStore = LogStore()
        self.reads = LogReading(self.store)
        self.reading = True
        """Whether a line is a request, and not a line of the log."""
        self._joined = 0
        self._shifted: tuple[int, int] | None = None
        self.clock: Callable[[float], str] = lambda _: "--:--:--"
        self.utc = False
        self.following = True
        self.wrapped = False
        self.polling = False
        self.level: Level = "INFO"
        self.filter = LogFilter()
        self.sought = Pattern("")
        self.marks: set[int] = set()
        self.hidden_polling = False
        self.is_reading_back = False
        self._index = LogIndex(self.store, self._shows, self._height_of, -1)
        self._seen = -1
        self._revision = -1
        self._first = 0
        self._folds = 0
        self._at: int | None = None
        self._moving = False
        self._sized = Size(0, 0)
        self._topmost: int | None = None
        self._published: tuple[int, int, int] | None = None
        self._timer: Timer | None = None
        self._painted_at = 0.0
        self.looked = asyncio.Event()
        """Whether everything that had come was looked at."""

    @property
    def zone(self) -> tzinfo | None:
        """In which times are read and shown; None is the machine's own."""
        return UTC if self.utc else None

    @property
    def settled(self) -> bool:
        """Whether every record of the store was looked at."""
        return self._timer is None and self._index.done and self._revision == self.store.revision

    @property
    def is_in_parts(self) -> bool:
        """Whether a part of what is in sight is still to be painted: until then nothing newer is shown."""
        return self._parts_timer is not None

    @property
    def share(self) -> float:
        """The part of the records that was looked at."""
        return self._index.share

    @property
    def unseen(self) -> int:
        """How many lines have come since one stopped following."""
        return 0 if self.following else self._index.after(self._seen)

    # --- taking in records -------------------------------------------------------------------------------------

    def take(self, store: LogStore) -> None:
        """Look at what has come, drop what has gone, and repaint if anything visible is another."""
        if store is not self.store:
            self.store = self.reads.store = store
            self._at = self._topmost = None
            self.marks.clear()
            self._rebuild()
        if store.revision == self._revision or not self.room:
            return
        if self.is_in_parts:
            self._more_came = True
            return
        self._revision = store.revision
        before, self._first = self._first, store.first
        if self._first < before:
            self._rebuild()
            self.older_came()
            return
        gone = self._index.forget()
        self.marks = {sequence for sequence in self.marks if sequence >= store.first}
        if gone and not self.following:
            self._resize()
            self._jump(max(0, round(self.scroll_y) - gone))
            self.refresh()
        lowest = store.requests.lowest_since(self._joined) if self.reading else None
        self._joined = store.requests.count
        if lowest is not None or store.folds != self._folds:
            # a traceback was folded into a record that is already shown, or a request has taken its lines
            self._folds = store.folds
            self._merge()
            self._shifted = self._shifted or self._held()
            self._index.look_again(lowest)
            self.refresh()
        if self._timer is None:
            self._work()

    def _rebuild(self) -> None:
        """Index everything anew: the filter, the width or the store is another. The record in sight stays in sight."""
        if not self.room:
            return
        held = self._held()
        self._shifted = None
        self._joined = self.store.requests.count
        self._end_parts()
        repeats = self.reads.repeats if self.reading else None
        pivot = held[0] if held else self.store.last
        self._index = LogIndex(self.store, self._shows, self._height_of, pivot, repeats)
        self._revision, self._first = self.store.revision, self.store.first
        self.hidden_polling, self._published = False, None
        self._painted_at = 0.0
        self._work(held)
        if self.following:
            # a scroll bar that comes or goes changes the height only after this
            self.call_after_refresh(self._stick)

    def _held(self) -> tuple[int, int] | None:
        """The record that is to stay where it is, and the row it stands on; None while following."""
        anchor = self._at if self._at is not None else self._topmost
        if self.following or anchor is None:
            return None
        place = self._index.at_or_before(anchor)
        row = self._index.line_of(place) - round(self.scroll_y) if place >= 0 else 0
        return anchor, max(0, min(row, self.size.height - 1))

    def _work(self, held: tuple[int, int] | None = None) -> None:
        """One slice of what is to be done, and the next one after a pause. `held` is a record and the row it is on."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        now = time.perf_counter()
        held = held or self._shifted
        try:
            with patience() if self.filter.has_regex or self.sought.is_regex else nullcontext():
                room = max(1, self.size.height)
                self._index.look(now + SLICE_SECONDS, room)
                late = now
                while held and not self._index.holds(*held, room) and late < now + HELD_SECONDS:
                    # on a busy machine one slice does not fill the screen around what is read
                    late = time.perf_counter()
                    self._index.look(late + SLICE_SECONDS, room)
                more = self._more_work(now + SLICE_SECONDS) or not self._index.done
        except TookTooLong:
            self._give_up()
            return
        due = now - self._painted_at >= PAINT_SECONDS or (self._index.waiting and self._index.height < self.size.height)
        if held or due or not more:
            self._painted_at = now
            self._publish(held)
        if not more:
            self._shifted = None
        elif held is not None and not self._index.holds(*held, self.size.height):
            # what passes the filter is rare
            self._shifted = held
        if more:
            self.looked.clear()
            self._timer = self.set_timer(PAUSE_SECONDS, self._work)
        else:
            if not self.looked.is_set() and not len(self._index):
                self.refresh()
            self.looked.set()

    def _more_work(self, until: float) -> bool:
        """What else is done in slices, until this moment of `perf_counter`; whether there is more of it."""
        return False

    def _give_up(self) -> None:
        """A regex took too long on one record."""
        if self.filter.has_regex:
            self.filter = self.filter.without_regex(TOO_LONG)
        if self.sought.is_regex:
            self.sought.match_as_text(TOO_LONG)
        self._rebuild()

    def _publish(self, held: tuple[int, int] | None) -> None:
        """Show what was found."""
        if self.is_in_parts:
            self._more_came = True
            return
        self._merge()
        state = (self._index.top, self._index.end, len(self._index))
        if state != self._published:
            before, self._published = self._published, state
            # what was indexed anew answers a key
            with self._in_parts() if self.following and before is not None else nullcontext():
                self._resize()
                if self.following:
                    self._jump(self._index.height)
                    self.refresh(self.size.region)
                elif held is not None:
                    place = max(0, self._index.at_or_before(held[0]))
                    self._jump(max(0, self._index.line_of(place) - held[1]) if len(self._index) else 0)
                    self.refresh(self.size.region)
                elif before is None or before[1] < self._index.top + round(self.scroll_y) + self.size.height:
                    # what is added below is in sight
                    self.refresh(self.size.region)
        self.post_message(self.Changed())

    @contextmanager
    def _in_parts(self) -> Iterator[None]:
        """What is painted inside is painted a few rows at a time on a slow line, the newest first: a key that comes
        meanwhile waits for a part, not for all of it.
        """
        if not self._pace.slow:
            yield
            return
        self._is_collecting = True
        try:
            yield
        finally:
            self._is_collecting = False
            rows = range(0, self.size.height, PART_ROWS)
            self._parts = deque(Region(0, row, self.room, PART_ROWS) for row in reversed(rows))
            self._paint_part()

    def _paint_part(self) -> None:
        """One part, as soon as the one before is on the terminal; after the last, what has come meanwhile."""
        self._parts_timer = None
        if self._parts:
            if not self._pace.link.behind():
                self._pace.link.ask_soon()
                super().refresh(self._parts.popleft())
            self._parts_timer = self.set_timer(PART_SECONDS, self._paint_part)
        elif self._more_came:
            self._more_came, self._revision = False, -1
            self.take(self.store)

    def _end_parts(self) -> None:
        """What was still to be painted is not what is to be seen any more."""
        if self._parts_timer is not None:
            self._parts_timer.stop()
            self._parts_timer = None
        self._parts.clear()
        self._more_came = False

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._is_collecting:
            return super().refresh(repaint=False, layout=layout)
        if repaint and regions in ((), (self.size.region,)):
            # all at once
            self._parts.clear()
        if regions == (self.size.region,):
            # what ScrollView paints when it has scrolled; the bar beside the rows paints itself
            regions = (Region(0, 0, self.room, self.size.height),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _merge(self) -> None:
        """Take in what was found above; what is in sight stays there."""
        if added := self._index.merge():
            self._resize()
            self._jump(round(self.scroll_y) + added)

    def _stick(self) -> None:
        if self.following:
            self._jump(self._index.height)

    def _shows(self, record: LogRecord) -> bool:
        if record.source == GAP:
            return True
        if record.own and not self.polling:
            self.hidden_polling = True
            return False
        if not self.reading:
            return RANK[record.level] >= RANK[self.level] and (not self.filter or self.filter.matches(record))
        if self.reads.is_inside(record) or self.reads.rank(record) < RANK[self.level]:
            return False
        return not self.filter or self._filtered(record)

    def _filtered(self, record: LogRecord) -> bool:
        """Whether the filter lets the request through that this record stands for."""
        return self.filter.matches_together(self.reads.together(record))

    def _height_of(self, record: LogRecord) -> int:
        if not self.wrapped:
            return 1
        if not self.reading or record.source == GAP:
            return lines_of(record, self.room)
        return len(rows_of(self.reads.text(record, (), 0), max(10, self.room - LEAD)))

    def line_of_record(self, sequence: int) -> int:
        """The record whose line tells of this one: its request's, where it is read as one."""
        return (self.store.requests.anchor(sequence) if self.reading else None) or sequence

    # --- scrolling ---------------------------------------------------------------------------------------------

    def _resize(self) -> None:
        before, after = self.virtual_size, Size(self.room, self._index.height)
        if before.width == after.width and min(before.height, after.height) > self.size.height:
            # only the bar is another one: Textual would lay out the whole screen
            resize_without_layout(self, after)
        else:
            self.virtual_size = after

    def _jump(self, line: int) -> None:
        self._moving = True
        bottom = max(0, self._index.height - self.size.height)
        self.scroll_to(y=min(line, bottom), animate=False, immediate=True, force=True)
        self._moving = False

    def laid_out(self) -> None:
        self._sized = self.size
        self._rebuild()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        # a pane that is hidden, or being laid out, loses its scroll position: nobody has scrolled
        settled = self.size == self._sized and self.virtual_size.height == self._index.height
        if settled:
            self._note_topmost()
        if not self._moving and settled:
            self._shifted = None
            self._set_following(round(new_value) >= self._index.height - self.size.height)
            if new_value <= 0:
                self.want_older()

    def _note_topmost(self) -> None:
        if len(self._index):
            self._topmost = self._index.sequences[max(0, self._index.at_line(round(self.scroll_y)))]

    def _set_following(self, following: bool) -> None:
        if following:
            self._at = None
        if following and not self.following:
            self._tell(self.FollowsAgain)
        if following != self.following:
            self._seen = self._index.ahead - 1
            self._note_topmost()
            self.following = following
            self.refresh()
            self.post_message(self.Changed())

    def want_older(self, wanted: float | None = None) -> None:
        """Ask for records from before the first one."""
        first = self.store.get(self.store.first)
        if first is not None and self._index.done_above:
            begin = first.time
            self._tell(lambda: self.WantsOlder(begin, wanted))

    def _tell(self, message: Callable[[], Message]) -> None:
        """Post it from here, whoever has called: Textual takes a message that was made in the pane's own handler for
        the pane's, and lets it go no further up.
        """

        def post() -> None:
            self.post_message(message())

        self.call_later(post)

    def reading_back(self, reading: bool) -> None:
        """Older records are being read, or not any more."""
        self.is_reading_back = reading
        self.post_message(self.Changed())

    def older_came(self) -> None:
        """Records from before the first one are there now."""

    # --- drawing -----------------------------------------------------------------------------------------------

    def draw_line(self, y: int) -> Strip:
        width = self.room
        line = y + self.scroll_offset.y
        place = self._index.at_line(line) if line < self._index.height else -1
        record = self.store.get(self._index.sequences[place]) if 0 <= place < len(self._index) else None
        if record is None:
            nothing = y == 0 and self.filter and self.looked.is_set() and not len(self._index)
            return self.strip([(_NOTHING, "quiet")], width) if nothing else Strip.blank(width, self.rich_style)
        under = self.style_of("cursor") if record.sequence == self._at and self.has_focus else None
        # a flood repaints all lines four times a second: each change of style costs some twenty bytes
        return self.strip(list(self._spans(record, line - self._index.line_of(place))), width, under).simplify()

    def _spans(self, record: LogRecord, inside: int) -> Iterator[Span]:
        marked = bool(self.marks) and any(one in self.marks for one in self.behind(record))
        if self.reading and record.source != GAP:
            spans = self._read_spans(record, inside, marked)
        else:
            spans = spans_of(record, inside, self.room, self.wrapped, self.clock, marked)
        if self.sought and record.sequence == self._at and not self.wrapped:
            spans = iter(self._with_match(record, list(spans)))
        for span, searched in spans:
            if searched and self.sought:
                yield from highlighted(span, self._found(span[0]))
            else:
                yield span

    def _with_match(self, record: LogRecord, spans: list[tuple[Span, bool]]) -> list[tuple[Span, bool]]:
        """The line under the cursor; where what is searched for is cut off, or in a line behind it, that piece."""
        if any(searched and self._found(span[0]) for span, searched in spans):
            return spans
        lead = [(span, searched) for span, searched in spans if not searched]
        width = max(10, self.room - sum(cell_len(text) for (text, _), _ in lead))
        try:
            with patience() if self.sought.is_regex else nullcontext():
                piece = excerpt(self.reads.together(record) if self.reading else [record], self.sought, width)
        except TookTooLong:
            piece = ""
        return [*lead, ((cell(piece, width), "ok"), True)] if piece else spans

    def _read_spans(self, record: LogRecord, inside: int, marked: bool) -> Iterator[tuple[Span, bool]]:
        width = max(10, self.room - LEAD)
        if inside:
            yield (" " * LEAD, ""), False
        else:
            yield (f" {self.clock(record.time)}" + ("" if marked else " "), "quiet"), False
            if marked:
                yield ("▌", "mark"), False
        again = self._index.folded.get(record.sequence, ())
        if self.wrapped:
            rows = rows_of(self.reads.text(record, again, 0), width)
            spans = rows[inside] if inside < len(rows) else []
        else:
            spans = self.reads.text(record, again, width)
        for span in spans:
            yield span, True

    def behind(self, record: LogRecord) -> list[int]:
        """The records that this line stands for, by their sequences."""
        if not self.reading:
            return [record.sequence]
        found = []
        for sequence in (record.sequence, *self._index.folded.get(record.sequence, ())):
            request = self.store.requests.at(sequence)
            found += [*(request.members if request else ()), sequence]
        return found

    def _found(self, text: str) -> list[tuple[int, int]]:
        """Where in the text what is searched for stands."""
        try:
            with patience() if self.sought.is_regex else nullcontext():
                return [match.span() for match in self.sought.regex.finditer(text) if match.end() > match.start()]
        except TookTooLong:
            self.sought.match_as_text(TOO_LONG)
            self.post_message(self.Changed())
            return []
