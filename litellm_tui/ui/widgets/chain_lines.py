"""The list of the fallbacks pane, in which rows are marked and drilled."""

from __future__ import annotations

from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import BindingType
from textual.message import Message

from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.widgets.lines import Lines


class ChainLines(Lines):
    """The list of chains, in which groups are marked down. `clearable` says whether Escape has something to clear."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("fallbacks")

    class Marked(Message):
        """The group of the row with this key is to be marked, or not any more; an empty key clears all marks."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Drill(Message):
        """The chain of the row with this key is to be exercised."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    clearable = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "drill" and getattr(self.app, "read_only", False):
            return False
        return super().check_action(action, parameters)

    def action_mark(self) -> None:
        if self.selected:
            self.post_message(self.Marked(self.selected))

    def action_clear_marks(self) -> None:
        if not self.clearable:
            raise SkipAction
        self.post_message(self.Marked(""))

    def action_drill(self) -> None:
        if self.selected:
            self.post_message(self.Drill(self.selected))
