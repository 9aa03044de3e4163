"""What would be written, to be written or left: the only screens that lead to a change of the operator's files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from litellm_tui.ui.widgets.lines import Lines, Row


class WritingScreen(ModalScreen[bool]):
    """Ends with True when the operator wants it written. Enter alone does not write: it may be held down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write", show=False),
        Binding("escape,q,enter", "close", show=False),
    ]
    WHAT: ClassVar[str]
    ENDING: ClassVar[str]
    LINES: ClassVar[str]

    def rows(self, width: int) -> Iterable[Row]:
        """What is shown, broken to this width."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(self.WHAT)
            box.border_subtitle = Content(self.ENDING)
            yield Lines(id=self.LINES)

    def on_mount(self) -> None:
        self.query_one(Lines).focus()
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        lines = self.query_one(Lines)
        if lines.room:
            lines.show(list(self.rows(lines.room)))

    def action_write(self) -> None:
        self.dismiss(True)

    def action_close(self) -> None:
        self.dismiss(False)
