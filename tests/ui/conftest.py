from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from litellm_tui.demo import Simulation
from litellm_tui.ui.widgets import log_lines
from tests.ui.scene import Scene, opened
from tests.waiting import DEADLINE


@pytest.fixture(autouse=True)
def nothing_of_the_persons_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor themes of whoever runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    # the themes as they are written, whatever terminal runs the tests
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    # a snapshot is drawn as soon as it is there: the tests wait for what they show
    monkeypatch.setattr("litellm_tui.monitor.monitor.PUBLISH_SECONDS", 0.02)
    # a small log is looked through in one slice, however busy the machine: what slices do has tests of its own
    monkeypatch.setattr(log_lines, "SLICE_SECONDS", 0.09)
    # nor is a cache slow because the machine is: what slow means has tests of its own
    monkeypatch.setattr("litellm_tui.analysis.health.cache.SLOW_SECONDS", DEADLINE)


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    """A gateway in which nothing happens by itself; restarts run five times as fast."""
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as found:
        yield found


@pytest.fixture
async def scene(simulation: Simulation) -> AsyncIterator[Scene]:
    async with opened(simulation) as found:
        yield found
