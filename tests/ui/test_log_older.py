"""At the first record one asks for what was before it; when that comes, nothing in sight moves."""

from __future__ import annotations

import time
from typing import Any

import pytest
from textual.app import App, ComposeResult

from litellm_tui.logs.store import LogStore
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.themes import STATES
from litellm_tui.ui.widgets.log_lines import LogLines
from litellm_tui.ui.widgets.log_view import LogView
from tests.ui.scene import Scene, quiet

BEGIN = 1_800_000_000.0


class _Past(LogStore):
    """Holds 300 records, of which the first ones have not been fetched."""

    fetched_from = 0

    def __init__(self) -> None:
        super().__init__()
        for number in range(300):
            self.append(
                LogRecord(sequence=0, time=BEGIN + number, level="INFO", source="x", text=f"record {number:03}")
            )
        self.fetched_from = 200

    def fetch(self, begin: int) -> None:
        self.fetched_from = begin
        self.revision += 1

    def __len__(self) -> int:
        return self._next - self.fetched_from

    @property
    def first(self) -> int:
        return self.fetched_from

    def get(self, sequence: int) -> LogRecord | None:
        return self._records[sequence] if self.first <= sequence <= self.last else None


class _App(App[None]):
    CSS = "LogView { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; overflow-x: hidden; }"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[LogLines.WantsOlder] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {f"state-{name}": "#808080" for name in STATES}

    def compose(self) -> ComposeResult:
        yield LogView()

    def on_mount(self) -> None:
        self.query_one(LogView).focus()

    def on_log_lines_wants_older(self, event: LogLines.WantsOlder) -> None:
        self.asked.append(event)


def _rows(view: LogView) -> list[str]:
    return [view.render_line(y).text.strip()[-10:] for y in range(view.size.height)]


@pytest.mark.parametrize(
    "keys", [("home",), ("g",), ("pageup",) * 12, ("home", "up"), ("home", "end", "home", "pageup")]
)
async def test_at_the_first_record_older_ones_are_asked_for_and_nothing_moves(keys: tuple[str, ...]) -> None:
    app = _App()
    async with app.run_test(size=(60, 12)) as pilot:
        view, store = app.query_one(LogView), _Past()
        view.take(store)
        await pilot.press(*keys)
        assert app.asked
        assert {(event.before_time, event.wanted) for event in app.asked} == {(BEGIN + 200, None)}
        before = _rows(view)
        assert before[0] == "record 200"
        store.fetch(100)
        view.take(store)
        await pilot.pause()
        assert _rows(view) == before
        assert not view.following
        await pilot.press("pageup")
        assert _rows(view)[-1] == "record 200"
        assert len(view.records()) == 200


async def test_away_from_it_nobody_asks() -> None:
    app = _App()
    async with app.run_test(size=(60, 12)) as pilot:
        app.query_one(LogView).take(_Past())
        await pilot.press("pageup", "up", "up", "down", "end", "k", "f", "f")
        assert app.asked == []


async def test_a_time_before_the_first_record_is_asked_for_and_gone_to_when_it_is_there() -> None:
    app = _App()
    async with app.run_test(size=(60, 12)) as pilot:
        view, store = app.query_one(LogView), _Past()
        view.take(store)
        assert view.jump_to("2027-01-15T08:00:50Z") == ""
        await pilot.pause()
        assert [(event.before_time, event.wanted) for event in app.asked] == [(BEGIN + 200, BEGIN + 50)]
        assert _chosen(view) == "record 200"
        store.fetch(100)
        view.take(store)
        await pilot.pause()
        assert [event.before_time for event in app.asked] == [BEGIN + 200, BEGIN + 100]
        assert _chosen(view) == "record 100"
        store.fetch(0)
        view.take(store)
        await pilot.pause()
        assert _chosen(view) == "record 050"
        assert len(app.asked) == 2


async def test_who_has_gone_elsewhere_is_left_there() -> None:
    app = _App()
    async with app.run_test(size=(60, 12)) as pilot:
        view, store = app.query_one(LogView), _Past()
        view.take(store)
        view.jump_to("2027-01-15T08:00:50Z")
        await pilot.press("down")
        store.fetch(0)
        view.take(store)
        await pilot.pause()
        assert _chosen(view) == "record 201"


def _chosen(view: LogView) -> Any:
    return view.chosen.text if view.chosen else None


async def test_a_search_that_ended_above_goes_on_in_what_has_come() -> None:
    app = _App()
    async with app.run_test(size=(60, 12)) as pilot:
        view, store = app.query_one(LogView), _Past()
        view.take(store)
        view.search("record 150")
        await pilot.press("N")
        assert view.chosen is None
        assert app.asked
        store.fetch(0)
        view.take(store)
        await pilot.press("N")
        assert _chosen(view) == "record 150"


async def test_a_gap_is_shown_whatever_the_filter() -> None:
    app = _App()
    async with app.run_test(size=(60, 12)) as pilot:
        view, store = app.query_one(LogView), LogStore()
        for source, text in (("proxy", "one"), ("gap", "1,234 lines are missing"), ("proxy", "two")):
            store.append(LogRecord(sequence=0, time=BEGIN, level="INFO", source=source, text=text))
        view.take(store)
        view.level = "ERROR"
        view.set_filter("nobody -gap")
        await pilot.pause()
        assert [record.text for record in view.records()] == ["1,234 lines are missing"]
        assert any("– 1,234 lines are missing –" in view.render_line(y).text for y in range(3))


async def _cut(scene: Scene, kept: int) -> LogStore:
    """Only the newest records are held; the log itself holds what was before them."""
    await quiet(scene)
    whole, store = scene.monitor.store, LogStore()
    for record in whole.since(whole.last - kept + 1):
        store.append(record)
    scene.monitor.store = store
    await scene.press("2")
    await scene.until(lambda: scene.log.store is store and scene.log.settled)
    return store


async def test_at_the_first_record_the_console_reads_what_was_before_it(scene: Scene) -> None:
    store = await _cut(scene, 60)
    # every line by itself: the first one may belong to a request that ends below it
    await scene.press("v")
    first = store.get(store.first)
    assert first is not None
    await scene.press("g")
    await scene.until(lambda: store.first < first.sequence)
    assert scene.log.chosen == first, "nothing moved"
    before = [record.time for record in store.since(store.first) if record.sequence < first.sequence]
    assert before == sorted(before)
    assert before[-1] <= first.time
    await scene.until(lambda: not scene.log.is_reading_back)
    # once more, to where the log begins
    await scene.press("g", "g")
    await scene.until(lambda: any("holds nothing older" in note.message for note in scene.app._notifications))


async def test_a_jump_to_a_time_before_the_first_record_goes_on_when_it_has_come(scene: Scene) -> None:
    store = await _cut(scene, 60)
    # every line by itself: the one before the first is older
    await scene.press("2", "v")
    first = store.get(store.first)
    assert first is not None
    wanted = time.time() - 36_000
    await scene.press("t", *"10h ago", "enter")
    await scene.until(lambda: store.first < first.sequence)
    # the first line at or after that time
    await scene.until(lambda: scene.log.chosen is not None and scene.log.chosen.sequence < first.sequence)
    chosen = scene.log.chosen
    assert chosen is not None
    assert chosen.time >= wanted
    before = store.get(chosen.sequence - 1)
    assert before is not None
    assert before.time < wanted + 5
