"""What is sent to the terminal: the frame's line when its words change, the bar when it looks different."""

from __future__ import annotations

from typing import Any

import pytest
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region

from litellm_tui.demo import Simulation
from litellm_tui.target.settings import Settings
from litellm_tui.ui.panes.logs import Logs
from litellm_tui.ui.widgets.header import Clock
from litellm_tui.ui.widgets.lines import Lines
from litellm_tui.ui.widgets.scroll_bar import Bar
from tests.ui.scene import Scene, opened, quiet


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """`(row, first column, end)` of everything that is painted from now on."""
    found: list[tuple[int, int, int]] = []
    make = ChopsUpdate.__init__

    def note(self: ChopsUpdate, chops: Any, spans: list[tuple[int, int, int]], chop_ends: Any) -> None:
        found.extend(spans)
        make(self, chops, spans, chop_ends)

    monkeypatch.setattr(ChopsUpdate, "__init__", note)
    return found


def _bar(lines: Lines) -> Region:
    bar = lines.vertical_scrollbar
    assert isinstance(bar, Bar)
    return bar.region


async def test_other_words_in_the_frame_paint_only_its_line(scene: Scene, painted: list[tuple[int, int, int]]) -> None:
    await quiet(scene)
    pane = scene.app.screen_stack[0].query_one(Logs)
    await scene.pilot.pause()
    painted.clear()
    pane._title("2 Logs · something else")
    pane._subtitle("and here")
    await scene.shows("something else")
    await scene.shows("and here")
    await scene.pilot.pause(0.2)
    # the clock stands above, and ticks
    rows = {row for row, _, _ in painted if pane.region.y <= row < pane.region.bottom}
    assert rows == {pane.region.y, pane.region.bottom - 1}


async def test_a_log_that_grows_paints_no_bar_that_looks_the_same(
    scene: Scene, painted: list[tuple[int, int, int]]
) -> None:
    await quiet(scene)
    scene.write(*(f"line {number}" for number in range(2000)))
    await scene.shows("line 1999")
    await scene.pilot.pause(0.2)
    bar = _bar(scene.log)
    painted.clear()
    scene.write(*(f"more {number}" for number in range(20)))
    await scene.shows("more 19")
    await scene.pilot.pause(0.2)
    assert painted
    assert not [span for span in painted if span[1] <= bar.x < span[2] and bar.y <= span[0] < bar.bottom]


async def test_a_bar_paints_the_rows_in_which_it_differs(scene: Scene, painted: list[tuple[int, int, int]]) -> None:
    await quiet(scene)
    scene.write(*(f"line {number}" for number in range(60)))
    await scene.shows("line 59")
    await scene.press("2", "up")
    await scene.pilot.pause(0.2)
    bar = _bar(scene.log)
    painted.clear()
    scene.write(*(f"more {number}" for number in range(20)))
    await scene.shows("20 new lines")
    await scene.pilot.pause(0.2)
    rows = {row for row, begin, end in painted if begin <= bar.x < end and bar.y <= row < bar.bottom}
    assert rows
    assert len(rows) < bar.height


async def test_a_bar_follows_the_theme(scene: Scene) -> None:
    await quiet(scene)
    scene.write(*(f"line {number}" for number in range(200)))
    await scene.shows("line 199")
    bar = scene.log.vertical_scrollbar
    assert isinstance(bar, Bar)
    before = bar._looks()
    scene.app.theme = next(name for name in scene.app.available_themes if name != scene.app.theme)
    await scene.until(lambda: bar._looked not in (None, before))


async def test_a_bar_is_ascii_where_everything_is(simulation: Simulation) -> None:
    async with opened(simulation, settings=Settings(ascii=True)) as scene:
        await quiet(scene)
        scene.write(*(f"line {number}" for number in range(60)))
        await scene.shows("line 59")
        await scene.press("2")
        for _ in range(15):
            await scene.press("up")
            assert scene.text.isascii(), [character for character in scene.text if not character.isascii()]


async def test_a_clock_that_ticks_paints_the_figures_that_differ(
    scene: Scene, painted: list[tuple[int, int, int]]
) -> None:
    await quiet(scene)
    (clock,) = scene.app.screen_stack[0].query(Clock)
    clock.tick("12:34:56")
    await scene.shows("12:34:56")
    await scene.pilot.pause()
    painted.clear()
    clock.tick("12:34:57")
    await scene.shows("12:34:57")
    await scene.until(lambda: (0, clock.region.x + 7, clock.region.right) in painted)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A screen for each time that one is painted as a whole from now on."""
    found: list[object] = []
    make = Compositor.render_full_update

    def note(self: Compositor, simplify: bool = False) -> Any:
        found.append(self)
        return make(self, simplify)

    monkeypatch.setattr(Compositor, "render_full_update", note)
    return found


async def test_another_pane_that_gets_the_focus_paints_the_two_alone(
    scene: Scene, painted: list[tuple[int, int, int]], whole: list[object]
) -> None:
    await quiet(scene)
    await scene.press("1")
    await scene.pilot.pause(0.2)
    panes = [scene.app.screen_stack[0].query_one(f"#{name}") for name in ("models", "fallbacks")]
    painted.clear()
    whole.clear()
    await scene.press("3")
    await scene.pilot.pause(0.2)
    assert not whole
    for pane in panes:
        assert {pane.region.y, pane.region.bottom - 1} <= {row for row, first, end in painted if first <= pane.region.x}
        assert pane.has_pseudo_class("focus-within") is (pane.id == "fallbacks")


async def test_a_clock_below_a_sheet_paints_only_itself(
    scene: Scene, painted: list[tuple[int, int, int]], whole: list[object]
) -> None:
    await quiet(scene)
    await scene.press("!")
    await scene.pilot.pause(0.5)
    clock = scene.app.screen_stack[0].query_one(Clock)
    whole.clear()
    for words in ("12:34:56", "12:34:57", "12:34:58"):
        painted.clear()
        scene.app.main.tick(words)
        await scene.until(lambda: [row for row, _, _ in painted if row == clock.region.y])
    assert not whole
