"""Asks before the service is stopped or started."""

from __future__ import annotations

import time
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input

from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.widgets.lines import Lines
from litellm_tui.ui.widgets.unitname import UnitName

# keys that come within this time of the dialog's opening were typed, or pasted, before it could be read
DEAF_SECONDS: Final = 0.4


class ConfirmDialog(ModalScreen[bool]):
    """Opens on Cancel; ends with True when it is to be done. With a `unit` its name must be typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("left,up", "other_button(-1)", show=False),
        Binding("right,down", "other_button(1)", show=False),
    ]

    def __init__(self, word: str, question: str, unit: str = "") -> None:
        """`word` is what it does, such as Stop."""
        super().__init__()
        self._word, self._question, self._unit = word, question, unit
        self._opened = time.monotonic()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -confirm") as box:
            box.border_title = Content(self._word)
            yield Lines(id="dialog-lines")
            if self._unit:
                yield UnitName(self._unit, self._word.lower())
            with Horizontal(id="dialog-buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self._word, id="confirm", compact=True)

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        lines = self.query_one(Lines)
        if lines.room:
            lines.show(to_rows([("", self._question, "ok")], lines.room))

    @on(Input.Submitted)
    def _typed(self) -> None:
        self.query_one("#cancel").focus()

    @on(Button.Pressed, "#cancel")
    def action_close(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed, "#confirm")
    def _confirm(self) -> None:
        if time.monotonic() - self._opened < DEAF_SECONDS:
            return
        if missing := [field for field in self.query(UnitName) if not field.matches]:
            missing[0].focus()
            return
        self.dismiss(True)

    def action_other_button(self, step: int) -> None:
        self.focus_next(Button) if step > 0 else self.focus_previous(Button)
