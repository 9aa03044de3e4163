"""The terminal shows what was painted, whatever of it was sent."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pyte
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from litellm_tui.ui.painted_cells import PaintedCells, Placed
from tests.bench.console import USEFUL, flooded
from tests.waiting import DEADLINE

SIZE = Size(24, 5)
STYLES = [Style.parse(text) for text in ("", "bold red", "on blue", "dim white on black", "underline")]


def _console() -> Console:
    console = Console(width=SIZE.width, height=SIZE.height)
    console._color_system = ColorSystem.TRUECOLOR
    return console


def _strip(*parts: tuple[str, int]) -> Strip:
    return Strip([Segment(text, STYLES[style]) for text, style in parts])


_parts = st.lists(
    st.tuples(st.text("ab ─●", max_size=6) | st.sampled_from(["模型", "a模"]), st.integers(0, len(STYLES) - 1)),
    max_size=4,
)


@st.composite
def _paintings(draw: st.DrawFn) -> list[list[Placed]]:
    """Whole rows, as a screen is painted, and pieces of them that begin and end where pieces did before."""
    rows = st.integers(0, SIZE.height - 1)
    placed = st.builds(
        lambda row, left, parts: (row, 12 if left else 0, _strip(*parts).adjust_cell_length(12, Style())),
        rows, st.booleans(), _parts,
    )  # fmt: skip
    return draw(st.lists(st.lists(placed, max_size=6), max_size=8))


def _show(screen: pyte.Screen, text: str) -> None:
    pyte.Stream(screen).feed(text)


def _everything(painting: list[Placed], console: Console) -> str:
    return PaintedCells().changes(painting, SIZE, console)


@given(_paintings())
def test_what_is_left_out_is_on_the_screen_already(paintings: list[list[Placed]]) -> None:
    console, cells = _console(), PaintedCells()
    whole, changed = (pyte.Screen(SIZE.width, SIZE.height) for _ in range(2))
    for painting in paintings:
        _show(whole, _everything(painting, console))
        _show(changed, cells.changes(painting, SIZE, console))
        assert changed.display == whole.display
        assert changed.buffer == whole.buffer


def test_what_is_painted_again_is_not_sent() -> None:
    cells, painting = PaintedCells(), [(0, 0, _strip(("as it was", 1), ("模型", 2)))]
    assert cells.changes(painting, SIZE, _console())
    assert cells.changes(painting, SIZE, _console()) == ""


def test_of_a_clock_its_last_figure_is_sent() -> None:
    cells = PaintedCells()
    cells.changes([(0, 3, _strip(("12:34:56", 0)))], SIZE, _console())
    assert cells.changes([(0, 3, _strip(("12:34:57", 0)))], SIZE, _console()) == "\x1b[1;11H7"


def test_another_style_is_another_cell() -> None:
    cells = PaintedCells()
    cells.changes([(1, 0, _strip(("ab", 0)))], SIZE, _console())
    assert "b" in cells.changes([(1, 0, _strip(("a", 0), ("b", 1)))], SIZE, _console())


def test_two_changes_close_together_are_one() -> None:
    cells = PaintedCells()
    cells.changes([(0, 0, _strip(("a.....a..............a", 0)))], SIZE, _console())
    sent = cells.changes([(0, 0, _strip(("b.....b..............b", 0)))], SIZE, _console())
    assert sent == "\x1b[1;1Hb.....b\x1b[1;22Hb"


def test_a_wide_character_is_never_cut_in_two() -> None:
    cells = PaintedCells()
    cells.changes([(0, 0, _strip(("模型 a", 0)))], SIZE, _console())
    assert cells.changes([(0, 0, _strip(("模型 b", 0)))], SIZE, _console()) == "\x1b[1;1H模型 b"


def test_after_another_size_and_where_something_else_has_written_all_is_sent() -> None:
    cells, painting = PaintedCells(), [(0, 0, _strip(("everything", 0)))]
    first = cells.changes(painting, SIZE, _console())
    assert cells.changes(painting, Size(30, 5), _console()) == first
    cells.forget()
    assert cells.changes(painting, Size(30, 5), _console()) == first


def test_what_lies_outside_is_not_sent() -> None:
    painting = [(-1, 0, _strip(("above", 0))), (9, 0, _strip(("below", 0))), (0, 20, _strip(("too long", 0)))]
    assert PaintedCells().changes(painting, SIZE, _console()) == "\x1b[1;21Htoo "


def test_something_else_that_was_written_is_gone_when_the_screen_is_drawn_anew() -> None:
    with flooded(0) as console, console.open() as terminal:
        terminal.draw(b"\x1b[12;40HMessage from root")
        terminal.press("!")
        # the last line of the list: it is whole
        terminal.wait_for("Esc close", DEADLINE)
        terminal.press("escape")
        terminal.wait_gone("Esc close", DEADLINE)
        terminal.draw(b"\x1b[12;40HMessage from root")
        terminal.press("ctrl+l")
        terminal.wait_gone("Message from root", DEADLINE)


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def test_what_was_stopped_and_goes_on_paints_the_empty_terminal() -> None:
    with flooded(0) as console, console.open() as terminal:
        program = terminal.program("litellm-tui")
        os.kill(program, signal.SIGTSTP)
        terminal.wait_gone(USEFUL, DEADLINE)
        # it stops after it has given the terminal back
        terminal.wait_for(lambda _: _is_stopped(program), DEADLINE)
        terminal.draw(b"\x1b[?1049h\x1b[H\x1b[2J")
        os.kill(program, signal.SIGCONT)
        terminal.wait_for("━ 1 Models", DEADLINE)
