"""The difference: the file against what runs, and against the versions that were applied before."""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from litellm_tui.collectors.config import config_file
from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG, EDITED_CONFIG
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.storage.starts import Start, StartHistory
from litellm_tui.ui.screens.difference import DifferenceScreen
from litellm_tui.ui.widgets.lines import Lines
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import Scene, opened, screen_text, settled
from tests.waiting import eventually

SECRET = "sk-hunter22-in-the-file"
OTHER_SECRET = "sk-hunter23-in-the-file"
RPM = ("      rpm: 600\n", "      rpm: 900\n")
FLASH = """\
  - model_name: gemini-2.5-flash
    litellm_params:
      model: gemini/gemini-2.5-flash
      api_key: os.environ/GEMINI_API_KEY
"""
NEW = """\
  - model_name: '[red]x[/]'
    litellm_params:
      model: openai/x
      api_base: http://new.example/v1
"""
VARIED = (
    CONFIG.replace(*RPM)
    .replace(FLASH, NEW)
    .replace("  cooldown_time: 60\n", "  cooldown_time: 90\n")
    .replace("  fallbacks:\n    - qwen2.5-coder:32b: [llama3.1:8b,", "  fallbacks:\n    - qwen2.5-coder:32b: [gpt-4.1,")
    .replace("  health_check_interval: 10", "  health_check_interval: 30")
)


@pytest.fixture
async def kept(simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """A console that remembers what was applied: the version that runs now is the only one so far."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with opened(simulation, memory=True) as scene:
        await scene.until(lambda: len(_history(scene).versions()) == 1)
        yield scene


def _history(scene: Scene) -> StartHistory:
    assert scene.app.session.history is not None
    return scene.app.session.history


def _note(scene: Scene, at: float, text: str) -> Start:
    """A start with this configuration, as if the console had seen it."""
    path = str(scene.simulation.config_path)
    content = {path: text.encode()}
    file = config_file.load(path, {}, content)
    assert isinstance(file, ConfigFile)
    start = Start(at, file.digest, "1.106.2", "loaded 8 of 8 deployments", (path,), f"run {at}")
    history = _history(scene)
    assert history.add_start(start, content), history.failure
    return start


def _list(scene: Scene) -> Lines:
    return scene.app.screen.query_one("#difference-lines", Lines)


def _texts(lines: Lines) -> list[str]:
    return ["".join(text for text, _ in row.spans) for row in lines._rows]


def _all(scene: Scene) -> str:
    return " ".join(" ".join(_texts(_list(scene))).split())


def _detail(scene: Scene) -> str:
    return " ".join(" ".join(_texts(scene.app.screen.query_one("#difference-detail", Lines))).split())


def _row(scene: Scene, words: str) -> str:
    return next(text for text in _texts(_list(scene)) if words in text)


async def _says(scene: Scene, words: str) -> None:
    await eventually(lambda: words in _all(scene), f"the list says {words!r}")


async def _open(scene: Scene) -> None:
    await scene.press("d")
    assert isinstance(scene.app.screen, DifferenceScreen)
    await scene.until(lambda: "compared with" in _all(scene))


async def _select(scene: Scene, words: str) -> None:
    row = next(row for row in _list(scene)._rows if row.key and words in "".join(text for text, _ in row.spans))
    _list(scene).select(row.key)
    await scene.settled()
    assert _list(scene).selected == row.key


# --- against what runs -------------------------------------------------------------------------------------------


async def test_a_file_that_runs_as_it_is_has_no_difference(kept: Scene) -> None:
    await _open(kept)
    await _says(kept, "the file, compared with the running proxy, up since ")
    await _says(kept, "no difference")
    assert _list(kept).selected == ""
    assert not kept.app.screen.query_one("#difference-detail", Lines).display
    # all of it was compared: nothing is held back
    assert "is not compared" not in _all(kept)
    await kept.press("enter")
    assert isinstance(kept.app.screen, DifferenceScreen)


async def test_what_is_saved_appears_while_it_is_open_and_goes_again(kept: Scene) -> None:
    await _open(kept)
    await _says(kept, "no difference")
    kept.simulation.edit_config(CONFIG.replace(*RPM))
    await _says(kept, "1 difference; a restart applies it")
    assert "600 → 900" in _row(kept, "gpt-4.1 (azure/gpt-41-prod): rpm")
    line = CONFIG.replace(*RPM).splitlines().index(RPM[1].rstrip()) + 1
    assert f" {line} gpt-4.1" in _row(kept, ": rpm")
    await kept.shows("600 → 900")
    await kept.until(lambda: "before 600 after 900" in _detail(kept))
    assert "restart needed for it to take effect" in _detail(kept)
    assert f"litellm.yaml:{line}" in _detail(kept).replace(" ", "")
    kept.simulation.restore_config()
    await _says(kept, "no difference")
    assert not kept.app.screen.query_one("#difference-detail", Lines).display


async def test_a_restart_applies_what_differs(kept: Scene) -> None:
    kept.simulation.edit_config(EDITED_CONFIG)
    await _open(kept)
    await _says(kept, "a restart applies them")
    # systemctl shows the time of a start in whole seconds: this file was there before it
    os.utime(kept.simulation.config_path, (1_800_000_000 - 10**8,) * 2)
    kept.simulation.gateway_down()
    await _says(kept, "what runs is not known")
    kept.simulation.gateway_up()
    await _says(kept, "no difference")


async def test_differences_stand_under_their_heads(kept: Scene) -> None:
    kept.simulation.edit_config(VARIED)
    await _open(kept)
    await _says(kept, "health_check_interval")
    texts = _texts(_list(kept))
    heads = [
        texts.index(f" {head}") for head in ("deployments", "aliases and fallbacks", "settings") if f" {head}" in texts
    ]
    assert len(heads) == 3
    assert heads == sorted(heads)
    deployments, fallbacks, settings = (
        texts[begin:end] for begin, end in zip(heads, [*heads[1:], len(texts)], strict=True)
    )
    changed = next(text for text in deployments if ": rpm" in text)
    assert changed.startswith(" ~ ")
    assert "600 → 900" in changed
    added = next(text for text in deployments if "[red]x[/] (openai/x)" in text)
    assert added.startswith(" + ")
    assert "http://new.example/v1" in added
    removed = next(text for text in deployments if "gemini-2.5-flash (gemini/gemini-2.5-flash)" in text)
    assert removed.startswith(" - ")
    assert any("fallbacks of qwen2.5-coder:32b" in text for text in fallbacks)
    assert any("cooldown_time" in text and "60 → 90" in text for text in settings)
    assert any("general_settings.health_check_interval" in text for text in settings)
    assert sum(bool(row.key) for row in _list(kept)._rows) == 6
    await _says(kept, "6 differences; a restart applies them; 1 of them cannot be seen from outside")


async def test_what_the_proxy_does_not_show_is_marked_unseen(kept: Scene) -> None:
    kept.simulation.edit_config(VARIED)
    await _open(kept)
    await _says(kept, "health_check_interval")
    marked = [text for text in _texts(_list(kept)) if text.endswith("unseen")]
    assert len(marked) == 1
    assert "general_settings.health_check_interval" in marked[0]
    await _select(kept, "health_check_interval")
    assert "unseen from outside nobody can tell which of the two runs" in _detail(kept)
    assert "the running proxy does not show general_settings" in _detail(kept)
    assert "compared with the file as it was when the process started" in _detail(kept)
    await _select(kept, "cooldown_time")
    assert "unseen" not in _detail(kept)


async def test_text_of_the_file_is_text_and_no_markup(kept: Scene) -> None:
    kept.simulation.edit_config(VARIED)
    await _open(kept)
    await kept.shows("[red]x[/] (openai/x)")
    await _select(kept, "[red]x[/]")
    await kept.until(lambda: "added deployment [red]x[/] (openai/x)" in _detail(kept))


async def test_no_secret_is_on_the_screen(kept: Scene) -> None:
    before = CONFIG.replace("os.environ/GEMINI_API_KEY", SECRET)
    _note(kept, 1_700_000_000.0, before)
    kept.simulation.edit_config(CONFIG.replace("os.environ/GEMINI_API_KEY", OTHER_SECRET))
    await _open(kept)
    await _says(kept, "api_key")
    seen = [kept.text, _all(kept), _detail(kept)]
    await kept.press("left_square_bracket", "left_square_bracket")
    await _says(kept, "version 2 of 2")
    await _says(kept, "api_key")
    assert "changed (not shown)" in _row(kept, "api_key")
    seen += [kept.text, _all(kept), _detail(kept)]
    everything = "\n".join(seen)
    for secret in (SECRET, OTHER_SECRET, kept.simulation.key):
        assert secret not in everything


async def test_without_a_history_it_says_what_was_not_compared(scene: Scene) -> None:
    assert scene.app.session.history is None
    await _open(scene)
    await _says(scene, "no version that was applied is known yet")
    await _says(scene, "no difference")
    await _says(scene, "is not compared: the file it was started with is not known")
    await scene.press("left_square_bracket", "right_square_bracket")
    await _says(scene, "compared with the running proxy")
    scene.simulation.edit_config(VARIED)
    await _says(scene, "5 differences; a restart applies them")
    # what nobody can tell is not called a difference
    assert "health_check_interval" not in _all(scene)


async def test_while_the_gateway_is_stopped_it_says_what_it_is_compared_with(kept: Scene) -> None:
    await _open(kept)
    await _says(kept, "no difference")
    kept.simulation.gateway_down()
    await _says(kept, "what runs is not known")
    await _says(kept, "the file, compared with the version applied at ")
    kept.simulation.edit_config(CONFIG.replace(*RPM))
    await _says(kept, "600 → 900")
    # nothing runs that a restart would replace
    assert "a restart applies" not in _all(kept)


async def test_a_stopped_gateway_without_a_history_compares_nothing(scene: Scene) -> None:
    scene.simulation.gateway_down()
    await scene.shows("DOWN")
    await _open(scene)
    await _says(scene, "compared with nothing")
    await _says(scene, "what runs is not known")
    assert "no difference" not in _all(scene)


async def test_a_file_that_cannot_be_used_is_said_and_mended_by_itself(kept: Scene) -> None:
    await _open(kept)
    await _says(kept, "no difference")
    kept.simulation.edit_config(CONFIG.replace("litellm_settings:\n", "litellm_settings: [\n"))
    await _says(kept, "the file cannot be used: ")
    assert "no difference" not in _all(kept)
    assert _list(kept).selected == ""
    # nor can it be compared with a version
    await kept.press("left_square_bracket")
    await _says(kept, "version 1 of 1")
    await _says(kept, "cannot be used: ")
    kept.simulation.restore_config()
    await _says(kept, "no difference")


async def test_without_a_configuration_it_says_that_none_is_known(tmp_path: Path) -> None:
    app = Frozen(frozen.bare(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("d")
        await eventually(lambda: "no configuration file was found" in screen_text(app))
        assert "no difference" not in screen_text(app)
        await pilot.press("left_square_bracket", "enter")
        assert isinstance(app.screen, DifferenceScreen)


# --- against what was applied ------------------------------------------------------------------------------------


async def test_the_brackets_go_through_the_versions_and_stop_at_the_ends(kept: Scene) -> None:
    _note(kept, 1_600_000_000.0, CONFIG.replace(*RPM))
    _note(kept, 1_700_000_000.0, CONFIG.replace("  ttl: 3600", "  ttl: 60"))
    await _open(kept)
    await _says(kept, "[ compares with one of 3 applied before")
    await _says(kept, "compared with the running proxy")
    steps = [
        ("left_square_bracket", "version 1 of 3, the newest is 1", "no difference"),
        ("left_square_bracket", "version 2 of 3, the newest is 1", "60 → 3600"),
        ("left_square_bracket", "version 3 of 3, the newest is 1", "900 → 600"),
        # the oldest one
        ("left_square_bracket", "version 3 of 3, the newest is 1", "900 → 600"),
        ("right_square_bracket", "version 2 of 3, the newest is 1", "60 → 3600"),
        ("right_square_bracket", "version 1 of 3, the newest is 1", "no difference"),
        ("right_square_bracket", "[ compares with one of 3 applied before", "compared with the running proxy"),
        # what runs
        ("right_square_bracket", "[ compares with one of 3 applied before", "compared with the running proxy"),
    ]
    for key, which, words in steps:
        await kept.press(key)
        await _says(kept, which)
        await _says(kept, words)
        if which.startswith("version"):
            await _says(kept, "compared with the version applied at ")
            # a version is not what a restart would apply
            assert "a restart applies" not in _all(kept)


async def test_a_version_says_when_it_was_applied_and_what_came_of_it(kept: Scene) -> None:
    start = _note(kept, 1_700_000_000.0, CONFIG.replace(*RPM))
    await _open(kept)
    await kept.press("left_square_bracket", "left_square_bracket")
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(start.at))
    await _says(kept, f"the version applied at {at} ({start.digest[:12]}, loaded 8 of 8 deployments)")


async def test_a_version_that_comes_while_it_is_open_is_counted(kept: Scene) -> None:
    await _open(kept)
    await _says(kept, "[ compares with one of 1 applied before")
    await kept.press("left_square_bracket")
    await _says(kept, "version 1 of 1")
    _note(kept, 1_700_000_000.0, CONFIG.replace(*RPM))
    await _says(kept, "version 1 of 2")


async def test_the_version_that_is_shown_is_noted_anew(kept: Scene) -> None:
    """What came of a start is known better a little later: the same start is then another record."""
    (start,) = _history(kept).versions()
    await _open(kept)
    await kept.press("left_square_bracket")
    await _says(kept, "version 1 of 1")
    again = msgspec.structs.replace(start, result="loaded 7 of 8 deployments")
    content = {str(kept.simulation.config_path): CONFIG.encode()}
    assert _history(kept).add_start(again, content)
    kept.app.redraw()
    await _says(kept, "loaded 7 of 8 deployments")
    await _says(kept, "version 1 of 1, the newest is 1")


async def test_the_version_that_is_shown_is_forgotten_meanwhile(kept: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many are kept: what runs is shown in its place."""
    monkeypatch.setattr("litellm_tui.storage.backups.index.MOST_SETS", 2)
    _note(kept, 1_600_000_000.0, CONFIG.replace(*RPM))
    await _open(kept)
    await kept.press("left_square_bracket", "left_square_bracket")
    await _says(kept, "version 2 of 2")
    _note(kept, 1_700_000_000.0, CONFIG.replace("  ttl: 3600", "  ttl: 60"))
    kept.app.redraw()
    await _says(kept, "[ compares with one of 2 applied before")
    await _says(kept, "compared with the running proxy")


async def test_a_version_whose_files_are_gone_says_so(kept: Scene) -> None:
    _note(kept, 1_700_000_000.0, CONFIG.replace(*RPM))
    for copy in _history(kept).folder.glob("*.backup.*"):
        if copy.read_text() == CONFIG.replace(*RPM):
            copy.unlink()
    await _open(kept)
    await kept.press("left_square_bracket", "left_square_bracket")
    await _says(kept, "the files of this version were not kept")
    assert "no difference" not in _all(kept)


# --- keys and sizes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["escape", "q", "d"])
async def test_these_keys_close_it_and_nothing_else(scene: Scene, key: str) -> None:
    before = scene.pane
    await scene.press("d", key)
    assert len(scene.app.screen_stack) == 1
    assert scene.app.is_running
    assert scene.pane == before


async def test_keys_of_the_console_do_nothing_from_here(scene: Scene) -> None:
    await scene.press("d", "R", "p", "P", "e", "z", "s", "question_mark", "exclamation_mark", "a")
    assert isinstance(scene.app.screen, DifferenceScreen)
    assert len(scene.app.screen_stack) == 2
    assert scene.app.focused is _list(scene)


async def test_the_selection_stays_with_its_difference(kept: Scene) -> None:
    kept.simulation.edit_config(VARIED)
    await _open(kept)
    await _says(kept, "health_check_interval")
    await _select(kept, "cooldown_time")
    chosen = _list(kept).selected
    # a difference above it goes, and its line moves
    kept.simulation.edit_config("# a line more\n" + VARIED.replace(RPM[1], RPM[0]))
    await _says(kept, "5 differences")
    assert _list(kept).selected == chosen
    assert "60 → 90" in _row(kept, "cooldown_time")
    await kept.until(lambda: "cooldown_time" in _detail(kept))
    await kept.press("f5")
    await kept.pilot.pause(0.2)
    assert _list(kept).selected == chosen


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 50)])
async def test_the_detail_leaves_room_for_the_list(simulation: Simulation, size: tuple[int, int]) -> None:
    async with opened(simulation, size) as scene:
        scene.simulation.edit_config(VARIED)
        await _open(scene)
        await _says(scene, "cooldown_time")
        lines = _list(scene)
        detail = scene.app.screen.query_one("#difference-detail", Lines)
        await scene.until(lambda: detail._rows)
        assert lines.size.height >= 5
        assert detail.size.height >= 5
        assert detail.region.bottom <= size[1]
        assert detail.region.right <= size[0]
        for shown in (lines, detail):
            assert all(sum(len(text) for text, _ in row.spans) <= shown.room for row in shown._rows)
        for _ in range(5):
            assert 0 <= lines._cursor - lines.scroll_offset.y < lines.size.height
            row = next(row for row in lines._rows if row.key == lines.selected)
            # the name of what differs is in both
            name = row.spans[2][0].split()[0]
            assert name.rstrip("…") in _detail(scene)
            await scene.press("down")


# --- renames -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_rename_is_one_line_with_what_it_breaks_below(tmp_path: Path, size: tuple[int, int]) -> None:
    app = Frozen(frozen.renamed(tmp_path))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("d")
        await eventually(lambda: "still name" in Drawn(app).text, "the difference is drawn")
        await settled(pilot)
        drawn = Drawn(app)
        place = drawn.row_of("~ 46 gpt-oss:120b-cloud → gpt-oss:120b renamed")
        assert drawn.row_of("1 fallback and the default still name the old one") == place + 1
        assert "1 difference; a restart applies it" in drawn.text


async def test_only_the_keys_that_do_something_are_named(kept: Scene) -> None:
    await kept.press("d")
    await kept.shows("Esc close")
    # the version that runs is the only one: it can be compared with
    await kept.shows("[ older version · / filter")
    await kept.press("left_square_bracket")
    await kept.shows("] newer version · / filter")
    assert "older version" not in kept.text


async def test_where_no_version_is_known_none_is_offered(tmp_path: Path) -> None:
    app = Frozen(frozen.edited(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("d")
        await eventually(lambda: "Esc close" in Drawn(app).text)
        assert "version · " not in Drawn(app).text


async def test_the_names_of_the_columns_stand_above_their_columns(tmp_path: Path) -> None:
    app = Frozen(frozen.edited(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("d")
        await eventually(lambda: "before → after" in Drawn(app).text, "it is compared")
        await settled(pilot)
        lines = Drawn(app).text.split("\n")
        head = next(line for line in lines if "before → after" in line)
        row = next(line for line in lines if re.search(r"[│┃]\s*▌? ?[~+-] +\d+ ", line))
        number = re.search(r"\d+", row)
        assert number is not None
        assert head.index("line") + len("line") == number.end()
        assert head.index("what") == number.end() + 1
