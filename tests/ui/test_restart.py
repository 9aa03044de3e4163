"""The restart dialog: nobody gets through it by accident, and it ends in a plain result."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button

from litellm_tui.demo import Simulation, files
from litellm_tui.demo.files import CONFIG
from litellm_tui.ui.screens import restart
from litellm_tui.ui.screens.restart import RestartDialog
from tests.demo.probing import shown
from tests.ui.scene import Scene, opened


def _invocation(simulation: Simulation) -> str:
    return shown(simulation)["InvocationID"]


def _label(scene: Scene, button: str) -> str:
    return str(scene.app.screen.query_one(f"#{button}", Button).label)


def _hear(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moments in which the dialog is deaf are over."""
    monkeypatch.setattr(restart, "DEAF_SECONDS", 0.0)


async def test_it_starts_on_cancel_and_says_what_will_happen(scene: Scene) -> None:
    await scene.press("R")
    assert scene.app.focused is not None
    assert scene.app.focused.id == "cancel"
    for words in (
        "litellm.service (user)",
        "active (running)",
        "litellm.yaml parses",
        "nothing differs from what runs",
    ):
        await scene.shows(words)
    assert "Requests in flight are cut off" in scene.text


async def test_enter_on_cancel_does_nothing(scene: Scene) -> None:
    before = _invocation(scene.simulation)
    await scene.press("R", "enter")
    assert len(scene.app.screen_stack) == 1
    assert _invocation(scene.simulation) == before


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_escape_leaves_it(scene: Scene, key: str) -> None:
    await scene.press("R", "escape")
    assert len(scene.app.screen_stack) == 1
    assert scene.app.is_running


async def test_what_was_typed_before_it_could_be_read_is_not_an_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restart, "DEAF_SECONDS", 3600.0)
    before = _invocation(scene.simulation)
    await scene.press("R", "right", "enter", "enter")
    assert isinstance(scene.app.screen, RestartDialog)
    assert scene.app.screen._began == 0.0
    assert _invocation(scene.simulation) == before


async def test_it_is_deaf_for_long_enough_for_a_paste() -> None:
    assert 0.2 <= restart.DEAF_SECONDS <= 1.0


async def test_what_will_change_is_listed(scene: Scene) -> None:
    scene.simulation.edit_config()
    await scene.until(lambda: (view := scene.app.view) is not None and len(view.diagnosis.drift) == 2)
    await scene.press("R")
    await scene.shows("added: qwen2.5-coder:32b")
    assert "fallbacks of qwen2.5-coder:32b" in scene.text


async def test_a_restart_is_followed_to_its_result(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _hear(monkeypatch)
    before = _invocation(scene.simulation)
    scene.simulation.edit_config()
    await scene.until(lambda: (view := scene.app.view) is not None and bool(view.diagnosis.drift))
    await scene.press("R", "right", "enter")
    await scene.shows("stopping")
    assert _label(scene, "cancel").startswith("Hide")
    await scene.shows("9 deployments loaded")
    for step in ("stopping", "starting", "answering", "models loaded", "total", "result"):
        assert step in scene.text
    assert _label(scene, "cancel") == "Close"
    assert _invocation(scene.simulation) != before
    await scene.press("enter")
    assert len(scene.app.screen_stack) == 1
    await scene.until(lambda: (view := scene.app.view) is not None and not view.diagnosis.drift)


async def test_a_dialog_that_is_closed_leaves_the_restart_running(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hear(monkeypatch)
    before = _invocation(scene.simulation)
    await scene.press("R", "right", "enter", "escape")
    assert len(scene.app.screen_stack) == 1
    await scene.until(lambda: _invocation(scene.simulation) not in (before, ""))
    await scene.until(lambda: any("deployments loaded" in note.message for note in scene.app._notifications))


async def test_a_broken_file_takes_two_presses(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _hear(monkeypatch)
    before = _invocation(scene.simulation)
    scene.simulation.edit_config(CONFIG + "  : [\n")
    await scene.until(lambda: (view := scene.app.view) is not None and view.snapshot.configuration.error)
    await scene.press("R")
    await scene.shows("does not parse")
    assert _label(scene, "restart") == "Restart anyway"
    await scene.press("right", "enter")
    await scene.shows("Press again to restart into the broken file.")
    assert _label(scene, "restart") == "Press again"
    assert _invocation(scene.simulation) == before
    assert scene.app.screen._began == 0.0  # type: ignore[attr-defined]
    # a button is deaf while it is drawn pressed
    await scene.until(lambda: not scene.app.screen.query_one("#restart").has_class("-active"))
    await scene.press("enter")
    await scene.shows("exited 1")
    assert "the log says" in scene.text


async def test_a_file_that_is_mended_needs_one_press_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    _hear(monkeypatch)
    scene.simulation.edit_config(CONFIG + "  : [\n")
    await scene.until(lambda: (view := scene.app.view) is not None and view.snapshot.configuration.error)
    scene.simulation.edit_config(files.CONFIG)
    await scene.until(lambda: (view := scene.app.view) is not None and not view.snapshot.configuration.error)
    await scene.press("R")
    assert _label(scene, "restart") == "Restart"


async def test_the_console_follows_the_gateway_down_and_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _hear(monkeypatch)
    # at its real pace: a quicker restart would fall between two looks at the gateway
    with Simulation(tmp_path / "slow", scripted=False) as slow:
        async with opened(slow) as scene:
            await _follows_down_and_up(scene)


async def _follows_down_and_up(scene: Scene) -> None:
    words: list[str] = []

    def word() -> str:
        view = scene.app.view
        assert view is not None
        if not words or words[-1] != view.diagnosis.headline.word:
            words.append(view.diagnosis.headline.word)
        return words[-1]

    started = word()
    await scene.press("R", "right", "enter")
    assert started == "OK"
    await scene.until(lambda: word() not in (started, "DEGRADED", "ANSWERING"))
    await scene.until(lambda: word() == started)
    assert set(words[1:-1]) & {"STOPPING", "STARTING", "DOWN"}


async def test_without_a_unit_there_is_nothing_to_restart(scene: Scene) -> None:
    from msgspec.structs import replace

    scene.monitor.profile = replace(scene.monitor.profile, unit=None)
    await scene.press("R")
    assert len(scene.app.screen_stack) == 1
    assert any("nothing to restart" in note.message for note in scene.app._notifications)
