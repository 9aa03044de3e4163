"""A sheet laid over the console: a title and text to scroll through. The detail and the help are sheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key

from litellm_tui.logs.log_line import clean
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Lines, Row


class Offer(NamedTuple):
    """A key, in Textual's names and as a person reads it, its word, and what it does."""

    keys: tuple[str, ...]
    shown: str
    word: str
    run: Callable[[], object]


class Sheet(FilledScreen[None]):
    """Closes on Escape, Enter or q. `paragraphs` is asked anew when the width changes."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("sheets")

    def __init__(self, title: str, paragraphs: Callable[[], list[Paragraph]], offers: Sequence[Offer] = ()) -> None:
        """`offers` are what can be done with what it tells of: such a key closes it first."""
        super().__init__()
        self._title = title
        self._paragraphs = paragraphs
        self._offers = offers

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(clean(self._title).replace("\n", " "))
            yield Lines(id="sheet-lines")

    def on_mount(self) -> None:
        self.say_keys()

    def say_keys(self) -> None:
        """What does something here, in the frame."""
        say_below(
            self, hint_words(*((offer.shown, offer.word) for offer in self._offers), ("y", "copy"), ("Esc", "close"))
        )

    def rows(self, width: int) -> list[Row]:
        """The paragraphs."""
        return to_rows(self._paragraphs(), width)

    def on_key(self, event: Key) -> None:
        """One of the keys that are offered."""
        offer = next((offer for offer in self._offers if event.key in offer.keys), None)
        if offer is not None and self.could_be_read:
            event.stop()
            self.dismiss(None)
            self.app.call_later(offer.run)

    def action_copy(self) -> None:
        """All of it."""
        from litellm_tui.ui.clipboard import CopiesText, as_text

        if isinstance(host := self.app, CopiesText):
            host.copy_text(as_text(self._title, self._paragraphs()), "copied all of it")

    def action_close(self) -> None:
        self.dismiss(None)
