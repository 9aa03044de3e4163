"""The database on the screen: quiet without one, above the cache when it is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litellm_tui.demo import Simulation
from tests.ui.scene import Scene, opened


@asynccontextmanager
async def _said(simulation: Simulation, database: str, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Scene]:
    simulation._gateway.database = database
    async with opened(simulation, size) as scene:
        yield scene


async def test_a_gateway_without_one_says_nothing_of_it(simulation: Simulation) -> None:
    async with _said(simulation, "Not connected") as scene:
        await scene.press("4", "z")
        assert "database" not in scene.text
        assert "postgres" not in scene.text
        assert str(scene.app.query_one("#cache").border_title).split(" · ") == ["4 Cache", "zoomed, z ends it"]


async def test_one_that_is_lost_is_in_the_header_above_the_cache_and_among_the_problems(simulation: Simulation) -> None:
    async with _said(simulation, "disconnected") as scene:
        await scene.shows("database lost")
        await scene.shows("4 Cache · Database")
        await scene.press("4", "z")
        rows = [row for row in scene.shown_rows("cache") if row.strip()]
        assert rows[0].split() == ["database", "lost"]
        assert any(row.split()[:1] == ["redis"] for row in rows)
        await scene.press("z", "1", "exclamation_mark")
        await scene.shows("callers with virtual keys are refused")
        await scene.press("enter")
        assert scene.pane == "cache"


async def test_on_a_small_terminal_it_is_told_as_well(simulation: Simulation) -> None:
    async with _said(simulation, "connected", (80, 24)) as scene:
        await scene.shows("database connected")
        await scene.press("4")
        await scene.shows("database connected")
        assert "readiness" not in scene.text
