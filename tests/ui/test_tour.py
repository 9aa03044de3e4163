"""`litellm-tui tour`: each step waits for what it asks for, and the story comes to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.commands.tour import BROKEN, run, steps
from litellm_tui.demo import Simulation
from litellm_tui.target.profile import Options
from litellm_tui.target.settings import Settings, SettingsError
from litellm_tui.ui.tour import TourConsole, TourPanel
from tests.ui.scene import profile_of, screen_text
from tests.waiting import eventually


async def test_the_tour(tmp_path: Path) -> None:
    with Simulation(tmp_path / "gateway", scripted=False, speed=5) as simulation:
        told = steps(simulation)
        app = TourConsole(told, profile_of(simulation), Settings())
        async with app.run_test(size=(80, 24)) as pilot:

            async def at(step: int, words: str) -> None:
                await eventually(lambda: app.step == step and words in screen_text(app), f"step {step}\n{words}")
                assert len(app.screen.query(TourPanel)) == 1

            await eventually(lambda: app.step >= 0, "the first step")
            await pilot.press("2", "1")
            await at(1, "Press !")
            # another key than the one that is asked for changes nothing
            await pilot.press("3")
            await pilot.pause(0.6)
            assert app.step == 1
            await eventually(lambda: "DEGRADED" in screen_text(app) or "masked" in screen_text(app), "it is seen")
            await pilot.press("exclamation_mark")
            await at(2, "Press Enter")
            await eventually(lambda: BROKEN in screen_text(app), "the problem is listed")
            await pilot.press("enter")
            await at(3, "Press 2")
            await pilot.press("2")
            await at(4, "Press i")
            await pilot.press("i")
            await at(5, "Press Esc")
            await pilot.press("escape", "1")
            await at(len(told) - 1, "That was an incident")
            await pilot.press("ctrl+q")
        assert app.return_code == 0


def test_it_brings_its_own_gateway() -> None:
    with pytest.raises(SettingsError, match="brings its own"):
        run(Options(url="http://127.0.0.1:4000"))
