"""A question whose yes begins something that is shown as it goes on: what probe and load test have in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widgets import Button

from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.screens.question import Question


class RunDialog(Question[None]):
    """Escape ends what runs, by `cancel`, and keeps what it brought; the next one closes. r asks again.

    `_began` and `_ended` are of the monotonic clock, None before.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("runs")

    def __init__(self, cancel: Callable[[], None]) -> None:
        super().__init__()
        self._cancel = cancel
        self._began: float | None = None
        self._ended: float | None = None
        self._cancelled = False

    @property
    def _is_running(self) -> bool:
        return self._began is not None and self._ended is None

    def action_leave(self) -> None:
        if not self._is_running:
            self.dismiss(None)
            return
        self._cancelled = True
        self._cancel()
        self.ended()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    def ended(self) -> None:
        """No more comes."""
        if self._is_running:
            self._ended = time.monotonic()
            self.label("#cancel", "Close")
            self.say_how()
            self.fill()

    def forget(self) -> None:
        """As it was before it began."""
        self._began = self._ended = None
        self._cancelled = False
        self.label("#cancel", "Cancel")

    def ask_again(self) -> None:
        """The question again."""
        # what is held down is no consent
        self._opened = time.monotonic()
        self.query_one(self.YES, Button).display = True
        self.query_one("#cancel").focus()
        self.say_how()
        self.fill()

    def _tick(self) -> None:
        if self._is_running:
            self.fill()
