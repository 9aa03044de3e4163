"""What stands where at each size, and what the screen says when things go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.collectors.config import watcher
from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG, EDITED_CONFIG
from litellm_tui.target.settings import Settings
from litellm_tui.ui.signs import ASCII, UNICODE
from litellm_tui.ui.widgets.header import Header
from tests.ui import frozen
from tests.ui.frozen import Frozen
from tests.ui.scene import Scene, opened, screen_text
from tests.waiting import eventually

ALL = {"models", "logs", "fallbacks", "cache"}
AROUND = ["logs", "fallbacks", "cache", "service", "timeline", "worst", "models"]
FULL = {"models", "logs", "fallbacks", "detail", "timeline", "worst"}


@pytest.mark.parametrize(
    ("size", "panes"),
    [
        ((80, 24), {"models"}),
        ((99, 40), {"models"}),
        ((100, 30), ALL),
        ((120, 40), ALL),
        ((169, 50), ALL),
        ((170, 39), ALL | {"detail"}),
        ((170, 40), FULL),
        ((200, 50), FULL),
    ],
)
async def test_what_is_seen_at_each_width(simulation: Simulation, size: tuple[int, int], panes: set[str]) -> None:
    async with opened(simulation, size) as scene:
        assert scene.panes == panes
        lines = scene.text.split("\n")
        assert len(lines) == size[1]
        # the fallback that leads nowhere is covered by the default one
        assert " OK  8 deployments serving " in lines[1]
        assert "127.0.0.1" in lines[0]
        assert "active (running)" in "\n".join(lines[-2:])


async def test_on_a_narrow_screen_each_pane_has_it_to_itself(simulation: Simulation) -> None:
    async with opened(simulation, (80, 24)) as scene:
        for key, name in zip("2345671", AROUND, strict=True):
            await scene.press(key)
            assert scene.panes == {name}
            assert scene.pane == name
        for name in AROUND:
            await scene.press("tab")
            assert scene.panes == {name}


async def test_a_pane_alone_ends_where_another_one_is_wanted(scene: Scene) -> None:
    await scene.press("5")
    await scene.until(lambda: scene.panes == {"service"})
    await scene.press("1")
    await scene.until(lambda: scene.panes == ALL)
    assert scene.pane == "models"
    await scene.press("z")
    await scene.until(lambda: scene.panes == {"models"})
    await scene.press("2")
    await scene.until(lambda: scene.panes == ALL)
    assert scene.pane == "logs"


async def test_the_sentence_takes_all_lines_that_it_gets(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with app.run_test(size=(80, 24)):
        await eventually(lambda: "failing, 1 masked" in screen_text(app))
        app.main.query_one(Header).styles.height = 3
        await eventually(lambda: "failing, 1 masked" not in screen_text(app))
        app.main.query_one(Header).styles.height = 4
        await eventually(lambda: "failing, 1 masked" in screen_text(app))


async def test_the_arrangement_follows_the_terminal(scene: Scene) -> None:
    await scene.press("3")
    await scene.pilot.resize_terminal(80, 24)
    await scene.until(lambda: scene.panes == {"fallbacks"})
    await scene.pilot.resize_terminal(200, 50)
    await scene.until(lambda: scene.panes == FULL)
    await scene.pilot.resize_terminal(120, 40)
    await scene.until(lambda: scene.panes == ALL)
    assert scene.pane == "fallbacks"


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (60, 15), (300, 100)])
async def test_any_size_is_survived(scene: Scene, size: tuple[int, int]) -> None:
    await scene.pilot.resize_terminal(*size)
    await scene.press("1", "2", "3", "4", "5", "z", "6", "7", "question_mark", "escape", "R", "escape")
    await scene.press("exclamation_mark", "down", "escape", "E", "escape", "P", "escape", "3", "x", "D", "escape")
    assert scene.app.is_running


async def test_on_a_wide_screen_the_detail_follows_the_cursor(simulation: Simulation) -> None:
    async with opened(simulation, (200, 50)) as scene:
        await scene.press("1", "end")
        await scene.until(lambda: "Selected · nomic-embed-text · ollama/nomic-embed-text" in scene.text)
        await scene.press("home")
        first = scene.lines("models").selected
        model = next(d.model for d in scene.app.view.diagnosis.deployments if d.key == first)  # type: ignore[union-attr]  # it is filled
        await scene.until(lambda: f"· {model} " in scene.text.split("Selected")[1])


async def test_ascii_uses_no_other_sign(simulation: Simulation) -> None:
    async with opened(simulation, settings=Settings(ascii=True)) as scene:
        assert set("".join(UNICODE.states.values())) & set(scene.text) == set()
        assert ASCII.states["serving"] + " llama3.1:8b" in scene.text
        others = {character for character in scene.text if ord(character) > 126}
        assert others == set(), others


async def test_an_unknown_theme_is_told_and_another_one_used(simulation: Simulation) -> None:
    async with opened(simulation, settings=Settings(theme="neon")) as scene:
        assert scene.app.theme == "dark"
        assert any("no theme is called 'neon'" in note.message for note in scene.app._notifications)


# --- what the panes say ------------------------------------------------------------------------------------------


async def test_saving_the_file_changes_the_panes_and_keeps_the_selection(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "FALLBACK_SECONDS", 3600.0)
    await scene.press("1", "end")
    assert scene.lines("models").selected.startswith("nomic-embed-text")
    scene.simulation.edit_config()
    await scene.shows("saved, not applied")
    assert scene.lines("models").selected.startswith("nomic-embed-text")
    assert any("gpu-c" in row or "qwen2.5" in row for row in scene.shown_rows("models"))
    await scene.shows("2 changes not applied")
    scene.simulation.restore_config()
    await scene.until(lambda: "not applied" not in scene.text)
    assert CONFIG != EDITED_CONFIG


async def test_a_broken_file_is_told_with_its_line(scene: Scene) -> None:
    scene.simulation.edit_config(CONFIG + "  : [\n")
    await scene.shows("config broken, line")
    assert any("llama3.1:8b" in row for row in scene.shown_rows("models"))


async def test_a_gateway_that_goes_down_and_comes_back(scene: Scene) -> None:
    scene.simulation.gateway_down()
    await scene.shows("DOWN")
    await scene.shows("litellm.service failed")
    await scene.until(lambda: scene.app.screen_stack[0].query_one("#models").has_class("-stale"))
    assert "◌" in scene.text
    scene.simulation.gateway_up()
    # nobody has asked for anything since, and the new process's health checks answer
    await scene.until(lambda: "DOWN" not in scene.text and "○ llama3.1:8b" in scene.text)


async def test_a_gateway_that_hangs_and_goes_on(scene: Scene) -> None:
    scene.simulation.hang()
    await scene.shows("HANGING")
    scene.simulation.resume()
    await scene.until(lambda: "HANGING" not in scene.text)


async def test_a_dead_model_and_a_dead_cache(scene: Scene) -> None:
    scene.break_for_all("qwen2.5-coder:32b")
    scene.simulation.cache_down()
    await scene.press("f5")
    await scene.shows("masked")
    await scene.shows("cache down")
    await scene.press("1", "home", "enter")
    await scene.shows("last error")
    await scene.shows("Cannot connect to host gpu-b.example:8000")


async def test_no_secret_is_ever_on_the_screen(scene: Scene) -> None:
    from litellm_tui.host.environment_file import parse_systemd

    held = parse_systemd((scene.simulation.folder / "litellm.env").read_bytes())
    secrets = [value for name, value in held.items() if "KEY" in name]
    assert len(secrets) == 4
    scene.write(*(f"somebody logs {scene.monitor.redact(secret)}" for secret in secrets))
    for keys in ((), ("1", "enter"), ("escape", "5"), ("2",), ("4",)):
        await scene.press(*keys)
        assert not any(secret in scene.text for secret in secrets)


async def test_quitting_leaves_no_child_behind(simulation: Simulation) -> None:
    import os

    async with opened(simulation) as scene:
        pids = [int(name) for name in os.listdir(simulation.folder / "tails")]
        assert pids
        await scene.press("q")
        await scene.until(lambda: not scene.app.is_running)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
