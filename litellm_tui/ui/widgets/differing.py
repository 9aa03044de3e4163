"""Where two lines differ, so that no other cell is painted again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len


def differing(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> tuple[int, int | None]:
    """`(first cell, cell after the last)` in which two lines differ; None for the end of the line.

    Only plain ASCII is compared by the character: of any other span the width is all that is known.
    """
    if not all(text.isprintable() for text, _ in (*before, *after)):
        return 0, None
    first = 0
    for (old, old_style), (new, new_style) in zip(before, after, strict=False):
        if (old, old_style) == (new, new_style):
            first += cell_len(new)
            continue
        if old_style == new_style and old.isascii() and new.isascii():
            first += next((n for n, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), 0)
        break
    lengths = [cell_len("".join(text for text, _ in spans)) for spans in (before, after)]
    if lengths[0] != lengths[1]:
        return first, None
    same = 0
    for (old, old_style), (new, new_style) in zip(reversed(before), reversed(after), strict=False):
        if (old, old_style) != (new, new_style):
            break
        same += cell_len(new)
    # what the last span leaves of the line is drawn in that span's style
    return first, max(lengths[1] - same, first + 1) if same else None
