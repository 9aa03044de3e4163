"""What the terminal shows already, so that only the cells are sent that become others.

A repaint says what a region is to look like, not what has changed in it: a sheet that opens is painted when it is
laid out and once more when it is filled, one that closes paints the screen below it twice, a list whose ages grow
paints all its rows. On a line of 8 KiB a second each whole screen takes two and a half seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.control import Control
from textual.geometry import Size
from textual.strip import Strip

# to move the cursor past equal cells costs as much as to send so many
GAP: Final = 8

Placed = tuple[int, int, Strip]
"""A row, the column at which a strip begins in it, and the strip."""


class PaintedCells:
    """The cells of one terminal, as they were sent; `None` for a cell of which nothing is known.

    A cell is its character with its style. Of a strip with characters that do not take one cell each, a cell is the
    whole strip with a position in it: such a strip is sent as a whole or not at all, since a wide character that is
    cut in two leaves a blank.
    """

    def __init__(self) -> None:
        self._size = Size(0, 0)
        self._rows: list[list[object]] = []

    def forget(self) -> None:
        """Somebody else has written on the terminal, or may have: whatever is painted next is sent."""
        self._rows = [[None] * self._size.width for _ in range(self._size.height)]

    def changes(self, painting: Iterable[Placed], size: Size, console: Console) -> str:
        """What to write so that a terminal of this size, in cells, shows the painting."""
        if size != self._size:
            self._size = size
            self.forget()
        return "".join(
            f"{Control.move_to(column, row).segment.text}{strip.render(console)}"
            for placed in painting
            for row, column, strip in self._differing(*placed)
        )

    def _differing(self, row: int, column: int, strip: Strip) -> Iterator[Placed]:
        """The parts of a strip that are not shown yet; from now on they are."""
        if not 0 <= row < len(self._rows):
            return
        shown = self._rows[row]
        room = self._size.width - column
        if strip.cell_length > room:
            strip = strip.crop(0, room)
        narrow, cells = _cells(strip)
        after = column + len(cells)
        before = shown[column:after]
        if before == cells:
            return
        shown[column:after] = cells
        if not narrow:
            yield row, column, strip
            return
        for begin, end in _runs([old != new for old, new in zip(before, cells, strict=True)]):
            yield row, column + begin, strip.crop(begin, end)


def _cells(strip: Strip) -> tuple[bool, list[object]]:
    """Whether each character of a strip takes one cell, and its cells."""
    if len(strip.text) == strip.cell_length:
        return True, [(character, style) for text, style, _ in strip for character in text]
    segments = tuple(strip)
    return False, [(segments, place) for place in range(strip.cell_length)]


def _runs(differs: list[bool]) -> Iterator[tuple[int, int]]:
    """`(begin, end)` of the stretches that differ; those with a short gap between them are one."""
    begin = end = place = 0
    for different, cells in groupby(differs):
        length = sum(1 for _ in cells)
        if different:
            if end and place - end > GAP:
                yield begin, end
                end = 0
            begin, end = (begin if end else place), place + length
        place += length
    if end:
        yield begin, end
