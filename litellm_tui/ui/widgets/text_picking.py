"""Text that is selected with the mouse, and a line that is copied with a key.

Textual's own selection needs the place of every cell in its style: a line that only moves would be another line to the
terminal, and be sent again.
"""

from __future__ import annotations

from typing import Final

from rich.style import Style
from textual.actions import SkipAction
from textual.events import Click, MouseDown, MouseEvent, MouseMove, MouseUp
from textual.geometry import Offset
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

BAR: Final = "▌"
"""Stands in the first cell of the line under the cursor, so that it is found without colours."""
_PICKED: Final = Style(reverse=True)


class TextPicking(ScrollView):
    """Lines of text: `draw_line` gives one that is in sight, `selected` the key of the row under the cursor."""

    class Copy(Message):
        """All about the row with this key is to be copied."""

        def __init__(self, lines: TextPicking, key: str) -> None:
            super().__init__()
            self.lines, self.key = lines, key

    class Picked(Message):
        """This text was selected with the mouse."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        # cells of the whole list: where the button went down, and where the mouse is while it is held
        self._picked_from: Offset | None = None
        self._picked_to: Offset | None = None

    @property
    def selected(self) -> str:
        """The key of the row under the cursor, empty when there is none."""
        raise NotImplementedError

    def text_of(self, key: str) -> str:
        """The row with this key as it is shown, without its blanks at both ends; empty where it is out of sight."""
        raise NotImplementedError

    def draw_line(self, y: int) -> Strip:
        """The line in sight with this number, without what is selected in it."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        strip = self.draw_line(y)
        begin, end = self._cells(y + self.scroll_offset.y, strip.cell_length)
        if begin >= end:
            return strip
        parts = (strip.crop(0, begin), strip.crop(begin, end).apply_style(_PICKED), strip.crop(end, strip.cell_length))
        return Strip.join([part for part in parts if part.cell_length])

    def _cells(self, number: int, width: int) -> tuple[int, int]:
        """From which cell of this line of the whole list to which one it is selected; none where both are the same."""
        if self._picked_from is None or self._picked_to is None:
            return 0, 0
        first, last = sorted((self._picked_from, self._picked_to), key=lambda cell: (cell.y, cell.x))
        if not first.y <= number <= last.y:
            return 0, 0
        begin = first.x if number == first.y else 0
        return max(0, begin), min(width, last.x + 1 if number == last.y else width)

    @property
    def picked(self) -> str:
        """What is selected of the lines in sight."""
        found = []
        for y in range(self.size.height):
            strip = self.draw_line(y)
            begin, end = self._cells(y + self.scroll_offset.y, strip.cell_length)
            if begin < end:
                found.append(strip.crop(begin, end).text.replace(BAR, " ").rstrip())
        return "\n".join(found).strip("\n")

    def on_mouse_down(self, event: MouseDown) -> None:
        self._picked_from, self._picked_to = self._cell_of(event) if event.button == 1 else None, None

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._picked_from is None or event.button != 1:
            return
        place = self._cell_of(event)
        if self._picked_to is None and place != self._picked_from:
            # also what leaves the list goes on selecting in it
            self.capture_mouse()
        if self._picked_to is not None or place != self._picked_from:
            self._picked_to = place
            self.refresh()

    def on_mouse_up(self, event: MouseUp) -> None:
        if self._picked_to is None:
            self._picked_from = None
            return
        self.release_mouse()
        text, self._picked_from = self.picked, None
        self.refresh()
        if text:
            self.post_message(self.Picked(text))

    def on_click(self, event: Click) -> None:
        """What ends a selection is no click; what is one takes the selection away."""
        if self._picked_to is not None:
            self._picked_to = None
            event.stop()

    def _cell_of(self, event: MouseEvent) -> Offset:
        x, y = event.x, min(max(event.y, 0), max(0, self.size.height - 1))
        return Offset(max(0, x), y + self.scroll_offset.y)

    def action_copy(self) -> None:
        if not self.selected:
            # the key is left to whoever is around it
            raise SkipAction
        self.post_message(self.Copy(self, self.selected))
