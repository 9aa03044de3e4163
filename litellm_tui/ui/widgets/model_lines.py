"""The list of the models pane, whose order can be changed; it says which of its rows are in sight."""

from __future__ import annotations

from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import BindingType
from textual.message import Message

from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.widgets.lines import Lines


class ModelLines(Lines):
    """`clearable` says whether Escape has something to clear."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("models")
    clearable = False
    # what is worst stands first
    keeps_to_first = True

    class Order(Message):
        """The rows are to be in the next order."""

    class Clear(Message):
        """The filter is to be taken away."""

    class Scrolled(Message):
        """Other rows are in sight."""

    def action_order(self) -> None:
        self._chosen = True
        self.post_message(self.Order())

    def action_clear_filter(self) -> None:
        if not self.clearable:
            raise SkipAction
        self.post_message(self.Clear())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())

    def laid_out(self) -> None:
        super().laid_out()
        self.post_message(self.Scrolled())

    @property
    def in_sight(self) -> tuple[int, int]:
        """`(number of the first row with a key that is in sight, that of the last)`, from 1; `(0, 0)` for none."""
        top = self.scroll_offset.y
        before = sum(1 for key in self._keys[:top] if key)
        shown = sum(1 for key in self._keys[top : top + self.size.height] if key)
        return (before + 1, before + shown) if shown else (0, 0)
