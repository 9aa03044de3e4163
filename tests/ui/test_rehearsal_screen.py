"""The rehearsal's screen: it asks, says how it stands, and shows everything that was seen; leaving it ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from litellm_tui.actions.rehearse import run
from litellm_tui.actions.rehearse.run import Wish
from litellm_tui.actions.transaction.events import Seen
from litellm_tui.analysis.change import proof
from litellm_tui.model.configuration import Mark
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.rehearsal import Rehearsal
from litellm_tui.target.profile import Profile
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.rehearsal import RehearsalScreen
from litellm_tui.ui.screens.restart import RestartDialog
from tests.demo.probing import shown
from tests.ui.scene import Scene

PASSED = Rehearsal(
    "passed", took=11.0, ready=5.25, memory=380_000_000, loaded=("a (openai/a)", "b (openai/b)"), version="1.106.2",
    differs=("router_settings.cooldown_time: 60 → 61",), warnings=("a callback is deprecated",),
    probes=(ProbeResult("1", "small", "openai/small", False, 0.0, error="401: no key\nmore"),),
    left_out=("alerting: nothing is sent",),
)  # fmt: skip
REFUSED = Rehearsal(
    "refused", "ValueError: Invalid routing_strategy: 'by-luck'", Mark("/etc/litellm/config.yaml", 31, 3), 6.0,
    left_out=("alerting: nothing is sent",), log=("Traceback (most recent call last):\n  of it",),
)  # fmt: skip


@pytest.fixture(autouse=True)
def hears(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moments in which a question is deaf are over."""
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)


class Stage:
    """A rehearsal that says how it stands, and ends with `result` once it may."""

    def __init__(self, result: Rehearsal) -> None:
        self.result, self.may_end, self.begun, self.ended = result, asyncio.Event(), 0, 0
        self.beside: Seen | None = None

    async def rehearse(
        self, profile: Profile, wish: Wish, running: Callable[[], Seen | None], tell: Callable[[str], None]
    ) -> Rehearsal:
        self.begun += 1
        self.beside = running()
        tell("starting it on port 40123")
        try:
            await self.may_end.wait()
        finally:
            self.ended += 1
        return self.result


def _staged(monkeypatch: pytest.MonkeyPatch, result: Rehearsal) -> Stage:
    stage = Stage(result)
    monkeypatch.setattr(run, "rehearse", stage.rehearse)
    return stage


async def test_it_asks_says_how_it_stands_and_shows_what_was_seen(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = _staged(monkeypatch, PASSED)
    await scene.press("r")
    await scene.shows("while the gateway goes on serving")
    assert stage.begun == 0
    await scene.press("y")
    await scene.shows("starting it on port 40123")
    assert stage.beside is not None
    stage.may_end.set()
    await scene.shows("it starts and is proved")
    for words in ("answers after 5.2 s", "380 MB", "1.106.2", "2 deployments", "cooldown_time: 60 → 61",
                  "a callback is deprecated", "small (openai/small): 401: no key", "alerting: nothing is sent",
                  "11.0 s; the gateway went on serving"):  # fmt: skip
        assert words in scene.text, words
    # the cursor is in the list, to scroll it: the frame says what closes it
    assert "Esc close" in scene.text
    await scene.press("escape")
    await scene.until(lambda: len(scene.app.screen_stack) == 1)


async def test_what_is_refused_is_shown_with_its_cause_and_its_line(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _staged(monkeypatch, REFUSED).may_end.set()
    await scene.press("r")
    await scene.shows("while the gateway goes on serving")
    await scene.press("y")
    await scene.shows("Invalid routing_strategy: 'by-luck'")
    await scene.shows("/etc/litellm/config.yaml:31")
    await scene.shows("Traceback (most recent call last)")


async def test_leaving_it_ends_what_was_started(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = _staged(monkeypatch, PASSED)
    await scene.press("r")
    await scene.shows("while the gateway goes on serving")
    await scene.press("y")
    await scene.shows("starting it on port 40123")
    await scene.press("escape")
    await scene.until(lambda: stage.ended == 1)
    await scene.until(lambda: len(scene.app.screen_stack) == 1)


async def test_the_restart_dialog_leads_to_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = _staged(monkeypatch, PASSED)
    await scene.press("R")
    await scene.until(lambda: isinstance(scene.app.screen, RestartDialog) and scene.app.screen._checks is not None)
    await scene.press("r")
    await scene.until(lambda: isinstance(scene.app.screen, RehearsalScreen))
    await scene.shows("starting it on port 40123")
    stage.may_end.set()
    await scene.shows("it starts and is proved")
    assert stage.begun == 1


async def test_a_restart_whose_rehearsal_could_not_be_judged_asks_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Rehearsal("not judged", "it could not be judged within 180 s: it does not answer yet")
    stage = _staged(monkeypatch, slow)
    stage.may_end.set()
    monkeypatch.setattr(run, "of_restart", lambda profile: lambda seen, tell: run.rehearse(profile, Wish(), seen, tell))
    monkeypatch.setattr(proof, "STEADY_SECONDS", 0.2)
    before = shown(scene.simulation)["InvocationID"]
    await scene.press("R")
    await scene.until(lambda: isinstance(scene.app.screen, RestartDialog) and scene.app.screen._checks is not None)
    await scene.press("y")
    await scene.shows("could not be judged within 180 s")
    await scene.shows("Restart all the same")
    assert shown(scene.simulation)["InvocationID"] == before
    await scene.press("y")
    await scene.until(lambda: shown(scene.simulation)["InvocationID"] != before)
    await scene.shows("applied")
    # it would be as slow another time
    assert stage.begun == 1


async def test_the_simulated_gateway_is_not_rehearsed(scene: Scene) -> None:
    await scene.press("r")
    await scene.shows("while the gateway goes on serving")
    await scene.press("y")
    await scene.shows("the simulated gateway is not rehearsed")
