"""A fix as a diff, to be written or left: the only screen that changes the operator's file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.widgets.lines import Lines, Row

_STYLES = {"+": "ok", "-": "bad", "@": "mark"}


class FixScreen(ModalScreen[bool]):
    """Ends with True when the operator wants it written. Enter alone does not write: it may be held down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write", show=False),
        Binding("escape,q,enter", "close", show=False),
    ]

    def __init__(self, title: str, decision: str, diff: str) -> None:
        super().__init__()
        self._title = title
        self._decision = decision
        self._diff = diff

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content("Fix")
            box.border_subtitle = Content("w writes it, with a backup · Esc leaves it")
            yield Lines(id="fix-lines")

    def on_mount(self) -> None:
        self.query_one(Lines).focus()
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        lines = self.query_one(Lines)
        if lines.room:
            lines.show(list(self._rows(lines.room)))

    def _rows(self, width: int) -> Iterator[Row]:
        yield from to_rows([("", self._title, "strong")], width)
        if self._decision:
            yield from to_rows([("", f"to be decided: {self._decision}", "warn")], width)
        yield Row((("", ""),))
        for line in self._diff.splitlines():
            style = "quiet" if line.startswith(("+++ ", "--- ")) else _STYLES.get(line[:1], "quiet")
            yield from to_rows([("", line, style)], width)

    def action_write(self) -> None:
        self.dismiss(True)

    def action_close(self) -> None:
        self.dismiss(False)
