"""The list that every pane is made of: it keeps the selection, and paints only what changed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip

from litellm_tui.ui.themes import STATES
from litellm_tui.ui.widgets.differing import differing
from litellm_tui.ui.widgets.header import wrap
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell


class _Counting(Lines):
    """Counts the lines that it is asked to paint."""

    painted: list[int]

    def render_line(self, y: int) -> Strip:
        self.painted.append(y + self.scroll_offset.y)
        return super().render_line(y)


class _App(App[None]):
    CSS = "Lines { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; overflow-x: hidden; }"

    def __init__(self) -> None:
        super().__init__()
        self.lines = _Counting(id="x")
        self.lines.painted = []
        self.opened: list[str] = []
        self.moved: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {f"state-{name}": "#808080" for name in STATES}

    def compose(self) -> ComposeResult:
        yield self.lines

    def on_lines_opened(self, event: Lines.Opened) -> None:
        self.opened.append(event.key)

    def on_lines_moved(self, event: Lines.Moved) -> None:
        self.moved.append(event.key)


Run = tuple[_App, Pilot[None]]


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    app = _App()
    async with app.run_test(size=(40, 10)) as pilot:
        app.lines.focus()
        await pilot.pause()
        yield app, pilot


def _rows(*keys: str) -> list[Row]:
    return [Row(((f" row {key}", "ok"),), key) for key in keys]


def _text(app: _App) -> list[str]:
    return ["".join(s.text for s in app.lines.render_line(y)).rstrip() for y in range(app.lines.size.height)]


async def _painted(app: _App, pilot: Pilot[None]) -> list[int]:
    await pilot.pause()
    found = sorted(set(app.lines.painted))
    app.lines.painted.clear()
    return found


async def test_only_the_rows_that_changed_are_painted(run: Run) -> None:
    app, pilot = run
    rows = _rows(*"abcdefgh")
    app.lines.show(rows)
    await _painted(app, pilot)
    rows[5] = Row((("another text", "bad"),), "f")
    app.lines.show(rows)
    assert await _painted(app, pilot) == [5]
    app.lines.show(list(rows))
    assert await _painted(app, pilot) == []
    await pilot.press("down")
    assert await _painted(app, pilot) == [0, 1]
    app.lines.show([*rows, *_rows("i")])
    assert set(await _painted(app, pilot)) >= {8}


async def test_a_change_out_of_sight_paints_nothing(run: Run) -> None:
    app, pilot = run
    rows = _rows(*map(str, range(100)))
    app.lines.show(rows)
    await _painted(app, pilot)
    rows[50] = Row((("changed", "ok"),), "50")
    app.lines.show(rows)
    assert await _painted(app, pilot) == []


async def test_the_selected_row_stays_selected_wherever_it_goes(run: Run) -> None:
    app, pilot = run
    app.lines.show(_rows(*"abcdef"))
    app.lines.select("c")
    assert app.lines.selected == "c"
    app.lines.show(_rows(*"xyabcdef"))
    assert app.lines.selected == "c"
    app.lines.show(_rows(*"fedcba"))
    assert app.lines.selected == "c"
    await pilot.press("down")
    assert app.lines.selected == "b"


async def test_the_selected_row_stays_on_its_screen_line(run: Run) -> None:
    app, pilot = run
    keys = [str(number) for number in range(100)]
    app.lines.show(_rows(*keys))
    app.lines.select("50")
    await pilot.pause()
    line = _text(app).index("▌row 50")
    app.lines.show(_rows("new1", "new2", "new3", *keys))
    await pilot.pause()
    assert _text(app).index("▌row 50") == line
    app.lines.show(_rows(*keys[20:]))
    await pilot.pause()
    assert _text(app).index("▌row 50") == line


async def test_a_selected_row_that_goes_leaves_the_nearest_one_selected(run: Run) -> None:
    app, pilot = run
    app.lines.show(_rows(*"abcdef"))
    app.lines.select("c")
    app.lines.show(_rows(*"abdef"))
    assert app.lines.selected == "d"
    app.lines.show(_rows("a"))
    assert app.lines.selected == "a"
    app.lines.show([])
    assert app.lines.selected == ""
    await pilot.press("down", "up", "home", "end", "pagedown", "pageup", "enter")
    assert app.opened == []


async def test_headings_are_passed_over(run: Run) -> None:
    app, pilot = run
    head = Row((("head", "head"),))
    app.lines.show([head, *_rows("a"), head, head, *_rows("b"), head])
    assert app.lines.selected == "a"
    await pilot.press("down")
    assert app.lines.selected == "b"
    await pilot.press("down")
    assert app.lines.selected == "b"
    await pilot.press("up")
    assert app.lines.selected == "a"
    await pilot.press("enter")
    assert app.opened == ["a"]


async def test_a_click_selects_and_a_double_one_opens(run: Run) -> None:
    app, pilot = run
    app.lines.show(_rows(*"abc"))
    await pilot.click(app.lines, offset=(3, 1))
    assert (app.lines.selected, app.opened) == ("b", [])
    await pilot.click(app.lines, offset=(3, 1), times=2)
    assert app.opened == ["b"]
    await pilot.click(app.lines, offset=(3, 8))
    assert app.lines.selected == "b"


async def test_a_text_without_selectable_rows_scrolls(run: Run) -> None:
    app, pilot = run
    app.lines.show([Row(((f"line {number}", "ok"),)) for number in range(50)])
    await pilot.press("down", "down")
    assert _text(app)[0] == "line 2"
    await pilot.press("pagedown")
    assert _text(app)[0] == "line 12"
    await pilot.press("end")
    await pilot.pause()
    assert _text(app)[-1] == "line 49"
    await pilot.press("home")
    await pilot.pause()
    assert _text(app)[0] == "line 0"


async def test_moving_is_told(run: Run) -> None:
    app, pilot = run
    app.lines.show(_rows(*"ab"))
    await pilot.press("down")
    await pilot.pause()
    assert app.moved == ["a", "b"]


async def test_every_line_is_exactly_as_wide_as_the_list(run: Run) -> None:
    app, _ = run
    texts = [
        "",
        "short",
        "x" * 100,
        "漢" * 30,
        "a漢" * 25,
        "\x1b[31mred\x1b[0m",
        "two\nlines",
        "tab\there",
        "\u202ebidi",
        "e\u0301" * 50,
    ]
    app.lines.show([Row(((text, "ok"), ("|", "bad"))) for text in texts])
    for y in range(len(texts)):
        strip = app.lines.render_line(y)
        assert strip.cell_length == app.lines.room
        text = "".join(segment.text for segment in strip)
        assert cell_len(text) == app.lines.room
        assert not any(character in text for character in "\x1b\n\t\u202e")


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 4, "abc…"),
        ("abc", 3, "abc"),
        ("漢字", 3, "漢…"),
        ("漢字", 2, "… "),
        ("abc", 1, "a"),
        ("", 2, "  "),
    ],
)
def test_a_cell_has_exactly_its_width(text: str, width: int, expected: str) -> None:
    assert cell(text, width) == expected
    assert cell_len(cell(text, width)) == width


def test_a_cell_on_the_right() -> None:
    assert cell("7", 3, right=True) == "  7"


def test_spans_are_broken_between_and_cut_at_the_end() -> None:
    spans = [("aaaa", "ok"), (" | ", "quiet"), ("bbbb", "ok"), (" | ", "quiet"), ("cccc", "ok")]
    lines = wrap(spans, 12, 2)
    assert ["".join(text for text, _ in line) for line in lines] == ["aaaa | bbbb", "   | cccc"] or all(
        sum(cell_len(text) for text, _ in line) <= 12 for line in lines
    )
    (line,) = wrap(spans, 10, 1)
    assert "".join(text for text, _ in line).endswith("…")
    assert sum(cell_len(text) for text, _ in line) == 10


@pytest.mark.parametrize(
    ("before", "after", "cells"),
    [
        ([("12:00:01", "a")], [("12:00:02", "a")], (7, None)),
        ([("up 5 s", "a"), (" end", "b")], [("up 6 s", "a"), (" end", "b")], (3, 6)),
        ([("up 9 s", "a"), (" end", "b")], [("up 10 s", "a"), (" end", "b")], (3, None)),
        ([("one", "a"), ("two", "b"), ("end", "c")], [("one", "a"), ("six", "b"), ("end", "c")], (3, 6)),
        ([("one", "a"), ("two", "b")], [("one", "a"), ("two", "c")], (3, None)),
        ([("模型 1", "a"), ("x", "b")], [("模型 2", "a"), ("x", "b")], (0, 6)),
        ([("模型", "a"), ("1", "b"), ("x", "a")], [("模型", "a"), ("2", "b"), ("x", "a")], (4, 5)),
        ([("a\x1bb", "a"), ("1", "b")], [("a\x1bb", "a"), ("2", "b")], (0, None)),
        ([("one", "a")], [("one", "a"), ("two", "b")], (3, None)),
    ],
)
def test_of_two_lines_the_cells_that_differ_are_known(
    before: list[Span], after: list[Span], cells: tuple[int, int | None]
) -> None:
    assert differing(before, after) == cells
