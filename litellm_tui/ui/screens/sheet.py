"""A sheet laid over the console: a title and text to scroll through. The detail and the help are sheets."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from litellm_tui.logs.log_line import clean
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Lines, Row


class Sheet(FilledScreen[None]):
    """Closes on Escape, Enter or q. `paragraphs` is asked anew when the width changes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,question_mark", "close", show=False)]

    def __init__(self, title: str, paragraphs: Callable[[], list[Paragraph]]) -> None:
        super().__init__()
        self._title = title
        self._paragraphs = paragraphs

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(clean(self._title).replace("\n", " "))
            yield Lines(id="sheet-lines")

    def on_mount(self) -> None:
        say_below(self, hint_words(("Esc", "close")))

    def rows(self, width: int) -> list[Row]:
        """The paragraphs."""
        return to_rows(self._paragraphs(), width)

    def action_close(self) -> None:
        self.dismiss(None)
