"""Charts in cells: curves below each other on one axis of time, with what happened marked on it.

A library for plots in terminals was measured and left (docs/history.md): it draws a frame and an axis for each curve,
which a small screen has no room for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final

from litellm_tui.analysis.bars import block_lines
from litellm_tui.analysis.history.axis import Sign, is_in, signs, ticks
from litellm_tui.analysis.history.panels import Panel, panel_words, value_words
from litellm_tui.analysis.history.spans import Interval
from litellm_tui.model.history import Event

Piece = tuple[str, str]
"""A piece of text and the name of its style."""
Line = tuple[Piece, ...]

LEFT_MARGIN: Final = 1
AXIS_LINES: Final = 2
# a curve has its words in a line, and at least so many lines below them
LEAST: Final = 2
# so many are shown as long as they have room; more only where all of them get so many lines
USUAL: Final = 5
ROOMY: Final = 6
_TICK_CELLS: Final = 12
_EIGHTHS: Final = 8
_GUIDE: Final = "┊"
_WATCHED: Final = "─"
_UNWATCHED: Final = "░"


def columns_in(width: int) -> int:
    """How many columns a chart of so many cells has."""
    return max(1, width - LEFT_MARGIN)


def panels_in(height: int) -> int:
    """How many curves have room in a chart of so many lines."""
    rows = height - AXIS_LINES
    return max(1, min(USUAL, rows // (1 + LEAST)), rows // ROOMY)


def chart_lines(
    panels: Sequence[Panel],
    events: Iterable[Event],
    unwatched: Sequence[Interval],
    span: Interval,
    height: int,
    zone: tzinfo | None = None,
    cursor: int | None = None,
) -> list[Line]:
    """The curves that have room, and below them the axis; as wide as the curves have columns.

    The column of the `cursor` is drawn apart, and the words of a curve tell its value there, else the newest.
    """
    shown = panels[: panels_in(height)]
    if not shown:
        return []
    columns = len(shown[0].columns)
    marked = signs(events, *span, columns)
    rows = max(1, height - AXIS_LINES)
    lines: list[Line] = []
    for number, panel in enumerate(shown):
        # what is left over goes to the first
        bars = rows // len(shown) - 1 + (number < rows % len(shown))
        lines.append(_words(panel, cursor))
        lines += _curve(panel, max(1, bars), marked, cursor)
    return [*lines, _axis(marked, unwatched, span, columns, cursor), _ticks(span, columns, zone)]


def _words(panel: Panel, cursor: int | None) -> Line:
    at = (
        cursor
        if cursor is not None
        else next((place for place in reversed(range(len(panel.columns))) if panel.columns[place] is not None), 0)
    )
    words = panel_words(panel)
    lead = f" {panel.kind.words} "
    value = value_words(panel, panel.columns[at] if at < len(panel.columns) else None)
    room = LEFT_MARGIN + len(panel.columns) - len(lead) - len(value) - 2
    return ((lead, "quiet"), (value, "strong"), (f"  {words}"[: max(0, room + 2)], "quiet"))


def _curve(panel: Panel, height: int, marked: dict[int, Sign], cursor: int | None) -> list[Line]:
    most = 100.0 if panel.kind.how == "share" else panel.most
    whole = height * _EIGHTHS
    heights = [_eighths(value, most, whole) for value in panel.columns]
    found = []
    for place, line in enumerate(block_lines(heights, height)):
        lowest = place == height - 1
        cells = []
        for column, text in enumerate(line):
            style = panel.kind.style
            if text == " ":
                sign = marked.get(column)
                text, style = (_GUIDE, "quiet") if sign and sign.guide else (" ", "")
            elif lowest and panel.columns[column] == 0:
                style = "quiet"
            cells.append((text, "match" if column == cursor else style))
        found.append(_joined(cells))
    return found


def _eighths(value: float | None, most: float, whole: int) -> int:
    """Nothing recorded is nothing, none is a line along the ground, and whatever is more stands out of it."""
    if value is None:
        return 0
    return max(2, round(value / most * whole)) if value > 0 and most > 0 else 1


def _axis(
    marked: dict[int, Sign], unwatched: Sequence[Interval], span: Interval, columns: int, cursor: int | None
) -> Line:
    since, until = span
    cells = []
    for column in range(columns):
        middle = since + (column + 0.5) * (until - since) / columns
        text, style = (_UNWATCHED, "unknown") if is_in(middle, unwatched) else (_WATCHED, "quiet")
        if (sign := marked.get(column)) is not None:
            text, style = sign.text, sign.style
        cells.append((text, "match" if column == cursor else style))
    return _joined(cells)


def _ticks(span: Interval, columns: int, zone: tzinfo | None) -> Line:
    since, until = span
    line = [" "] * columns
    end = -1
    for tick in ticks(since, until, columns // _TICK_CELLS, zone):
        place = min(columns - 1, int((tick.at - since) / (until - since) * columns))
        # a name stands to the right of its column, where it begins
        if place > end and place + len(tick.words) <= columns:
            line[place : place + len(tick.words)] = tick.words
            end = place + len(tick.words)
    return ((" " * LEFT_MARGIN + "".join(line), "quiet"),)


def _joined(cells: Iterable[Piece]) -> Line:
    """Cells of one style beside each other made one."""
    found: list[Piece] = [(" " * LEFT_MARGIN, "")]
    for text, style in cells:
        if found[-1][1] == style:
            found[-1] = (found[-1][0] + text, style)
        else:
            found.append((text, style))
    return tuple(found)
