"""The console as somebody uses it who binds keys, uses the mouse, filters, orders and copies."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.events import MouseMove

from litellm_tui.demo import Simulation
from litellm_tui.target.settings import ColumnSettings, CommandSettings, Settings, SettingsError
from litellm_tui.ui.app import Console
from litellm_tui.ui.screens.confirm import ConfirmDialog
from litellm_tui.ui.screens.problems import Problems
from litellm_tui.ui.screens.restart import RestartDialog
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.widgets.header import Sentence
from litellm_tui.ui.widgets.lines import Lines
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import Scene, opened, profile_of, settled
from tests.waiting import eventually


def test_the_console_does_not_start_with_keys_that_clash(simulation: Simulation) -> None:
    with pytest.raises(SettingsError, match=r"keys\.everywhere\.restart: a is bound to everywhere\.audit"):
        Console(profile_of(simulation), Settings(keys={"everywhere.restart": "a"}), memory=False)


async def test_bound_otherwise_keys_do_that_and_are_told(simulation: Simulation, tmp_path: Path) -> None:
    printed = tmp_path / "printed"
    script = f"import sys; print(sys.argv[1:]); open({str(printed)!r}, 'w').write(repr(sys.argv[1:]))"
    settings = Settings(
        keys={"preset": "k9s", "everywhere.restart": ["ctrl+t", "f8"], "everywhere.problems": []},
        commands=(
            CommandSettings("card", "f9", (sys.executable, "-c", script, "{group}", "sk-1234567890abcdef {model}")),
            CommandSettings("asked", "f10", (sys.executable, "-c", script, "asked"), ask=True),
        ),
        columns=ColumnSettings(models=("model",)),
    )
    async with opened(simulation, settings=settings) as scene:
        await scene.shows("Ctrl+T restart")
        assert "! problems" not in scene.text
        assert "req/min" not in scene.text
        await scene.press("exclamation_mark")
        assert len(scene.app.screen_stack) == 1
        await scene.press("R")
        assert len(scene.app.screen_stack) == 1
        await scene.press("f8")
        assert isinstance(scene.app.screen, RestartDialog)
        # as in k9s: d describes, l is the log, the palette takes a name
        await scene.press("escape", "1", "d")
        assert isinstance(scene.app.screen, Sheet)
        await scene.press("escape", "l")
        assert scene.pane == "logs"
        await scene.press("colon")
        assert isinstance(scene.app.screen, CommandPalette)
        await scene.press(*"problems")
        await scene.shows("Problems")
        await scene.press("enter")
        await scene.until(lambda: isinstance(scene.app.screen, Problems))
        await scene.press("escape", "colon", *"models gpt")
        await scene.shows("Models with gpt")
        await scene.press("enter")
        await scene.shows("filter gpt")
        # commands of one's own: words and no shell, masked, and one of them asked first
        await scene.press("1", "f9")
        await scene.until(lambda: isinstance(scene.app.screen, Sheet))
        await scene.shows("•••")
        assert "1234567890abcdef" not in scene.text
        assert "gpt" in printed.read_text()
        printed.unlink()
        await scene.press("escape", "f10")
        assert isinstance(scene.app.screen, ConfirmDialog)
        assert not printed.exists()


async def _drag(scene: Scene, lines: Lines, begin: tuple[int, int], end: tuple[int, int]) -> None:
    await scene.pilot.mouse_down(lines, offset=begin)
    x, y = lines.region.x + end[0], lines.region.y + end[1]
    move = MouseMove(lines, x, y, 1, 0, 1, False, False, False, screen_x=x, screen_y=y)
    scene.app.screen._forward_event(move)
    await scene.pilot.mouse_up(lines, offset=end)
    await scene.settled()


async def test_the_mouse_selects_opens_sorts_and_copies(scene: Scene) -> None:
    models = scene.lines("models")
    await scene.pilot.click(models, offset=(5, 1))
    await scene.settled()
    chosen = models.selected
    assert chosen == models._keys[1]
    # a second one by itself opens nothing, a double one does
    assert len(scene.app.screen_stack) == 1
    await scene.pilot.click(models, offset=(5, 2), times=2)
    await scene.until(lambda: isinstance(scene.app.screen, Sheet))
    await scene.press("y")
    assert "\nstate: " in scene.app.clipboard
    await scene.press("escape")
    await scene.pilot.click("#models Head", offset=(4, 0))
    await scene.shows("by name")
    await scene.pilot.click("#models Head", offset=(4, 0))
    await scene.until(lambda: "by name" not in scene.text)
    line = scene.shown_rows("models")[0]
    await _drag(scene, models, (3, 0), (8, 0))
    await scene.until(lambda: scene.app.clipboard == line[3:9].strip())
    assert len(scene.app.screen_stack) == 1
    await scene.pilot.click(Sentence)
    await scene.until(lambda: isinstance(scene.app.screen, Problems))


async def test_lists_are_filtered_ordered_and_copied(tmp_path: Path) -> None:
    app = Frozen(frozen.failing(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("exclamation_mark")
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, Problems)
        items = dict(screen.items())
        lines = screen.query_one("#problems-lines", Lines)
        word = max((item.title for item in items.values()), key=len)[:8].strip()
        await pilot.press("slash", *word)
        await eventually(lambda: f"with {word}: " in Drawn(app).text, "the list is narrowed")
        kept = [key for key in lines._keys if key]
        assert 0 < len(kept) < len(items)
        assert f"{len(kept)} of {len(items)}, {len(items) - len(kept)} hidden" in Drawn(app).text
        await pilot.press("enter", "y")
        await eventually(lambda: "cause: " in app.clipboard and "next: " in app.clipboard, "it is copied")
        assert app.clipboard.splitlines()[-1].startswith("$ litellm-tui status")
        await pilot.press("escape")
        await eventually(lambda: "hidden" not in Drawn(app).text, "the filter is taken away")
        await pilot.press("O")
        await eventually(lambda: "by problem" in Drawn(app).text, "the list is ordered")
        titles = [items[key].title.casefold() for key in lines._keys if key]
        assert titles == sorted(titles)
        assert len(titles) == len(items)
        await pilot.press("slash", *"no such")
        await eventually(lambda: f"0 of {len(items)}, {len(items)} hidden" in Drawn(app).text, "nothing has it")
        await pilot.press("escape", "escape")
        await eventually(lambda: len(app.screen_stack) == 1, "Escape closes what has no filter")
