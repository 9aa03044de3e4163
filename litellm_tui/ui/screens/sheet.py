"""A sheet laid over the console: a title and text to scroll through. The detail and the help are sheets."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from litellm_tui.collectors.logline import clean
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.widgets.lines import Lines


class Sheet(ModalScreen[None]):
    """Closes on Escape, Enter or q. `paragraphs` is asked anew when the width changes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,question_mark", "close", show=False)]

    def __init__(self, title: str, paragraphs: Callable[[], list[Paragraph]]) -> None:
        super().__init__()
        self._title = title
        self._paragraphs = paragraphs

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(clean(self._title).replace("\n", " "))
            box.border_subtitle = Content("Esc closes")
            yield Lines(id="sheet-lines")

    def on_mount(self) -> None:
        self.query_one(Lines).focus()
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        lines = self.query_one(Lines)
        if lines.room:
            lines.show(to_rows(self._paragraphs(), lines.room))

    def action_close(self) -> None:
        self.dismiss(None)
