"""The upgrade's screen: it shows the plan, asks, follows what comes of it, and leaves alone what is being applied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import pytest
from msgspec.structs import replace
from textual.widgets import Button, Input

from litellm_tui.actions.transaction.events import Event, Outcome, Step
from litellm_tui.actions.upgrade import plan as plans
from litellm_tui.actions.upgrade import run as upgrades
from litellm_tui.actions.upgrade.plan import Planned
from litellm_tui.model.configuration import Mark
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.release import ReleaseChange, ReleaseComparison
from litellm_tui.model.upgrade import Exchange, PackageChange, TagExchange, UpgradePlan
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.upgrade import UpgradeScreen
from tests.ui.scene import Scene, profile_of

PLAN = UpgradePlan(
    how="a virtual environment made by uv", path="/srv/llm/venv", before="1.90.1", after="1.95.4", running="1.90.1",
    python="3.11.9", available=("1.95.4", "1.94.0"), source="uv, from its index", staged="/srv/llm/venv.litellm-1.95.4",
    packages=(PackageChange("openai", "1.9.0", "2.0.0"), PackageChange("rich", "13.0")),
    held_after=("CVE-2030-1: a hole (high)",), notes=("a note about it",),
    comparison=ReleaseComparison("/etc/litellm/config.yaml", "1.90.1", "1.95.4", (
        ReleaseChange("fatal", "router_settings.old_key ends the start", Mark("config.yaml", 31), "drop it"),
        ReleaseChange("better", "a fallback is found"),
    )),
)  # fmt: skip
DATABASE = "the new release migrates its tables"


class Stage:
    """Plans as they are asked for, and an upgrade that ends once it may."""

    def __init__(self, plan: UpgradePlan = PLAN, kept: str = "") -> None:
        self.plan, self.kept = plan, kept
        self.asked: list[tuple[str, bool, bool]] = []
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.may_end = asyncio.Event()
        self.index = asyncio.Event()
        self.index.set()
        self.outcome: Outcome | None = Outcome("applied", "LiteLLM 1.95.4 runs", 31.0, downtime=12.5)

    async def make_plan(
        self, profile: object, seen: object, version: str = "", *, backed_up: bool = False, rehearsal: bool = False
    ) -> Planned:
        self.asked.append((version, backed_up, rehearsal))
        await self.index.wait()
        plan = replace(self.plan, after=version or self.plan.after)
        if plan.database and (backed_up or rehearsal):
            plan = replace(plan, refusals=())
        return Planned(plan)

    def upgrade(self, *_: object) -> Stage:
        return self

    def way_back(self) -> Exchange | Failure:
        there = TagExchange("compose.yaml", "gateway", PLAN.before, self.kept)
        return there if self.kept else NotAvailable("none is kept")

    def apply(self, planned: Planned) -> AsyncGenerator[Event, None]:
        return self._events("apply")

    def try_out(self, planned: Planned) -> AsyncGenerator[Event, None]:
        return self._events("rehearse")

    def back(self) -> AsyncGenerator[Event, None]:
        return self._events("back")

    async def _events(self, way: str) -> AsyncGenerator[Event, None]:
        self.begun.append(way)
        try:
            yield Step("install")
            yield Step("install", 4.0, "it was made: LiteLLM 1.95.4", True, ("two packages do not go together",))
            yield Step("rehearsal", None, "starting it on port 40123")
            await self.may_end.wait()
            yield Step("rehearsal", 9.0, "it answers after 4.2 s")
            if self.outcome is not None:
                yield self.outcome
        finally:
            self.ended.append(way)


@pytest.fixture(autouse=True)
def hears(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moments in which a question is deaf are over."""
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> Callable[[Stage], Stage]:
    def put(stage: Stage) -> Stage:
        monkeypatch.setattr(plans, "make_plan", stage.make_plan)
        monkeypatch.setattr(upgrades, "Upgrade", stage.upgrade)
        return stage

    return put


async def _opened(scene: Scene) -> UpgradeScreen:
    await scene.press("U")
    await scene.until(lambda: isinstance(scene.app.screen, UpgradeScreen))
    screen = scene.app.screen
    assert isinstance(screen, UpgradeScreen)
    await scene.until(lambda: screen.planned is not None)
    await scene.settled()
    return screen


def _buttons(screen: UpgradeScreen) -> list[str]:
    return [str(button.label) for button in screen.query(Button) if button.display]


async def test_the_plan_is_shown_and_nothing_begins_before_the_answer(
    scene: Scene, staged: Callable[[Stage], Stage]
) -> None:
    stage = staged(Stage())
    screen = await _opened(scene)
    for words in ("LiteLLM 1.90.1, a virtual environment made by uv in /srv/llm/venv", "LiteLLM 1.95.4", "a note about",
                  "1.95.4: CVE-2030-1", "ends the start:", "line 31: router_settings.old_key ends the start (drop it)",
                  "2 other packages"):  # fmt: skip
        await scene.shows(words)
    assert _buttons(screen) == ["Cancel", "Rehearse", "Go to 1.95.4"]
    assert scene.app.focused is screen.query_one("#cancel")
    await scene.press("pagedown")
    await scene.shows("openai 1.9.0 -> 2.0.0")
    await scene.press("n")
    await scene.until(lambda: len(scene.app.screen_stack) == 1)
    assert stage.begun == []


async def test_it_is_applied_and_followed_to_its_result(scene: Scene, staged: Callable[[Stage], Stage]) -> None:
    stage = staged(Stage())
    screen = await _opened(scene)
    await scene.press("y")
    await scene.shows("starting it on port 40123")
    await scene.shows("two packages do not go together")
    assert _buttons(screen) == ["Hide (it goes on)"]
    stage.may_end.set()
    await scene.shows("LiteLLM 1.95.4 runs")
    await scene.shows("31.0 s, 12.5 s without an answer")
    await scene.until(lambda: _buttons(screen) == ["Close"])
    assert stage.begun == ["apply"]


async def test_what_is_being_applied_goes_on_when_it_is_left(scene: Scene, staged: Callable[[Stage], Stage]) -> None:
    stage = staged(Stage())
    await _opened(scene)
    await scene.press("y")
    await scene.shows("starting it on port 40123")
    await scene.press("escape")
    await scene.until(lambda: len(scene.app.screen_stack) == 1)
    assert stage.ended == []
    # another look at the plan does not end it either
    await _opened(scene)
    await scene.press("escape")
    assert stage.ended == []
    stage.may_end.set()
    await scene.until(lambda: "applied: LiteLLM 1.95.4 runs" in [note.message for note in scene.app._notifications])


async def test_a_rehearsal_passes_over_what_only_an_upgrade_must_not(
    scene: Scene, staged: Callable[[Stage], Stage]
) -> None:
    stage = staged(Stage(replace(PLAN, database=DATABASE, refusals=("back it up",))))
    stage.outcome = None
    screen = await _opened(scene)
    await scene.shows("back it up")
    assert _buttons(screen) == ["Cancel", "Rehearse", "Backed up"]
    await scene.press("y")
    assert stage.begun == []
    await scene.press("r")
    await scene.shows("starting it on port 40123")
    assert stage.asked[-1] == ("", False, True)
    stage.may_end.set()
    await scene.shows("it starts beside the one that runs, and is proved")
    assert stage.begun == ["rehearse"]


async def test_leaving_a_rehearsal_ends_it(scene: Scene, staged: Callable[[Stage], Stage]) -> None:
    stage = staged(Stage())
    await _opened(scene)
    await scene.press("r")
    await scene.shows("starting it on port 40123")
    await scene.press("escape")
    await scene.until(lambda: stage.ended == ["rehearse"])


async def test_the_operators_word_on_the_database_and_another_release_make_another_plan(
    scene: Scene, staged: Callable[[Stage], Stage]
) -> None:
    stage = staged(Stage(replace(PLAN, database=DATABASE, refusals=("back it up",))))
    screen = await _opened(scene)
    screen.query_one("#backed-up", Button).press()
    await scene.until(lambda: stage.asked[-1] == ("", True, False) and screen.planned is not None)
    await scene.until(lambda: _buttons(screen) == ["Cancel", "Rehearse", "Go to 1.95.4"])
    screen.query_one("#release", Input).focus()
    await scene.press(*"1.92.0", "enter")
    await scene.until(lambda: stage.asked[-1] == ("1.92.0", True, False) and screen.planned is not None)
    await scene.until(lambda: "Go to 1.92.0" in _buttons(screen))
    assert stage.begun == []


async def test_the_release_that_was_kept_is_gone_back_to(scene: Scene, staged: Callable[[Stage], Stage]) -> None:
    stage = staged(Stage(replace(PLAN, after="", refusals=("no newer release is to be had",)), kept="1.89.3"))
    stage.outcome = Outcome("applied", "LiteLLM 1.89.3 runs", 20.0, downtime=10.0)
    screen = await _opened(scene)
    await scene.shows("no newer release is to be had")
    assert _buttons(screen) == ["Cancel", "Back to 1.89.3"]
    screen.query_one("#back", Button).press()
    stage.may_end.set()
    await scene.shows("LiteLLM 1.89.3 runs")
    assert stage.begun == ["back"]


async def test_who_goes_back_waits_for_no_index(scene: Scene, staged: Callable[[Stage], Stage]) -> None:
    stage = staged(Stage(kept="1.89.3"))
    stage.index.clear()
    stage.outcome = Outcome("applied", "LiteLLM 1.89.3 runs", 20.0, downtime=10.0)
    await scene.press("U")
    await scene.shows("looking at what is installed")
    await scene.shows("LiteLLM 1.89.3, which ran before")
    screen = scene.app.screen
    assert isinstance(screen, UpgradeScreen)
    await scene.until(lambda: _buttons(screen) == ["Cancel", "Back to 1.89.3"])
    screen.query_one("#back", Button).press()
    await scene.until(lambda: stage.begun == ["back"])
    # the plan that comes late begins nothing, and offers nothing
    stage.index.set()
    await scene.until(lambda: screen.planned is not None)
    stage.may_end.set()
    await scene.shows("LiteLLM 1.89.3 runs")
    assert _buttons(screen) == ["Close"]
    assert stage.begun == ["back"]


async def test_all_steps_and_the_outage_stand_above_what_is_to_be_known_of_them(
    scene: Scene, staged: Callable[[Stage], Stage]
) -> None:
    stage = staged(Stage())
    stage.may_end.set()
    screen = await _opened(scene)
    await scene.press("y")
    await scene.shows("31.0 s, 12.5 s without an answer")
    words = ["".join(text for text, _ in row.spans).strip() for row in screen.rows(100)]
    order = ("LiteLLM 1.95.4 runs", "12.5 s without an answer", "it was made:", "proof", "two packages do not go")
    first = [next(place for place, line in enumerate(words) if said in line) for said in order]
    assert first == sorted(first)


async def test_in_production_the_name_is_typed_first(scene: Scene, staged: Callable[[Stage], Stage]) -> None:
    stage = staged(Stage())
    profile = profile_of(scene.simulation)
    assert profile.unit is not None
    scene.monitor.profile = replace(profile, production=True)
    await scene.press("f5")
    await scene.shows("PRODUCTION")
    screen = await _opened(scene)
    screen.query_one("#apply", Button).press()
    await scene.settled()
    assert stage.begun == []
    await scene.press(*profile.unit.value, "enter")
    await scene.shows("starting it on port 40123")
    stage.may_end.set()
    await scene.shows("LiteLLM 1.95.4 runs")


async def test_the_simulated_gateway_is_not_upgraded(scene: Scene) -> None:
    await scene.press("U")
    await scene.shows("the simulated gateway is not upgraded")
