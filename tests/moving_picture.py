"""Screens of a terminal as one SVG that shows them in turn, by CSS alone: no script, no font, nothing that is fetched.

A line that is the same in several frames is drawn once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

from rich.cells import cell_len
from textual.app import App
from textual.strip import Strip

CELL: Final = (8.4, 17)
"""Width and height of a cell, in units of the picture."""
_SIZE: Final = 14
_MARGIN: Final = 10
_DOWN: Final = 12.5
_COLOURS: Final = ("#c9d1d9", "#0d1117")


class Piece(NamedTuple):
    """Text of one look, `at` a column."""

    at: int
    text: str
    colour: str
    ground: str
    bold: bool = False
    dim: bool = False
    underlined: bool = False


Line = tuple[Piece, ...]
Frame = tuple[Line, ...]


def taken(app: App[int]) -> Frame:
    """What is on the screen now."""
    return tuple(_line(strip) for strip in app.screen._compositor.render_strips())


def _line(strip: Strip) -> Line:
    pieces: list[Piece] = []
    at = 0
    for text, style, control in strip:
        if control:
            continue
        colours = [_COLOURS[0], _COLOURS[1]]
        for place, colour in enumerate((style.color, style.bgcolor) if style else ()):
            if colour is not None and not colour.is_default:
                colours[place] = colour.get_truecolor().hex
        if style and style.reverse:
            colours.reverse()
        look = (bool(style and style.bold), bool(style and style.dim), bool(style and style.underline))
        piece = Piece(at, text, colours[0], colours[1], *look)
        at += cell_len(text)
        if pieces and pieces[-1][2:] == piece[2:]:
            pieces[-1] = pieces[-1]._replace(text=pieces[-1].text + text)
        else:
            pieces.append(piece)
    return tuple(pieces)


def animated(frames: Sequence[Frame], seconds: Sequence[float], size: tuple[int, int]) -> str:
    """The frames, each for so many seconds, over and over; where motion is not wanted the first one stands still."""
    columns, rows = size
    where: dict[tuple[int, Line], list[int]] = {}
    for number, frame in enumerate(frames):
        for row, line in enumerate(frame):
            where.setdefault((row, line), []).append(number)
    grounds = _names((p.ground for f in frames for line in f for p in line), "b")
    looks = _names((_look(p) for f in frames for line in f for p in line if p.text.strip()), "t")
    shows = {tuple(numbers) for numbers in where.values() if len(numbers) < len(frames)}
    turns = {numbers: f"f{place}" for place, numbers in enumerate(sorted(shows))}
    width, height = columns * CELL[0] + 2 * _MARGIN, rows * CELL[1] + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}">',
        "<style>",
        f"text{{font:{_SIZE}px Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}}",
        *(f".{name}{{fill:{colour}}}" for colour, name in grounds.items()),
        *(f".{name}{{{look}}}" for look, name in looks.items()),
        *_turning(turns, seconds),
        "</style>",
        f'<rect width="100%" height="100%" rx="6" fill="{_COLOURS[1]}"/>',
        f'<g transform="translate({_MARGIN} {_MARGIN})">',
    ]
    for (row, line), numbers in where.items():
        drawn = "".join(_drawn(piece, row, grounds, looks) for piece in line)
        if drawn:
            turn = turns.get(tuple(numbers))
            parts.append(f'<g class="{turn}">{drawn}</g>' if turn else f"<g>{drawn}</g>")
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _names(values: Iterable[str], letter: str) -> dict[str, str]:
    return {value: f"{letter}{place}" for place, value in enumerate(dict.fromkeys(values))}


def _look(piece: Piece) -> str:
    look = f"fill:{piece.colour}"
    look += ";font-weight:bold" if piece.bold else ""
    look += ";opacity:.7" if piece.dim else ""
    return look + (";text-decoration:underline" if piece.underlined else "")


def _drawn(piece: Piece, row: int, grounds: dict[str, str], looks: dict[str, str]) -> str:
    drawn, (across, down) = "", CELL
    if piece.ground != _COLOURS[1]:
        wide = cell_len(piece.text) * across
        drawn = (
            f'<rect class="{grounds[piece.ground]}" x="{piece.at * across:g}" y="{row * down}" width="{wide:g}" '
            f'height="{down}"/>'
        )
    text = piece.text.rstrip()
    if not text:
        return drawn
    lead = len(text) - len(text.lstrip())
    text, at = text[lead:], piece.at + lead
    # every machine has letters of another width: each piece is stretched over its cells
    return (
        f'{drawn}<text class="{looks[_look(piece)]}" x="{at * across:g}" y="{row * down + _DOWN:g}" '
        f'textLength="{cell_len(text) * across:g}" lengthAdjust="spacingAndGlyphs">{escape(text, quote=False)}</text>'
    )


def _turning(turns: dict[tuple[int, ...], str], seconds: Sequence[float]) -> Iterable[str]:
    """When the lines of each set of frames are to be seen."""
    whole = sum(seconds)
    begins = [100 * sum(seconds[:number]) / whole for number in range(len(seconds))]
    still = []
    for numbers, name in turns.items():
        steps = []
        for number, begin in enumerate(begins):
            if number == 0 or (number in numbers) != (number - 1 in numbers):
                steps.append(f"{begin:.2f}%{{visibility:{'visible' if number in numbers else 'hidden'}}}")
        yield f"@keyframes {name}{{{''.join(steps)}}}"
        yield f".{name}{{animation:{name} {whole:g}s step-end infinite}}"
        still.append(f".{name}{{animation:none;visibility:{'visible' if 0 in numbers else 'hidden'}}}")
    yield f"@media (prefers-reduced-motion:reduce){{{''.join(still)}}}"
