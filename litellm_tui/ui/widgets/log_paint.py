"""A record as lines of the log: what is seen of its text, where it is broken, and in which styles.

Only what can be seen is looked at, of a line of a megabyte too; and every character drawn has a width that terminals
agree on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.cells import cell_len, chop_cells

from litellm_tui.model.log import Level, LogRecord
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.widgets.lines import Span, cell

LEVEL_STYLES: Final[dict[Level, str]] = {
    "DEBUG": "quiet",
    "INFO": "quiet",
    "WARNING": "warn",
    "ERROR": "bad",
    "CRITICAL": "bad",
}
SHORT_LEVELS: Final[dict[Level, str]] = {
    "WARNING": "WARN ",
    "CRITICAL": "CRIT ",
    "ERROR": "ERROR",
    "INFO": "INFO ",
    "DEBUG": "DEBUG",
}
GAP: Final = "gap"
"""The source of a record that stands for lines that are missing."""
_SOURCE_WIDTH: Final = 8
# the cursor's bar, time, mark, level and source in front of the text
PREFIX_WIDTH: Final = 1 + 9 + 6 + _SOURCE_WIDTH + 1
# one record is painted over at most so many screen lines; the detail shows all of it
_MOST_WRAPPED: Final = 20
_LONGEST_PAINTED: Final = 4000
# what stands in front of it is cut off
_LONGEST_PREAMBLE: Final = 500
# what LiteLLM puts in front of every failure, on a line where each cell counts; the detail shows it
_PREAMBLE: Final = re.compile(
    r"^litellm\.[\w./:]+\(\)[: -]*(?:Exception occured|Error occurred while trying to do fallbacks) - "
    r"(?:litellm_call_id=\S+ - )?"
)


def body(record: LogRecord) -> str:
    """The text on one line, with a word on the stack trace that the detail shows."""
    begin = record.text[: _LONGEST_PREAMBLE + _LONGEST_PAINTED]
    text = drawable(_PREAMBLE.sub("", begin, count=1)[:_LONGEST_PAINTED].strip("\n").replace("\n", " "))
    return f"{text}  (+{record.stack.count(chr(10)) + 1} lines)" if record.stack else text


def broken(text: str, width: int) -> list[str]:
    """The text over several lines of at most `width` cells, of which the last ones may be left out."""
    if text.isascii():
        return [text[n : n + width] for n in range(0, min(len(text), _MOST_WRAPPED * width), width)] or [""]
    return chop_cells(text[: _MOST_WRAPPED * width], width)[:_MOST_WRAPPED] or [""]


def lines_of(record: LogRecord, room: int) -> int:
    """How many lines a record takes, wrapped to `room` cells."""
    return len(broken(body(record), max(10, room - PREFIX_WIDTH)))


def spans_of(
    record: LogRecord, inside: int, room: int, wrapped: bool, clock: Callable[[float], str], marked: bool
) -> Iterator[tuple[Span, bool]]:
    """Line number `inside` of a record; with every span, whether what is searched for is to be found in it."""
    text, width = body(record), max(10, room - PREFIX_WIDTH)
    if wrapped:
        parts = broken(text, width)
        text = parts[inside] if inside < len(parts) else ""
    if record.source == GAP:
        yield (f" {clock(record.time)}{'▌' if marked else ' '}– {text} –", "warn"), False
        return
    if inside:
        yield (" " * PREFIX_WIDTH, ""), False
    else:
        yield (f" {clock(record.time)}" + ("" if marked else " "), "quiet"), False
        if marked:
            yield ("▌", "mark"), False
        yield (SHORT_LEVELS[record.level] + " ", LEVEL_STYLES[record.level]), False
        source = broken(drawable(record.source[: 4 * _SOURCE_WIDTH]), _SOURCE_WIDTH)[0]
        yield (source + " " * (_SOURCE_WIDTH + 1 - cell_len(source)), "quiet"), False
    # what is cut off is not drawn, but it would be measured: a character takes a cell, but for accents
    text = text[: 4 * width]
    yield (cell(text, width) if cell_len(text) > width else text, _text_style(record)), True


def highlighted(span: Span, found: Sequence[tuple[int, int]]) -> Iterator[Span]:
    """A span in pieces: what was found in it, from one character to another, stands out."""
    text, style = span
    position = 0
    for begin, end in found:
        yield text[position:begin], style
        yield text[begin:end], "match"
        position = end
    yield text[position:], style


def _text_style(record: LogRecord) -> str:
    if record.status:
        return "bad" if record.status >= 500 else "warn" if record.status >= 400 else "quiet"
    return {"DEBUG": "quiet", "INFO": "ok", "WARNING": "ok"}.get(record.level, "strong")
