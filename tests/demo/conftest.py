from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.demo import Simulation


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Simulation]:
    """A simulation in which nothing happens by itself; restarts run five times as fast."""
    with Simulation(tmp_path / "gateway", speed=5, scripted=False) as simulation:
        yield simulation
