"""What sheets and dialogs have in common: lines that are drawn once they have a size, and when it changes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import ClassVar, Final

from textual.screen import ModalScreen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Button

from litellm_tui.ui.textual_internals import CalmScreen
from litellm_tui.ui.widgets.head import Head
from litellm_tui.ui.widgets.lines import Lines, Row

# keys that come within this time of a screen's opening were typed, or pasted, before it could be read
DEAF_SECONDS: Final = 0.4


class FilledScreen(ModalScreen[ScreenResultType], CalmScreen[ScreenResultType]):
    """Over the console, with one list of lines in it. `FOCUS` selects what has the focus at first."""

    FOCUS: ClassVar[str] = "Lines"

    def __init__(self) -> None:
        super().__init__()
        self._opened = time.monotonic()

    @property
    def could_be_read(self) -> bool:
        """Whether it has been open for long enough that a key is an answer to it."""
        return time.monotonic() - self._opened >= DEAF_SECONDS

    def rows(self, width: int) -> Iterable[Row]:
        """What is shown now, broken to this width."""
        raise NotImplementedError

    @property
    def first_focus(self) -> Widget:
        """What has the focus when it opens."""
        return self.query_one(self.FOCUS)

    def on_mount(self) -> None:
        self.first_focus.focus()
        self.call_after_refresh(self.fill)

    def on_resize(self) -> None:
        self.call_after_refresh(self.fill)

    def label(self, button: str, text: str) -> None:
        """Give a button another label, and the width that it takes."""
        # by query: the screen may have been left in the meantime
        for found in self.query(button).results(Button):
            found.label = text
            # Textual paints a new label in the old width, and cuts it
            found.refresh(layout=True)

    def fill(self) -> None:
        """Draw the lines anew."""
        # by query: the screen may have been left in the meantime
        for lines in self.query(Lines):
            if lines.room and not isinstance(lines, Head):
                lines.show(list(self.rows(lines.room)))
