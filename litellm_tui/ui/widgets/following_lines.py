"""The lines of a pane that describes what is selected in another one: they scroll, and none can be selected."""

from __future__ import annotations

from textual.message import Message

from litellm_tui.ui.widgets.lines import Lines


class FollowingLines(Lines):
    """Enter is about what they describe."""

    class Wanted(Message):
        """All about it is to be shown."""

    def action_open(self) -> None:
        self.post_message(self.Wanted())
