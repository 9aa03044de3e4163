"""The ways in which an edit can be made: the places of the text that change, and what is put there."""

from __future__ import annotations

from collections.abc import Iterator

from litellm_tui.actions.splice import expected_tree
from litellm_tui.actions.splice.content import Below, Content, Data, entry_lines
from litellm_tui.actions.splice.locate import find, plain_null, reach, refuse_referenced, shown
from litellm_tui.actions.splice.remove import remove
from litellm_tui.actions.splice.replace import Change, add, begin, put, refuse_existing, rename
from litellm_tui.actions.splice.text import Style
from litellm_tui.actions.splice.tree import CannotEdit, Document, Node
from litellm_tui.model.edits import Edit, Insert, Path, Remove, Rename, SetValue


def ways_of(document: Document, edit: Edit, style: Style) -> Iterator[tuple[Content | None, list[Change]]]:
    """How an edit can be made, the best first."""
    if not edit.path:
        raise CannotEdit("the whole file is not replaced", 1, 1)
    match edit:
        case SetValue(path, value):
            spot = find(document, path)
            node = spot.value
            refuse_referenced(document, node)
            quote = node.style if node.style in ("'", '"') else None
            flowing = node.kind != "alias" and node.flow and bool(node.items)
            content = Data(value, expected_tree.tree_of(value), quote, flowing)
            yield content, put(document, spot, content, style)
        case Rename(path, name):
            yield None, rename(document, find(document, path), name, style)
        case Remove(path, occurrence):
            spot = find(document, path, occurrence)
            refuse_referenced(document, spot.value)
            if spot.key is not None:
                refuse_referenced(document, spot.key)
            if len(spot.parent.items) > (2 if spot.key else 1):
                for changes in remove(document, spot):
                    yield None, changes
            else:
                yield None, _emptied(document, path, spot.parent, style)
        case Insert(path, value):
            node = expected_tree.tree_of(value)
            yield from insertions(document, path, Data(value, node), style)


def _emptied(document: Document, path: Path, parent: Node, style: Style) -> list[Change]:
    """The last entry goes: the collection is written as an empty one."""
    empty = Data({} if parent.kind == "mapping" else [], Node(parent.kind))
    if len(path) > 1:
        return put(document, find(document, path[:-1]), empty, style)
    if parent.flow:
        return [(parent.body, parent.end, "{}" if parent.kind == "mapping" else "[]")]
    end = document.entry_end(parent, document.column(parent.body))
    return [(document.line_start(parent.body), end, "{}" if parent.kind == "mapping" else "[]")]


def insertions(
    document: Document, path: Path, content: Content, style: Style
) -> Iterator[tuple[Content | None, list[Change]]]:
    spot, rest = reach(document, path)
    if not rest:
        assert spot is not None
        refuse_existing(document, spot, path)
    parent = spot.value if spot else document.root
    whole = content
    for number in range(len(rest) - 1, 0, -1):
        whole = _below(document, rest[number], whole)
    part = rest[0]
    if parent is None or (spot is None and plain_null(parent) and parent.kind == "scalar"):
        if not isinstance(part, str):
            raise document.error("the top of the file is a mapping", 0)
        yield content, begin(document, part, whole, style)
    elif parent.kind == "alias" or parent.anchor in document.aliases:
        raise document.error(f"{shown(path[:-1])} is used in more than one place as *{parent.anchor}", parent.start)
    elif plain_null(parent) and (parent.kind == "scalar" or (parent.kind == "sequence") == isinstance(part, int)):
        if spot is None:
            lines = document.newline.join(entry_lines(part, whole, style, 0))
            yield content, [(parent.body, parent.end, lines)]
            yield content, [(parent.body, parent.end, _below(document, part, whole).flow(style))]
        else:
            yield content, put(document, spot, _below(document, part, whole), style)
    elif isinstance(part, str) if parent.kind == "mapping" else part == len(parent.items) and parent.kind == "sequence":
        yield content, add(document, parent, part, whole, style)
    else:
        raise document.error(f"{shown(path)} has no place in what stands here", parent.start)


def _below(document: Document, part: str | int, content: Content) -> Content:
    if isinstance(part, int) and part:
        raise document.error("a list begins at 0", 0)
    return Below(part, content, expected_tree.wrapped(part, content.node))
