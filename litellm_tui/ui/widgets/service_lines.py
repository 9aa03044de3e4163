"""The lines of the service pane: no row stands out, and Enter shows the whole service."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from litellm_tui.ui.keys import keys_of
from litellm_tui.ui.widgets.lines import Lines


class ServiceLines(Lines):
    """Posts `Wanted` when all about the service is to be shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.help, show=False) for key in keys_of("service")
    ]

    class Wanted(Message):
        """All about the service."""

    def action_service_detail(self) -> None:
        self.post_message(self.Wanted())
