"""A scroll bar that is painted only when it would look different."""

from __future__ import annotations

from typing import ClassVar, Self

from rich.segment import Segment
from textual.geometry import Region
from textual.scrollbar import ScrollBar, ScrollBarRender


class AsciiRender(ScrollBarRender):
    """Whole cells only: the eighths of a cell are drawn with block characters."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


class Bar(ScrollBar):
    """Textual paints every bar of the screen anew with each layout, and one on each step of its list: sixty bytes for
    each of its rows, which is as much as a line of text.
    """

    # a segment for each row, as it was painted last
    _looked: list[Segment] | None = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if repaint and self._looked is not None and not (regions or layout or recompose):
            # its size and its position change one after the other, and between them it would look different
            self.call_later(self._refresh_what_differs)
            return self
        if repaint:
            self._looked = self._looks()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _refresh_what_differs(self) -> None:
        before, after = self._looked, self._looks()
        self._looked = after
        if before is None or after is None or len(before) != len(after):
            super().refresh()
        elif different := [row for row in range(len(after)) if before[row] != after[row]]:
            super().refresh(*(Region(0, row, self.size.width, 1) for row in different))

    def _looks(self) -> list[Segment] | None:
        if self.parent is None or not self.size:
            return None
        rendered = self.render()
        if not isinstance(rendered, ScrollBarRender):
            return None
        console = self.app.console
        size = console.options.update(width=self.size.width, height=self.size.height)
        return [segment for segment in console.render(rendered, size) if segment.text != "\n"]
