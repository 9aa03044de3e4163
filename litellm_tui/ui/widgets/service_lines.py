"""The lines of the service pane: no row stands out, and Enter shows the whole service."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.widgets.lines import Lines


class ServiceLines(Lines):
    """Posts `Wanted` when all about the service is to be shown."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("service")

    class Wanted(Message):
        """All about the service."""

    def action_service_detail(self) -> None:
        self.post_message(self.Wanted())
