"""The screen of a console as a terminal draws it: what is painted goes through Rich's colours to pyte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyte
from rich.color import Color as Painted
from rich.color import ColorSystem
from textual.color import Color

from litellm_tui.ui.app import Console
from litellm_tui.ui.contrast import of_number

# pyte's names of the 16 colours, in their order
_NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_SIXTEEN = (*_NAMES, *(f"bright{name}" for name in _NAMES))


class Cell(NamedTuple):
    """One cell: its sign, and the colours in which it is seen."""

    sign: str
    text: Color
    ground: Color
    bold: bool


class Drawn:
    """A picture of the uppermost screen."""

    def __init__(self, app: Console) -> None:
        self._screen = pyte.Screen(*app.size)
        stream = pyte.Stream(self._screen)
        for row, strip in enumerate(app.screen._compositor.render_strips(app.size), start=1):
            stream.feed(f"\x1b[{row};1H{strip.render(app.console)}")

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)

    def row_of(self, words: str) -> int:
        """The first row in which these words stand."""
        found = [number for number, line in enumerate(self._screen.display) if words in line]
        assert found, f"no {words!r} on the screen:\n{self.text}"
        return found[0]

    def cells(self, row: int) -> Iterator[Cell]:
        """The cells of a row, from the left."""
        for column in range(self._screen.columns):
            cell = self._screen.buffer[row][column]
            text, ground = _color(cell.fg, "white"), _color(cell.bg, "black")
            if cell.reverse:
                text, ground = ground, text
            yield Cell(cell.data, text, ground, cell.bold)

    def cells_of(self, words: str) -> list[Cell]:
        """The cells of these words."""
        row = self.row_of(words)
        begin = self._screen.display[row].index(words)
        return list(self.cells(row))[begin : begin + len(words)]


def _color(name: str, default: str) -> Color:
    """The colour of pyte's word for it."""
    name = {"default": default, "bfightmagenta": "brightmagenta"}.get(name, name)
    if name in _SIXTEEN:
        return of_number(_SIXTEEN.index(name), ColorSystem.STANDARD)
    return Color(*Painted.parse(f"#{name}").get_truecolor())
