"""Values written as YAML 1.1, in the style of the file around them."""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import yaml

from litellm_tui.actions.splice.tree import STR, CannotEdit, Document, Node, resolved

# PyYAML looks no farther for the colon of a key
_LONGEST_KEY: Final = 1000
_ESCAPES: Final = {"\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e"}
# PyYAML reads these as text, newer YAML or a reader's eye does not
_DOUBTFUL = re.compile(r"[yYnN]|[-+]?(?:0[oO]?[0-7_]+|\.?\d[\d_.]*(?:[eE][-+]?\d+)?)")
_INDENT_CHOICES: Final = range(1, 9)
_emitter: Any = yaml.emitter.Emitter(io.StringIO(), allow_unicode=True)


@dataclass(frozen=True)
class Style:
    """How a file is written: columns a mapping is indented by, a list below its key, and the quote it prefers."""

    step: int = 2
    dash: int = 2
    quote: str = '"'


def style_of(document: Document) -> Style:
    """The habits that prevail in the file."""
    steps: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    quotes: Counter[str] = Counter()
    pending = [document.root] if document.root else []
    while pending:
        node = pending.pop()
        pending += node.items
        if node.style in ("'", '"'):
            quotes[node.style] += 1
        if node.kind != "mapping" or node.flow or not node.items:
            continue
        column = document.column_of(node)
        for value in node.items[1::2]:
            if value.block_collection and document.first_on_line(value.body):
                (steps if value.kind == "mapping" else dashes)[document.column(value.body) - column] += 1
    step = next((width for width, _ in steps.most_common() if width in _INDENT_CHOICES), 2)
    dash = next((width for width, _ in dashes.most_common() if width in (0, *_INDENT_CHOICES)), step)
    return Style(step, dash, "'" if quotes["'"] > quotes['"'] else '"')


def scalar(value: Any, style: Style, *, flow: bool, quote: str | None = None) -> str:
    """The value on one line; `quote` is kept for a text that had one."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if not isinstance(value, str):
        raise CannotEdit(f"a {type(value).__name__} cannot be written as YAML here")
    analysis = _emitter.analyze_scalar(value)
    safe = analysis.allow_flow_plain if flow else analysis.allow_block_plain
    if quote is None and safe and not analysis.multiline and "\t" not in value and not _DOUBTFUL.fullmatch(value):
        text = Node("scalar", plain=True, value=value)
        if resolved(text) == STR:
            return value
    quote = quote or style.quote
    if quote == "'" and analysis.allow_single_quoted and not analysis.multiline and "\t" not in value:
        return "'" + value.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in value) + '"'


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 wants a point in the mantissa
    return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character in _ESCAPES:
        return "\\" + _ESCAPES[character]
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise CannotEdit("half of a surrogate pair cannot be written in UTF-8")
    if character.isprintable():
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def key(name: Any, style: Style, *, flow: bool, quote: str | None = None) -> str:
    """A mapping key, on one line."""
    text = scalar(name, style, flow=flow, quote=quote)
    if len(text) > _LONGEST_KEY:
        raise CannotEdit("a key this long cannot be written")
    return text


def flow_text(value: Any, style: Style, quote: str | None = None) -> str:
    """The value in flow style: {a: 1, b: [x]}; a quote is kept for the texts of a list too."""
    if isinstance(value, dict):
        pairs = (f"{key(name, style, flow=True)}: {flow_text(item, style)}" for name, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow_text(item, style, quote) for item in value) + "]"
    return scalar(value, style, flow=True, quote=quote)


def block_lines(value: Any, style: Style, column: int, quote: str | None = None) -> list[str]:
    """The lines of a mapping or list that is not empty, each with its indentation."""
    margin = " " * column
    lines: list[str] = []
    if isinstance(value, dict):
        for name, item in value.items():
            head, tail = under_key(item, style, column)
            lines += [f"{margin}{key(name, style, flow=False)}:{head and ' ' + head}", *tail]
        return lines
    for item in value:
        head, tail = in_list(item, style, column + 2, quote)
        lines += [f"{margin}- {head}", *tail]
    return lines


def under_key(value: Any, style: Style, column: int, quote: str | None = None) -> tuple[str, list[str]]:
    """What stands behind the colon of a key at this column, and the lines below it."""
    if isinstance(value, dict | list) and value:
        return "", block_lines(value, style, column + (style.step if isinstance(value, dict) else style.dash), quote)
    return _inline(value, style, quote), []


def in_list(value: Any, style: Style, column: int, quote: str | None = None) -> tuple[str, list[str]]:
    """What stands behind a dash, at this column, and the lines below it."""
    if isinstance(value, dict | list) and value:
        lines = block_lines(value, style, column, quote)
        return lines[0][column:], lines[1:]
    return _inline(value, style, quote), []


def _inline(value: Any, style: Style, quote: str | None) -> str:
    if isinstance(value, dict | list):
        return flow_text(value, style, quote)
    return scalar(value, style, flow=False, quote=quote)
