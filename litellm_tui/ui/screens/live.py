"""A screen over the console that goes on showing what is true now."""

from __future__ import annotations

from textual.screen import ModalScreen, ScreenResultType

from litellm_tui.ui.view import View


class LiveScreen(ModalScreen[ScreenResultType]):
    """The console draws it anew with every view while it is the uppermost."""

    def draw(self, view: View) -> None:
        """Show this view."""
        raise NotImplementedError
