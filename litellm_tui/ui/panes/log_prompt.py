"""The line below the log in which a filter, a search, a time or a file's name is typed; beside it, what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, Static

from litellm_tui.analysis.log_filter.log_filter import FORM
from litellm_tui.analysis.log_filter.times import FORMS

Purpose = Literal["filter", "search", "jump", "export"]

_PLACEHOLDERS: Final[dict[Purpose, str]] = {
    "filter": f"F1 explains · {FORM}",
    "search": "text, or ~regex",
    "jump": f"a time: {FORMS}",
    "export": "a new file: .jsonl for JSON lines, else text",
}
_TITLES: Final[dict[Purpose, str]] = {
    "filter": "filter", "search": "search", "jump": "to", "export": "export to",
}  # fmt: skip


class _Field(Input):
    """An input that ends with the key that ends it: what is typed behind that, in one packet, is not its own any more.

    A key that an input does not know is asked for all the way up to the app, and the next letter would overtake it.
    """

    open = False

    async def on_key(self, event: Key) -> None:
        if event.key == "f1":
            self.post_message(LogPrompt.Explain())
        elif event.key == "escape":
            self.open = False
            self.post_message(LogPrompt.Abandoned())
        elif event.key == "enter" and self.open:
            self.open = False
            await self.action_submit()
        elif not self.open:
            # whoever has the focus by then
            self.app.post_message(Key(event.key, event.character))
        else:
            return
        event.stop()
        event.prevent_default()


class LogPrompt(Horizontal):
    """Hidden until it is asked for something. Its field posts `Input.Changed` and `Input.Submitted`."""

    class Abandoned(Message):
        """Escape: what was typed is taken back."""

    class Explain(Message):
        """What may be typed here is to be explained."""

    def __init__(self) -> None:
        super().__init__(id="log-prompt")
        self.purpose: Purpose = "filter"
        self.display = False
        self._title = Static("", id="log-prompt-title")
        self._field = _Field(compact=True, select_on_focus=False)
        # a blinking cursor costs 3.6 KB a second
        self._field.cursor_blink = False
        self._error = Static("", id="log-prompt-error")

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._field
        yield self._error

    def ask(self, purpose: Purpose, value: str) -> None:
        """Open for typing; what is typed from now on goes there."""
        self.purpose = purpose
        self._title.update(Content(f" {_TITLES[purpose]}: "))
        self._field.placeholder = _PLACEHOLDERS[purpose]
        self._field.value = value
        self._field.cursor_position = len(value)
        self.show_error("")
        self.display = self._field.open = True
        # at once: focus() waits its turn, and the next key would still go to the pane
        self.screen.set_focus(self._field)

    def refuse(self, error: str, words: Callable[[str], Content] = Content) -> None:
        """What was entered is no answer: ask on."""
        self._field.open = True
        self.show_error(error, words)

    def show_error(self, error: str, words: Callable[[str], Content] = Content) -> None:
        """What is wrong with what is typed, beside it."""
        self._error.update(words(f" {error} " if error else ""))
