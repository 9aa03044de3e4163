"""What is put into a file: new data, lines that are moved, or either below keys that have to be made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from litellm_tui.actions.splice import text as write
from litellm_tui.actions.splice.text import Style
from litellm_tui.actions.splice.tree import CannotEdit, Node


class Content(Protocol):
    """A value to be written. What it is to become in the tree is `node`."""

    node: Node

    def under_key(self, style: Style, column: int) -> tuple[str, list[str]]:
        """What stands behind the colon of a key at this column, and the lines below it."""

    def in_list(self, style: Style, column: int) -> tuple[str, list[str]]:
        """What stands behind a dash, beginning at this column, and the lines below it."""

    def flow(self, style: Style) -> str:
        """The value on one line, to stand within {} or []."""


@dataclass
class Data:
    """Plain data. `quote` is the one of the text that stood there, `flowing` writes it on one line."""

    value: Any
    node: Node
    quote: str | None = None
    flowing: bool = False

    def under_key(self, style: Style, column: int) -> tuple[str, list[str]]:
        if self.flowing:
            return self.flow(style), []
        return write.under_key(self.value, style, column, self.quote)

    def in_list(self, style: Style, column: int) -> tuple[str, list[str]]:
        if self.flowing:
            return self.flow(style), []
        return write.in_list(self.value, style, column, self.quote)

    def flow(self, style: Style) -> str:
        return write.flow_text(self.value, style, self.quote)


@dataclass
class Moved:
    """Bytes from elsewhere: `head` stood behind its colon or dash, `tail` are the lines below.

    `block` says that the tail is a collection of its own lines, whose first column is `base`; otherwise `base` is the
    column of the key. `above` are the comment lines that go with it.
    """

    node: Node
    head: str
    tail: list[str]
    base: int
    block: bool
    above: list[str] = field(default_factory=list)

    def under_key(self, style: Style, column: int) -> tuple[str, list[str]]:
        if self.block:
            column += style.step if self.node.kind == "mapping" else style.dash
        return self.head, shifted(self.tail, column - self.base)

    def in_list(self, style: Style, column: int) -> tuple[str, list[str]]:
        tail = shifted(self.tail, column - self.base)
        if self.block and not self.head and tail and not tail[0].lstrip(" ").startswith("#"):
            return tail[0][column:], tail[1:]
        return self.head, tail

    def flow(self, style: Style) -> str:
        if self.tail or self.node.kind != "scalar":
            raise CannotEdit("lines of their own cannot stand within {} or []")
        return self.head


@dataclass
class Below:
    """Content below a key or a first list item that has to be made for it."""

    part: str | int
    content: Content
    node: Node

    def under_key(self, style: Style, column: int) -> tuple[str, list[str]]:
        return "", self._lines(style, column + (style.dash if isinstance(self.part, int) else style.step))

    def in_list(self, style: Style, column: int) -> tuple[str, list[str]]:
        lines = self._lines(style, column)
        return lines[0][column:], lines[1:]

    def flow(self, style: Style) -> str:
        if isinstance(self.part, int):
            return f"[{self.content.flow(style)}]"
        return f"{{{write.key(self.part, style, flow=True)}: {self.content.flow(style)}}}"

    def _lines(self, style: Style, column: int) -> list[str]:
        return entry_lines(self.part, self.content, style, column)


def entry_lines(part: str | int, content: Content, style: Style, column: int, gap: int = 1) -> list[str]:
    """A mapping entry or a list item at this column; `gap` are the spaces behind a dash."""
    margin = " " * column
    if isinstance(part, int):
        head, tail = content.in_list(style, column + 1 + gap)
        first = f"{margin}-{' ' * gap}{head}" if head else f"{margin}-"
    else:
        head, tail = content.under_key(style, column)
        first = f"{margin}{write.key(part, style, flow=False)}:{head and ' ' + head}"
    above = content.above if isinstance(content, Moved) else []
    return [*(margin + line for line in above), first, *tail]


def shifted(lines: list[str], by: int) -> list[str]:
    """The lines indented by so much more; where less is asked for, only spaces are taken."""
    if by >= 0:
        return [" " * by + line if line.strip() else line for line in lines]
    return [line[min(-by, len(line) - len(line.lstrip(" "))) :] for line in lines]
