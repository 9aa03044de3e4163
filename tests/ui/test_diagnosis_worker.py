"""A snapshot is judged once, however often it is looked at; and again when something else is known."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.ui import session as session_module
from tests.ui.scene import Scene

KEYS = (
    "down",
    "down",
    "up",
    "2",
    "1",
    "3",
    "tab",
    "z",
    "z",
    "exclamation_mark",
    "escape",
    "d",
    "escape",
    "a",
    "escape",
)


class Judged:
    """Counts how often each state of what is known was judged."""

    def __init__(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times: Counter[tuple[int, ...]] = Counter()
        # what was counted must live: another object would get its number
        self._held: list[object] = []
        console = scene.app

        def counted(snapshot: Snapshot, *given: Any) -> Diagnosis:
            state = (snapshot, *console.session._inputs())
            self._held.append(state)
            self.times[tuple(map(id, state))] += 1
            return diagnose(snapshot, *given)

        monkeypatch.setattr(session_module, "diagnose", counted)


async def test_keys_do_not_judge_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = Judged(scene, monkeypatch)
    await scene.press(*KEYS)
    for _ in range(50):
        assert scene.app.view is not None
    assert set(judged.times.values()) <= {1}


async def test_while_nothing_new_is_known_nothing_is_judged(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    # no snapshot comes any more
    monkeypatch.setattr(scene.monitor, "_on_snapshot", lambda _: None)
    first = scene.app.view
    judged = Judged(scene, monkeypatch)
    await scene.press(*KEYS)
    # that the problems were looked at is judged, once
    assert sum(judged.times.values()) <= 1
    judged.times.clear()
    for _ in range(50):
        scene.app.redraw()
    assert not judged.times
    second = scene.app.view
    assert first is not None
    assert second is not None
    assert second.snapshot is first.snapshot
    assert first.now <= second.now <= time.time()


async def test_another_clock_is_shown_without_another_snapshot(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene.monitor, "_on_snapshot", lambda _: None)
    before = scene.app.view
    scene.app.action_utc()
    after = scene.app.view
    assert before is not None
    assert after is not None
    assert after.clock is not before.clock


async def test_problems_that_were_looked_at_are_judged_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.break_for_all("qwen2.5-coder:32b")
    await scene.until(lambda: scene.app.view and any(p.new for p in scene.app.view.diagnosis.problems))
    monkeypatch.setattr(scene.monitor, "_on_snapshot", lambda _: None)
    scene.app.session.memory.looked_at_problems()
    view = scene.app.view
    assert view is not None
    assert view.diagnosis.problems
    assert not any(problem.new for problem in view.diagnosis.problems)
