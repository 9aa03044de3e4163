"""The line below a list in which words are typed that its rows must have."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from litellm_tui.ui.hint_words import framed, hint_words
from litellm_tui.ui.widgets.typed_field import TypedField


class ListFilter(Horizontal):
    """Hidden until it is asked; `Narrowed` has what is typed so far, or what is kept: nothing after Escape.

    Enter and Escape hide it, and give the focus back to who had it.
    """

    class Narrowed(Message):
        """The rows must have these words."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, placeholder: str = "words in name, model, address or state") -> None:
        super().__init__(classes="list-filter")
        self.display = False
        self._back: Widget | None = None
        self._field = TypedField(
            {"enter": lambda: self._end(self._field.value), "escape": lambda: self._end("")}, placeholder=placeholder
        )

    def compose(self) -> ComposeResult:
        yield Static(Content(" filter: "))
        yield self._field
        yield Static(framed(self.app, f" {hint_words(('Enter', 'keep'), ('Esc', 'clear'))} "))

    def ask(self, value: str) -> None:
        """Open for typing; what is typed from now on goes there."""
        self.display = True
        if self.screen.focused is not self._field:
            self._back = self.screen.focused
        self._field.ask(value)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self.post_message(self.Narrowed(event.value))

    def _end(self, words: str) -> None:
        self.screen.set_focus(self._back)
        self.display = False
        self.post_message(self.Narrowed(words))
