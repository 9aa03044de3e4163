"""The console tells receivers what it sees, once, and only where the settings name some."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.model.notify_settings import NotifySettings, Receiver, Webhook
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from tests.notify.loopback import Loopback
from tests.ui.scene import opened, profile_of


@pytest.fixture
def hook() -> Iterator[Loopback]:
    with Loopback() as found:
        yield found


async def test_a_model_that_dies_is_told_by_the_console_and_not_again_by_the_next(
    simulation: Simulation, hook: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # the simulation does not give all that is asked for
    monkeypatch.setattr("litellm_tui.notify.notifier.PATIENCE_SECONDS", 0.0)
    settings = Settings(
        notify=NotifySettings(
            {"hook": Receiver(webhook=Webhook(url=hook.url)), "here": Receiver(terminal=("bell",))},
        )
    )

    def keys() -> list[str]:
        return [got.body["key"] for got in hook.got if "qwen2.5" in got.body["title"]]

    name = "qwen2.5-coder:32b"
    async with opened(simulation, settings=settings, memory=True) as scene:
        scene.break_for_all(name)
        await scene.until(keys, "it is told")
    async with opened(simulation, settings=settings, memory=True) as scene:
        view = scene.app.view
        assert view is not None
        scene.break_for_all(name)
        # another problem that begins later is told after all that was there
        scene.simulation.gateway_down()
        await scene.until(lambda: [got for got in hook.got if got.body["subject"] in ("gateway", "service")])
    assert len(keys()) == 1


def test_without_settings_nobody_is_told(simulation: Simulation) -> None:
    assert Console(profile_of(simulation), Settings()).session.notify_by is None
