"""A name in no more cells than there are for it."""

from __future__ import annotations

from rich.cells import cell_len

from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.widgets.lines import middle


def shortened(text: str, width: int) -> str:
    """The text as it is drawn, without blanks behind it; cut in the middle where it takes more than `width` cells."""
    drawn = drawable(text)
    return middle(drawn, max(width, 1)).rstrip(" ") if cell_len(drawn) > width else drawn
