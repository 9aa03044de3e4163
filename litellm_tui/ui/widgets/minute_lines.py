"""The list of the timeline: a cursor that goes from minute to minute."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.binding import BindingType
from textual.events import Click
from textual.message import Message

from litellm_tui.model.traffic import HOUR
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.widgets.lines import Lines

LEFT_MARGIN: Final = 1
PAGE: Final = 10


class MinuteLines(Lines):
    """Its rows are no list: what moves is the minute, and who draws it is told."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("timeline")

    class Step(Message):
        """Another minute is to be selected: so many later, from the present one."""

        def __init__(self, minutes: int) -> None:
            super().__init__()
            self.minutes = minutes

    class ToMark(Message):
        """The next minute with a mark in this direction is to be selected."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class Column(Message):
        """The minute in this column, from 0, was clicked."""

        def __init__(self, column: int) -> None:
            super().__init__()
            self.column = column

    class Wanted(Message):
        """The log is to be shown at the selected minute."""

    def action_minute(self, step: int) -> None:
        self.post_message(self.Step(step))

    def action_marked_minute(self, step: int) -> None:
        self.post_message(self.ToMark(step))

    def action_top(self) -> None:
        self.post_message(self.Step(-HOUR))

    def action_bottom(self) -> None:
        self.post_message(self.Step(HOUR))

    def action_page(self, pages: int) -> None:
        self.post_message(self.Step(pages * PAGE))

    def action_log_of_minute(self) -> None:
        self.post_message(self.Wanted())

    def on_click(self, event: Click) -> None:
        # Textual calls this of every class in the line; a click on what is no row does nothing in the other
        self.post_message(self.Column(event.x - LEFT_MARGIN))
