"""A list of styled lines that renders only what is visible and repaints only what changed.

DataTable repaints widely when one cell changes (22 KB a second for one changing cell): too much for a console that is
left open over SSH.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, NamedTuple, overload

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.actions import SkipAction
from textual.binding import BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from litellm_tui.logs.log_line import clean
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.palette import palette
from litellm_tui.ui.signs import to_ascii
from litellm_tui.ui.textual_internals import turn_into
from litellm_tui.ui.widgets.differing import differing
from litellm_tui.ui.widgets.scroll_bar import AsciiRender, Bar
from litellm_tui.ui.widgets.text_picking import BAR, TextPicking

ASCII_CLASS = "-ascii"
"""The class of the app while it draws with ASCII signs only."""

Span = tuple[str, str]
"""A piece of text and the name of its style in `palette`; no name is plain text."""


class Row(NamedTuple):
    """One line. Rows with a `key` can be selected, and keep the selection when the list changes around them; they begin
    with a blank, in whose place the cursor's bar is drawn.
    """

    spans: tuple[Span, ...]
    key: str = ""
    below: bool = False
    """Whether it goes on with the row above: the cursor stands on both."""


class LazyRows(Sequence[Row]):
    """Rows of which only those on the screen are made: `keys` are the keys of all, `make` gives the row at a place."""

    def __init__(self, keys: Sequence[str], make: Callable[[int], Row]) -> None:
        self.keys = keys
        self._make = make
        self._made: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = range(len(self))[place]
        if number not in self._made:
            self._made[number] = self._make(number)
        return self._made[number]


def cell(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """Text cut or padded to exactly `width` terminal cells; what is cut ends in an ellipsis."""
    text = drawable(text)
    length = cell_len(text)
    if length > width:
        if width <= 1:
            return set_cell_size(text, width)
        cut = set_cell_size(text, width - 1)
        # half of a wide letter is a blank: the mark of the cut stands before it
        cut = cut if text.isascii() else cut.rstrip(" ")
        return cut + ellipsis + " " * (width - 1 - cell_len(cut))
    padding = " " * (width - length)
    return padding + text if right else text + padding


def middle(text: str, width: int, *, ellipsis: str = "…") -> str:
    """Text cut or padded to exactly `width` cells; of what is cut the beginning and the end stay."""
    text = drawable(text)
    length = cell_len(text)
    if length <= width:
        return text + " " * (width - length)
    if width < 5:
        return cell(text, width, ellipsis=ellipsis)
    begin = set_cell_size(text, (width - 1) // 2).rstrip(" ")
    end = width - 1 - cell_len(begin)
    tail = text[-end:]
    while cell_len(tail) > end:
        tail = tail[1:]
    return begin + ellipsis + tail + " " * (end - cell_len(tail))


def with_bar(spans: Sequence[Span]) -> Iterator[Span]:
    """The line under the cursor: a bar at its left edge, where lists leave a cell free; what is quiet drawn plainly."""
    first, *rest = spans or (("", ""),)
    yield BAR, "focus"
    yield first[0][1:], _plainly(first[1])
    for text, name in rest:
        yield text, _plainly(name)


def _plainly(name: str) -> str:
    return "ok" if name == "quiet" else name


class Lines(TextPicking, can_focus=True):
    """Rows with a cursor. Posts `Opened` on Enter and `Moved` when the cursor reaches another row."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("lists")
    keeps_to_first = False
    """Whether the cursor stands on the first row, whichever that is, until somebody has chosen one."""

    class Opened(Message):
        """Enter, or a double click on the row."""

        def __init__(self, lines: Lines, key: str) -> None:
            super().__init__()
            self.lines, self.key = lines, key

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, lines: Lines, key: str) -> None:
            super().__init__()
            self.lines, self.key = lines, key

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._keys: Sequence[str] = ()
        self._cursor = -1
        self._wanted = ""
        self._chosen = False
        self._styles: dict[str, Style] = {}
        self._faded = False

    # --- what it shows -----------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Cells a row may take: the width without the scroll bar, whose place is kept free. 0 before the layout."""
        return self.scrollable_content_region.width if self.size.width else 0

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """Textual's, made frugal."""
        bar = super().vertical_scrollbar
        if not isinstance(bar, Bar):
            turn_into(bar, Bar)
            if self.app.has_class(ASCII_CLASS):
                bar.renderer = AsciiRender  # type: ignore[misc]  # as Textual's documentation says
        return bar

    @property
    def height_of_all(self) -> int:
        """Lines that all its rows take."""
        return len(self._rows)

    @property
    def selected(self) -> str:
        """The key of the row under the cursor, empty when there is none."""
        return self._keys[self._cursor] if 0 <= self._cursor < len(self._keys) else ""

    def text_of(self, key: str) -> str:
        found = self._find(key)
        return "".join(clean(text) for text, _ in self._rows[found].spans).strip() if found is not None else ""

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows. The selected row stays selected and on the same screen line, wherever it went."""
        before, after = self._rows, rows if isinstance(rows, LazyRows) else tuple(rows)
        wanted, self._wanted = self._wanted, ""
        if before == after:
            return
        key, offset = self.selected, self._cursor - self.scroll_offset.y
        self._rows = after
        self._keys = after.keys if isinstance(after, LazyRows) else [row.key for row in after]
        if len(before) != len(after):
            self.virtual_size = Size(self.room, len(after))
        moved = self._nearest(0) if self.keeps_to_first and not self._chosen else self._find(key)
        if moved is None:
            moved = self._nearest(min(max(self._cursor, 0), len(after) - 1))
        # a list that stands at its top stays there and shows what was added, as long as the selection is in sight
        stays = self.scroll_offset.y == 0 and moved < self.size.height
        if moved != self._cursor and key and moved >= 0 and not stays:
            self.scroll_to(y=max(0, moved - offset), animate=False, force=True)
        old_cursor, self._cursor = self._cursor, moved
        # what is out of sight is drawn when it comes into sight
        top = self.scroll_offset.y
        for number in range(top, min(top + self.size.height, max(len(before), len(after)))):
            if (self._head_of(number) in (old_cursor, moved) and old_cursor != moved) or number >= min(
                len(before), len(after)
            ):
                self.refresh_lines(number)
            elif before[number] != after[number]:
                self._refresh_cells(number, before[number], after[number])
        if self.selected != key:
            self.post_message(self.Moved(self, self.selected))
        if (place := self._find(wanted)) is not None:
            self._move_to(place)

    def _refresh_cells(self, number: int, before: Row, after: Row) -> None:
        """Paint what differs between a row and the one that takes its place."""
        ascii_only = self.app.has_class(ASCII_CLASS)
        whole = ascii_only or before.below or after.below
        first, end = (0, None) if whole else differing(before.spans, after.spans)
        width = max(self.virtual_size.width, self.size.width)
        self.refresh(Region(first, number - self.scroll_offset.y, (width if end is None else end) - first, 1))

    def fade(self, faded: bool) -> None:
        """Draw in grey what is neither wrong nor changed: it is old, and must not look current."""
        if faded != self._faded:
            self._faded = faded
            self._styles.clear()
            self.refresh()

    def select(self, key: str) -> None:
        """Put the cursor on the row with this key; if it is not there (yet), when it is shown next."""
        self._chosen = True
        found = self._find(key)
        self._wanted = key if found is None else ""
        if found is not None:
            self._move_to(found)

    def _find(self, key: str) -> int | None:
        return self._keys.index(key) if key and key in self._keys else None

    def _nearest(self, number: int, step: int = 1) -> int:
        """The closest selectable row at or beyond `number`, looking in the direction of `step` first; -1 for none."""
        for direction in (step, -step):
            position = number
            while 0 <= position < len(self._keys):
                if self._keys[position]:
                    return position
                position += direction
        return -1

    def _move_to(self, number: int) -> None:
        if number == self._cursor or number < 0:
            return
        before, self._cursor = self._cursor, number
        self._refresh_item(before)
        self._refresh_item(number)
        self._keep_in_sight(number)
        self.post_message(self.Moved(self, self.selected))

    def _keep_in_sight(self, number: int) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if number < top:
            # headings above the first row come into sight with it
            self.scroll_to(y=0 if self._nearest(0) == number else number, animate=False, force=True)
        elif (end := number + self._height_at(number)) > top + height:
            self.scroll_to(y=end - height, animate=False, force=True)

    def _height_at(self, number: int) -> int:
        """Lines of the item that begins at this one."""
        below = number + 1
        return 2 if 0 < below < len(self._rows) and not self._keys[below] and self._rows[below].below else 1

    def _head_of(self, number: int) -> int:
        """The line at which the item begins that this one is of."""
        return number - 1 if number < len(self._rows) and self._rows[number].below else number

    def _refresh_item(self, number: int) -> None:
        self.refresh_lines(number, self._height_at(number))

    # --- keys --------------------------------------------------------------------------------------------------

    def action_cursor(self, step: int) -> None:
        self._chosen = True
        if self._cursor < 0:
            self.scroll_relative(y=step, animate=False, force=True)
        else:
            self._move_to(self._nearest_beyond(step))

    def _nearest_beyond(self, step: int) -> int:
        position = self._cursor + step
        while 0 <= position < len(self._keys):
            if self._keys[position]:
                return position
            position += step
        return self._cursor

    def action_page(self, pages: int) -> None:
        self._chosen = True
        if self._cursor < 0:
            self.scroll_relative(y=pages * self.size.height, animate=False, force=True)
            return
        wanted = min(max(self._cursor + pages * max(1, self.size.height - 1), 0), len(self._rows) - 1)
        self._move_to(self._nearest(wanted, -1 if pages > 0 else 1))

    def action_top(self) -> None:
        self._chosen = True
        self._move_to(self._nearest(0))
        self.scroll_to(y=0, animate=False, force=True)

    def action_bottom(self) -> None:
        self._chosen = True
        self._move_to(self._nearest(len(self._rows) - 1, -1))
        self.scroll_end(animate=False, force=True)

    def action_open(self) -> None:
        if not self.selected:
            # the key is left to whoever is around it: Enter closes a sheet
            raise SkipAction
        self._chosen = True
        self.post_message(self.Opened(self, self.selected))

    def on_click(self, event: Click) -> None:
        # Textual calls that of the class above as well
        if self._picked_to is None:
            self.clicked(event.y + self.scroll_offset.y, event.chain > 1)

    def clicked(self, number: int, twice: bool) -> None:
        """A click on this line of the whole list selects it, a double one opens it."""
        number = self._head_of(number)
        if 0 <= number < len(self._keys) and self._keys[number]:
            self._chosen = True
            self._move_to(number)
            if twice:
                self.action_open()

    # --- drawing -----------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        self.laid_out()

    def laid_out(self) -> None:
        """The size is another. Textual calls `on_resize` of every class in the line, so this is what is overridden."""
        self.virtual_size = Size(self.room, len(self._rows))
        if self._cursor >= 0:
            self._keep_in_sight(self._cursor)

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self._refresh_item(self._cursor)

    def style_of(self, name: str) -> Style:
        """The rich style of one of the names, in the theme of the moment."""
        found = self._styles.get(name)
        if found is None:
            drawn = "unknown" if self._faded and name in ("ok", "quiet", "strong") else name
            found = self.rich_style + palette(self.app.theme_variables)[drawn] if name else self.rich_style
            self._styles[name] = found
        return found

    def draw_line(self, y: int) -> Strip:
        number = y + self.scroll_offset.y
        width = self.room
        if number >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        under = self.style_of("cursor") if self._head_of(number) == self._cursor and self.has_focus else None
        return self.strip(self._rows[number].spans, width, under)

    def strip(self, spans: Sequence[Span], width: int, under: Style | None = None) -> Strip:
        """Spans as a strip of exactly `width` cells; `under` is a style laid over all of it, such as the cursor's."""
        background = Style(bgcolor=under.bgcolor, reverse=under.reverse or None) if under else Style.null()
        ascii_only = self.app.has_class(ASCII_CLASS)
        segments: list[Segment] = []
        for text, name in with_bar(spans) if under else spans:
            if not text.isprintable():
                # a segment goes to the terminal as it is: what comes from outside may hold escape sequences
                text = clean(text).replace("\n", " ")
            if ascii_only:
                text = to_ascii(text)
            # a match is drawn on a ground of its own, and must be seen under the cursor too
            style = self.style_of(name) if name == "match" else self.style_of(name) + background
            if text:
                segments.append(Segment(text, style))
        rest = self.style_of("") + background
        last = segments[-1].style if segments else None
        if last and last.bgcolor == rest.bgcolor and not (last.reverse or last.underline or last.strike):
            # what is left of the line goes on in the same style: one change less to be sent
            rest = last
        return Strip(segments).adjust_cell_length(width, rest).simplify()
