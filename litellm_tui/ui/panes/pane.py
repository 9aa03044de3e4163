"""A framed part of the screen with a list in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region

from litellm_tui.model.failures import Crashed
from litellm_tui.ui.signs import to_ascii
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import ASCII_CLASS, Lines, Row


class Pane(Vertical):
    """Number and name in the frame, the age of what it shows beside it; grey when that is stale.

    A pane shows its part of a `View` and owns no truth: `draw` is all it is told.
    """

    number = 0
    name_shown = ""

    def __init__(self) -> None:
        self._line: Region | None = None
        super().__init__(id=self.name_shown.lower(), classes="pane")
        self.border_title = Content(f"{self.number} {self.name_shown}")
        self.lines = self.make_lines()

    def make_lines(self) -> Lines:
        """The list in it."""
        return Lines(id=f"{self.name_shown.lower()}-lines")

    def compose(self) -> ComposeResult:
        yield self.lines

    def draw(self, view: View) -> None:
        """Show this view."""
        words, stale = self.freshness(view)
        self._subtitle(words)
        self.set_class(stale, "-stale")
        self.lines.fade(stale)
        if self.lines.room:
            self.lines.show(self.rows(view, self.lines.room))

    def fell(self, crash: Crashed) -> None:
        """It could not be drawn: what it shows is older than what is known."""
        self._subtitle(f"not drawn: {crash.error} at {crash.place}")
        self.add_class("-stale")

    def freshness(self, view: View) -> tuple[str, bool]:
        """`(words for the frame, whether it is stale)`."""
        raise NotImplementedError

    def rows(self, view: View, width: int) -> Sequence[Row]:
        """What to show, `width` cells wide."""
        raise NotImplementedError

    def _subtitle(self, words: str) -> None:
        content = self._words(words)
        if self.border_subtitle != content:
            with self._only_the_line(self.outer_size.height - 1):
                self.border_subtitle = content

    def _title(self, words: str) -> None:
        content = self._words(words)
        if self.border_title != content:
            with self._only_the_line(0):
                self.border_title = content

    @contextmanager
    def _only_the_line(self, number: int) -> Iterator[None]:
        """Textual paints the whole pane for other words in its frame: five KB each time a line is counted."""
        self._line = Region(0, number, self.outer_size.width, 1)
        try:
            yield
        finally:
            self._line = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._line is not None and not regions:
            regions = (self._line.translate(-self.content_offset),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _words(self, words: str) -> Content:
        """Words for the frame: never markup, and in ASCII where that is wanted."""
        return Content(to_ascii(words) if self.app.has_class(ASCII_CLASS) else words)
