"""The line into which the unit's name is typed before something is done to it in production."""

from __future__ import annotations

from textual.widgets import Input


class UnitName(Input):
    """Holds what was typed; `matches` when it is the name."""

    def __init__(self, unit: str, what: str) -> None:
        super().__init__(placeholder=f"type {unit} to {what} it", compact=True, max_length=200, select_on_focus=False)
        self.wanted = unit
        # a blinking cursor costs 3.6 KB a second
        self.cursor_blink = False

    @property
    def matches(self) -> bool:
        """Whether it was typed as it is."""
        return self.value.strip() == self.wanted
