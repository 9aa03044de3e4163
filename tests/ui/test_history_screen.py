"""The history and the charts: what they show, what the keys do there, and where they lead."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import cast

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.demo.past import Past
from litellm_tui.ui.screens.audit import AuditScreen
from litellm_tui.ui.screens.chart import ChartScreen
from litellm_tui.ui.screens.difference import DifferenceScreen
from litellm_tui.ui.screens.history import HistoryScreen
from litellm_tui.ui.screens.incidents import IncidentsScreen
from litellm_tui.ui.widgets.lines import Lines
from tests.analysis.history.made import DAY, HOUR, NOW, Record, event, series
from tests.ui import frozen
from tests.ui.frozen import Frozen
from tests.ui.scene import Scene, opened

GROUP = "llama3.1:8b"


@asynccontextmanager
async def _still(folder: Path, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Scene]:
    """A console on which time stands still, with the history of the simulated gateway."""
    app = Frozen(frozen.healthy(folder))
    app.session.past = Past(NOW, UTC)
    async with app.run_test(size=size) as pilot:
        scene = Scene(app, pilot, cast(Simulation, None))
        await scene.settled()
        yield scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with _still(tmp_path) as found:
        yield found


def _list(scene: Scene) -> Lines:
    return scene.app.screen.query_one("#history-lines", Lines)


def _title(scene: Scene) -> str:
    return str(scene.app.screen.query(".sheet").first().border_title)


def _below(scene: Scene) -> str:
    return str(scene.app.screen.query(".sheet").first().border_subtitle)


async def _selected(scene: Scene, words: str) -> None:
    """The line with these words is selected."""

    def found() -> str:
        rows = _list(scene)._rows
        return next((row.key for row in rows if row.key and words in "".join(text for text, _ in row.spans)), "")

    _list(scene).select(await scene.until(found))
    await scene.settled()


async def test_the_newest_is_above_and_all_about_it_below(scene: Scene) -> None:
    await scene.press("h")
    await scene.shows("nobody looked, for 47 min")
    for words in ("gateway did not answer", "qwen2.5-coder:32b: upstream refuses", "availability", "nothing happened"):
        # the figures come after the rest
        await scene.shows(words)
    await _selected(scene, "rate limited")
    await scene.shows("some of the callers")
    await scene.until(lambda: "Enter incident" in _below(scene))
    await _selected(scene, "nobody looked")
    await scene.shows("litellm-tui record --install")


async def test_last_night_the_last_look_and_spans_are_a_key_each(scene: Scene) -> None:
    await scene.press("h")
    await scene.shows("last 1 d")
    await scene.press("plus", "plus")
    await scene.shows("started: LiteLLM 1.106.2")
    await scene.until(lambda: "last 7 d" in _title(scene))
    await scene.press("n")
    await scene.until(lambda: "started" not in scene.text)
    assert "last night, 20:00 to 08:00" in _title(scene)
    # nobody has looked before
    await scene.press("l")
    assert any("is not known" in note.message for note in scene.app._notifications)
    await scene.press("escape", "h")
    await scene.press("l")
    await scene.until(lambda: "since you looked last" in _title(scene))


async def test_the_filter_narrows_and_escape_takes_it_away(scene: Scene) -> None:
    await scene.press("h")
    await scene.shows("cache: Redis refuses")
    await scene.press("slash", *"redis")
    await scene.until(lambda: "rate limited" not in scene.text)
    await scene.press("enter")
    await scene.shows("cache: Redis refuses")
    await scene.press("escape")
    await scene.shows("rate limited")
    await scene.press("escape")
    assert len(scene.app.screen_stack) == 1


async def test_a_start_leads_to_its_difference(scene: Scene) -> None:
    await scene.press("h", "plus")
    await scene.press("plus")
    await _selected(scene, "configuration applied")
    await scene.until(lambda: "Enter difference" in _below(scene))
    await scene.press("enter")
    assert isinstance(scene.app.screen, DifferenceScreen)


async def test_a_problem_leads_to_its_incident_or_else_to_the_log_at_that_time(simulation: Simulation) -> None:
    async with opened(simulation) as scene:
        await _goes_where_it_leads(scene)


async def _goes_where_it_leads(scene: Scene) -> None:
    scene.break_for_all(GROUP)
    now = time.time()
    scene.app.session.past = Record(
        [
            event(1, now - 1, title=GROUP, subject=f"group:{GROUP}", cause="refused"),
            event(2, now - HOUR, title="over long ago", subject="group:other", until=now - HOUR + 60),
            event(3, now - 2 * HOUR, "audit", title="audit: 1 warning"),
        ],
        [(now - DAY, now + DAY)],
    )
    await scene.until(lambda: scene.app.view and scene.app.view.snapshot.failures.tallies)
    await scene.press("h")
    await _selected(scene, f"{GROUP}: refused")
    await scene.press("enter")
    await scene.until(lambda: isinstance(scene.app.screen, IncidentsScreen))
    chosen = scene.app.screen.query_one("#incidents-lines", Lines)
    await scene.until(lambda: GROUP in chosen.selected)
    await scene.press("escape", "h")
    await _selected(scene, "over long ago")
    await scene.press("enter")
    assert len(scene.app.screen_stack) == 1
    assert scene.pane == "logs"
    # what is held of the log is younger: it stands at its beginning
    await scene.until(lambda: not scene.log.following)
    await scene.press("h")
    await _selected(scene, "1 warning")
    await scene.press("enter")
    assert isinstance(scene.app.screen, AuditScreen)


async def test_o_goes_to_the_log_and_c_to_the_charts_at_that_time(scene: Scene) -> None:
    await scene.press("h")
    await _selected(scene, "rate limited")
    await scene.press("c")
    assert isinstance(scene.app.screen, ChartScreen)
    await scene.shows("02:31")
    await scene.shows("gpt-4.1: rate limited (429)")
    await scene.press("h")
    assert isinstance(scene.app.screen, HistoryScreen)
    await _selected(scene, "rate limited")
    await scene.press("o")
    assert scene.pane == "logs"


async def test_a_record_that_cannot_be_read_is_said_to(scene: Scene) -> None:
    broken = Record()
    broken.failure = "/srv/history.sqlite: file is not a database"
    scene.app.session.past = broken
    await scene.press("h")
    await scene.shows("the record cannot be read: /srv/history.sqlite")
    await scene.press("escape", "C")
    await scene.shows("the record cannot be read: /srv/history.sqlite")


async def test_what_comes_from_outside_is_no_markup(scene: Scene) -> None:
    evil = event(1, NOW - 60, title="[bold]x[/bold]\x1b[31m", cause="[link=file:///etc]y", subject="group:[a]")
    scene.app.session.past = Record([evil], [(NOW - DAY, NOW)])
    await scene.press("h")
    await scene.shows("[bold]x[/bold]")


# --- charts ------------------------------------------------------------------------------------------------------


async def _charts(scene: Scene) -> ChartScreen:
    await scene.press("1", "c")
    screen = scene.app.screen
    assert isinstance(screen, ChartScreen)
    await scene.shows("requests a minute")
    return screen


async def test_all_curves_of_the_gateway_have_room(scene: Scene) -> None:
    await _charts(scene)
    for words in ("failed requests a minute", "latency, p95", "answered by the cache", "memory", "R start"):
        await scene.shows(words)
    assert "the whole gateway · last 1 d" in _title(scene)


async def test_another_group_and_another_span_are_a_key_each(scene: Scene) -> None:
    await _charts(scene)
    await scene.press("down")
    await scene.until(lambda: "group gemini-2.5-flash" in _title(scene) and "memory" not in scene.text)
    await scene.press("up", "up")
    await scene.until(lambda: "group qwen2.5-coder:32b" in _title(scene))
    await scene.press("plus")
    await scene.until(lambda: "last 3 d" in _title(scene))
    await scene.press("minus", "minus", "minus", "minus", "minus", "minus", "minus", "minus")
    await scene.until(lambda: "last 10 min" in _title(scene))


async def test_the_cursor_tells_the_values_and_what_happened_there(scene: Scene) -> None:
    await _charts(scene)
    await scene.press("N", "N")
    seen = set()
    for _ in range(12):
        seen.add(scene.text.splitlines()[5])
        await scene.press("N")
    assert any("gpt-4.1: rate limited (429)" in line for line in seen)
    assert any("did not answer: its event loop was blocked" in line for line in seen)
    await scene.press("home")
    await scene.shows("nothing is marked here")
    await scene.press("left", "right", "right")
    await scene.press("m")
    await scene.until(lambda: "failed requests" not in scene.text)
    await scene.press("m")
    await scene.shows("failed requests")


async def test_earlier_and_back_to_now(scene: Scene) -> None:
    await _charts(scene)
    await scene.press("left_square_bracket")
    await scene.until(lambda: " to " in _title(scene))
    await scene.press("right_square_bracket")
    await scene.until(lambda: "last 1 d" in _title(scene))


async def test_enter_goes_to_the_log_at_the_selected_time(scene: Scene) -> None:
    await _charts(scene)
    await scene.press("N", "enter")
    assert len(scene.app.screen_stack) == 1
    assert scene.pane == "logs"


async def test_a_click_selects_a_column(scene: Scene) -> None:
    await _charts(scene)
    await scene.pilot.click("#chart-lines", offset=(20, 5))
    await scene.until(lambda: "R start ·" not in scene.text)


async def test_of_what_nothing_is_recorded_it_says_so(scene: Scene) -> None:
    scene.app.session.past = Record(series={("group:a", "requests"): series("requests", 60, None)})
    await scene.press("C")
    await scene.shows("nothing was recorded in this span")


async def test_it_fits_the_smallest_screen(tmp_path: Path) -> None:
    async with _still(tmp_path, (80, 24)) as scene:
        await _charts(scene)
        lines = scene.app.screen.query_one("#chart-lines", Lines)
        await scene.until(lambda: len(lines._rows) == lines.size.height)
        assert all(sum(len(text) for text, _ in row.spans) <= lines.room for row in lines._rows)
        await scene.press("escape", "h")
        await scene.shows("last 1 d")
        await scene.until(lambda: any(row.key for row in _list(scene)._rows))
        assert all(sum(len(text) for text, _ in row.spans) <= _list(scene).room for row in _list(scene)._rows)
