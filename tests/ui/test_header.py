"""The header at every width: who is spoken of, and the clock beside it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from litellm_tui.demo import Simulation
from litellm_tui.model.configuration import Configuration
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from litellm_tui.ui.session import calm_since
from litellm_tui.ui.widgets.header import Header
from tests.analysis.test_headline import SOUND
from tests.recorded import loaded_file
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import opened, profile_of, screen_text, settled
from tests.waiting import eventually


@pytest.mark.parametrize("width", [120, 80, 60, 50, 40, 30])
async def test_the_clock_stands_apart_from_what_is_before_it(simulation: Simulation, width: int) -> None:
    async with opened(simulation, (width, 20)) as scene:
        await scene.until(lambda: re.search(r"\d\d:\d\d:\d\d", scene.text))
        first = scene.text.split("\n")[0]
        assert re.fullmatch(r" \S.* \d\d:\d\d:\d\d ", first), first
        assert len(first) == width


@pytest.mark.parametrize("width", [60, 50, 40, 30])
async def test_the_marks_of_a_profile_leave_the_clock_alone(simulation: Simulation, width: int) -> None:
    profile = msgspec.structs.replace(profile_of(simulation), production=True, read_only=True)
    app = Console(profile, Settings(), memory=False)
    async with app.run_test(size=(width, 20)):
        await eventually(lambda: "PRODUCTION" in screen_text(app))
        first = screen_text(app).split("\n")[0]
        assert re.fullmatch(r" PRODUCTION .*\s\d\d:\d\d:\d\d ", first), first
        assert len(first) == width


async def test_two_cells_stand_between_what_is_cut_and_the_clock(tmp_path: Path) -> None:
    app = Frozen(frozen.healthy(tmp_path))
    async with app.run_test(size=(40, 20)) as pilot:
        await settled(pilot)
        first = Drawn(app).text.splitlines()[0]
        assert re.search(r"…  08:00:00$", first), first


async def test_the_uptime_falls_out_first_and_what_is_wrong_stays(tmp_path: Path) -> None:
    for size, up in (((200, 50), True), ((80, 24), False)):
        app = Frozen(frozen.degraded(tmp_path))
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            head = "\n".join(Drawn(app).text.splitlines()[:4])
            assert ("up 3 d 4 h" in head) is up
            # what is saved and not applied stands before the counts
            assert head.index("18 changes not applied") < head.index("1 of 7 deployments failing")
            assert "37 failed requests" in head


async def test_there_is_no_empty_row_and_a_calm_gateway_says_for_how_long(tmp_path: Path) -> None:
    app = Frozen(_calm(tmp_path))
    app._frozen = app._frozen._replace(calm_since=frozen.NOW - 3 * 3600)
    async with app.run_test(size=(160, 40)) as pilot:
        await settled(pilot)
        lines = Drawn(app).text.splitlines()
        assert lines[1].startswith(" OK ")
        assert lines[2] == " no problem for 3 h"
        assert lines[3].startswith("┏")
        # it grows at once, and does not shrink again with the next picture
        app._frozen = Frozen(frozen.degraded(tmp_path))._frozen
        app.redraw()
        await eventually(lambda: Drawn(app).text.splitlines()[3].startswith((" →", "┏")))
        await settled(pilot)
        assert "┏" in "".join(Drawn(app).text.splitlines()[3:5])
        high = app.main.query_one(Header).size.height
        app._frozen = Frozen(_calm(tmp_path))._frozen
        app.redraw()
        await settled(pilot)
        assert app.main.query_one(Header).size.height == high


def _calm(folder: Path) -> Snapshot:
    """All is well, and nothing is saved that does not run."""
    well = frozen.healthy(folder)
    file = well.configuration.current
    assert file
    file = loaded_file(folder / "calm.yaml", SOUND, KIMI_KEY="x", LITELLM_MASTER_KEY="x")
    loaded = tuple(
        msgspec.structs.replace(held, params=entry.params)
        for held, entry in zip(well.gateway.deployments.value or (), file.deployments, strict=True)
    )
    gateway = msgspec.structs.replace(
        well.gateway,
        deployments=msgspec.structs.replace(well.gateway.deployments, value=loaded),
        router=msgspec.structs.replace(well.gateway.router, value=file.section("router_settings")),
    )
    file = msgspec.structs.replace(file, modified_at=frozen.NOW - 9 * 86400)
    return msgspec.structs.replace(well, gateway=gateway, configuration=Configuration(current=file))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
@pytest.mark.parametrize("key", ["exclamation_mark", "i", "question_mark"])
async def test_sheets_begin_below_the_header(tmp_path: Path, size: tuple[int, int], key: str) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        (sheet,) = app.screen.query(".sheet")
        assert sheet.region.y >= app.main.query_one(Header).region.bottom
        assert sheet.region.bottom <= size[1]
        assert "DEGRADED" in Drawn(app).text


async def test_frames_speak_of_age_only_when_it_is_stale(tmp_path: Path) -> None:
    for made, said in ((frozen.healthy, False), (frozen.down, True)):
        app = Frozen(made(tmp_path))
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            text = Drawn(app).text
            assert ("45 s old" in text) is said
            assert "seen now" not in text


def test_it_is_calm_since_the_last_problem_ended_or_since_the_first_look(tmp_path: Path) -> None:
    calm = Frozen(_calm(tmp_path)).view.diagnosis
    wrong = Frozen(frozen.degraded(tmp_path)).view.diagnosis
    assert calm_since(calm, None, 100.0) == 100.0
    assert calm_since(calm, 100.0, 160.0) == 100.0
    assert calm_since(wrong, 100.0, 160.0) is None
    ended = msgspec.structs.replace(wrong.problems[0], solved_at=150.0)
    assert calm_since(msgspec.structs.replace(calm, problems=(ended,)), None, 160.0) == 150.0


async def test_on_a_small_terminal_what_is_well_takes_the_second_row(simulation: Simulation) -> None:
    simulation._gateway.database = "connected"
    async with opened(simulation, (80, 24)) as scene:
        await scene.shows("requests/min")
        await scene.shows("database connected")
        for _ in range(3):
            simulation.request("llama3.1:8b")
        await scene.until(lambda: "requests/min" in scene.text and "database connected" in scene.text)
        rows = scene.text.split("\n")
        assert rows[2].strip(), "no empty row"
