"""Draws the pictures under screenshots/ from the simulated gateway: `python -m tests.screenshots`."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from textual.pilot import Pilot

from litellm_tui.demo import Simulation
from litellm_tui.demo.faults import Fault
from litellm_tui.demo.past import Past
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from tests.moving_picture import Frame, animated, taken

FOLDER = Path(__file__).parents[1] / "screenshots"
# the story's first minute: by then a model has died behind its fallback
STORY_SECONDS = 45.0
FAILING: dict[str, Fault] = {"gpt-4.1": "auth", "gpt-4.1-mini": "rate_limit", "qwen2.5-coder:32b": "refused"}
Steps = Callable[[Pilot[int], Simulation], Awaitable[None]]


async def _nothing(pilot: Pilot[int], simulation: Simulation) -> None:
    del pilot, simulation


async def _detail(pilot: Pilot[int], simulation: Simulation) -> None:
    del simulation
    await pilot.press("1", "enter")


async def _changed(pilot: Pilot[int], simulation: Simulation) -> None:
    simulation.edit_config()
    await asyncio.sleep(2.0)
    await pilot.press("R")


async def _logs(pilot: Pilot[int], simulation: Simulation) -> None:
    del simulation
    await pilot.press("2", "z", "n", "n")


async def _problems(pilot: Pilot[int], simulation: Simulation) -> None:
    simulation.cache_down()
    await pilot.press("f5")
    await asyncio.sleep(1.0)
    await pilot.press("exclamation_mark")


async def _incidents(pilot: Pilot[int], simulation: Simulation) -> None:
    for group, fault in FAILING.items():
        simulation.break_model(group, fault)
        for _ in range(4):
            simulation.request(group)
    await asyncio.sleep(3.0)
    await pilot.press("i", "down")


async def _service(pilot: Pilot[int], simulation: Simulation) -> None:
    simulation.crash()
    await asyncio.sleep(8.0)
    await pilot.press("5", "enter")


async def _what_if(pilot: Pilot[int], simulation: Simulation) -> None:
    del simulation
    await pilot.press("3", "z", "x", "down", "x")


async def _down(pilot: Pilot[int], simulation: Simulation) -> None:
    del pilot
    simulation.gateway_down()
    await asyncio.sleep(4.0)


async def _audit(pilot: Pilot[int], simulation: Simulation) -> None:
    del simulation
    await pilot.press("a", "down")


async def _fix(pilot: Pilot[int], simulation: Simulation) -> None:
    del simulation
    await pilot.press("a", "down", "enter")


async def _history(pilot: Pilot[int], simulation: Simulation) -> None:
    del simulation
    await pilot.press("h", "down", "down", "down", "down", "down")


async def _charts(pilot: Pilot[int], simulation: Simulation) -> None:
    del simulation
    await pilot.press("C")


async def _difference(pilot: Pilot[int], simulation: Simulation) -> None:
    simulation.edit_config()
    await asyncio.sleep(2.0)
    await pilot.press("d")


PICTURES: dict[str, tuple[tuple[int, int], str, Steps]] = {
    "console": ((120, 40), "dark", _nothing),
    "narrow": ((80, 24), "dark", _nothing),
    "wide": ((200, 50), "dark", _nothing),
    "light": ((120, 40), "light", _nothing),
    "detail": ((120, 40), "dark", _detail),
    "problems": ((120, 40), "dark", _problems),
    "what-if": ((120, 40), "dark", _what_if),
    "restart": ((120, 40), "dark", _changed),
    "audit": ((120, 40), "dark", _audit),
    "fix": ((120, 40), "dark", _fix),
    "difference": ((120, 40), "dark", _difference),
    "incidents": ((120, 40), "dark", _incidents),
    "history": ((120, 40), "dark", _history),
    "charts": ((120, 40), "dark", _charts),
    "service": ((120, 40), "dark", _service),
    "logs": ((120, 40), "dark", _logs),
    "down": ((120, 40), "dark", _down),
}


async def _breaks(pilot: Pilot[int], simulation: Simulation) -> None:
    simulation.break_model("qwen2.5-coder:32b", "refused")
    for number in range(6):
        simulation.request("qwen2.5-coder:32b", client=f"10.20.0.{11 + number % 3}:41872")
    await pilot.press("f5")


def _keys(*keys: str) -> Steps:
    async def press(pilot: Pilot[int], simulation: Simulation) -> None:
        del simulation
        await pilot.press(*keys)

    return press


async def _heals(pilot: Pilot[int], simulation: Simulation) -> None:
    await pilot.press("escape", "1")
    simulation.heal_model("qwen2.5-coder:32b")
    for _ in range(4):
        simulation.request("qwen2.5-coder:32b")
    await pilot.press("f5")


# what is done before each frame of the moving picture, and the pause until it is taken
INCIDENT: tuple[tuple[Steps, float], ...] = (
    (_nothing, 0.5),
    (_breaks, 3.0),
    (_keys("exclamation_mark"), 1.0),
    (_keys("enter", "enter"), 1.0),
    (_keys("escape", "3", "x"), 1.0),
    (_keys("escape", "i"), 1.0),
    (_heals, 4.0),
)
CALM_SECONDS = 12.0
FRAME_SECONDS = 3.0


def _shown(profile: Profile) -> Profile:
    """A gateway, and not the machine that draws it, with a month behind it."""
    return msgspec.structs.replace(profile, host="gw-01", past=Past(time.time()))


async def draw(name: str, size: tuple[int, int], theme: str, steps: Steps) -> None:
    """Draw one picture."""
    with Simulation(start=time.time() - STORY_SECONDS, scripted=True) as simulation:
        simulation.advance(STORY_SECONDS)
        settings = Settings(theme=theme)
        profile = resolve(Options(unit=simulation.unit, scope="user"), settings, simulation.tools, environ={})
        console = Console(_shown(profile), settings, "SIMULATION", memory=False)
        async with console.run_test(size=size) as pilot:
            await asyncio.sleep(3.0)
            await steps(pilot, simulation)
            await asyncio.sleep(0.8)
            await pilot.pause()
            picture = console.export_screenshot(title="litellm-tui")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.svg").write_text(_self_contained(picture), encoding="utf-8")


async def draw_moving(name: str, size: tuple[int, int]) -> None:
    """An incident from its first sign to its end, a frame every few seconds."""
    frames: list[Frame] = []
    with Simulation(start=time.time() - CALM_SECONDS, scripted=True) as simulation:
        simulation.advance(CALM_SECONDS)
        settings = Settings(theme="dark")
        profile = resolve(Options(unit=simulation.unit, scope="user"), settings, simulation.tools, environ={})
        console = Console(_shown(profile), settings, "SIMULATION", memory=False)
        async with console.run_test(size=size) as pilot:
            await asyncio.sleep(3.0)
            for steps, pause in INCIDENT:
                await steps(pilot, simulation)
                await asyncio.sleep(pause)
                await pilot.pause()
                frames.append(taken(console))
    (FOLDER / f"{name}.svg").write_text(animated(frames, [FRAME_SECONDS] * len(frames), size), encoding="utf-8")


def _self_contained(picture: str) -> str:
    """Without the web font: a picture must not fetch anything when it is looked at."""
    return re.sub(r"@font-face\s*\{.*?\}\s*", "", picture, flags=re.DOTALL)


def main() -> None:
    """Draw them all, in the colours of the themes as they are written."""
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
    for name, (size, theme, steps) in PICTURES.items():
        asyncio.run(draw(name, size, theme, steps))
        print(f"screenshots/{name}.svg")
    asyncio.run(draw_moving("incident", (110, 34)))
    print("screenshots/incident.svg")


if __name__ == "__main__":
    main()
