"""The line below a list in which words are typed that its rows must have."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from litellm_tui.ui.hint_words import framed, hint_words
from litellm_tui.ui.widgets.typed_field import TypedField


class ListFilter(Horizontal):
    """Hidden until it is asked. Its field posts `Input.Changed`; `Ended` has what is kept, nothing after Escape."""

    class Ended(Message):
        """Enter or Escape."""

        def __init__(self, typed: str) -> None:
            super().__init__()
            self.typed = typed

    def __init__(self, placeholder: str = "words in name, model, address or state") -> None:
        super().__init__(classes="list-filter")
        self.display = False
        self._field = TypedField(
            {
                "enter": lambda: self.post_message(self.Ended(self._field.value)),
                "escape": lambda: self.post_message(self.Ended("")),
            },
            placeholder=placeholder,
        )

    def compose(self) -> ComposeResult:
        yield Static(Content(" filter: "))
        yield self._field
        yield Static(framed(self.app, f" {hint_words(('Enter', 'keep'), ('Esc', 'clear'))} "))

    def ask(self, value: str) -> None:
        """Open for typing; what is typed from now on goes there."""
        self.display = True
        self._field.ask(value)
