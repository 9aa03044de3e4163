"""Names in wide letters, from right to left and of 90 letters, and a thousand deployments: nothing shifts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widget import Widget

from litellm_tui.actions.transaction import preflight
from litellm_tui.analysis.change.preflight import PreflightCheck, preflight_checks
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.shortened import shortened
from litellm_tui.ui.widgets.lines import Lines, cell, middle
from tests import large
from tests.ui import names
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import settled
from tests.waiting import eventually

SIZES = [(80, 24), (120, 40)]
FRAME = set("│┃╮╯┓┛╭╰┏┗▄▁▂▃▅▆▇")
# what is opened, and what is then on the screen
OPENED: dict[str, tuple[list[str], str]] = {
    "models": (["1"], "masked: refused"),
    "logs": (["2"], "the last words"),
    "fallbacks": (["3"], "CYCLE"),
    "marked": (["3", "x"], "MARKED"),
    "service": (["5"], "interpreter"),
    "problems": (["exclamation_mark"], "Problems"),
    "incidents": (["i"], "Incidents"),
    "difference": (["d"], "10 differences"),
    "deployment": (["1", "enter"], "because"),
    "chain": (["3", "enter"], "answer"),
    "restart": (["R"], "Cancel"),
}


@pytest.fixture(autouse=True)
def no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def inspect(_: object, snapshot: Snapshot, diagnosis: Diagnosis, __: object) -> tuple[PreflightCheck, ...]:
        return tuple(preflight_checks(snapshot, diagnosis))

    monkeypatch.setattr(preflight, "inspect", inspect)


@asynccontextmanager
async def _shown(app: Frozen, size: tuple[int, int]) -> AsyncIterator[Pilot[Any]]:
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield pilot


def _named(folder: Path) -> Frozen:
    app = Frozen(names.named(folder))
    for record in names.records():
        app.view.store.append(record)
    return app


def _boxes(app: Frozen) -> list[Widget]:
    """What has a frame on the uppermost screen."""
    return [box for box in app.screen.query(".pane, .sheet, .dialog") if box.display and box.region.area]


def _signs(app: Frozen) -> list[list[str]]:
    """The sign in each cell of the screen; empty in the second cell of a wide one."""
    drawn = Drawn(app)
    return [[cell.sign for cell in drawn.cells(row)] for row in range(app.size.height)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", OPENED)
async def test_every_frame_stays_straight(tmp_path: Path, size: tuple[int, int], what: str) -> None:
    keys, words = OPENED[what]
    app = _named(tmp_path)
    async with _shown(app, size) as pilot:
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        await eventually(lambda: words in Drawn(app).text, f"{words!r} is drawn")
        await settled(pilot)
        signs, boxes = _signs(app), _boxes(app)
        assert boxes
        for box in boxes:
            area = box.region
            for y in range(area.y, area.bottom):
                row = "".join(signs[y])
                assert {signs[y][area.x], signs[y][area.right - 1]} <= FRAME, f"{box} in line {y}: {row}"


def _columns_of(app: Frozen, words: tuple[str, ...]) -> set[int]:
    """The columns at which these words begin, by cells."""
    area, found = app.main.pane("models").lines.region, set()
    for row in _signs(app)[area.y : area.bottom]:
        for word in words:
            place = next((n for n in range(len(row)) if "".join(row[n : n + len(word)]) == word), None)
            if place is not None:
                found.add(place)
    return found


@pytest.mark.parametrize("size", SIZES)
async def test_the_columns_of_the_models_stand_below_each_other(tmp_path: Path, size: tuple[int, int]) -> None:
    app = _named(tmp_path)
    async with _shown(app, size) as pilot:
        await pilot.press("1")
        await eventually(lambda: Drawn(app).text.count("≠ serving") == 3)
        assert len(_columns_of(app, ("masked: refused", "serving"))) == 1
        assert len(_columns_of(app, ("openai",))) == 1
        # of what is cut the beginning and the end stay
        (row,) = [line for line in Drawn(app).text.splitlines() if "team-" in line and "masked" in line]
        assert "…" in row
        assert "2026-11" in row or "026-11" in row


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("key", "screen"), [("exclamation_mark", "problems"), ("i", "incidents")])
async def test_the_columns_of_the_lists_stand_below_each_other(
    tmp_path: Path, size: tuple[int, int], key: str, screen: str
) -> None:
    app = _named(tmp_path)
    async with _shown(app, size) as pilot:
        await pilot.press(key)
        await eventually(lambda: "refused" in Drawn(app).text)
        await settled(pilot)
        lines = app.screen.query_one(f"#{screen}-lines", Lines)
        for row in lines._rows:
            text = "".join(span for span, _ in row.spans)
            assert cell_len(text) <= lines.room, text


@pytest.mark.parametrize("size", SIZES)
async def test_a_chain_cuts_names_and_never_what_is_said_of_them(tmp_path: Path, size: tuple[int, int]) -> None:
    app = _named(tmp_path)
    async with _shown(app, size) as pilot:
        await pilot.press("3")
        await settled(pilot)
        lines = app.main.pane("fallbacks").lines
        rows = ["".join(text for text, _ in row.spans) for row in lines._rows]
        assert rows
        assert all(cell_len(row) <= lines.room for row in rows), [row for row in rows if cell_len(row) > lines.room]
        long = [row for row in rows if "team-" in row and "CYCLE" in row]
        assert long
        assert all("2026-11 ✖" in row or "…" not in row for row in long)


async def test_the_name_of_the_unit_leaves_the_line_to_its_state(tmp_path: Path) -> None:
    app = _named(tmp_path)
    async with _shown(app, (80, 24)):
        line = Drawn(app).text.splitlines()[-2]
        assert "手.service active (running) · pid 4242" in line
        assert "…" in line


@pytest.mark.parametrize("name", names.NAMES)
def test_a_name_is_drawn_in_its_cells_and_no_letter_of_it_is_halved(name: str) -> None:
    for width in range(1, 60):
        for made in (cell(name, width), middle(name, width)):
            assert cell_len(made) == width
            assert drawable(made) == made
        assert cell_len(shortened(name, width)) <= width
    assert shortened(name, 200) == drawable(name)


# --- a thousand deployments ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_of_a_thousand_the_failing_ones_stand_first_and_the_frame_says_where_one_is(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = Frozen(large.snapshot(tmp_path, 1000, red=0.01))
    async with _shown(app, size) as pilot:
        await eventually(lambda: "1,000 deployments" in Drawn(app).text or "1000 deployments" in Drawn(app).text)
        models = app.main.pane("models").lines
        first = app.main.pane("models").concerned(app.view)
        assert first
        assert first[0].verdict.severity in ("bad", "warn")
        top = next(line for line in Drawn(app).text.splitlines() if "1 Models" in line)
        assert "rows 1–" in top
        await pilot.press("end")
        await eventually(lambda: "–1000" in Drawn(app).text or "–1,000" in Drawn(app).text)
        assert models._cursor == 999
        # the head stays
        assert "req/min" in Drawn(app).text or "state↓" in Drawn(app).text
        await pilot.press("slash", *"model-00007")
        await eventually(lambda: "filter model-00007: 1" in Drawn(app).text)
        await pilot.press("enter", "escape")
        await settled(pilot)
        signs = _signs(app)
        for box in _boxes(app):
            area = box.region
            assert all({signs[y][area.x], signs[y][area.right - 1]} <= FRAME for y in range(area.y, area.bottom))


@pytest.mark.parametrize("count", [46, 1000])
async def test_the_chains_of_many_scroll_to_the_last(tmp_path: Path, count: int) -> None:
    app = Frozen(large.snapshot(tmp_path, count, red=0.0))
    async with _shown(app, (80, 24)) as pilot:
        await pilot.press("3", "end")
        await settled(pilot)
        last = app.view.diagnosis.groups[-1].name
        await eventually(lambda: last in Drawn(app).text)
        assert app.main.pane("fallbacks").lines.selected.endswith(last)


@pytest.mark.parametrize("size", SIZES)
async def test_problems_of_a_thousand_are_listed_to_the_last(tmp_path: Path, size: tuple[int, int]) -> None:
    app = Frozen(large.snapshot(tmp_path, 1000, red=0.1))
    async with _shown(app, size) as pilot:
        await pilot.press("exclamation_mark")
        await settled(pilot)
        lines = app.screen.query_one("#problems-lines", Lines)
        rows = ["".join(text for text, _ in row.spans) for row in lines._rows]
        assert len(rows) > 100
        assert all(cell_len(row) <= lines.room for row in rows)
        await pilot.press("end")
        await settled(pilot)
        # what is selected is in sight
        place = lines._cursor - lines.scroll_offset.y
        assert 0 <= place < lines.size.height
