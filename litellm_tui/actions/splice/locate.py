"""Where a path leads in a tree, and what must not be changed there because something else depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from litellm_tui.actions.splice.tree import Document, Node
from litellm_tui.model.edits import Path


@dataclass(frozen=True, slots=True)
class Spot:
    """An entry of a collection, by its place in it."""

    parent: Node
    place: int

    @property
    def key(self) -> Node | None:
        return self.parent.items[self.place * 2] if self.parent.kind == "mapping" else None

    @property
    def value(self) -> Node:
        return self.parent.items[self.place * 2 + 1 if self.parent.kind == "mapping" else self.place]


def shown(path: Path) -> str:
    """The path as it is said to a human."""
    return ".".join(str(part) for part in path) or "the whole file"


def find(document: Document, path: Path, occurrence: int = -1) -> Spot:
    """The entry at the path, of a duplicated key the last one, as PyYAML takes it.

    Raises `CannotEdit` where there is none, and where it is written elsewhere: behind an alias or a merge key.
    """
    spot, rest = reach(document, path, occurrence)
    if rest or spot is None:
        where = spot.value if spot else document.root
        missing = path[: len(path) - len(rest) + 1]
        raise document.error(f"there is no {shown(missing)} in the file", where.start if where else 0)
    return spot


def reach(document: Document, path: Path, occurrence: int = -1) -> tuple[Spot | None, Path]:
    """The deepest entry on the way that exists, and what is left of the path; None stands for the top."""
    spot: Spot | None = None
    node = document.root
    for depth, part in enumerate(path):
        rest = path[depth:]
        if node is None:
            return spot, rest
        if node.kind == "alias":
            why = f"{shown(path[:depth])} is the alias *{node.anchor}: change it where &{node.anchor} stands"
            raise document.error(why, node.start)
        if node.anchor in document.aliases:
            why = f"{shown(path[:depth])} is used elsewhere as *{node.anchor}, which would change as well"
            raise document.error(why, node.start)
        place = _place(document, node, part, occurrence if depth == len(path) - 1 else -1)
        if place is None:
            return spot, rest
        spot = Spot(node, place)
        node = spot.value
    return spot, ()


def places(mapping: Node, name: str) -> list[int]:
    """Where a key stands in a mapping: more than once where it is duplicated."""
    return [
        number // 2
        for number in range(0, len(mapping.items), 2)
        if mapping.items[number].kind == "scalar" and mapping.items[number].value == name
    ]


def _place(document: Document, node: Node, part: str | int, occurrence: int) -> int | None:
    if node.kind == "sequence":
        if not isinstance(part, int) or part < 0:
            raise document.error(f"a list stands here, and {part!r} is no place in it", node.start)
        return part if part < len(node.items) else None
    if node.kind != "mapping":
        return None
    name = str(part)
    found = places(node, name)
    if not found:
        _refuse_merged(document, node, name)
        return None
    if not -len(found) <= occurrence < len(found):
        raise document.error(f"{name} stands here {len(found)} times only", node.items[found[-1] * 2].start)
    place = found[occurrence]
    if node.items[place * 2].merge:
        raise document.error("what comes through the merge key << is changed where it is written", node.start)
    return place


def _refuse_merged(document: Document, mapping: Node, name: str) -> None:
    anchored: dict[str, Node] | None = None
    for number in range(0, len(mapping.items), 2):
        key, value = mapping.items[number : number + 2]
        if not key.merge:
            continue
        anchored = anchored or {node.anchor or "": node for node in every(document.root) if _anchored(node)}
        pending, seen = [value], set()
        while pending:
            source = pending.pop()
            source = anchored.get(source.anchor or "", source) if source.kind == "alias" else source
            if id(source) in seen:
                continue
            seen.add(id(source))
            if source.kind == "sequence":
                pending += source.items
            elif source.kind == "mapping":
                if places(source, name):
                    why = f"{name} comes through the merge key <<: change it where it is written"
                    raise document.error(why, key.start)
                pending += [item for at, item in enumerate(source.items) if at % 2 and source.items[at - 1].merge]


def _anchored(node: Node) -> bool:
    return node.anchor is not None and node.kind != "alias"


def every(node: Node | None) -> Iterator[Node]:
    """The node and all below it."""
    pending = [node] if node else []
    while pending:
        found = pending.pop()
        yield found
        pending += found.items


def refuse_referenced(document: Document, node: Node) -> None:
    """Raises `CannotEdit` when an anchor in here is used outside of it."""
    if not document.aliases:
        return
    for inner in every(node):
        if inner.kind != "alias" and inner.anchor is not None:
            for place in document.aliases.get(inner.anchor, ()):
                if not node.start <= place < node.end:
                    raise document.error(f"&{inner.anchor} is used elsewhere as *{inner.anchor}", inner.start)


def plain_null(node: Node) -> bool:
    """Whether a mapping or a list may be begun here: nothing stands here yet."""
    if node.kind == "scalar":
        return node.plain and node.tag is None and node.value in ("", "~", "null", "Null", "NULL")
    return node.kind != "alias" and node.flow and not node.items
