"""The console on a simulated gateway, as a test sees it: what is on the screen, and what a key does to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from textual.pilot import Pilot

from litellm_tui.demo import Simulation
from litellm_tui.demo.faults import Fault
from litellm_tui.model.log import LogRecord
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.monitor.supervisor import Pace
from litellm_tui.target.profile import Options, Profile
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console
from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.widgets.described import Described
from litellm_tui.ui.widgets.lines import Lines
from litellm_tui.ui.widgets.log_view import LogView
from tests.waiting import eventually

T = TypeVar("T")


def profile_of(simulation: Simulation) -> Profile:
    """The profile of the simulation, and nothing of this machine."""
    options = Options(unit=simulation.unit, scope="user")
    return resolve(options, Settings(), tools=simulation.tools, environ={})


def screen_text(app: Console) -> str:
    """All that is painted on the uppermost screen."""
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def _is_described(screen: LiveList[Any, Any]) -> bool:
    detail = screen.query_one(Described)
    if (chosen := screen.chosen) is None:
        return not detail.display
    return bool(detail.room) and detail._rows == tuple(to_rows(list(screen.paragraphs(chosen)), detail.room))


async def settled(pilot: Pilot[Any]) -> None:
    """What was done has come through; a list over the console is drawn, with all about its selected line."""
    await pilot.pause()
    # a pause takes a process that gets no processor for an idle one, and lays out what the first one has changed
    await pilot.pause()
    screen = pilot.app.screen
    if isinstance(screen, LiveList):
        await eventually(lambda: screen is not pilot.app.screen or _is_described(screen), "the list is drawn")


class Scene:
    """A running console with its pilot and its simulation."""

    def __init__(self, app: Console, pilot: Pilot[Any], simulation: Simulation) -> None:
        self.app, self.pilot, self.simulation = app, pilot, simulation

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settled()

    async def settled(self) -> None:
        """What was done has come through; a list over the console is drawn, with all about its selected line."""
        await settled(self.pilot)

    async def until(self, look: Callable[[], T], what: str = "") -> T:
        """What `look` returns as soon as it is true."""
        return await eventually(look, what or f"on the screen:\n{self.text}")

    async def shows(self, words: str) -> None:
        """Until these words are on the screen."""
        try:
            await eventually(lambda: words in self.text, f"the screen shows {words!r}")
        except AssertionError as late:
            raise AssertionError(f"{late}; it shows\n{self.text}") from None

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def monitor(self) -> Monitor:
        assert self.app.session.monitor is not None
        return self.app.session.monitor

    @property
    def log(self) -> LogView:
        return self.app.screen_stack[0].query_one(LogView)

    def break_for_all(self, name: str, fault: Fault = "refused") -> None:
        """A model fails, and those who ask it notice."""
        self.simulation.break_model(name, fault)
        for _ in range(3):
            self.simulation.request(name)

    def lines(self, name: str) -> Lines:
        return self.app.screen_stack[0].query_one(f"#{name}-lines", Lines)

    @property
    def pane(self) -> str:
        """The pane that has the focus."""
        focused = self.app.screen_stack[0].focused
        assert focused is not None, "nothing has the focus"
        return next(str(node.id) for node in focused.ancestors_with_self if isinstance(node, Pane))

    @property
    def panes(self) -> set[str]:
        """The panes that can be seen."""
        return {str(pane.id) for pane in self.app.screen_stack[0].query(Pane) if pane.size.width and pane.display}

    def shown_rows(self, name: str) -> list[str]:
        """The lines of a pane as they are painted."""
        widget = self.lines(name)
        return ["".join(segment.text for segment in widget.render_line(y)).rstrip() for y in range(widget.size.height)]

    def write(self, *texts: str, level: str = "INFO", **more: Any) -> None:
        """Records that come now, as the log collector would deliver them."""
        for text in texts:
            fields: dict[str, Any] = {"time": 1_800_000_000.0, "source": "proxy", "pid": 1} | more
            self.monitor.store.append(LogRecord(sequence=0, level=level, text=text, **fields))  # type: ignore[arg-type]
        self.app.redraw()


@asynccontextmanager
async def opened(
    simulation: Simulation,
    size: tuple[int, int] = (120, 40),
    settings: Settings | None = None,
    *,
    memory: bool = False,
    pace: Pace | None = None,
) -> AsyncIterator[Scene]:
    """The console, with all its panes filled."""
    app = Console(profile_of(simulation), settings or Settings(), memory=memory, pace=pace)
    async with app.run_test(size=size) as pilot:
        scene = Scene(app, pilot, simulation)
        await eventually(lambda: app.view is not None and app.view.snapshot.service.value is not None)
        # what waited to know the service need not wait for its next turn
        scene.monitor.look_now()
        await eventually(lambda: _filled(app), "every pane is filled")
        await pilot.pause()
        yield scene


def _filled(app: Console) -> bool:
    view = app.view
    if view is None:
        return False
    gateway = view.snapshot.gateway
    answered = all(
        getattr(gateway, name).value is not None
        for name in gateway.__struct_fields__
        # the simulated gateway has no Prometheus, and its profile no health URL
        if name not in ("liveliness", "metrics", "health_url")
    )
    return answered and view.snapshot.log.last > 100 and view.snapshot.service.value is not None


async def quiet(scene: Scene) -> None:
    """Until nothing more comes from the log by itself: what it has now is indexed."""
    await asyncio.sleep(0)
    await scene.until(lambda: scene.log.settled)


def folder_of(path: Path) -> Path:
    return path / "gateway"
