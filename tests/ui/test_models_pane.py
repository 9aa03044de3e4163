"""The models pane: trouble in sight however long the list is, its traffic, its order and its filter."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from litellm_tui.model.log import LogRecord
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.target.settings import Settings
from litellm_tui.ui.model_order import ORDERS, in_order
from litellm_tui.ui.model_table import columns_of, rate_words
from litellm_tui.ui.view import known_of
from litellm_tui.ui.widgets.lines import Lines, middle
from tests.ui import crowd, frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import settled
from tests.waiting import eventually


@asynccontextmanager
async def _shown(snapshot: Snapshot, size: tuple[int, int]) -> AsyncIterator[tuple[Frozen, Pilot[Any]]]:
    app = Frozen(snapshot)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await eventually(lambda: "deployments" in Drawn(app).text)
        yield app, pilot


def _rows(app: Frozen) -> list[str]:
    """The rows of deployments that are drawn."""
    area = app.main.pane("models").lines.region
    lines = Drawn(app).text.splitlines()[area.y : area.bottom]
    return [line.strip("│┃ ") for line in lines if "openai/" in line]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (120, 24)])
async def test_trouble_of_46_is_in_sight_below_a_head_that_stays(tmp_path: Path, size: tuple[int, int]) -> None:
    async with _shown(crowd.crowd(tmp_path), size) as (app, pilot):
        first = _rows(app)
        assert ["failing: refused" in row for row in first[:2]] == [True, False]
        assert sum("refused" in row for row in first[:4]) == 3
        # members of a group stand together, its name once
        assert "group-00014" in first[0]
        assert "group-" not in first[1]
        frame = next(line for line in Drawn(app).text.splitlines() if "1 Models" in line)
        assert f"46 deployments · 1 failing · 2 masked · rows 1–{len(first)}" in frame
        await pilot.press("end")
        await eventually(lambda: f"rows {47 - len(first)}–46" in Drawn(app).text, Drawn(app).text)
        head = Drawn(app).row_of("req/min")
        assert "group" in Drawn(app).text.splitlines()[head]


async def test_where_all_rows_are_in_sight_nothing_is_said_of_rows(tmp_path: Path) -> None:
    async with _shown(frozen.degraded(tmp_path), (120, 40)) as (app, _):
        text = Drawn(app).text
        assert "7 deployments · 1 failing · 1 masked" in text
        assert "rows" not in text


async def test_the_order_goes_round_by_a_key_and_is_marked_in_the_head(tmp_path: Path) -> None:
    async with _shown(crowd.crowd(tmp_path), (120, 40)) as (app, pilot):
        assert "state↓" in Drawn(app).text
        for words, mark, first in (
            ("by name", "group↓", "group-00000"),
            ("by requests", "req/min↓", "openai/model-00045"),
            ("by errors", "failed↓", "openai/model-00043"),
            ("by latency", "", "group-00000"),
        ):
            await pilot.press("O")
            await eventually(lambda words=words: words in Drawn(app).text)  # type: ignore[misc]  # bound at once
            await settled(pilot)
            # the selection stays on its row: the top is looked at
            await pilot.press("home")
            await settled(pilot)
            assert mark in Drawn(app).text
            assert first in _rows(app)[0]
        await pilot.press("O")
        await eventually(lambda: "by latency" not in Drawn(app).text)


async def test_a_filter_is_typed_here_while_the_models_have_the_focus(tmp_path: Path) -> None:
    async with _shown(crowd.crowd(tmp_path), (120, 40)) as (app, pilot):
        await pilot.press("slash", *"masked")
        await eventually(lambda: len(_rows(app)) == 2, Drawn(app).text)
        assert "filter masked: 2" in Drawn(app).text
        await pilot.press("enter")
        await settled(pilot)
        assert app.focused is app.main.pane("models").lines
        assert len(_rows(app)) == 2
        await pilot.press("escape")
        await eventually(lambda: len(_rows(app)) > 9)
        assert "filter" not in Drawn(app).text.splitlines()[4]
        await pilot.press("slash", *"no-such-name")
        await eventually(lambda: "none of 46 deployments has these words" in Drawn(app).text)
        await pilot.press("escape")
        await eventually(lambda: len(_rows(app)) > 9)
        # of the log, where that has the focus
        await pilot.press("2", "slash", *"word", "enter")
        await eventually(lambda: "filter word" in Drawn(app).text)
        assert len(_rows(app)) > 9


@pytest.mark.parametrize(("size", "height"), [((120, 40), 4), ((120, 30), 4)])
async def test_a_cache_that_is_off_and_few_chains_take_few_lines(
    tmp_path: Path, size: tuple[int, int], height: int
) -> None:
    snapshot = frozen.bare(tmp_path)
    async with _shown_bare(snapshot, size) as app:
        heights = {row: app.main.query_one(f"#{row}").size.height for row in ("upper", "middle", "lower")}
        assert heights["middle"] <= height
        assert heights["upper"] <= 6
        assert heights["lower"] == app.main.query_one("#panes").size.height - heights["middle"] - heights["upper"]


@asynccontextmanager
async def _shown_bare(snapshot: Snapshot, size: tuple[int, int]) -> AsyncIterator[Frozen]:
    app = Frozen(snapshot)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield app


async def test_the_log_keeps_its_share_beside_many_models(tmp_path: Path) -> None:
    async with _shown(crowd.crowd(tmp_path), (120, 40)) as (app, pilot):
        assert app.main.query_one("#lower").size.height >= 10
        await pilot.press("z")
        await eventually(lambda: app.main.pane("models").size.height > 30)
        await pilot.press("z")
        await eventually(lambda: app.main.pane("models").size.height < 20)


async def test_in_ascii_the_mark_of_the_order_is_no_letter_of_the_word(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path), Settings(ascii=True, utc=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert " state< " in Drawn(app).text


async def test_the_cursor_stands_on_the_worst_row_until_somebody_has_moved_it(tmp_path: Path) -> None:
    async with _shown(frozen.healthy(tmp_path), (120, 40)) as (app, pilot):
        lines = app.main.pane("models").lines
        first = lines.selected
        app._frozen = Frozen(frozen.degraded(tmp_path)).view
        app.redraw()
        await eventually(lambda: "failing: refused" in Drawn(app).text.splitlines()[Drawn(app).row_of("▌")])
        assert lines.selected != first
        # the detail beside it is about that one too
        assert app.main.pane("models").concerned(app.view)[0].verdict.state == "failing"
        await pilot.press("down")
        await settled(pilot)
        chosen = lines.selected
        app._frozen = Frozen(frozen.healthy(tmp_path)).view
        app.redraw()
        await settled(pilot)
        assert lines.selected == chosen


@pytest.mark.parametrize("key", ["enter", "home", "O"])
async def test_whoever_has_done_something_with_a_row_keeps_it(tmp_path: Path, key: str) -> None:
    async with _shown(frozen.healthy(tmp_path), (120, 40)) as (app, pilot):
        lines = app.main.pane("models").lines
        await pilot.press(key)
        await settled(pilot)
        first = lines.selected
        app._frozen = Frozen(frozen.degraded(tmp_path)).view
        app.main.draw(app.view, asked=True)
        await settled(pilot)
        assert lines.selected == first


# --- traffic -------------------------------------------------------------------------------------------------------


async def test_each_row_has_its_rate_of_its_limit_its_failures_and_a_curve(tmp_path: Path) -> None:
    async with _shown(frozen.degraded(tmp_path), (120, 40)) as (app, _):
        rows = _rows(app)
        assert re.search(r"failing: refused +4 +19 [▁-█]{5} +now$", rows[0]), rows[0]
        assert re.search(r"serving +6/100 +- [▁-█]{5} ", rows[2]), rows[2]
        # what had no request has no curve
        assert re.search(r"idle +- +- +5 min$", rows[-1]), rows[-1]
        assert " yes" not in Drawn(app).text


async def test_a_name_that_is_not_listed_says_so_and_others_say_nothing(tmp_path: Path) -> None:
    well = frozen.healthy(tmp_path)
    groups = msgspec.structs.replace(well.gateway.groups, value=("llama3.1:latest",))
    snapshot = msgspec.structs.replace(well, gateway=msgspec.structs.replace(well.gateway, groups=groups))
    async with _shown(snapshot, (120, 40)) as (app, _):
        listed = [row for row in _rows(app) if "openai/llama3.1" in row]
        assert listed
        assert all("/v1" not in row for row in listed)
        assert all("not in /v1" in row for row in _rows(app) if row not in listed)


async def test_the_header_has_the_rate_and_the_failed_with_a_curve(tmp_path: Path) -> None:
    async with _shown(frozen.healthy(tmp_path), (120, 40)) as (app, _):
        assert re.search(r"\d+ requests/min [▁-█]{5}", Drawn(app).text)
    async with _shown(frozen.degraded(tmp_path), (120, 40)) as (app, _):
        assert re.search(r"\d+ requests/min ·", Drawn(app).text)
        assert re.search(r"37 failed requests in 5 min \(22 %\) [▁-█]{5} rising", Drawn(app).text)


async def test_curves_are_drawn_anew_by_ten_seconds_and_not_by_each(tmp_path: Path) -> None:
    async with _shown(frozen.healthy(tmp_path), (120, 40)) as (app, pilot):
        before = Drawn(app).text
        models = app.main.pane("models").lines
        rows = [models._rows[place] for place in range(7)]
        app._frozen = app._frozen._replace(now=frozen.NOW + 8)
        app.redraw()
        await settled(pilot)
        assert [models._rows[place] for place in range(7)] == rows
        assert Drawn(app).text.splitlines()[4:14] == before.splitlines()[4:14]


# --- cells ---------------------------------------------------------------------------------------------------------


def test_a_name_is_cut_in_the_middle_and_keeps_its_width_in_cells() -> None:
    assert middle("hosted_vllm/meta-llama/Llama-3.1-8B-Instruct", 20) == "hosted_vl…B-Instruct"
    for text in ("漢字漢字漢字漢字漢字", "e\u0301" * 40, "a" * 90, "ab", "漢" * 45):
        for width in range(1, 30):
            assert cell_len(middle(text, width)) == width


@pytest.mark.parametrize("width", [40, 56, 64, 78, 90, 118, 198])
@pytest.mark.parametrize("group", ["g", "模型" * 12, "n" * 90])
def test_columns_take_the_width_and_no_more(tmp_path: Path, width: int, group: str) -> None:
    rows = Frozen(crowd.crowd(tmp_path)).view.diagnosis.deployments
    rows = tuple(msgspec.structs.replace(row, group=group, api_base=f"https://{'h' * 60}/v1") for row in rows)
    columns = columns_of(rows, width)
    assert sum(columns) + 3 == width
    assert columns.state >= min(16, width // 3)
    assert columns.group >= 2


def test_a_rate_is_told_of_its_limit_and_never_where_it_is_not_seen(tmp_path: Path) -> None:
    row = Frozen(frozen.healthy(tmp_path)).view.diagnosis.deployments[0]
    made = {
        (None, None): "", (0, 0): "-/600", (2, 0): "< 1/600", (2000, 60): "412/600",
    }  # fmt: skip
    for (ok, failed), words in made.items():
        assert rate_words(msgspec.structs.replace(row, ok=ok, failed=failed, rpm=600)) == words
    assert rate_words(msgspec.structs.replace(row, ok=10, failed=0, rpm=None)) == "2"


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_keeps_groups_together_and_loses_nobody(tmp_path: Path, order: str) -> None:
    rows = Frozen(crowd.crowd(tmp_path)).view.diagnosis.deployments
    ordered = in_order(rows, order, "")
    assert sorted(row.key for row in ordered) == sorted(row.key for row in rows)
    groups = [row.group for row in ordered]
    assert len({*groups}) == 1 + sum(one != other for one, other in pairwise(groups))


async def test_advice_is_a_sign_alone_and_its_words_are_in_the_detail(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path), audited=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        advised = next(row for row in app.view.diagnosis.deployments if row.findings)
        lines = app.main.pane("models").lines
        assert isinstance(lines, Lines)
        row = next(lines._rows[place] for place, key in enumerate(lines._keys) if key == advised.key)
        text = "".join(span for span, _ in row.spans)
        assert "▲ " in text
        assert advised.findings[0].title not in text
        lines.select(advised.key)
        await pilot.press("enter")
        await eventually(lambda: advised.findings[0].text[:20] in Drawn(app).text)


# --- nothing answers -------------------------------------------------------------------------------------------------


async def test_down_shows_what_was_known_and_the_last_lines_before_the_end(tmp_path: Path) -> None:
    before = Frozen(frozen.degraded(tmp_path)).view
    last = tuple(
        LogRecord(number, frozen.NOW - 40 + number, level, "stdout", text)  # type: ignore[arg-type]  # levels
        for number, (level, text) in enumerate(
            [("INFO", "one"), ("ERROR", "MemoryError: no more"), ("INFO", "bye\x1b")]
        )
    )
    app = Frozen(msgspec.structs.replace(frozen.down(tmp_path), last_records=last))
    app._frozen = app._frozen._replace(known=known_of(before.diagnosis.deployments, frozen.NOW - 6))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        rows = _rows(app)
        assert any("was masked: 500" in row for row in rows), rows
        assert any("was failing: refused" in row for row in rows), rows
        assert not any("unknown" in row for row in rows)
        # it is drawn as what is not known, however bad it was
        lines = app.main.pane("models").lines
        styles = {style for row in lines._rows if row.key for text, style in row.spans if "was " in text}
        assert styles == {"unknown"}
        text = Drawn(app).text
        assert "the last lines before the end" in text
        assert text.index("MemoryError: no more") < text.index("was ")


def test_what_is_not_known_any_more_does_not_take_the_place_of_what_was(tmp_path: Path) -> None:
    well = Frozen(frozen.healthy(tmp_path)).view.diagnosis.deployments
    gone = Frozen(frozen.down(tmp_path)).view.diagnosis.deployments
    assert len(known_of(well, 1.0)) == len(well) > 0
    assert known_of(gone, 2.0) == {}
