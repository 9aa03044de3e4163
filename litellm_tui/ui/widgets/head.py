"""What stands above the rows of a list and stays: the names of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from textual.events import Click
from textual.message import Message

from litellm_tui.ui.widgets.lines import Lines, Row


class Head(Lines, can_focus=False):
    """One line, or as many as it is given: none takes no room."""

    _height = 1

    class Clicked(Message):
        """The cell in this column of the screen was clicked."""

        def __init__(self, column: int) -> None:
            super().__init__()
            self.column = column

    def on_click(self, event: Click) -> None:
        self.post_message(self.Clicked(event.x))

    def name_at(self, column: int, names: Iterable[str]) -> str:
        """Which of these names of columns stands in this cell, or beside it; empty for none."""
        text = "".join(text for row in self._rows for text, _ in row.spans)
        spans = [(cell_len(text[:place]), cell_len(name), name) for name in names if (place := text.find(name)) >= 0]
        return next((name for begin, size, name in spans if begin - 1 <= column <= begin + size), "")

    def stand(self, rows: Sequence[Row]) -> None:
        """Show these, in as many lines."""
        if len(rows) != self._height:
            self._height = len(rows)
            self.display = bool(rows)
            self.styles.height = len(rows)
        self.show(rows)
