"""The console notes with which configuration the service was started, and what came of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from litellm_tui.actions.control import order
from litellm_tui.demo import Simulation
from tests.ui.scene import Scene, opened, profile_of


async def _restarted(scene: Scene) -> None:
    # the simulation tells a start in whole seconds: what was saved in the same one would be younger
    before = scene.simulation.config_path.stat().st_mtime - 2
    os.utime(scene.simulation.config_path, (before, before))
    assert await order(profile_of(scene.simulation), "restart") is None
    # the start is told while systemctl still waits: what was read meanwhile is of the process before
    await asyncio.sleep(0.5)
    scene.monitor.look_now()


async def test_a_restart_that_is_seen_is_noted_with_its_file(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with opened(simulation, memory=True) as scene:
        history = scene.app.session.history
        assert history is not None
        (first,) = await scene.until(history.versions, "what runs is noted")
        simulation.edit_config()
        file = Path(profile_of(simulation).config.value)  # type: ignore[union-attr]  # the simulation has one
        await _restarted(scene)
        await scene.until(lambda: len(history.versions()) == 2, "the start is noted")
        noted = history.versions()[-1]
        assert noted.result == "loaded 9 of 9 deployments"
        assert list((history.content(noted.digest) or {}).values()) == [file.read_bytes()]
        simulation.restore_config()
        await _restarted(scene)
        await scene.until(lambda: len(history.versions()) == 3, "the second start is noted")
        assert history.versions()[-1].digest == first.digest
        assert history.folder.is_relative_to(tmp_path / "state")


async def test_the_history_of_a_simulation_is_not_kept(scene: Scene) -> None:
    assert scene.app.session.history is None
