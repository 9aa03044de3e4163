"""Asks for one line of text: the note on a deployment that is expected to be down."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Lines, Row


class NotePrompt(FilledScreen[str | None]):
    """Enter gives the text, Escape nothing."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("note")
    FOCUS = "Input"

    def __init__(self, title: str, question: str) -> None:
        super().__init__()
        self._title, self._question = title, question

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -note") as box:
            box.border_title = Content(self._title)
            yield Lines(id="dialog-lines")
            field = Input(placeholder="why, until when (may stay empty)", compact=True, max_length=200)
            # a blinking cursor costs 3.6 KB a second
            field.cursor_blink = False
            yield field

    def on_mount(self) -> None:
        self.query_one(Lines).can_focus = False
        say_below(self, hint_words(("Enter", "mark"), ("Esc", "leave")))

    def rows(self, width: int) -> list[Row]:
        """The question."""
        return to_rows([("", self._question, "ok")], width)

    @on(Input.Submitted)
    def _given(self, event: Input.Submitted) -> None:
        self.dismiss(" ".join(event.value.split()))

    def action_abandon(self) -> None:
        self.dismiss(None)
