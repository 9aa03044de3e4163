"""Asks before the service is stopped or started."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.screens.question import Question
from litellm_tui.ui.widgets.choice import Choice
from litellm_tui.ui.widgets.lines import Lines, Row
from litellm_tui.ui.widgets.unit_name import UnitName


class ConfirmDialog(Question[bool]):
    """Opens on Cancel; ends with True when it is to be done. With a `unit` its name must be typed."""

    YES = "#confirm"

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
                yield Choice("Cancel", id="cancel")
                yield Choice(self._word, id="confirm")

    def rows(self, width: int) -> list[Row]:
        """The question."""
        return to_rows([("", self._question, "ok")], width)

    @on(Button.Pressed, "#cancel")
    def action_leave(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed, "#confirm")
    def _confirm(self) -> None:
        if not self.could_be_read:
            return
        if not self.named:
            self.ask_for_name()
            return
        self.dismiss(True)
