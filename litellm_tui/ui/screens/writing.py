"""What would be written, to be written or left: the only screens that lead to a change of the operator's files."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from litellm_tui.ui.hint_words import say_below
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Lines


class WritingScreen(FilledScreen[bool]):
    """Ends with True when the operator wants it written. Enter alone does not write: it may be held down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w,y", "write", show=False),
        Binding("escape,q,enter,n", "close", show=False),
    ]
    WHAT: ClassVar[str]
    ENDING: ClassVar[str]
    LINES: ClassVar[str]

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(self.WHAT)
            yield Lines(id=self.LINES)

    def on_mount(self) -> None:
        say_below(self, self.ENDING)

    def action_write(self) -> None:
        self.dismiss(True)

    def action_close(self) -> None:
        self.dismiss(False)
