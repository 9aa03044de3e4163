"""The places of the text that go when an entry is removed: its lines, and the comments that belong to it alone."""

from __future__ import annotations

import re
from typing import Final

from litellm_tui.actions.splice.locate import Spot, find, places
from litellm_tui.actions.splice.replace import Change
from litellm_tui.actions.splice.tree import BREAKS, Document, Node
from litellm_tui.model.edits import Remove

# settings that are commented out, and the rulers of headings, belong to nobody
_NOBODYS: Final = re.compile(r"#+\s*(?:- |-$|[\"']?[a-z_][\w./-]*[\"']?:(?:\s|$)|[-=#*~_]{3,}|$)|#{2,}")
_OURS: Final = "litellm-tui:"


def remove(document: Document, spot: Spot) -> list[list[Change]]:
    """Take out an entry that is not alone in its collection: ways to do it, the best first."""
    parent = spot.parent
    start = document.entry_start(parent, spot.place)
    if parent.flow:
        return [_flow(document, parent, spot.place, start)]
    if not document.first_on_line(start):
        return [_compact(document, spot, start)]
    top, bottom = span(document, spot)
    stop = document.next_line(bottom)
    text = document.text
    if bottom == len(text) and top:
        # the line before becomes the last, which has no end either
        return [[(document.break_before(top), bottom, "")], [(top, bottom, "")]]
    before = text[document.line_start(document.break_before(top)) : top] if top else ""
    if not before.strip():
        return [[(top, _past_blank(document, stop), "")], [(top, stop, "")]]
    return [[(top, stop, "")]]


def with_emptied(document: Document, edit: Remove) -> Remove:
    """The removal of the highest entry that this one would leave with nothing in it. The file keeps a top-level key."""
    path, spot = edit.path, find(document, edit.path, edit.occurrence)
    highest = edit.path, edit.occurrence
    while len(path) > 1 and _alone(spot):
        path, spot = path[:-1], find(document, path[:-1])
        if _hides(spot) or (len(path) == 1 and _alone(spot)):
            break
        highest = path, -1
    return Remove(*highest)


def _alone(spot: Spot) -> bool:
    return len(spot.parent.items) == (2 if spot.key else 1)


def _hides(spot: Spot) -> bool:
    """Whether a value of the same key comes to light when this one goes: a duplicate's, or one that is merged in."""
    keys = spot.parent.items[::2]
    return spot.key is not None and (len(places(spot.parent, spot.key.value)) > 1 or any(key.merge for key in keys))


def span(document: Document, spot: Spot) -> tuple[int, int]:
    """From the first of its own comment lines to the end of its last line."""
    start = document.entry_start(spot.parent, spot.place)
    return _comments_above(document, spot, start), document.entry_end(spot.value, document.column(start))


def _comments_above(document: Document, spot: Spot, start: int) -> int:
    top = document.line_start(start)
    column = document.column(start)
    step = 2 if spot.parent.kind == "mapping" else 1
    floor = document.next_line(spot.parent.items[spot.place * step - 1].end) if spot.place else 0
    line = top
    while line > floor:
        above = document.line_start(document.break_before(line))
        text = document.text[above : document.line_end(above)]
        comment = text.lstrip(" \ufeff")
        if above < floor or not comment.startswith("#") or len(text) - len(comment) != column:
            break
        if _NOBODYS.match(comment) and not comment.lstrip("# ").startswith(_OURS):
            # nor what stands above or below it
            return top
        line = above
    return line


def _past_blank(document: Document, index: int) -> int:
    while index < len(document.text) and not document.text[index : document.line_end(index)].strip():
        index = document.next_line(index)
    return index


def _compact(document: Document, spot: Spot, start: int) -> list[Change]:
    """The first entry behind a dash: the next one takes its place, unless it has comments of its own."""
    following = document.entry_start(spot.parent, spot.place + 1)
    end = document.line_end(spot.value.end)
    if "#" in document.text[end:following]:
        return [(start, end, "")]
    return [(start, following, "")]


def _flow(document: Document, parent: Node, place: int, start: int) -> list[Change]:
    text = document.text
    step = 2 if parent.kind == "mapping" else 1
    end = parent.items[place * step + step - 1].end
    comma = document.skip(end)
    if text[comma : comma + 1] == ",":
        stop = comma + 1
        while text[stop : stop + 1] in (" ", "\t"):
            stop += 1
        rest = text[stop : document.line_end(stop)]
        if document.first_on_line(start) and (not rest or rest.startswith("#")) and stop < len(text):
            return [(document.line_start(start), document.next_line(stop), "")]
        if rest.startswith("#") or text[stop : stop + 1] in BREAKS:
            # a line shared with the entry before: its end and what is said there stay
            return [(start, comma + 1, "")]
        return [(start, stop, "")]
    if not place:
        return [(start, end, "")]
    before = parent.items[place * step - 1].end
    if "#" not in text[before:start]:
        return [(before, end, "")]
    separator = document.skip(before)
    return [(separator, separator + 1, ""), (start, end, "")]
