"""Two consoles on one gateway: what one of them keeps the other sees, and neither loses anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.storage.state import StateFile
from litellm_tui.ui import session as session_module
from litellm_tui.ui.app import Console
from tests.ui.scene import Scene, opened


@pytest.fixture
async def two(simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Scene]]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(session_module, "OTHERS_SECONDS", 0.05)
    async with opened(simulation, memory=True) as one, opened(simulation, memory=True) as other:
        yield [one, other]


def _mark(console: Console, key: str, note: str | None) -> None:
    view = console.view
    assert view is not None
    row = next(row for row in view.diagnosis.deployments if row.key == key)
    console._overlays._mark_down(row, note)


def _kept(scene: Scene) -> dict[str, str]:
    profile = scene.monitor.profile
    return StateFile(profile.url.value, profile.unit.value if profile.unit else "").load().expected_down


async def test_marks_of_two_consoles_are_kept_and_seen_by_both(two: list[Scene]) -> None:
    one, other = two
    view = one.app.view
    assert view is not None
    first, second = (row.key for row in view.diagnosis.deployments[:2])
    _mark(one.app, first, "no GPU here")
    _mark(other.app, second, "being moved")
    both = {first: "no GPU here", second: "being moved"}
    await one.until(lambda: one.monitor.expected_down == both, "both marks are seen by one")
    await other.until(lambda: other.monitor.expected_down == both, "and by the other")
    await one.until(lambda: _kept(one) == both)
    _mark(other.app, first, None)
    await one.until(lambda: one.monitor.expected_down == {second: "being moved"}, "it was taken back")
    await one.until(lambda: _kept(one) == {second: "being moved"})


async def test_a_mark_that_is_made_just_before_the_end_is_kept(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with opened(simulation, memory=True) as scene:
        view = scene.app.view
        assert view is not None
        key = view.diagnosis.deployments[0].key
        scene.monitor.expect_down({key: "made at the end"})
    assert _kept(scene) == {key: "made at the end"}
