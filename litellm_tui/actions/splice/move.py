"""An entry lifted out of a file as it is written, to be put down elsewhere."""

from __future__ import annotations

import re

from litellm_tui.actions.splice.content import Moved
from litellm_tui.actions.splice.locate import Spot
from litellm_tui.actions.splice.remove import span
from litellm_tui.actions.splice.tree import BREAKS, Document
from litellm_tui.model.edits import Path

_BREAK = re.compile(f"\r\n|[{BREAKS}]")


def lifted(document: Document, spot: Spot) -> Moved:
    """The bytes of the value, with the comments that belong to the entry."""
    node, text = spot.value, document.text
    start = document.entry_start(spot.parent, spot.place)
    column = document.column(start if spot.key else node.start)
    if spot.parent.flow:
        first, *tail = _BREAK.split(text[node.start : node.end])
        return Moved(node, first, tail, column, block=False)
    top, bottom = span(document, spot)
    above = [line.strip(" ") for line in _BREAK.split(text[top : document.line_start(start)])[:-1]]
    behind = document.skip(spot.key.end) + 1 if spot.key else start + 1
    first, *tail = _BREAK.split(text[behind:bottom])
    if not node.block_collection:
        if not node.block_scalar and not first.strip():
            # a value on a line below its key comes up to it
            first, *tail = _BREAK.split(text[node.start : bottom])
        return Moved(node, first.strip(" \t"), tail, column, block=False, above=above)
    base = document.column(node.body)
    if document.line_start(node.body) == document.line_start(behind - 1):
        first, *tail = _BREAK.split(text[node.body : bottom])
        return Moved(node, "", [" " * base + first, *tail], base, block=True, above=above)
    return Moved(node, first.strip(" \t"), tail, base, block=True, above=above)


def after_removal(path: Path, to: Path) -> Path:
    """Where `to` leads when `path` is gone: list items behind it have moved up."""
    depth = len(path) - 1
    last = path[depth]
    if isinstance(last, int) and to[:depth] == path[:depth] and len(to) > depth:
        place = to[depth]
        if isinstance(place, int) and place > last:
            return (*to[:depth], place - 1, *to[depth + 1 :])
    return to
