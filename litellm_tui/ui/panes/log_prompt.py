"""The line below the log in which a filter, a search, a time or a file's name is typed; beside it, what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from litellm_tui.analysis.log_filter.log_filter import FORM
from litellm_tui.analysis.log_filter.times import FORMS
from litellm_tui.ui.hint_words import framed, hint_words
from litellm_tui.ui.widgets.typed_field import TypedField

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

_HINTS: Final[dict[Purpose, tuple[tuple[str, str], ...]]] = {
    "filter": (("F1", "terms"), ("Enter", "keep"), ("Esc", "clear")),
    "search": (("Enter", "go"), ("Esc", "clear")),
    "jump": (("Enter", "go"), ("Esc", "leave")),
    "export": (("Enter", "write"), ("Esc", "leave")),
}


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
        self._field = TypedField(
            {"enter": self._submit, "escape": lambda: self.post_message(self.Abandoned())},
            {"f1": lambda: self.post_message(self.Explain())},
        )
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
        self.show_error("")
        self.display = True
        self._field.ask(value)

    def _submit(self) -> None:
        self._field.post_message(Input.Submitted(self._field, self._field.value))

    def refuse(self, error: str, words: Callable[[str], Content] = Content) -> None:
        """What was entered is no answer: ask on."""
        self._field.open = True
        self.show_error(error, words)

    def show_error(self, error: str, words: Callable[[str], Content] = Content) -> None:
        """What is wrong with what is typed, beside it; where nothing is, what its keys do."""
        self._error.set_class(not error, "-hint")
        hints = f" {hint_words(*_HINTS[self.purpose])} "
        self._error.update(words(f" {error} ") if error else framed(self.app, hints))
