"""What a terminal shows of a theme's colours, and the nearest ones that can be read there.

A terminal of 16 or 256 colours paints each colour as the nearest of its own, in which text may come as near to its
ground as the ground itself. Ratios are those of WCAG 2.1: 1 is no difference, 21 is black on white.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Final

from rich.color import Color as Painted
from rich.color import ColorSystem
from textual.color import Color

TEXT: Final = 4.5
FRAME: Final = 3.0
"""What is read, and what is only to be seen, against what is behind it."""

SYSTEMS: Final = {"standard": ColorSystem.STANDARD, "256": ColorSystem.EIGHT_BIT}
"""Rich's names of the systems in which colours are others than they were written."""

# the 16 as the VGA had them, by which Rich measures which is nearest
_SIXTEEN: Final = tuple(
    Color.parse(text)
    for text in (
        "#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa",
        "#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff",
    )
)  # fmt: skip
# less of it is taken for a grey
_COLOURED: Final = 0.25


@cache
def luminance(color: Color) -> float:
    """Relative luminance, from 0 for black to 1 for white."""
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Color, other: Color) -> float:
    """The ratio between two colours, whichever is the lighter one."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def painted(color: Color, system: ColorSystem | None) -> Color:
    """The colour that a terminal of this system shows in place of it; None shows every colour."""
    if system is None or system not in SYSTEMS.values():
        return color
    found = Painted.from_rgb(*color.rgb).downgrade(system)
    assert found.number is not None
    return of_number(found.number, system)


def readable(color: Color, grounds: Collection[Color], ratio: float, system: ColorSystem | None) -> Color:
    """The colour itself where it is shown with this ratio on all grounds, else the nearest that is.

    A colour is replaced by a colour as long as there is one: what is red does not become grey. Where none reaches the
    ratio it stays as it is.
    """
    return _nearest(color, lambda found: all(contrast(found, ground) >= ratio for ground in grounds), system)


def readable_ground(color: Color, texts: Collection[Color], ratio: float, system: ColorSystem | None) -> Color:
    """The same for a ground on which these texts are read, all in colours that are shown as they are."""
    return _nearest(color, lambda found: all(contrast(text, found) >= ratio for text in texts), system)


def _nearest(color: Color, fits: Callable[[Color], bool], system: ColorSystem | None) -> Color:
    if system is None or system not in SYSTEMS.values():
        return color
    shown, coloured = painted(color, system), _is_coloured(color)
    if fits(shown) and _is_coloured(shown) >= coloured:
        return shown
    found = [candidate for candidate in _stable(system) if fits(candidate)]
    kind = [candidate for candidate in found if _is_coloured(candidate) == coloured]
    return min(kind or found, key=lambda candidate: _distance(candidate, color), default=shown)


def _distance(one: Color, other: Color) -> float:
    return sum((a - b) ** 2 for a, b in zip(one.rgb, other.rgb, strict=True))


def _is_coloured(color: Color) -> bool:
    return colorsys.rgb_to_hls(*color.normalized)[2] > _COLOURED and 0 < luminance(color) < 1


@cache
def _stable(system: ColorSystem) -> tuple[Color, ...]:
    """The colours of a system that are shown as themselves: Rich rounds some of the greys to their neighbours."""
    numbers: Iterable[int] = range(16) if system is ColorSystem.STANDARD else range(16, 256)
    colors = [of_number(number, system) for number in numbers]
    return tuple(color for color in colors if painted(color, system) == color)


def of_number(number: int, system: ColorSystem) -> Color:
    """One of a system's own colours."""
    if system is ColorSystem.STANDARD:
        return _SIXTEEN[number]
    return Color(*Painted.from_ansi(number).get_truecolor())
