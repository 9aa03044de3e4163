"""The places of the text that change when a value is replaced, a key renamed or an entry added."""

from __future__ import annotations

import re

from litellm_tui.actions.splice import text as write
from litellm_tui.actions.splice.content import Content, entry_lines
from litellm_tui.actions.splice.locate import Spot, places, shown
from litellm_tui.actions.splice.text import Style
from litellm_tui.actions.splice.tree import Document, Node
from litellm_tui.model.edits import Path

# from, to, and what stands there instead
Change = tuple[int, int, str]

_HEADER = re.compile(r"[|>][0-9+-]*")
_PROPERTY = re.compile(r"[&!]\S*(?:[ \t]+[&!]\S*)?")


def put(document: Document, spot: Spot, content: Content, style: Style) -> list[Change]:
    """Replace the value of an entry; its anchor stays."""
    node, text = spot.value, document.text
    anchor = f"&{node.anchor} " if node.anchor is not None and node.kind != "alias" else ""
    behind = _indicator(document, spot)
    apart = node.missing or text[node.start - 1].isspace() or (spot.parent.flow and not spot.key)
    space = "" if apart else " "
    if spot.parent.flow:
        written = anchor + content.flow(style)
        return [(node.start, node.end, (": " if node.missing else space) + written)]
    if node.missing:
        raise document.error("a key without its colon is not given a value here", node.start)
    same_line = document.line_start(node.body) == document.line_start(behind - 1)
    if spot.key is None or document.explicit(spot.parent, spot.place):
        return _put_item(document, spot, content, style, anchor, space, same_line)
    column = document.column_of(spot.parent)
    if node.block_collection and content.node.kind == node.kind and not same_line:
        offset = document.column(node.body) - column
        style = Style(offset, offset, style.quote)
    head, tail = content.under_key(style, column)
    head = (anchor + head).rstrip()
    newline = document.break_at(node.start)
    below = newline + newline.join(tail) if tail else ""
    lead = " " + head if head else ""
    if node.block_collection:
        if same_line:
            raise document.error("a collection in this form is not replaced here", node.start)
        properties = _PROPERTY.match(text, node.start) if node.start != node.body else None
        above = document.break_before(document.line_start(node.body))
        until = properties.end() if properties else behind
        return [(behind, until, lead), (above, document.line_end(node.end), below)]
    if node.block_scalar:
        header = _HEADER.match(text, node.body)
        assert header is not None
        return [(behind, header.end(), lead), (document.line_end(node.body), node.end, below)]
    if not tail:
        return [(node.start, node.end, space + head)]
    if same_line:
        return [(behind, node.end, lead), (document.line_end(node.end),) * 2 + (below,)]
    if head:
        raise document.error("a value on a line below its key is not replaced here", node.start)
    return [(document.line_start(node.start), node.end, newline.join(tail))]


def _put_item(
    document: Document, spot: Spot, content: Content, style: Style, anchor: str, space: str, same_line: bool
) -> list[Change]:
    node = spot.value
    column = document.column(document.entry_start(spot.parent, spot.place)) + 2
    if not node.empty and not anchor and not (same_line and node.start != node.body):
        column = document.column(node.body)
    head, tail = content.in_list(style, column)
    if anchor and tail:
        raise document.error(f"a block is not put behind &{node.anchor}", node.start)
    newline = document.break_at(node.start)
    below = newline + newline.join(tail) if tail else ""
    if node.block_scalar:
        header = _HEADER.match(document.text, node.body)
        assert header is not None
        return [(node.start, header.end(), anchor + head), (document.line_end(node.body), node.end, below)]
    if node.block_collection:
        one_line = document.line_start(node.body) == document.line_start(node.end)
        return [(node.start, node.end if one_line else document.line_end(node.end), anchor + head + below)]
    return [(node.start, node.end, space + anchor + head), (document.line_end(node.end),) * 2 + (below,)]


def _indicator(document: Document, spot: Spot) -> int:
    """Where the colon or the dash of an entry has been."""
    if spot.key is None:
        return document.entry_start(spot.parent, spot.place) + 1
    return document.skip(spot.key.end) + 1


def rename(document: Document, spot: Spot, name: str, style: Style) -> list[Change]:
    """Replace a key by another, in the quotes that it had."""
    node = spot.key
    if node is None:
        raise document.error("a list item has no name", spot.value.start)
    if places(spot.parent, name):
        raise document.error(f"{name} stands here already", node.start)
    if len(places(spot.parent, node.value)) > 1:
        raise document.error(f"{node.value} stands here more than once: remove the others first", node.start)
    if node.block_scalar or node.anchor in document.aliases:
        raise document.error("a key of this form is not renamed", node.start)
    quote = node.style if node.style in ("'", '"') else None
    return [(node.body, node.end, write.key(name, style, flow=spot.parent.flow, quote=quote))]


def add(document: Document, parent: Node, part: str | int, content: Content, style: Style) -> list[Change]:
    """Add an entry at the end of a collection that has some."""
    if parent.flow:
        return _add_flow(document, parent, part, content, style)
    column = document.column(parent.body)
    last = parent.items[-1]
    gap = 1
    if isinstance(part, int):
        item = parent.items[0]
        if not item.empty and document.line_start(item.start) == document.line_start(parent.body):
            gap = max(1, document.column(item.start) - column - 1)
    at = document.entry_end(last, column)
    newline = document.break_at(at)
    lines = entry_lines(part, content, style, column, gap)
    if _spaced(document, parent):
        lines = ["", *lines]
    return [(at, at, newline + newline.join(lines))]


def begin(document: Document, part: str | int, content: Content, style: Style) -> list[Change]:
    """The first entry of a file that holds nothing but comments."""
    end = len(document.text)
    newline = document.newline
    lines = newline.join(entry_lines(part, content, style, 0)) + newline
    return [(end, end, lines if document.column(end) == 0 else newline + lines)]


def _add_flow(document: Document, parent: Node, part: str | int, content: Content, style: Style) -> list[Change]:
    text = document.text
    if text[parent.body : parent.body + 1] not in ("{", "["):
        raise document.error("a pair within a list takes no further key", parent.start)
    written = content.flow(style)
    if isinstance(part, str):
        written = f"{write.key(part, style, flow=True)}: {written}"
    first = document.entry_start(parent, len(parent.items) // (2 if parent.kind == "mapping" else 1) - 1)
    lead = " "
    if document.first_on_line(first) and first > parent.body:
        lead = document.break_at(parent.body) + text[document.line_start(first) : first]
    end = parent.items[-1].end
    comma = document.skip(end)
    if text[comma : comma + 1] == ",":
        return [(comma + 1, comma + 1, lead + written)]
    return [(end, end, "," + lead + written)]


def _spaced(document: Document, parent: Node) -> bool:
    """Whether the entries stand apart from each other, with blank lines between."""
    count = len(parent.items) // (2 if parent.kind == "mapping" else 1)
    if count < 2 or any(node.block_scalar for node in _last_leaves(parent)):
        return False
    before = parent.items[-3 if parent.kind == "mapping" else -2]
    between = document.text[before.end : document.entry_start(parent, count - 1)]
    # the line that the last entry begins is no blank one
    return any(not line.strip() for line in f"{between}.".splitlines()[1:-1])


def _last_leaves(node: Node) -> list[Node]:
    found = []
    while node.items:
        node = node.items[-1]
        found.append(node)
    return found


def refuse_existing(document: Document, spot: Spot, path: Path) -> None:
    """For an insertion: what is there already is not overwritten."""
    raise document.error(f"{shown(path)} stands in the file already", (spot.key or spot.value).start)
