"""What a tree is to be after an edit, and whether a file parsed again is that."""

from __future__ import annotations

import math
from typing import Any

import yaml

from litellm_tui.actions.splice.content import Content
from litellm_tui.actions.splice.locate import Spot, reach
from litellm_tui.actions.splice.text import Style, scalar
from litellm_tui.actions.splice.tree import STR, CannotEdit, Document, Node, resolved
from litellm_tui.model.edits import Path

_TAGS = {bool: "bool", int: "int", float: "float", type(None): "null"}
_constructor: Any = yaml.constructor.SafeConstructor()


def tree_of(value: Any) -> Node:
    """The tree of plain data. Raises `CannotEdit` for what is none: a date, a set, an object."""
    if isinstance(value, dict):
        return Node("mapping", items=[tree_of(part) for pair in value.items() for part in pair])
    if isinstance(value, list):
        return Node("sequence", items=[tree_of(item) for item in value])
    if isinstance(value, str):
        return Node("scalar", tag=STR, value=value)
    kind = _TAGS.get(type(value))
    if kind is None:
        raise CannotEdit(f"a {type(value).__name__} cannot be written as YAML here")
    return Node("scalar", tag=f"tag:yaml.org,2002:{kind}", value=scalar(value, Style(), flow=False))


def data_of(node: Node) -> Any:
    """The plain data of a tree. Raises `CannotEdit` where it has anchors, aliases, merge keys or tags of its own."""
    if node.anchor is not None or node.merge:
        raise CannotEdit("what has anchors, aliases or merge keys is not written anew")
    if node.kind == "sequence" and node.tag is None:
        return [data_of(item) for item in node.items]
    if node.kind == "mapping" and node.tag is None:
        pairs = zip(map(data_of, node.items[::2]), node.items[1::2], strict=True)
        try:
            found = {name: data_of(value) for name, value in pairs}
        except TypeError as error:
            raise CannotEdit("a key that is no plain value is not written anew") from error
        if len(found) * 2 == len(node.items):
            return found
        raise CannotEdit("a mapping with a duplicated key is not written anew")
    try:
        value = _constructor.construct_object(yaml.ScalarNode(resolved(node), node.value))
    except (yaml.YAMLError, ValueError, LookupError, OverflowError, AttributeError, TypeError) as error:
        raise CannotEdit("a value that YAML cannot build is not written anew") from error
    if isinstance(value, str | bool | int | float | None) and not (isinstance(value, float) and math.isnan(value)):
        return value
    raise CannotEdit("a value that is no plain data is not written anew")


def set_value(spot: Spot, content: Content) -> None:
    """The value is replaced, and keeps its anchor."""
    old = spot.value
    if old.kind != "alias" and old.anchor is not None:
        content.node.anchor = old.anchor
    spot.parent.items[spot.place * 2 + 1 if spot.key else spot.place] = content.node


def rename(spot: Spot, name: str) -> None:
    old = spot.parent.items[spot.place * 2]
    spot.parent.items[spot.place * 2] = Node("scalar", anchor=old.anchor, tag=old.tag or STR, value=name)


def remove(spot: Spot) -> None:
    step = 2 if spot.key else 1
    del spot.parent.items[spot.place * step : spot.place * step + step]


def insert(document: Document, path: Path, node: Node) -> None:
    """The entry is added at the end, in collections that are made for it."""
    spot, rest = reach(document, path)
    for part in reversed(rest[1:]):
        node = wrapped(part, node)
    part = rest[0]
    parent = spot.value if spot else document.root
    if parent is None or parent.kind == "scalar":
        made = wrapped(part, node)
        made.anchor = parent.anchor if parent else None
        if spot:
            spot.parent.items[spot.place * 2 + 1 if spot.key else spot.place] = made
        else:
            document.root = made
    elif not parent.items and isinstance(part, int) != (parent.kind == "sequence"):
        raise CannotEdit("a mapping is no list")
    else:
        parent.items += wrapped(part, node).items


def wrapped(part: str | int, node: Node) -> Node:
    """A collection that holds only this."""
    if isinstance(part, int):
        return Node("sequence", items=[node])
    return Node("mapping", items=[Node("scalar", tag=STR, value=part), node])


def same(one: Node | None, other: Node | None) -> bool:
    """Whether two trees are the same value for value: kinds, tags, texts, anchors and the order of all of them."""
    if one is None or other is None:
        return one is other
    pending = [(one, other)]
    while pending:
        a, b = pending.pop()
        if a.kind != b.kind or a.anchor != b.anchor or len(a.items) != len(b.items) or a.value != b.value:
            return False
        if (a.tag, a.plain) != (b.tag, b.plain) and resolved(a) != resolved(b):
            return False
        pending += zip(a.items, b.items, strict=True)
    return True
