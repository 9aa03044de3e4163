"""Stopping, starting and looking at the whole service through the console."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from litellm_tui.actions.transaction.record import RestartLock
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.confirm import ConfirmDialog
from litellm_tui.ui.screens.sheet import Sheet
from tests.demo.probing import shown
from tests.ui.scene import Scene


@pytest.fixture(autouse=True)
def _hears_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)


def _state(scene: Scene) -> str:
    return shown(scene.simulation)["ActiveState"]


def _told(scene: Scene) -> str:
    return "\n".join(note.message for note in scene.app._notifications)


async def _asked(scene: Scene, word: str) -> None:
    await scene.press("S")
    await scene.until(lambda: isinstance(scene.app.screen, ConfirmDialog))
    await scene.shows(f"{word} litellm.service (user)")


async def test_it_asks_on_cancel_then_stops_and_starts(scene: Scene) -> None:
    await _asked(scene, "Stop")
    await scene.press("enter")
    await scene.until(lambda: len(scene.app.screen_stack) == 1)
    assert _state(scene) == "active"
    await _asked(scene, "Stop")
    await scene.shows("systemd does not do that by itself")
    await scene.press("right", "enter")
    await scene.until(lambda: "litellm.service: stopped" in _told(scene))
    assert _state(scene) == "inactive"
    await scene.until(lambda: (view := scene.app.view) is not None and view.diagnosis.service.state == "stopped")
    await _asked(scene, "Start")
    await scene.press("right", "enter")
    await scene.until(lambda: "litellm.service: started" in _told(scene))
    assert _state(scene) == "active"


async def test_a_key_that_comes_before_the_question_could_be_read_is_not_heard(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 60.0)
    await _asked(scene, "Stop")
    await scene.press("right", "enter")
    assert isinstance(scene.app.screen, ConfirmDialog)
    assert _state(scene) == "active"


async def test_y_and_n_answer_and_the_frame_says_so(scene: Scene) -> None:
    await _asked(scene, "Stop")
    await scene.shows("y stop · n leave")
    await scene.press("n")
    await scene.until(lambda: len(scene.app.screen_stack) == 1)
    assert _state(scene) == "active"
    await _asked(scene, "Stop")
    await scene.press("y")
    await scene.until(lambda: "litellm.service: stopped" in _told(scene))


async def test_in_production_the_name_is_wanted(scene: Scene) -> None:
    scene.monitor.profile = replace(scene.monitor.profile, production=True)
    await scene.until(lambda: (view := scene.app.view) is not None and view.profile.production)
    await _asked(scene, "Stop")
    await scene.shows("type the name · Enter stop")
    # the field has the focus, a name that is not right is said to be so, and y is a letter of it
    await scene.press(*"litellmy", "enter")
    await scene.shows("not litellm.service yet")
    assert isinstance(scene.app.screen, ConfirmDialog)
    await scene.press("backspace", "full_stop", *"service", "enter")
    await scene.until(lambda: "litellm.service: stopped" in _told(scene))


async def test_not_while_somebody_restarts_it(scene: Scene) -> None:
    profile = scene.monitor.profile
    assert scene.app.session.backups is not None
    other = RestartLock(profile.url.value, scene.simulation.unit, scene.app.session.backups.state)
    assert other.take() is None
    try:
        await _asked(scene, "Stop")
        await scene.press("right", "enter")
        await scene.until(lambda: "is restarting it" in _told(scene))
    finally:
        other.release()
    assert _state(scene) == "active"


async def test_all_about_the_service_is_shown_without_its_secrets(scene: Scene) -> None:
    await scene.press("5", "enter")
    await scene.until(lambda: isinstance(scene.app.screen, Sheet))
    for words in ("how its runs ended", "how it is run", "ExecStart="):
        await scene.shows(words)
    await scene.press("end")
    await scene.shows("=•••")
    assert not any(secret in scene.text for secret in scene.monitor.profile.secrets)
    await scene.press("escape")
    assert len(scene.app.screen_stack) == 1
