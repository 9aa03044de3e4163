"""The header at every width: who is spoken of, and the clock beside it."""

from __future__ import annotations

import re

import msgspec
import pytest

from litellm_tui.demo import Simulation
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from tests.ui.scene import opened, profile_of, screen_text
from tests.waiting import eventually


@pytest.mark.parametrize("width", [120, 80, 60, 50, 40, 30])
async def test_the_clock_stands_apart_from_what_is_before_it(simulation: Simulation, width: int) -> None:
    async with opened(simulation, (width, 20)) as scene:
        await scene.until(lambda: re.search(r"\d\d:\d\d:\d\d", scene.text))
        first = scene.text.split("\n")[0]
        assert re.fullmatch(r" \S.* \d\d:\d\d:\d\d ", first), first
        assert len(first) == width


@pytest.mark.parametrize("width", [60, 50, 40, 30])
async def test_the_marks_of_a_profile_leave_the_clock_alone(simulation: Simulation, width: int) -> None:
    profile = msgspec.structs.replace(profile_of(simulation), production=True, read_only=True)
    app = Console(profile, Settings(), memory=False)
    async with app.run_test(size=(width, 20)):
        await eventually(lambda: "PRODUCTION" in screen_text(app))
        first = screen_text(app).split("\n")[0]
        assert re.fullmatch(r" PRODUCTION .*\s\d\d:\d\d:\d\d ", first), first
        assert len(first) == width
