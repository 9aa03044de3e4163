"""What would be written, to be written or left: the only screens that lead to a change of the operator's files."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.hint_words import say_below
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Lines


class WritingScreen(FilledScreen[bool]):
    """Ends with True when the operator wants it written. Enter alone does not write: it may be held down."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("writing")
    WHAT: ClassVar[str]
    ENDING: ClassVar[str]
    LINES: ClassVar[str]

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(self.WHAT)
            yield Lines(id=self.LINES)

    def on_mount(self) -> None:
        say_below(self, self.ENDING)

    @property
    def patch(self) -> str:
        """What would be written, as a patch; empty where it is none."""
        return ""

    def action_copy(self) -> None:
        """Copy the patch."""
        from litellm_tui.ui.clipboard import CopiesText

        if self.patch and isinstance(host := self.app, CopiesText):
            host.copy_text(self.patch, "copied the patch")

    def action_write(self) -> None:
        self.dismiss(True)

    def action_close(self) -> None:
        self.dismiss(False)
