"""The live log: an own scroll view over the record store. Lines are indexed as they come and rendered when visible."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import ClassVar, Final

from rich.cells import cell_len, chop_cells
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from litellm_tui.logstore import RANK, LogStore
from litellm_tui.snapshot import Level, LogRecord
from litellm_tui.ui.keys import keys_of
from litellm_tui.ui.widgets.lines import Lines, Span

LEVELS: Final[tuple[Level, ...]] = ("DEBUG", "INFO", "WARNING", "ERROR")
_LEVEL_STYLES: Final[dict[Level, str]] = {
    "DEBUG": "quiet",
    "INFO": "quiet",
    "WARNING": "warn",
    "ERROR": "bad",
    "CRITICAL": "bad",
}
_SHORT: Final[dict[Level, str]] = {
    "WARNING": "WARN ",
    "CRITICAL": "CRIT ",
    "ERROR": "ERROR",
    "INFO": "INFO ",
    "DEBUG": "DEBUG",
}
# time, level and source in front of the text
_PREFIX_WIDTH: Final = 9 + 6 + 9
# one record is painted over at most so many screen lines; the detail shows all of it
_MOST_WRAPPED: Final = 20
_LONGEST_PAINTED: Final = 4000
# what LiteLLM puts in front of every failure, on a line where each cell counts; the detail shows it
_PREAMBLE: Final = re.compile(
    r"^litellm\.[\w./:]+\(\)[: -]*(?:Exception occured|Error occurred while trying to do fallbacks) - "
    r"(?:litellm_call_id=\S+ - )?"
)


class Pattern:
    """What a person types to filter or search: plain text, any case, or a regex after a leading `~`.

    A regex that does not compile (yet) matches as text; `error` then says why.
    """

    def __init__(self, typed: str) -> None:
        self.typed = typed
        self.error = ""
        pattern = re.escape(typed)
        if typed.startswith("~"):
            pattern = typed[1:]
        try:
            self.regex = re.compile(pattern, re.IGNORECASE)
        except (re.error, RecursionError, OverflowError) as error:
            self.error = str(error)
            self.regex = re.compile(re.escape(typed[1:]), re.IGNORECASE)

    def __bool__(self) -> bool:
        return bool(self.typed.removeprefix("~"))

    def matches(self, record: LogRecord) -> bool:
        """Whether text, source or stack trace hold it."""
        search = self.regex.search
        return bool(search(record.text) or search(record.source) or (record.stack and search(record.stack)))


class LogView(Lines):
    """Follows the newest line until one scrolls up; then it stays, and counts what has come since."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.help, show=False) for key in keys_of("logs")
    ]

    class Changed(Message):
        """Following, filter, level or the count of unseen lines is another."""

    def __init__(self) -> None:
        super().__init__(id="logs-lines")
        self.store: LogStore = LogStore()
        self.clock: Callable[[float], str] = lambda _: "--:--:--"
        self.following = True
        self.wrapped = False
        self.polling = False
        self.level: Level = "INFO"
        self.filter = Pattern("")
        self.sought = Pattern("")
        self.unseen = 0
        self.hidden_polling = 0
        # sequences of the records shown, and with wrapping the line each begins at, counted from a base that only grows
        self._index: list[int] = []
        self._begins: list[int] = []
        self._base = 0
        self._indexed = -1
        self._revision = -1
        self._folds = 0
        self._at = -1
        self._moving = False
        self._sized = Size(0, 0)

    # --- taking in records -------------------------------------------------------------------------------------

    def take(self, store: LogStore) -> None:
        """Index what has come, drop what has gone, and repaint if anything visible is another."""
        if store is not self.store:
            self.store = store
            self._rebuild()
        if store.revision == self._revision or not self.room:
            return
        self._revision = store.revision
        gone = self._forget()
        new = self._append()
        if store.folds != self._folds:
            # a traceback was folded into a record that is already shown
            self._folds = store.folds
            self.refresh()
        if not new and not gone:
            return
        self._resize()
        if self.following:
            self._jump(self._height())
            self.refresh()
        else:
            self.unseen += new
            if gone:
                self._jump(max(0, round(self.scroll_y) - gone))
        self.post_message(self.Changed())

    def _append(self) -> int:
        new = 0
        for record in self.store.since(self._indexed + 1):
            if self._shows(record):
                self._begins.append(self._end())
                self._index.append(record.sequence)
                self._last_height = self._lines_of(record)
                new += 1
            elif record.own:
                self.hidden_polling += 1
        self._indexed = self.store.last
        return new

    def _forget(self) -> int:
        """Take out the records that the store has dropped; returns the number of lines that went."""
        gone = 0
        while gone < len(self._index) and self._index[gone] < self.store.first:
            gone += 1
        if not gone:
            return 0
        before = self._base
        self._base = self._begins[gone] if gone < len(self._begins) else self._end()
        del self._index[:gone]
        del self._begins[:gone]
        return self._base - before

    def _rebuild(self) -> None:
        """Index everything anew: the filter, the width or the store is another. The record in sight stays in sight."""
        anchor = self._anchor()
        self._index, self._begins, self._base = [], [], 0
        self._indexed, self._revision, self.hidden_polling, self._last_height = -1, -1, 0, 1
        if not self.room:
            return
        self._append()
        self._revision = self.store.revision
        self._resize()
        if self.following or anchor < 0:
            self._jump(self._height())
            # a scroll bar that comes or goes changes the height only after this
            self.call_after_refresh(self._stick)
        else:
            position = min(bisect_right(self._index, anchor), len(self._index)) - 1
            self._jump(self._begins[position] - self._base if position >= 0 else 0)
        self.refresh()
        self.post_message(self.Changed())

    def _stick(self) -> None:
        if self.following:
            self._jump(self._height())

    def _shows(self, record: LogRecord) -> bool:
        if record.own and not self.polling:
            return False
        return RANK[record.level] >= RANK[self.level] and (not self.filter or self.filter.matches(record))

    def _anchor(self) -> int:
        """The record at the top of what is seen, or under the cursor."""
        if self._at >= 0:
            return self._at
        position = self._position(self.scroll_offset.y)
        return self._index[position] if 0 <= position < len(self._index) else -1

    # --- geometry ----------------------------------------------------------------------------------------------

    _last_height = 1

    def _end(self) -> int:
        return self._begins[-1] + self._last_height if self._begins else self._base

    def _height(self) -> int:
        return self._end() - self._base

    def _position(self, line: int) -> int:
        """The place in the index of the record that covers this line."""
        return bisect_right(self._begins, line + self._base) - 1

    def _lines_of(self, record: LogRecord) -> int:
        if not self.wrapped:
            return 1
        return len(self._chopped(_body(record)))

    def _chopped(self, text: str) -> list[str]:
        return chop_cells(text, max(10, self.room - _PREFIX_WIDTH))[:_MOST_WRAPPED] or [""]

    def _resize(self) -> None:
        self.virtual_size = Size(self.room, self._height())

    def _jump(self, line: int) -> None:
        self._moving = True
        self.scroll_to(
            y=min(line, max(0, self._height() - self.size.height)), animate=False, immediate=True, force=True
        )
        self._moving = False

    def laid_out(self) -> None:
        self._sized = self.size
        self._rebuild()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        # a pane that is hidden, or being laid out, loses its scroll position: nobody has scrolled
        settled = self.size == self._sized and self.virtual_size.height == self._height()
        if not self._moving and settled:
            self._set_following(round(new_value) >= self._height() - self.size.height)

    def _set_following(self, following: bool) -> None:
        if following:
            self._at, self.unseen = -1, 0
        if following != self.following:
            self.following = following
            self.refresh()
            self.post_message(self.Changed())

    # --- keys --------------------------------------------------------------------------------------------------

    def action_follow(self) -> None:
        if self.following:
            self._set_following(False)
        else:
            self._set_following(True)
            self._jump(self._height())

    def action_bottom(self) -> None:
        self._set_following(True)
        self._jump(self._height())

    def action_top(self) -> None:
        if self._index:
            self._go(0)

    def action_cursor(self, step: int) -> None:
        if not self._index:
            return
        if self._at < 0:
            # the first press shows the cursor at the newest line in sight
            last = self._position(self.scroll_offset.y + self.size.height - 1)
            self._go(max(0, min(last, len(self._index) - 1)))
        else:
            self._go(self._place_of(self._at) + step)

    def action_page(self, pages: int) -> None:
        line = round(self.scroll_y) + pages * max(1, self.size.height - 1)
        self._at = -1
        self.scroll_to(y=max(0, line), animate=False, immediate=True, force=True)

    def action_next_match(self, step: int) -> None:
        matches: Callable[[LogRecord], bool] = self.sought.matches if self.sought else _is_error
        begin = (
            self._place_of(self._at) if self._at >= 0 else self._position(self.scroll_offset.y + self.size.height - 1)
        )
        # without a cursor the last line in sight counts as not yet looked at
        position = begin + step if self._at >= 0 or step > 0 else begin
        while 0 <= position < len(self._index):
            record = self.store.get(self._index[position])
            if record is not None and matches(record):
                self._go(position)
                return
            position += step
        what = f"match of {self.sought.typed!r}" if self.sought else "error"
        self.notify(f"no {what} {'below' if step > 0 else 'above'}", markup=False)

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
        self._set_following(True)
        self.set_filter("")
        self._jump(self._height())

    def action_open(self) -> None:
        if self._at < 0:
            self.action_cursor(0)
        if self._at >= 0:
            self.post_message(self.Opened(self, str(self._at)))

    def reveal(self, sequence: int) -> bool:
        """Put the cursor on this record, past whatever hides it; False when it is not kept any more."""
        record = self.store.get(sequence)
        if record is None:
            return False
        if not self._shows(record):
            self.filter, self.level = Pattern(""), "DEBUG"
        self.following = False
        self._at = sequence
        # the pane may have come into sight only now: it is placed once it has its size
        self._rebuild()
        self.call_after_refresh(lambda: self._go(self._place_of(sequence)) if self._index else None)
        return True

    def set_filter(self, typed: str) -> None:
        """Show only records that match."""
        if typed != self.filter.typed:
            self.filter = Pattern(typed)
            self._rebuild()

    def search(self, typed: str) -> None:
        """Highlight what matches, and go to the nearest match above."""
        self.sought = Pattern(typed)
        self.refresh()
        self.post_message(self.Changed())

    def _place_of(self, sequence: int) -> int:
        return max(0, bisect_right(self._index, sequence) - 1)

    def _go(self, position: int) -> None:
        """Put the cursor on a record and bring it into sight."""
        position = max(0, min(position, len(self._index) - 1))
        self.following = False
        self._at = self._index[position]
        line, height = self._begins[position] - self._base, self.size.height
        top = round(self.scroll_y)
        if line < top:
            self._jump(line)
        elif line >= top + height:
            self._jump(line - height + 1)
        self.refresh()
        self.post_message(self.Changed())

    def clicked(self, number: int) -> None:
        position = self._position(number)
        if 0 <= position < len(self._index):
            if self._index[position] == self._at:
                self.action_open()
            else:
                self._go(position)

    # --- drawing -----------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.room
        line = y + self.scroll_offset.y
        position = self._position(line) if line < self._height() else -1
        record = self.store.get(self._index[position]) if 0 <= position < len(self._index) else None
        if record is None:
            return Strip.blank(width, self.rich_style)
        under = self.style_of("cursor") if record.sequence == self._at and self.has_focus else None
        inside = line + self._base - self._begins[position]
        return self.strip(list(self._spans(record, inside)), width, under)

    def _spans(self, record: LogRecord, inside: int) -> Iterator[Span]:
        body = _body(record)
        if self.wrapped:
            body = self._chopped(body)[inside] if inside < len(self._chopped(body)) else ""
        if inside:
            yield " " * _PREFIX_WIDTH, ""
        else:
            style = _LEVEL_STYLES[record.level]
            yield self.clock(record.time) + " ", "quiet"
            yield _SHORT[record.level] + " ", style
            source = record.source[:8]
            yield source + " " * (9 - cell_len(source)), "quiet"
        yield from self._highlighted(body, _text_style(record))

    def _highlighted(self, text: str, style: str) -> Iterator[Span]:
        if not self.sought:
            yield text, style
            return
        position = 0
        for match in self.sought.regex.finditer(text):
            if match.end() > match.start():
                yield text[position : match.start()], style
                yield match.group(), "match"
                position = match.end()
        yield text[position:], style


def _body(record: LogRecord) -> str:
    """The text on one line, with a word on the stack trace that the detail shows."""
    text = _PREAMBLE.sub("", record.text, count=1)
    text = text[:_LONGEST_PAINTED].strip("\n").replace("\n", " ")
    return f"{text}  (+{record.stack.count(chr(10)) + 1} lines)" if record.stack else text


def _text_style(record: LogRecord) -> str:
    if record.status:
        return "bad" if record.status >= 500 else "warn" if record.status >= 400 else "quiet"
    return {"DEBUG": "quiet", "INFO": "ok", "WARNING": "ok"}.get(record.level, "strong")


def _is_error(record: LogRecord) -> bool:
    return RANK[record.level] >= RANK["ERROR"] or record.status >= 500
