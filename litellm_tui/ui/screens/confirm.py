"""Asks before the service is stopped or started."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input

from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Lines, Row
from litellm_tui.ui.widgets.unit_name import UnitName


class ConfirmDialog(FilledScreen[bool]):
    """Opens on Cancel; ends with True when it is to be done. With a `unit` its name must be typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("left,up", "other_button(-1)", show=False),
        Binding("right,down", "other_button(1)", show=False),
    ]
    FOCUS = "#cancel"

    def __init__(self, word: str, question: str, unit: str = "") -> None:
        """`word` is what it does, such as Stop."""
        super().__init__()
        self._word, self._question, self._unit = word, question, unit

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -confirm") as box:
            box.border_title = Content(self._word)
            yield Lines(id="dialog-lines")
            if self._unit:
                yield UnitName(self._unit, self._word.lower())
            with Horizontal(id="dialog-buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self._word, id="confirm", compact=True)

    def rows(self, width: int) -> list[Row]:
        """The question."""
        return to_rows([("", self._question, "ok")], width)

    @on(Input.Submitted)
    def _typed(self) -> None:
        self.query_one("#cancel").focus()

    @on(Button.Pressed, "#cancel")
    def action_close(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed, "#confirm")
    def _confirm(self) -> None:
        if not self.could_be_read:
            return
        if missing := [field for field in self.query(UnitName) if not field.matches]:
            missing[0].focus()
            return
        self.dismiss(True)

    def action_other_button(self, step: int) -> None:
        self.focus_next(Button) if step > 0 else self.focus_previous(Button)
