"""A scroll bar that is painted only when it would look different."""

from __future__ import annotations

from typing import Self

from rich.segment import Segment
from textual.geometry import Region
from textual.scrollbar import ScrollBar, ScrollBarRender


class Bar(ScrollBar):
    """Textual paints every bar of the screen anew with each layout, and one on each step of its list: sixty bytes for
    each of its rows, which is as much as a line of text.
    """

    # what it looked like when it was painted last
    _looked: list[Segment] | None = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if repaint and self._looked is not None and not (regions or layout or recompose):
            # its size and its position change one after the other, and between them it would look different
            self.call_later(self._refresh_if_different)
            return self
        if repaint:
            self._looked = self._looks()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _refresh_if_different(self) -> None:
        looks = self._looks()
        if looks != self._looked:
            self._looked = looks
            super().refresh()

    def _looks(self) -> list[Segment] | None:
        if self.parent is None or not self.size:
            return None
        rendered = self.render()
        if not isinstance(rendered, ScrollBarRender):
            return None
        console = self.app.console
        size = console.options.update(width=self.size.width, height=self.size.height)
        return list(console.render(rendered, size))
