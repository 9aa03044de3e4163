"""A YAML file as a tree that knows where each value stands in the text, made from PyYAML's events.

Events, not composed nodes: a node hides where an alias stands and what carries an anchor. libyaml's marks count
characters, as those of the Python loader do, so that an index of the text is what they give.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# PyYAML's composer and LiteLLM's loader give up soon after this
DEEPEST: Final = 250
# what YAML 1.1 takes for the end of a line
BREAKS: Final = "\n\r\x85\u2028\u2029"
_BREAK = re.compile(f"\r\n|[{BREAKS}]")
_TO_BREAK = re.compile(f"[^{BREAKS}]*")
_SEPARATION = re.compile(f"(?:[ \t\ufeff{BREAKS}]|#[^{BREAKS}]*)*")
_PROPERTIES = re.compile(f"(?:[&!][^ \t{BREAKS}]*(?:[ \t\ufeff{BREAKS}]|(?<=[ \t{BREAKS}])#[^{BREAKS}]*)*)*")
_STYLES: Final = ("'", '"', "|", ">")
_COLLECTIONS: Final[dict[Any, Literal["sequence", "mapping"]]] = {
    yaml.SequenceStartEvent: "sequence",
    yaml.MappingStartEvent: "mapping",
}
_ENDS: Final = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
# a list for each of 100,000 scalars takes time
_NONE: Final[Any] = ()
_MERGE: Final = "tag:yaml.org,2002:merge"
STR: Final = "tag:yaml.org,2002:str"
_resolver = yaml.resolver.Resolver()


class CannotEdit(Exception):
    """The edit cannot be made without touching what it must not; `line` and `column` count from 1 (0: unknown)."""

    def __init__(self, why: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"line {line}, column {column}: {why}" if line else why)
        self.why = why
        self.line = line
        self.column = column


@dataclass(slots=True, eq=False)
class Node:
    """A value. `start` counts its anchor and tag in, `body` does not; `end` is where its last character has been.

    An alias has the name it refers to as `anchor`. A mapping's `items` are its keys and values in turn.
    `missing` is a value that not even a colon stands for.
    """

    kind: Literal["scalar", "alias", "sequence", "mapping"]
    start: int = 0
    end: int = 0
    body: int = 0
    anchor: str | None = None
    tag: str | None = None
    plain: bool = False
    value: str = ""
    style: str | None = None
    flow: bool = False
    missing: bool = False
    items: list[Node] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """A scalar of no characters: what `key:` alone leaves."""
        return self.kind == "scalar" and self.plain and not self.value

    @property
    def merge(self) -> bool:
        """The key `<<`, whose values come from somewhere else."""
        return self.kind == "scalar" and self.value == "<<" and resolved(self) == _MERGE

    @property
    def block_scalar(self) -> bool:
        return self.style in ("|", ">")

    @property
    def block_collection(self) -> bool:
        return self.kind in ("sequence", "mapping") and not self.flow


def resolved(node: Node) -> str:
    """The tag that PyYAML's resolver gives a scalar, or the one that is written."""
    if node.tag is not None and node.tag != "!":
        return node.tag
    if node.kind != "scalar" or not node.plain:
        return STR if node.kind == "scalar" else ""
    return str(_resolver.resolve(yaml.ScalarNode, node.value, (True, False)))  # type: ignore[no-untyped-call]  # PyYAML's own


class Document:
    """The text with its tree. `root` is None for a text without any document."""

    def __init__(self, text: str) -> None:
        """Raises `CannotEdit` for what is not exactly one document that PyYAML could compose."""
        self.text = text
        self._lines = [0, *(found.end() for found in _BREAK.finditer(text))]
        first = _BREAK.search(text)
        self.newline = first[0] if first else "\n"
        self.aliases: dict[str, list[int]] = {}
        self.root = self._build()

    def line_start(self, index: int) -> int:
        return self._lines[bisect_right(self._lines, index) - 1]

    def line_end(self, index: int) -> int:
        """The end of the line, before what breaks it."""
        found = _TO_BREAK.match(self.text, index)
        return found.end() if found else index

    def next_line(self, index: int) -> int:
        """Where the next line starts, or the end of the text."""
        number = bisect_right(self._lines, index)
        return self._lines[number] if number < len(self._lines) else len(self.text)

    def column(self, index: int) -> int:
        return index - self.line_start(index)

    def break_before(self, start: int) -> int:
        """Where the break stands that ends the line before the one starting here."""
        return start - (2 if self.text.endswith("\r\n", 0, start) else 1) if start else 0

    def break_at(self, index: int) -> str:
        """How the line of this place is ended, or the lines of the file where it is not."""
        found = _BREAK.match(self.text, self.line_end(index))
        return found[0] if found else self.newline

    def first_on_line(self, index: int) -> bool:
        return not self.text[self.line_start(index) : index].strip(" \t\ufeff")

    def skip(self, index: int) -> int:
        """Past spaces, breaks and comments."""
        found = _SEPARATION.match(self.text, index)
        return found.end() if found else index

    def error(self, why: str, index: int) -> CannotEdit:
        return CannotEdit(why, bisect_right(self._lines, index), self.column(index) + 1)

    def column_of(self, mapping: Node) -> int:
        """Where the keys of a block mapping stand."""
        return self.column(mapping.body)

    def entry_start(self, parent: Node, place: int) -> int:
        """Where an entry of a collection begins: at its `-` or `?`, else at its key or value.

        Searched for from the front: what stands behind the entry before can only be spaces, comments and commas.
        """
        step = 2 if parent.kind == "mapping" else 1
        if not place:
            return parent.body if not parent.flow else self.skip(parent.body + 1)
        end = self.skip(parent.items[place * step - 1].end)
        return self.skip(end + 1) if parent.flow and self.text[end : end + 1] == "," else end

    def entry_end(self, value: Node, column: int) -> int:
        """The end of an entry's last line, of which the comment lines straight below are part that stand deeper than
        the column of its key: settings of its own that are commented out."""
        end = self.line_end(value.end)
        while True:
            following = self.next_line(end)
            text = self.text[following : self.line_end(following)]
            comment = text.lstrip(" ")
            if following <= end or not comment.startswith("#") or len(text) - len(comment) <= column:
                return end
            end = following + len(text)

    def explicit(self, parent: Node, place: int) -> bool:
        """Whether the key is marked by a `?`."""
        start = self.entry_start(parent, place)
        return self.text[start : start + 1] == "?" and start < parent.items[place * 2].start

    def _build(self) -> Node | None:
        open_: list[Node] = []
        root: Node | None = None
        anchors: set[str] = set()
        try:
            events: Iterator[Any] = yaml.parse(self.text, Loader=_Loader)
            for event in events:
                kind = type(event)
                if kind is yaml.ScalarEvent:
                    node = self._scalar(event)
                elif kind in _COLLECTIONS:
                    node = self._collection(event)
                elif kind is yaml.AliasEvent:
                    start = event.start_mark.index
                    node = Node("alias", start, event.end_mark.index, start, event.anchor, items=_NONE)
                    if node.anchor not in anchors:
                        raise self.error(f"*{node.anchor} stands before its anchor, or has none", start)
                    self.aliases.setdefault(event.anchor, []).append(start)
                else:
                    if kind in _ENDS:
                        self._close(open_.pop(), event)
                    continue
                if node.anchor is not None and node.kind != "alias":
                    if node.anchor in anchors:
                        raise self.error(f"the anchor &{node.anchor} is given twice", node.start)
                    anchors.add(node.anchor)
                if open_:
                    parent = open_[-1]
                    parent.items.append(node)
                    if not node.value and node.empty:
                        self._place_empty(parent, node)
                elif root is not None:
                    raise self.error("the file holds more than one document", node.start)
                else:
                    root = node
                if kind in _COLLECTIONS:
                    open_.append(node)
                    if len(open_) > DEEPEST:
                        raise self.error("nested too deeply to be edited", node.start)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            why = f"it is not YAML: {error.problem or error.context}"
            raise CannotEdit(why, mark.line + 1 if mark else 0, mark.column + 1 if mark else 0) from error
        except yaml.reader.ReaderError as error:
            raise CannotEdit(f"it is not YAML: {error.reason}") from error
        return root

    def _scalar(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        body = start
        if event.anchor is not None or event.tag is not None:
            found = _PROPERTIES.match(self.text, start)
            body = found.end() if found else start
        style = event.style if event.style in _STYLES else None
        if style in ("|", ">"):
            end = self._block_end(body, end)
        elif body > end:
            # nothing follows the properties
            body = end
        return Node("scalar", start, end, body, event.anchor, event.tag, style is None, event.value, style, items=_NONE)

    def _collection(self, event: Any) -> Node:
        start, body = event.start_mark.index, event.end_mark.index
        flow = bool(event.flow_style)
        if event.anchor is None and event.tag is None:
            body = start
        elif flow or self.text[body - 1 : body] == "-":
            # the mark stands behind the bracket, or behind the dash of a list that is not indented
            body -= 1
        return Node(_COLLECTIONS[type(event)], start, body, body, event.anchor, event.tag, flow=flow)

    def _block_end(self, body: int, end: int) -> int:
        """The end of a block scalar's last line: the mark stands behind the blank lines that may follow it."""
        header = self.line_end(body)
        text = self.text[header:end]
        if "+" in self.text[body:header].split("#")[0]:
            found = re.search(f"(?:\r\n|[{BREAKS}])\\Z", text)
            return header + found.start() if found and found.start() else end
        unindented = text.rstrip(" ")
        return header + len((unindented if unindented.endswith(tuple(BREAKS)) else text).rstrip(BREAKS))

    def _place_empty(self, parent: Node, node: Node) -> None:
        """An empty value is marked at what comes next; it stands behind its colon or dash."""
        if parent.kind != "mapping" or len(parent.items) % 2 or node.start != node.end:
            return
        key = parent.items[-2]
        colon = self.skip(key.end)
        node.missing = self.text[colon : colon + 1] != ":" or colon >= node.start
        node.start = node.body = node.end = key.end if node.missing else colon + 1

    @staticmethod
    def _close(node: Node, event: Any) -> None:
        if node.flow:
            node.end = event.end_mark.index
        elif node.items:
            node.end = node.items[-1].end
