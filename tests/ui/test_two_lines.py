"""Problems and incidents in two lines each while there is room, and what is over apart from what goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from litellm_tui.analysis.health.memory import recall, remember
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.target.settings import Settings
from litellm_tui.ui.widgets.described import Described
from litellm_tui.ui.widgets.lines import Lines, Row
from tests.ui import crowd, frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import NOW, Frozen
from tests.ui.scene import settled

SIZES = [(80, 24), (120, 40)]


@asynccontextmanager
async def _opened(app: Frozen, size: tuple[int, int], key: str) -> AsyncIterator[Pilot[Any]]:
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        yield pilot


def _below(app: Frozen, words: str) -> str:
    """The line below the one with these words."""
    drawn = Drawn(app)
    return drawn.text.splitlines()[drawn.row_of(words) + 1].strip("│ ")


def _solved(snapshot: Snapshot) -> Frozen:
    """The first two problems of it are over."""
    app = Frozen(snapshot)
    problems = app.view.diagnosis.problems
    memory = remember({}, problems, NOW - 60, gateway_known=True)
    memory = remember(memory, problems[2:], NOW - 30, gateway_known=True)
    app.remember(recall(memory, problems[2:], NOW))
    return app


@pytest.mark.parametrize("size", SIZES)
async def test_a_problem_says_whom_it_hits_and_what_to_do_in_its_second_line(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    first = app.view.diagnosis.problems[0]
    async with _opened(app, size, "exclamation_mark") as pilot:
        lines = app.screen.query_one("#problems-lines", Lines)
        text = Drawn(app).text
        head = next(line for line in text.splitlines() if "since" in line)
        row = text.splitlines()[text.splitlines().index(head) + 1]
        assert row.index(first.title) == head.index("problem")
        assert row.index(first.cause[:12]) == head.index("cause")
        below = _below(app, first.title + " ")
        assert "→" in below or below.endswith("…")
        # the cursor stands on both lines, and takes the next problem's two
        number = Drawn(app).row_of(first.title + " ")
        grounds = [list(Drawn(app).cells(number + step))[lines.region.x + 9].ground for step in range(3)]
        assert grounds[0] == grounds[1] != grounds[2]
        await pilot.press("down")
        await settled(pilot)
        after = [list(Drawn(app).cells(number + step))[lines.region.x + 9].ground for step in range(4)]
        assert after == [grounds[2], grounds[2], grounds[0], grounds[0]]


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_over_stands_apart_from_what_goes_on(tmp_path: Path, size: tuple[int, int]) -> None:
    app = _solved(frozen.degraded(tmp_path))
    going = app.view.diagnosis.problems[0]
    assert going.solved_at is None
    async with _opened(app, size, "exclamation_mark") as pilot:
        assert going.title in _below(app, " going on")
        await pilot.press("end")
        await settled(pilot)
        first = next(p for p in app.view.diagnosis.problems if p.solved_at is not None)
        assert first.title in _below(app, " over, not seen any more")


@pytest.mark.parametrize("size", SIZES)
async def test_where_there_is_no_room_for_two_lines_each_a_problem_takes_one(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = Frozen(crowd.crowd(tmp_path))
    problems = app.view.diagnosis.problems
    app.remember(tuple(msgspec.structs.replace(problems[0], key=f"k{n}", title=f"trouble-{n}") for n in range(30)))
    async with _opened(app, size, "exclamation_mark"):
        rows = [line for line in Drawn(app).text.splitlines() if " trouble-" in line]
        height = app.screen.query_one("#problems-lines", Lines).size.height
        assert len(rows) == min(30, height)


@pytest.mark.parametrize("size", SIZES)
async def test_an_incident_says_in_its_second_line_what_the_log_says(tmp_path: Path, size: tuple[int, int]) -> None:
    app = Frozen(frozen.failing(tmp_path))
    async with _opened(app, size, "i"):
        text = Drawn(app).text
        head = next(line for line in text.splitlines() if "whom it hits" in line)
        assert "times" in head
        assert "qwen-coder-vllm" in Drawn(app).text
        assert "Cannot connect to host" in _below(app, "qwen-coder-vllm ")
        assert "qwen-coder-vllm" in _below(app, " going on")
        assert Drawn(app).row_of(" over: none in the last 5 min") < Drawn(app).row_of(" rate limit ")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["exclamation_mark", "i"])
async def test_what_is_cut_ends_in_an_ellipsis_and_is_whole_in_the_lower_part(
    tmp_path: Path, size: tuple[int, int], key: str
) -> None:
    app = Frozen(frozen.failing(tmp_path))
    async with _opened(app, size, key) as pilot:
        screen: Any = app.screen
        lines = screen.query_one(f"#{screen.NAME}-lines", Lines)
        for number in range(len([row for row in lines._rows if row.key])):
            item = screen.chosen
            detail = " ".join("".join(_texts(row)[1:]) for row in screen.query_one(Described)._rows)
            words = item.words if key == "i" else item.do
            assert " ".join(words.split()) in " ".join(detail.split())
            row = lines._cursor
            told = [text for line in lines._rows[row : row + 2] for text in _texts(line)]
            whole = (item.cause, item.subject) if key == "i" else (item.cause, item.title)
            for text in filter(None, whole):
                shown = next((t for t in told if t.rstrip() == text), None)
                assert shown or any(t.rstrip().endswith("…") and text.startswith(t.rstrip()[:-1]) for t in told), number
            await pilot.press("down")
            await settled(pilot)


def _texts(row: Row) -> list[str]:
    return [text for text, _ in row.spans]


async def test_the_lower_part_scrolls_and_the_frame_says_how(tmp_path: Path) -> None:
    app = Frozen(frozen.failing(tmp_path))
    async with _opened(app, (80, 24), "i") as pilot:
        detail = app.screen.query_one(Described)
        assert detail.height_of_all > detail.size.height
        assert "Enter log · o model · r since start · / filter · Tab all of it · Esc close" in Drawn(app).text
        last = _texts(detail._rows[-1])[-1]
        assert last not in Drawn(app).text
        await pilot.press("tab", "end")
        await settled(pilot)
        assert "↑↓ scroll · Tab list · Esc close" in Drawn(app).text
        await pilot.press("pagedown")
        await settled(pilot)
        assert last in Drawn(app).text
        await pilot.press("tab", "down")
        await settled(pilot)
        assert "Enter log" in Drawn(app).text


@pytest.mark.parametrize("key", ["exclamation_mark", "i"])
async def test_ascii_cuts_with_a_sign_of_its_own(tmp_path: Path, key: str) -> None:
    app = Frozen(frozen.failing(tmp_path), Settings(ascii=True, utc=True))
    async with _opened(app, (80, 24), key):
        assert {sign for sign in Drawn(app).text if ord(sign) > 126} == set()
