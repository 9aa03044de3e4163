"""A screen of 200x50: what stands where, what its keys do, and that it costs no more than another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual._compositor import ChopsUpdate
from textual.pilot import Pilot

from litellm_tui.analysis.health.timeline import Event
from litellm_tui.demo import Simulation
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.target.settings import Settings
from litellm_tui.ui.widgets.log_view import LogView
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import NOW, Frozen
from tests.ui.scene import opened, quiet, settled
from tests.waiting import eventually

SIZE = (200, 50)


def _opened(app: Frozen, size: tuple[int, int] = SIZE) -> Any:
    return app.run_test(size=size)


def _pane(app: Frozen, name: str) -> list[str]:
    """The lines of a pane as a terminal draws them, without its frame."""
    region = app.main.pane(name).region
    rows = Drawn(app).text.split("\n")[region.y + 1 : region.bottom - 1]
    return [row[region.x + 1 : region.right - 1].rstrip() for row in rows]


# --- what stands where ---------------------------------------------------------------------------------------------


async def test_the_selected_deployment_stands_at_the_right_in_full_height(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await settled(pilot)
        detail, left = app.main.pane("detail").region, app.main.query_one("#left").region
        assert (detail.y, detail.bottom) == (left.y, left.bottom)
        assert detail.right == SIZE[0]
        assert {app.main.pane(name).region.right for name in ("models", "fallbacks", "logs")} == {detail.x}
        lines = _pane(app, "detail")
        text = "\n".join(lines)
        order = (
            "state         failing", "next          start", "requests, last hour", "of these failed",
            " fallbacks none", "last errors", "Cannot connect",
        )  # fmt: skip
        places = [text.rindex(words) for words in order]
        assert places == sorted(places)
        # the words of the error, without the classes it is wrapped in
        assert "07:59:49      Cannot connect to host 127.0.0.1:9199" in text
        assert len([line for line in lines if line.startswith(" 07:5")]) == 3


async def test_the_chart_has_a_bar_for_each_minute_and_the_hours_figures(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await settled(pilot)
        chosen = next(d for d in app.view.diagnosis.deployments if d.group == "qwen-coder-vllm")
        asked = sum(ok + lost for _, ok, lost in chosen.hour)
        lines = _pane(app, "detail")
        begin = next(number for number, line in enumerate(lines) if "requests, last hour" in line)
        assert f"{asked:,}, up to" in lines[begin]
        bars = lines[begin + 3]
        assert 0x2800 < ord(bars[-1]) <= 0x28FF
        assert len(bars) == 61


async def test_one_of_which_nothing_is_counted_says_so(tmp_path: Path) -> None:
    snapshot = frozen.degraded(tmp_path)
    app = Frozen(msgspec.structs.replace(snapshot, traffic=msgspec.structs.replace(snapshot.traffic, tallies=())))
    async with _opened(app) as pilot:
        await settled(pilot)
        assert any("requests, last hour none was seen" in line for line in _pane(app, "detail"))


async def test_the_chain_of_the_selected_one_stands_there(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await settled(pilot)
        await pilot.press("down")
        await settled(pilot)
        text = "\n".join(_pane(app, "detail"))
        assert "general       qwen2.5-coder:7b ◐ → qwen-coder-vllm ✖" in text or "qwen2.5-coder:7b ✖ → qwen" in text


async def test_below_stand_the_hour_the_worst_problems_and_a_line_each_for_cache_and_service(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await settled(pilot)
        timeline, worst = app.main.pane("timeline").region, app.main.pane("worst").region
        assert timeline.y == worst.y == app.main.query_one("#left").region.bottom
        *_, cache, service = Drawn(app).text.split("\n")
        assert cache.startswith(" cache redis 7.0.15 down")
        assert service.startswith(" litellm.service active (running)")
        rows = _pane(app, "worst")
        assert [row.split()[1] for row in rows if row] == [
            "qwen-coder-vllm",
            "qwen2.5-coder:7b",
            "cache",
            "kimi-k2:1t-cloud",
        ]


async def test_of_many_problems_the_five_worst_stand_there_and_how_many_there_are(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    problems = [
        Problem(f"deployment:{n}", "bad", f"model-{n}", "refused", "", Place("deployment", str(n)), since=NOW - n)
        for n in range(9)
    ]
    app.remember(tuple(problems))
    async with _opened(app) as pilot:
        await settled(pilot)
        assert [row.split()[1] for row in _pane(app, "worst") if row] == [f"model-{n}" for n in range(5)]
        assert "7 Problems · 5 of 9" in Drawn(app).text


async def test_where_nothing_is_wrong_that_is_said(tmp_path: Path) -> None:
    app = Frozen(frozen.healthy(tmp_path))
    app.remember(())
    async with _opened(app) as pilot:
        await settled(pilot)
        assert "nothing is wrong" in "\n".join(_pane(app, "worst"))


@pytest.mark.parametrize("size", [(170, 40), (200, 50), (240, 70)])
async def test_every_line_of_them_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app, size) as pilot:
        await settled(pilot)
        for name in ("detail", "timeline", "worst"):
            lines = app.main.pane(name).lines
            assert lines.height_of_all
            assert all(sum(map(len, (text for text, _ in row.spans))) <= lines.room for row in lines._rows), name
        assert app.main.pane("timeline").lines.height_of_all <= app.main.pane("timeline").lines.size.height


async def test_in_ascii_the_curves_are_too(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path), Settings(ascii=True, utc=True))
    async with _opened(app) as pilot:
        await settled(pilot)
        foreign = {sign for sign in Drawn(app).text if ord(sign) > 126}
        # a line of the log is from outside
        assert foreign <= set("漢字"), foreign


# --- the timeline --------------------------------------------------------------------------------------------------


async def _at_timeline(app: Frozen, pilot: Pilot[int]) -> None:
    app._frozen = app._frozen._replace(
        events=(
            Event(NOW - 1800, "restart", "started"),
            Event(NOW - 600, "save", "config.yaml saved"),
            Event(NOW - 590, "incident", "refused: big", "x"),
        )
    )
    app.redraw()
    await settled(pilot)
    await pilot.press("6")
    await settled(pilot)


async def test_restarts_saves_and_incidents_are_marked_each_in_its_minute(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await _at_timeline(app, pilot)
        marks = _pane(app, "timeline")[4][1:]
        newest = int(NOW // 60)
        assert marks[int((NOW - 1800) // 60) - newest + 59] == "R"
        assert marks[int((NOW - 600) // 60) - newest + 59] == "s"
        assert marks[int((NOW - 590) // 60) - newest + 59] in "s!"
        # what was not watched is blank, what was and had nothing a dot
        assert marks[0] == " "
        assert marks[57] == "·"


async def test_a_minute_tells_what_happened_in_it(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await _at_timeline(app, pilot)
        await pilot.press("left")
        await settled(pilot)
        minute = int(NOW // 60) - 1
        failed = {one[0]: one[2] for one in app.view.snapshot.traffic.failed_hour}[minute]
        assert _pane(app, "timeline")[0] == f" 07:59  {failed} failed requests"
        await pilot.press("N", "N", "N")
        await settled(pilot)
        assert _pane(app, "timeline")[0] == " 07:30  started 07:30:00"
        assert "▲" in _pane(app, "timeline")[5]
        await pilot.press("n")
        await settled(pilot)
        assert "config.yaml saved 07:50:00 · refused: big 07:50:10" in _pane(app, "timeline")[0]
        await pilot.press("home")
        await settled(pilot)
        assert _pane(app, "timeline")[0] == " 07:01  0 failed requests"
        await pilot.press("end")
        await settled(pilot)
        assert _pane(app, "timeline")[0].startswith(" 08:00")


async def test_enter_takes_the_log_to_the_minute(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await _at_timeline(app, pilot)
        # the log holds the last half minute, which is in the minute before
        await pilot.press("left", "enter")
        await settled(pilot)
        assert app.main.shown == "logs"
        log = app.main.query_one(LogView)
        await eventually(
            lambda: log.chosen is not None and log.chosen.time == NOW - 30, "the first line of that minute"
        )
        assert not log.following


async def test_enter_on_a_minute_before_the_log_says_where_that_begins(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await _at_timeline(app, pilot)
        await pilot.press("N", "enter")
        await eventually(lambda: "what is held begins at 07:59:30" in Drawn(app).text, "it is said")


async def test_a_click_chooses_a_minute(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await _at_timeline(app, pilot)
        await pilot.click("#timeline-lines", offset=(1 + 49, 2))
        await settled(pilot)
        assert _pane(app, "timeline")[0].startswith(" 07:50")


# --- keys ----------------------------------------------------------------------------------------------------------


async def test_numbers_and_tab_go_around_what_is_in_sight(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await settled(pilot)
        for name in ("detail", "logs", "fallbacks", "timeline", "worst", "models"):
            await pilot.press("tab")
            await settled(pilot)
            assert app.main.shown == name
            assert len([pane for pane in app.main.query("Pane") if pane.display]) == 6
        for key, name in (("4", "cache"), ("5", "service")):
            await pilot.press(key)
            await settled(pilot)
            assert [pane.id for pane in app.main.query("Pane") if pane.display] == [name]
            assert "zoomed, z ends it" in Drawn(app).text
            assert "[" in Drawn(app).text.split("\n")[-3]
        await pilot.press("z")
        await settled(pilot)
        assert len([pane for pane in app.main.query("Pane") if pane.display]) == 6


async def test_enter_on_a_problem_goes_to_its_row(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await settled(pilot)
        await pilot.press("7", "down", "enter")
        await settled(pilot)
        assert app.main.shown == "models"
        assert app.main.pane("models").lines.selected.startswith("qwen2.5-coder:7b")


async def test_a_zoomed_pane_says_so_and_a_narrow_screen_says_why_not(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app, (120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1", "z")
        await settled(pilot)
        assert "1 Models · zoomed, z ends it · 7 deployments" in Drawn(app).text
        await pilot.press("2")
        await settled(pilot)
        assert "zoomed" not in Drawn(app).text
        assert "1 Models · 7 deployments" in Drawn(app).text
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        await pilot.press("z")
        await settled(pilot)
        assert "one pane at a time is all there is room for" in Drawn(app).text
        assert "zoomed" not in Drawn(app).text


async def test_selection_and_scroll_survive_other_sizes(simulation: Simulation) -> None:
    async with opened(simulation, SIZE) as scene:
        await quiet(scene)
        scene.write(*(f"line {number}" for number in range(300)))
        await scene.shows("line 299")
        await scene.press("3", "down", "down", "1", "down", "down", "down", "2", "pageup", "pageup", "up")
        await scene.settled()
        record = scene.log.chosen
        assert record is not None
        models, chain = scene.lines("models").selected, scene.lines("fallbacks").selected
        for size in ((120, 40), (80, 24), SIZE, (120, 40), SIZE):
            await scene.pilot.resize_terminal(*size)
            await scene.settled()
            await scene.settled()
            assert scene.pane == "logs"
            assert scene.lines("models").selected == models
            assert scene.lines("fallbacks").selected == chain
            assert scene.log.chosen == record
            assert not scene.log.following
            await scene.shows(record.text)
        await scene.press("1")
        await scene.until(lambda: "▌" in "".join(scene.shown_rows("models")))


# --- what it costs -------------------------------------------------------------------------------------------------


async def test_the_same_view_paints_nothing_and_a_second_later_hardly_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    painted: list[tuple[int, int, int]] = []
    make = ChopsUpdate.__init__

    def note(self: ChopsUpdate, chops: Any, spans: list[tuple[int, int, int]], chop_ends: Any) -> None:
        painted.extend(spans)
        make(self, chops, spans, chop_ends)

    async with _opened(app) as pilot:
        await settled(pilot)
        app.redraw()
        await settled(pilot)
        monkeypatch.setattr(ChopsUpdate, "__init__", note)
        app.redraw()
        await settled(pilot)
        assert painted == []
        app._frozen = app._frozen._replace(now=NOW + 1)
        app.redraw()
        await settled(pilot)
        places = [app.main.pane(name).region for name in ("detail", "timeline", "worst")]
        inside = [
            (row, begin, end)
            for row, begin, end in painted
            if any(place.y <= row < place.bottom and place.x <= begin < place.right for place in places)
        ]
        assert inside == []


async def test_what_does_not_fit_beside_the_list_is_scrolled_to(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app, (200, 40)) as pilot:
        await settled(pilot)
        lines, frame = app.main.pane("detail").lines, "Tab, then ↑↓ scroll it · Enter opens it"
        assert lines.height_of_all > lines.size.height
        assert frame in Drawn(app).text
        await pilot.press("tab")
        await settled(pilot)
        assert (app.focused, lines.scroll_offset.y) == (lines, 0)
        await pilot.press("down", "end")
        await settled(pilot)
        assert lines.scroll_offset.y == lines.height_of_all - lines.size.height
        assert _pane(app, "detail")[-1].strip() == "".join(text for text, _ in lines._rows[-1].spans).strip()
        # another one is shown from its beginning
        await pilot.press("1", "down")
        await settled(pilot)
        assert lines.scroll_offset.y == 0


async def test_enter_beside_the_list_opens_all_of_it(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await settled(pilot)
        await pilot.press("tab", "enter")
        await eventually(lambda: len(app.screen_stack) == 2, "the sheet is open")
        await settled(pilot)
        assert "qwen-coder-vllm · " in Drawn(app).text


async def test_on_a_narrow_screen_the_one_that_follows_gives_its_place_back(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with _opened(app) as pilot:
        await settled(pilot)
        await pilot.press("tab")
        await settled(pilot)
        await pilot.resize_terminal(80, 24)
        await eventually(lambda: app.main.shown == "models", "the list has it again")
        await settled(pilot)
        assert app.focused is app.main.pane("models").lines
