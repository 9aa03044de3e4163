"""The load test on the screen: it asks first, shows how far it is with its percentiles, and stays on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from litellm_tui.actions.load import Sample
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.load import LoadDialog
from litellm_tui.ui.signs import UNICODE
from litellm_tui.ui.view import View, utc_clock
from tests.ui.scene import opened as scene_of
from tests.ui.test_probe_screen import NOW, Stage

LOCAL = LoadedDeployment("id-1", "chat", "openai/local", "http://127.0.0.1:9102/v1", None, names=("chat",))
CLOUD = LoadedDeployment("id-2", "cloud", "openai/gpt-4.1", None, None, names=("cloud",))


class Opened:
    """A dialog on its stage, and what it asked for."""

    def __init__(self, stage: Stage, pilot: Pilot[None], targets: Sequence[LoadedDeployment]) -> None:
        self.stage, self.pilot = stage, pilot
        self.started: list[int] = []
        self.cancelled = 0
        view = View(None, None, None, None, UNICODE, NOW, utc_clock, Redactor(("hunter22",)))  # type: ignore[arg-type]
        self.dialog = LoadDialog(view, "chat", [LOCAL], targets, lambda _, n: self.started.append(n), self._cancel)

    def _cancel(self) -> None:
        self.cancelled += 1

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def take(self, *samples: Sample) -> None:
        for sample in samples:
            self.dialog.take(sample)
        self.dialog.fill()
        await self.pilot.pause()

    @property
    def text(self) -> str:
        strips = self.stage.screen._compositor.render_strips(self.stage.size)
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    def line(self, words: str) -> str:
        return next(line for line in self.text.splitlines() if words in line)


@asynccontextmanager
async def opened(size: tuple[int, int], *targets: LoadedDeployment) -> AsyncIterator[Opened]:
    stage = Stage(ascii_only=False)
    async with stage.run_test(size=size) as pilot:
        found = Opened(stage, pilot, targets)
        await stage.push_screen(found.dialog)
        await pilot.pause()
        await pilot.pause()
        yield found


@pytest.fixture(autouse=True)
def _heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_progress_and_percentiles_while_it_runs_and_r_asks_again(size: tuple[int, int]) -> None:
    async with opened(size, LOCAL, CLOUD) as found:
        assert found.started == []
        assert "may be billed: openai/gpt-4.1" in found.line("paid")
        assert "1 20 · 2 50 · 3 200 · y send · n leave" in found.text
        await found.press("2")
        assert "50, 4 at a time" in found.line("requests")
        await found.press("y")
        assert found.started == [50]
        assert "0 of 50 requests" in found.text
        answers = [Sample(True, n / 100, deployment="id-1", group="chat") for n in range(1, 25)]
        await found.take(*answers, Sample(False, 0.1, status=500, error="boom hunter22"))
        assert "25 of 50 requests" in found.text
        half = found.line("progress").count("█")
        assert "24" in found.line("answered")
        assert "0.12 s" in found.line("p50")
        assert "0.23 s" in found.line("p95")
        assert "0.24 s" in found.line("p99")
        assert found.line("p95").count("█") > found.line("p50").count("█") > 0
        assert "100 %  openai/local" in found.text
        await found.take(*(Sample(True, 0.1, deployment="id-1", group="chat") for _ in range(25)))
        found.dialog.ended()
        await found.pilot.pause()
        assert "done" in found.text
        assert found.line("progress").count("█") == pytest.approx(2 * half, abs=1)
        assert "r repeat · Esc close" in found.text
        await found.press("pagedown")
        assert "1 failed" in found.text
        assert "hunter22" not in found.text
        await found.press("r")
        assert "y send" in found.text
        await found.press("y")
        assert found.started == [50, 50]
        assert "0 of 50 requests" in found.text


async def test_escape_stops_it_and_keeps_the_figures() -> None:
    async with opened((80, 24), LOCAL) as found:
        assert "on this machine" in found.line("free")
        await found.press("y")
        await found.take(Sample(True, 0.2, deployment="id-1"))
        await found.press("escape")
        assert found.cancelled == 1
        assert "1 of 20 requests" in found.text
        assert "cancelled" in found.text
        assert str(found.dialog.query_one("#cancel", Button).label) == "Close"
        await found.take(Sample(True, 0.2))
        assert "1 of 20 requests" in found.text
        await found.press("escape")
        assert not found.dialog.is_running


async def test_enter_alone_sends_nothing() -> None:
    async with opened((80, 24), LOCAL) as found:
        await found.press("enter")
        assert found.started == []
        assert not found.dialog.is_running


async def test_it_really_asks_a_group_that_is_on_this_machine(simulation: Simulation) -> None:
    # its default fallback is elsewhere: with it nothing is sent
    simulation.edit_config(CONFIG.replace("  default_fallbacks: [gpt-4.1-mini]\n", ""))
    simulation.gateway_down()
    simulation.gateway_up()
    async with scene_of(simulation) as scene:
        view = scene.app.view
        assert view is not None
        key = next(r.key for r in view.diagnosis.deployments if r.group == "nomic-embed-text")
        scene.lines("models").select(key)
        await scene.settled()
        await scene.press("L")
        assert isinstance(scene.app.screen, LoadDialog), scene.text
        await scene.shows("20, 4 at a time")
        await scene.press("y")
        await scene.shows("20 of 20 requests")
        await scene.shows("done")
        assert "p95" in scene.text
        await scene.press("escape")
        assert len(scene.app.screen_stack) == 1


async def test_it_does_not_leave_this_machine(simulation: Simulation) -> None:
    async with scene_of(simulation) as scene:
        await scene.press("1", "L")
        await scene.until(
            lambda: any(
                "no load test: not on this machine: " in note.message and "--remote" in note.message
                for note in scene.app._notifications
            )
        )
        assert len(scene.app.screen_stack) == 1
