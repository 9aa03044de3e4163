"""Sends of a line the cells that are to be painted, and not all that its widget has to the left of them.

Textual (8.2) cuts an update on the right only, for which there is no public way: a clock whose last figure changes is
sent whole, and so is every line in which one word is another.
"""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual import _compositor
from textual.strip import Strip


class CroppedUpdate(_compositor.ChopsUpdate):
    """`spans` are `(row, first column, end)`; of each row's strips what lies between them is sent."""

    def render_segments(self, console: Console) -> str:
        """The update as it is written to the terminal."""
        sent: list[str] = []
        last_row = self.spans[-1][0]
        for row, first, after in self.spans:
            for end, (begin, strip) in zip(self.chop_ends[row], self.chops[row].items(), strict=False):
                if strip is None or begin >= after or end <= first:
                    continue
                left, right = max(begin, first) if _is_narrow(strip) else begin, min(end, after)
                if (left, right) != (begin, end):
                    strip = strip.crop(left - begin, right - begin)
                sent += (Control.move_to(left, row).segment.text, strip.render(console))
            if row != last_row:
                sent.append("\n")
        return "".join(sent)


def _is_narrow(strip: Strip) -> bool:
    """Whether each character takes one cell: a wide one that is cut in two would leave a blank."""
    return len(strip.text) == strip.cell_length


def install() -> None:
    """Have Textual send its updates so; where it has none of this kind, nothing is changed."""
    if hasattr(_compositor, "ChopsUpdate"):
        _compositor.ChopsUpdate = CroppedUpdate  # type: ignore[misc]
