"""Numbers as bars over several lines: in braille two to a cell, in blocks one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
# the dots of the left and of the right half of a cell, from the bottom up
_DOTS: Final = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
_BLANK: Final = 0x2800


def braille(values: Sequence[int], height: int, *, wide: bool = False) -> list[str]:
    """Bars from the bottom up, the top line first; the largest takes the whole height, and each has a dot at least.

    Two values share a cell, or each has one for itself (`wide`).
    """
    halves = [value for value in values for _ in range(2 if wide else 1)]
    heights = _heights(halves, height * 4)
    if len(heights) % 2:
        heights.append(0)
    return [
        "".join(
            _cell(_half(_DOTS[0], left - 4 * line) + _half(_DOTS[1], right - 4 * line))
            for left, right in zip(heights[::2], heights[1::2], strict=True)
        )
        for line in reversed(range(height))
    ]


def blocks(values: Sequence[int], height: int) -> list[str]:
    """The same in blocks, a cell for each value."""
    return block_lines(_heights(values, height * 8), height)


def block_lines(heights: Sequence[int], height: int) -> list[str]:
    """Bars of so many eighths of a line, over `height` lines, the top line first."""
    return ["".join(_BLOCKS[min(8, max(0, one - 8 * line))] for one in heights) for line in reversed(range(height))]


def _heights(values: Sequence[int], most: int) -> list[int]:
    largest = max(values, default=0)
    return [max(1, round(value / largest * most)) if value else 0 for value in values]


def _cell(dots: int) -> str:
    # some fonts draw the empty cell of braille with rings
    return chr(_BLANK + dots) if dots else " "


def _half(dots: Sequence[int], filled: int) -> int:
    return sum(dots[: max(0, filled)])
