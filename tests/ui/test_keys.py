"""Every key, pressed, and what it does. A key of `ui.keys` that has no test here fails the last tests."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from rich.segment import Segment
from textual.command import CommandPalette
from textual.strip import Strip
from textual.widgets import Input

from litellm_tui.demo.past import Past
from litellm_tui.ui.keys import KEYS, PLACES, Place
from litellm_tui.ui.panes.timeline import Timeline
from litellm_tui.ui.screens.audit import AuditScreen
from litellm_tui.ui.screens.backups import BackupsScreen
from litellm_tui.ui.screens.chart import ChartScreen
from litellm_tui.ui.screens.confirm import ConfirmDialog
from litellm_tui.ui.screens.difference import DifferenceScreen
from litellm_tui.ui.screens.drill import DrillDialog
from litellm_tui.ui.screens.filters import FiltersScreen
from litellm_tui.ui.screens.help import HelpScreen
from litellm_tui.ui.screens.history import HistoryScreen
from litellm_tui.ui.screens.incidents import IncidentsScreen
from litellm_tui.ui.screens.note import NotePrompt
from litellm_tui.ui.screens.probe import ProbeDialog
from litellm_tui.ui.screens.problems import Problems
from litellm_tui.ui.screens.rehearsal import RehearsalScreen
from litellm_tui.ui.screens.restart import RestartDialog
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.screens.upgrade import UpgradeScreen
from litellm_tui.ui.widgets.lines import Lines
from tests.ui.scene import Scene, quiet

Test = Callable[[Scene, str], Awaitable[None]]
TESTS: dict[tuple[Place, str], Test] = {}


def presses(place: Place, *keys: str) -> Callable[[Test], Test]:
    """This is the test of these keys."""

    def register(test: Test) -> Test:
        for key in keys:
            assert (place, key) not in TESTS
            TESTS[place, key] = test
        return test

    return register


# --- everywhere --------------------------------------------------------------------------------------------------


@presses("everywhere", "1", "2", "3", "4")
async def _goes_to_its_pane(scene: Scene, key: str) -> None:
    await scene.press("2" if key == "1" else "1")
    await scene.press(key)
    assert scene.pane == {"1": "models", "2": "logs", "3": "fallbacks", "4": "cache"}[key]
    assert {"models", "logs", "fallbacks", "cache"} <= scene.panes


@presses("everywhere", "5")
async def _goes_to_the_service(scene: Scene, key: str) -> None:
    assert "service" not in scene.panes
    await scene.press(key)
    assert scene.pane == "service"
    assert "service" in scene.panes
    await scene.shows("litellm.service (user)")
    assert "active (running)" in scene.text
    assert "found, not shown" in scene.text
    assert scene.simulation.key not in scene.text


@presses("everywhere", "6", "7")
async def _goes_to_what_stands_on_a_wide_screen_only(scene: Scene, key: str) -> None:
    name = {"6": "timeline", "7": "worst"}[key]
    assert name not in scene.panes
    await scene.press(key)
    assert scene.pane == name
    assert scene.panes == {name}
    await scene.shows("zoomed, z ends it")


@presses("everywhere", "tab", "shift+tab")
async def _goes_around_the_panes(scene: Scene, key: str) -> None:
    around = ["models", "logs", "fallbacks", "cache", "models"]
    await scene.press("1")
    for name in (around if key == "tab" else around[::-1])[1:]:
        await scene.press(key)
        assert scene.pane == name


@presses("everywhere", "z")
async def _zooms_and_goes_back(scene: Scene, key: str) -> None:
    await scene.press("3", key)
    assert scene.panes == {"fallbacks"}
    assert scene.lines("fallbacks").size.width > 110
    await scene.press(key)
    assert {"models", "logs", "fallbacks", "cache"} <= scene.panes
    assert scene.pane == "fallbacks"
    # a pane alone ends where another one is wanted
    await scene.press(key, "4")
    assert {"models", "logs", "fallbacks", "cache"} <= scene.panes
    assert scene.pane == "cache"


@presses("everywhere", "R")
async def _asks_whether_to_restart(scene: Scene, key: str) -> None:
    await scene.press(key)
    assert isinstance(scene.app.screen, RestartDialog)
    await scene.press(key)
    assert len(scene.app.screen_stack) == 2


@presses("everywhere", "r")
async def _asks_whether_to_rehearse(scene: Scene, key: str) -> None:
    await scene.press(key)
    assert isinstance(scene.app.screen, RehearsalScreen)
    await scene.press(key)
    assert len(scene.app.screen_stack) == 2


@presses("everywhere", "U")
async def _shows_the_plan_of_an_upgrade(scene: Scene, key: str) -> None:
    await scene.press(key)
    await scene.until(lambda: isinstance(scene.app.screen, UpgradeScreen))
    await scene.press(key)
    assert len(scene.app.screen_stack) == 2


@presses("everywhere", "a")
async def _audits_the_file(scene: Scene, key: str) -> None:
    await scene.press(key)
    assert isinstance(scene.app.screen, AuditScreen)
    await scene.shows("for LiteLLM 1.106.2")


@presses("everywhere", "d")
async def _shows_the_difference(scene: Scene, key: str) -> None:
    await scene.press(key)
    assert isinstance(scene.app.screen, DifferenceScreen)
    await scene.shows("no difference")
    scene.simulation.edit_config()
    await scene.shows("fallbacks of qwen2.5-coder:32b")
    await scene.press(key)
    assert len(scene.app.screen_stack) == 1


@presses("everywhere", "b")
async def _shows_the_backups(scene: Scene, key: str) -> None:
    await scene.press(key)
    assert isinstance(scene.app.screen, BackupsScreen)
    await scene.shows("nothing is kept yet")
    await scene.press(key)
    assert len(scene.app.screen_stack) == 1


@presses("everywhere", "W")
async def _says_that_a_named_gateway_has_no_others(scene: Scene, key: str) -> None:
    await scene.press(key)
    await scene.until(lambda: any("this gateway was named" in note.message for note in scene.app._notifications))


@presses("everywhere", "G")
async def _says_how_a_fleet_is_named(scene: Scene, key: str) -> None:
    await scene.press(key)
    await scene.until(lambda: any("has no profiles" in note.message for note in scene.app._notifications))


@presses("everywhere", "exclamation_mark")
async def _lists_the_problems(scene: Scene, key: str) -> None:
    await scene.press(key)
    assert isinstance(scene.app.screen, Problems)
    await scene.shows("ghost fallback")
    await scene.press(key)
    assert len(scene.app.screen_stack) == 1


@presses("everywhere", "i")
async def _lists_the_incidents(scene: Scene, key: str) -> None:
    await scene.press(key)
    assert isinstance(scene.app.screen, IncidentsScreen)
    await scene.shows("requests a minute")
    await scene.press(key)
    assert len(scene.app.screen_stack) == 1


@presses("everywhere", "p", "P")
async def _probes(scene: Scene, key: str) -> None:
    await scene.press("1", key)
    # one is asked at once, all of them only after a question
    assert isinstance(scene.app.screen, ProbeDialog) == (key == "P")
    await scene.until(lambda: len(scene.monitor.snapshot().probes) == (key == "p"))
    await scene.shows("answered in " if key == "p" else "8, one to each deployment")


@presses("everywhere", "L")
async def _loads(scene: Scene, key: str) -> None:
    # the first one is asked at its provider
    await scene.press("1", key)
    await scene.until(lambda: any("no load test" in note.message for note in scene.app._notifications))


@presses("everywhere", "e")
async def _opens_the_editor(scene: Scene, key: str) -> None:
    # there is no terminal here that could be handed over
    await scene.press(key)
    await scene.until(lambda: any("handed to an editor" in note.message for note in scene.app._notifications))


@presses("everywhere", "E")
async def _marks_as_expected_down(scene: Scene, key: str) -> None:
    await scene.press("1", key)
    assert isinstance(scene.app.screen, NotePrompt)
    await scene.press("enter")
    assert len(scene.monitor.expected_down) == 1
    await scene.press(key)
    assert scene.monitor.expected_down == {}


@presses("everywhere", "f5")
async def _looks_at_everything(scene: Scene, key: str) -> None:
    def seen() -> float:
        return scene.monitor.snapshot().gateway.deployments.seen_at or 0

    before = seen()
    await scene.press(key)
    # its own pace is a quarter of a minute
    await scene.until(lambda: seen() > before)


@presses("everywhere", "ctrl+l")
async def _draws_the_screen_anew(scene: Scene, key: str) -> None:
    cells, app = scene.app._painted_cells, scene.app
    painting = [(0, 0, Strip([Segment("painted")]))]
    first = cells.changes(painting, app.size, app.console)
    assert cells.changes(painting, app.size, app.console) == ""
    await scene.press(key)
    assert cells.changes(painting, app.size, app.console) == first


@presses("everywhere", "question_mark")
async def _helps(scene: Scene, key: str) -> None:
    await scene.press(key)
    assert isinstance(scene.app.screen, HelpScreen)
    assert "Keys and signs" in scene.text
    await scene.press(key)
    assert len(scene.app.screen_stack) == 1


@presses("everywhere", "ctrl+p", "colon")
async def _opens_the_palette(scene: Scene, key: str) -> None:
    await scene.press(key)
    assert isinstance(scene.app.screen, CommandPalette)


@presses("everywhere", "ctrl+z")
async def _suspends_the_console(scene: Scene, key: str) -> None:
    suspended: list[bool] = []
    scene.app.action_suspend_process = lambda: suspended.append(True)  # type: ignore[method-assign]
    await scene.press(key)
    assert suspended == [True]


@presses("everywhere", "slash", "s")
async def _opens_the_line_to_type_in(scene: Scene, key: str) -> None:
    await scene.press("1", key)
    focused = scene.app.focused
    assert isinstance(focused, Input)
    await scene.shows("┃ filter: " if key == "slash" else "┃ search: ")
    await scene.press("q", "1")
    assert focused.value == "q1"
    await scene.press("escape")
    assert not focused.parent.display  # type: ignore[union-attr]
    # the models have a filter of their own, where they have the focus
    assert scene.pane == ("models" if key == "slash" else "logs")
    if key == "slash":
        await scene.press("2", key)
        await scene.shows("┃ filter: ")
        await scene.press("escape")
        assert scene.pane == "logs"


@presses("everywhere", "q")
async def _quits(scene: Scene, key: str) -> None:
    await scene.press(key)
    await scene.until(lambda: scene.app.return_code == 0 and not scene.app.is_running)


# --- in a list ---------------------------------------------------------------------------------------------------


@presses("lists", "down", "j", "up", "k")
async def _moves_by_a_line(scene: Scene, key: str) -> None:
    await scene.press("1")
    models = scene.lines("models")
    rows = [row.key for row in models._rows if row.key]
    assert models.selected == rows[0]
    if key in ("up", "k"):
        await scene.press("end", key)
        assert models.selected == rows[-2]
    else:
        await scene.press(key)
        assert models.selected == rows[1]


@presses("models", "O")
async def _orders_the_models(scene: Scene, key: str) -> None:
    await scene.press("1", key)
    await scene.shows("by name")


@presses("models", "escape")
async def _takes_the_filter_of_the_models_away(scene: Scene, key: str) -> None:
    await scene.press("1", "slash", *"gpt", "enter")
    await scene.shows("filter gpt")
    await scene.press(key)
    await scene.until(lambda: "filter gpt" not in scene.text)


@presses("lists", "pagedown", "space", "pageup")
async def _moves_by_a_page(scene: Scene, key: str) -> None:
    await scene.press("2", "home")
    log = scene.log
    first, page = log._at, log.size.height - 1
    assert len(log._index) > 3 * page
    if key == "pageup":
        await scene.press("end")
        top = log.scroll_offset.y
        await scene.press(key)
        assert log.scroll_offset.y == top - page
        assert not log.following
    else:
        await scene.press(key)
        assert log.scroll_offset.y == page
    assert first == log._index.sequences[0]


@presses("lists", "home", "g")
async def _goes_to_the_first_line(scene: Scene, key: str) -> None:
    await scene.press("1", "end", key)
    models = scene.lines("models")
    assert models.selected == next(row.key for row in models._rows if row.key)
    await scene.press("2", key)
    assert (scene.log.scroll_offset.y, scene.log._at) == (0, scene.log._index.sequences[0])
    assert not scene.log.following


@presses("lists", "end", "greater_than_sign")
async def _goes_to_the_last_line(scene: Scene, key: str) -> None:
    await scene.press("1", key)
    models = scene.lines("models")
    assert models.selected == [row.key for row in models._rows if row.key][-1]
    await scene.press("2", "home", key)
    assert scene.log.following
    assert scene.log.scroll_offset.y == scene.log.max_scroll_y > 0


@presses("lists", "enter")
async def _opens_all_that_is_known(scene: Scene, key: str) -> None:
    await scene.press("1", key)
    assert isinstance(scene.app.screen, Sheet)
    assert "llama3.1:8b · ollama_chat/llama3.1:8b" in scene.text
    assert "http://127.0.0.1:11434" in scene.text
    await scene.press(key)
    assert len(scene.app.screen_stack) == 1
    await scene.press("3", key)
    assert "qwen2.5-coder:32b · general" in scene.text
    await scene.press("escape")
    scene.write(
        "a failure of note",
        level="ERROR",
        stack="Traceback (most recent call last):\n  File x",
        call_id="id-of-the-call",
    )
    await scene.press("2", key)
    assert "Log record" in scene.text
    for words in ("a failure of note", "Traceback (most recent call last):", "  File x", "id-of-the-call"):
        assert words in scene.text
    await scene.press("q")
    assert len(scene.app.screen_stack) == 1, "q closes a sheet before it quits"


# --- in the fallbacks ---------------------------------------------------------------------------------------------


@presses("fallbacks", "x", "space")
async def _asks_what_if(scene: Scene, key: str) -> None:
    await scene.press("3", key)
    await scene.shows("what if: 1 marked down")
    await scene.press(key)
    assert "what if:" not in scene.text


@presses("fallbacks", "escape")
async def _takes_all_marks_back(scene: Scene, key: str) -> None:
    await scene.press("3", "x", "down", "x")
    await scene.shows("what if: 2 marked down")
    await scene.press(key)
    assert "what if:" not in scene.text


@presses("fallbacks", "D")
async def _asks_whether_to_drill(scene: Scene, key: str) -> None:
    await scene.press("3", key)
    assert isinstance(scene.app.screen, DrillDialog)
    assert scene.app.focused is not None
    assert scene.app.focused.id == "cancel"


@presses("everywhere", "t")
async def _jumps_to_a_time(scene: Scene, key: str) -> None:
    for minute in range(90):
        scene.write(f"in minute {minute}", time=1_900_000_000.0 + 60 * minute)
    await scene.press("1", key, *"2030-03-17T18:00Z", "enter")
    assert scene.pane == "logs"
    assert _selected(scene) == "in minute 14", "1,900,000,000 is 17:46:40"
    await scene.press(key, *"soon", "enter")
    await scene.shows("no time: soon")
    await scene.press("escape")
    assert _selected(scene) == "in minute 14"


@presses("everywhere", "F")
async def _keeps_filters_by_name(scene: Scene, key: str) -> None:
    await scene.press("2", "slash", *"status:5xx", "enter", key)
    assert isinstance(scene.app.screen, FiltersScreen)
    await scene.press("a", *"broken", "enter")
    await scene.shows("broken  status:5xx")
    await scene.press("escape", "escape")
    assert scene.log.filter.typed == ""
    await scene.press("1", key, "enter")
    assert (scene.pane, scene.log.filter.typed) == ("logs", "status:5xx")
    await scene.press(key, "x")
    await scene.shows("none is kept yet")


@presses("everywhere", "Y")
async def _exports_what_is_shown(scene: Scene, key: str) -> None:
    scene.write("needle one", "hay", "needle two")
    path = scene.simulation.config_path.parent / "found.txt"
    await scene.press("2", "slash", *"needle", "enter", key)
    field = scene.app.screen.query_one("LogPrompt Input", Input)
    assert field.value.startswith("litellm-log-")
    field.value = str(path)
    await scene.press("enter")
    await scene.until(lambda: any(str(path) in note.message for note in scene.app._notifications))
    assert [line.rsplit("] ")[1] for line in path.read_text().splitlines()] == ["needle one", "needle two"]
    assert any("2 records written" in note.message for note in scene.app._notifications)


@presses("everywhere", "u")
async def _shows_the_other_clock(scene: Scene, key: str) -> None:
    await scene.press("2")
    assert not scene.app.session.notation.utc
    await scene.press(key)
    assert scene.app.session.notation.utc
    await scene.shows("· UTC ·")
    assert scene.log.zone is not None
    await scene.press(key)
    assert "· UTC ·" not in scene.text


# --- in the log --------------------------------------------------------------------------------------------------


def _selected(scene: Scene) -> str:
    record = scene.log.chosen
    return record.text if record else ""


@presses("logs", "n", "N")
async def _goes_from_match_to_match(scene: Scene, key: str) -> None:
    scene.write("needle one", "hay", "error one", "needle two", "hay")
    scene.write("the only error", level="ERROR")
    scene.write("needle three", "hay")
    await scene.press("s", *"needle", "enter")
    assert _selected(scene) == "needle three"
    await scene.press("N")
    assert _selected(scene) == "needle two"
    await scene.press("N")
    assert _selected(scene) == "needle one"
    if key == "n":
        await scene.press(key)
        assert _selected(scene) == "needle two"
    else:
        await scene.press(key)
        assert _selected(scene) == "needle one", "there is none above"
    # without a search they go from error to error
    await scene.press("escape", "N")
    assert _selected(scene) == "the only error"
    if key == "n":
        await scene.press("home", key)
        assert scene.log.chosen.level == "ERROR"  # type: ignore[union-attr]


@presses("logs", "l")
async def _goes_through_the_levels(scene: Scene, key: str) -> None:
    await scene.press("2")
    texts = {}
    for level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        scene.write(f"a line of {level}", level=level)
    for expected in ("INFO", "WARNING", "ERROR", "DEBUG"):
        assert scene.log.level == expected
        texts[expected] = [
            level for level in ("DEBUG", "INFO", "WARNING", "ERROR") if f"a line of {level}" in scene.text
        ]
        await scene.press(key)
    assert texts == {
        "INFO": ["INFO", "WARNING", "ERROR"], "WARNING": ["WARNING", "ERROR"], "ERROR": ["ERROR"],
        "DEBUG": ["DEBUG", "INFO", "WARNING", "ERROR"],
    }  # fmt: skip
    assert scene.log.level == "INFO"


@presses("logs", "f")
async def _follows_or_stops(scene: Scene, key: str) -> None:
    await scene.press("2")
    await scene.shows("following")
    await scene.press(key)
    assert not scene.log.following
    top = scene.log.scroll_offset.y
    scene.write("while it is paused", "and another")
    await scene.shows("paused, 2 new lines")
    assert scene.log.scroll_offset.y == top
    await scene.press(key)
    assert scene.log.following
    await scene.shows("and another")


@presses("logs", "w")
async def _wraps_long_lines(scene: Scene, key: str) -> None:
    scene.write("begin " + "x" * 300 + " end")
    await scene.press("2")
    assert " end" not in scene.text.split("begin ")[1].split("\n")[0]
    await scene.press(key)
    await scene.shows("x end")
    assert scene.log.wrapped
    await scene.press(key)
    assert "x end" not in scene.text


@presses("logs", "v")
async def _shows_requests_or_lines(scene: Scene, key: str) -> None:
    scene.simulation.request("gpt-4.1")
    await scene.press("2")
    await scene.shows("following · requests")
    await scene.press(key)
    await scene.shows("following · lines")
    assert not scene.log.reading
    await scene.press(key)
    await scene.shows("following · requests")


@presses("logs", "o")
async def _shows_the_consoles_own_requests(scene: Scene, key: str) -> None:
    scene.write("GET /v1/models?from=litellm-tui 200", own=True)
    await scene.press("2")
    await scene.shows("polling hidden")
    assert "from=litellm-tui" not in scene.text
    await scene.press(key)
    await scene.shows("from=litellm-tui")
    await scene.press(key)
    assert "from=litellm-tui" not in scene.text


@presses("logs", "escape")
async def _clears_filter_and_search(scene: Scene, key: str) -> None:
    scene.write("needle", "hay")
    await scene.press("2", "slash", *"needle", "enter", "s", *"nee", "enter")
    assert scene.log.filter.typed == "needle"
    assert scene.log.sought.typed == "nee"
    await scene.until(lambda: not scene.log.following)
    await scene.press(key)
    assert (scene.log.filter.typed, scene.log.sought.typed, scene.log.following) == ("", "", True)
    await scene.shows("hay")


@presses("everywhere", "S")
async def _asks_before_it_stops(scene: Scene, key: str) -> None:
    await scene.press(key)
    await scene.until(lambda: isinstance(scene.app.screen, ConfirmDialog))
    assert scene.app.focused is not None
    assert scene.app.focused.id == "cancel"
    await scene.shows("Stop litellm.service")


def _minute(scene: Scene) -> int:
    pane = scene.app.main.pane("timeline")
    assert isinstance(pane, Timeline)
    return pane.minute


@presses("timeline", "left", "right")
async def _goes_from_minute_to_minute(scene: Scene, key: str) -> None:
    await scene.press("6", "left", "left", "left")
    before = _minute(scene)
    await scene.press(key)
    assert _minute(scene) == before + {"left": -1, "right": 1}[key]


@presses("timeline", "n", "N")
async def _goes_from_mark_to_mark(scene: Scene, key: str) -> None:
    scene.simulation.edit_config()
    await scene.until(lambda: any(event.kind == "save" for event in scene.app.view.events))  # type: ignore[union-attr]
    (saved,) = {int(event.at // 60) for event in scene.app.view.events if event.kind == "save"}  # type: ignore[union-attr]
    await scene.press("6", "home" if key == "n" else "end")
    if key == "n" or _minute(scene) > saved:
        await scene.press(key)
        await scene.until(lambda: _minute(scene) == saved)


@presses("timeline", "enter")
async def _takes_the_log_to_the_minute(scene: Scene, key: str) -> None:
    await scene.press("6", "left", key)
    assert scene.pane == "logs"
    await scene.until(lambda: not scene.log.following or scene.log.chosen is not None)


@presses("service", "enter")
async def _shows_all_about_the_service(scene: Scene, key: str) -> None:
    await scene.press("5", key)
    await scene.until(lambda: isinstance(scene.app.screen, Sheet))
    await scene.shows("how its runs ended")


@presses("logs", "c")
async def _shows_all_of_this_call(scene: Scene, key: str) -> None:
    scene.write("it began", "it ended", call_id="0198-ab")
    scene.write("litellm_call_id=0198-ab - is named in the text", "another", call_id="")
    scene.write("one of another call", call_id="0198-cd")
    await scene.press("2", "end", "k", "k", "k", "k", key)
    await scene.until(lambda: scene.log.filter.typed == "call_id:0198-ab")
    assert [record.text for record in scene.log.records()] == [
        "it began", "it ended", "litellm_call_id=0198-ab - is named in the text",
    ]  # fmt: skip
    await scene.press("escape", "end", "k", "k", key)
    assert scene.log.filter.typed == ""
    assert any("this record names no call" in note.message for note in scene.app._notifications)


@presses("logs", "m", "M")
async def _marks_and_finds_marks(scene: Scene, key: str) -> None:
    scene.write("one", "two", "three", "four")
    await scene.press("2", "end", "k", "k", "m")
    assert _selected(scene) == "three"
    await scene.shows("▌proxy  three")
    await scene.press("k", "k", "m")
    await scene.shows("2 marks")
    if key == "M":
        await scene.press("end")
        visited = []
        for _ in range(3):
            await scene.press(key)
            visited.append(_selected(scene))
        assert visited == ["one", "three", "one"]
    else:
        await scene.press(key)
        await scene.shows("1 mark ")


@presses("lists", "y")
async def _copies_the_record(scene: Scene, key: str) -> None:
    scene.write("it failed with api_key=sk-1234567890abcdef", level="ERROR", stack="Traceback\n  File x")
    await scene.press("2", "end", "k", key)
    await scene.until(lambda: "it failed" in scene.app.clipboard)
    assert scene.app.clipboard.endswith("ERROR    proxy [1] it failed with api_key=•••\nTraceback\n  File x")
    assert any(note.message.startswith("copied 1 record") for note in scene.app._notifications)


@presses("everywhere", "B")
async def _asks_before_it_writes_a_bundle(scene: Scene, key: str) -> None:
    await scene.press(key)
    await scene.until(lambda: isinstance(scene.app.screen, ConfirmDialog))
    await scene.shows("every secret masked")


@presses("everywhere", "h")
async def _shows_the_history(scene: Scene, key: str) -> None:
    scene.app.session.past = Past(time.time())
    await scene.press(key)
    assert isinstance(scene.app.screen, HistoryScreen)
    await scene.shows("rate limited (429)")
    await scene.press(key)
    assert len(scene.app.screen_stack) == 1


@presses("everywhere", "C", "c")
async def _shows_the_charts(scene: Scene, key: str) -> None:
    scene.app.session.past = Past(time.time())
    # in the log the small letter is the call
    await scene.press("2", "C") if key == "C" else await scene.press("1", "c")
    assert isinstance(scene.app.screen, ChartScreen)
    await scene.shows("failed requests a minute")
    await scene.press(key)
    assert len(scene.app.screen_stack) == 1


# --- all of them -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "key"), TESTS, ids=str)
async def test_the_key_does_what_the_help_says(scene: Scene, place: Place, key: str) -> None:
    await quiet(scene)
    await TESTS[place, key](scene, key)


def test_every_key_has_a_test_and_every_test_a_key() -> None:
    bound = {(key.place, name) for key in KEYS for name in key.keys.split(",")}
    assert bound == set(TESTS)


def test_no_key_means_two_things_in_one_place() -> None:
    for places in (("everywhere", "lists"), ("everywhere", "lists", "logs")):
        names = [name for key in KEYS if key.place in places for name in key.keys.split(",")]
        # in the log it is the call, as it says there; the charts have a key beside it for that
        assert [name for name in sorted(set(names)) if names.count(name) > 1] == (["c"] if "logs" in places else [])


def test_nothing_that_changes_the_world_is_on_a_key_sent_by_accident() -> None:
    (restart,) = (key for key in KEYS if key.action == "restart")
    assert re.fullmatch(r"[A-Z]", restart.keys)
    sent_by_accident = {"enter", "space", "escape", "ctrl+a", "ctrl+b", "up", "down", "tab"}
    assert not sent_by_accident & set(restart.keys.split(","))


async def test_the_help_lists_every_key_and_every_sign(scene: Scene) -> None:
    # in one column, so that no text is broken by another
    await scene.pilot.resize_terminal(90, 40)
    await scene.press("question_mark")
    rows = scene.app.screen.query_one("#sheet-lines", Lines)._rows
    text = "\n".join("".join(span for span, _ in row.spans) for row in rows)
    joined = " ".join(text.split())
    for key in KEYS:
        assert key.shown in text, key
        assert key.help in joined, key
    for title in PLACES.values():
        assert title in text
    for state, sign in scene.app.session.notation.signs.states.items():
        assert f"{sign} {state}" in text


async def test_the_palette_offers_every_command_and_every_theme(scene: Scene) -> None:
    commands = {command.title: command for command in scene.app.get_system_commands(scene.app.screen)}
    for key in KEYS:
        if key.palette:
            assert any(key.shown in command.help and key.help in command.help for command in commands.values()), key
    assert {"Theme dark", "Theme light", "Theme high-contrast"} <= set(commands)


@pytest.mark.parametrize(
    ("action", "done"),
    [
        ("zoom", lambda scene: len(scene.panes) == 1),
        ("problems", lambda scene: isinstance(scene.app.screen, Problems)),
        ("incidents", lambda scene: isinstance(scene.app.screen, IncidentsScreen)),
        ("past(False)", lambda scene: isinstance(scene.app.screen, HistoryScreen)),
        ("past(True)", lambda scene: isinstance(scene.app.screen, ChartScreen)),
        ("audit", lambda scene: isinstance(scene.app.screen, AuditScreen)),
        ("difference", lambda scene: isinstance(scene.app.screen, DifferenceScreen)),
        ("backups", lambda scene: isinstance(scene.app.screen, BackupsScreen)),
        ("probe(False)", lambda scene: "answered in " in scene.text),
        ("probe(True)", lambda scene: isinstance(scene.app.screen, ProbeDialog)),
        ("load", lambda scene: any("no load test" in note.message for note in scene.app._notifications)),
        ("edit", lambda scene: any("handed to an editor" in note.message for note in scene.app._notifications)),
        ("expect_down", lambda scene: isinstance(scene.app.screen, NotePrompt)),
        ("gateways", lambda scene: any("gateway was named" in note.message for note in scene.app._notifications)),
        ("fleet", lambda scene: any("has no profiles" in note.message for note in scene.app._notifications)),
        ("restart", lambda scene: isinstance(scene.app.screen, RestartDialog)),
        ("rehearse", lambda scene: isinstance(scene.app.screen, RehearsalScreen)),
        ("upgrade", lambda scene: isinstance(scene.app.screen, UpgradeScreen)),
        ("start_stop", lambda scene: isinstance(scene.app.screen, ConfirmDialog)),
        ("help", lambda scene: isinstance(scene.app.screen, HelpScreen)),
        ("filter", lambda scene: isinstance(scene.app.focused, Input)),
        ("search", lambda scene: isinstance(scene.app.focused, Input)),
        ("jump", lambda scene: isinstance(scene.app.focused, Input)),
        ("export", lambda scene: isinstance(scene.app.focused, Input)),
        ("filters", lambda scene: isinstance(scene.app.screen, FiltersScreen)),
        ("bundle", lambda scene: isinstance(scene.app.screen, ConfirmDialog)),
        ("utc", lambda scene: scene.app.session.notation.utc),
        ("level", lambda scene: scene.log.level == "WARNING"),
        ("follow", lambda scene: not scene.log.following),
        ("wrap", lambda scene: scene.log.wrapped),
        ("lines", lambda scene: not scene.log.reading),
        ("polling", lambda scene: scene.log.polling),
        ("quit", lambda scene: not scene.app.is_running),
        ("look", lambda scene: scene.app.screen_stack and len(scene.app.screen_stack) == 1),
    ],
)
async def test_a_command_of_the_palette_does_what_its_key_does(scene: Scene, action: str, done: Any) -> None:
    key = next(key for key in KEYS if key.action == action)
    assert key.palette
    command = next(c for c in scene.app.get_system_commands(scene.app.screen) if key.help in c.help)
    await scene.press("ctrl+p", *command.title[:24].lower().replace(" ", "\0").split("\0")[0])
    await scene.press("escape")
    command.callback()
    await scene.until(lambda: done(scene))


def test_every_command_of_the_palette_is_pressed_there() -> None:
    tested = next(mark.args[1] for mark in test_a_command_of_the_palette_does_what_its_key_does.pytestmark)
    assert {action for action, _ in tested} == {key.action for key in KEYS if key.palette}


async def test_a_theme_is_chosen_in_the_palette(scene: Scene) -> None:
    assert scene.app.theme == "dark"
    await scene.press("ctrl+p", *"theme light")
    await scene.until(lambda: "Theme light" in scene.text)
    await scene.press("down", "enter")
    await scene.until(lambda: scene.app.theme == "light")
    await scene.press("1")
    assert scene.app.screen.styles.background.hex == "#FFFFFF"
