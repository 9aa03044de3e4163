"""The line below a list in which words are typed that its rows must have."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, Static


class _Field(Input):
    """What is typed behind the key that ends it, in one packet, goes to whoever has the focus by then."""

    open = False

    async def on_key(self, event: Key) -> None:
        if event.key in ("escape", "enter") and self.open:
            self.open = False
            self.post_message(ListFilter.Ended(self.value if event.key == "enter" else ""))
        elif not self.open:
            self.app.post_message(Key(event.key, event.character))
        else:
            return
        event.stop()
        event.prevent_default()


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
        self._field = _Field(compact=True, select_on_focus=False, placeholder=placeholder)
        # a blinking cursor costs 3.6 KB a second
        self._field.cursor_blink = False

    def compose(self) -> ComposeResult:
        yield Static(Content(" filter: "))
        yield self._field

    def ask(self, value: str) -> None:
        """Open for typing; what is typed from now on goes there."""
        self._field.value = value
        self._field.cursor_position = len(value)
        self.display = self._field.open = True
        # at once: focus() waits its turn, and the next key would still go to the list
        self.screen.set_focus(self._field)
