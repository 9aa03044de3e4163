"""The probe dialog: it asks before it spends, shows each result as it comes, and can be stopped."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Button

from litellm_tui.actions.probe import Asking, Done, Started, probe
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.demo import Simulation
from litellm_tui.model.diagnosis import Deployment, Verdict
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.ui.app import Console
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.probe import ProbeDialog
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.signs import ASCII, UNICODE, Signs
from litellm_tui.ui.themes import load_themes
from litellm_tui.ui.view import View, utc_clock
from litellm_tui.ui.widgets.lines import ASCII_CLASS, Lines
from tests.actions.standin import hangs, recorded, standing_in
from tests.ui.drawn import Drawn
from tests.ui.scene import Scene
from tests.ui.scene import opened as scene_of
from tests.waiting import eventually

NOW = 1_800_000_000.0
LOCAL = "http://127.0.0.1:9102/v1"
ERROR = "litellm.InternalServerError: InternalServerError: OpenAIException - upstream exploded\nand sk-abcdefgh1234 too"


def row(
    number: int, *, paid: bool = False, mode: str | None = None, loaded: bool = True, failing: bool = False
) -> Deployment:
    group, model = f"group-{number}", f"openai/model-{number}"
    base = None if paid else LOCAL
    # 1.77 lists an alias before the group
    held = LoadedDeployment(f"id-{number}", "alias", model, base, mode, names=("alias", group)) if loaded else None
    verdict = Verdict("failing", "bad") if failing else Verdict("serving", "ok")
    return Deployment(f"key-{number}", group, model, verdict, api_base=base, loaded=held)


def outcome(number: int, **said: Any) -> ProbeResult:
    fields: dict[str, Any] = {"ok": True, "asked_at": NOW, "took": 0.25, "status": 200, "endpoint": "/v1/x"} | said
    return ProbeResult(f"id-{number}", f"group-{number}", f"openai/model-{number}", **fields)


def failure(number: int, error: str = ERROR, **said: Any) -> ProbeResult:
    return outcome(number, ok=False, status=500, error=error, **said)


class Stage(App[None]):
    """As much of the console as a dialog needs."""

    CSS_PATH = Console.CSS_PATH
    get_theme_variable_defaults = Console.get_theme_variable_defaults

    def __init__(self, *, ascii_only: bool) -> None:
        super().__init__()
        theme = load_themes()[0]
        self.register_theme(theme)
        self.theme = theme.name
        self.set_class(ascii_only, ASCII_CLASS)


class Opened:
    """A dialog on its stage, and what it did."""

    def __init__(
        self, stage: Stage, pilot: Pilot[None], signs: Signs, rows: Sequence[Deployment], choose: bool = False
    ) -> None:
        self.stage, self.pilot = stage, pilot
        self.started: list[Sequence[LoadedDeployment]] = []
        self.results: list[ProbeResult] = []
        self.cancelled = 0
        view = View(None, None, None, None, signs, NOW, utc_clock, Redactor(("hunter22",)))  # type: ignore[arg-type]
        self.dialog = ProbeDialog(
            view, rows, self._start, on_result=self.results.append, cancel=self._cancel, choose=choose
        )

    def _start(self, dialog: ProbeDialog, loaded: Sequence[LoadedDeployment]) -> None:
        assert dialog is self.dialog
        self.started.append(loaded)

    def _cancel(self) -> None:
        self.cancelled += 1

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def take(self, *events: Any) -> None:
        for event in events:
            self.dialog.take(event)
        await self.pilot.pause()

    @property
    def text(self) -> str:
        strips = self.stage.screen._compositor.render_strips(self.stage.size)
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    def line(self, words: str) -> str:
        return next(line for line in self.text.splitlines() if words in line)

    @property
    def button(self) -> str:
        return str(self.dialog.query_one("#cancel", Button).label)


@asynccontextmanager
async def opened(
    *rows: Deployment, size: tuple[int, int] = (80, 24), ascii_only: bool = False, choose: bool = False
) -> AsyncIterator[Opened]:
    stage = Stage(ascii_only=ascii_only)
    async with stage.run_test(size=size) as pilot:
        found = Opened(stage, pilot, ASCII if ascii_only else UNICODE, rows, choose)
        await stage.push_screen(found.dialog)
        await pilot.pause()
        await pilot.pause()
        yield found


def heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)


# --- the question ----------------------------------------------------------------------------------------------


async def test_free_ones_are_asked_at_once() -> None:
    async with opened(row(1), row(2), row(3, paid=True)) as found:
        assert len(found.started) == 1
        assert [loaded.id for loaded in found.started[0]] == ["id-1", "id-2", "id-3"]
        assert [loaded.group for loaded in found.started[0]] == ["group-1", "group-2", "group-3"]
        assert isinstance(found.stage.focused, Lines)
        assert "0 of 3 calls" in found.text


async def test_more_than_one_paid_is_asked_about_and_opens_on_cancel() -> None:
    async with opened(row(1), row(2, paid=True), row(3, paid=True), row(4, mode="responses")) as found:
        assert found.started == []
        assert found.stage.focused is not None
        assert found.stage.focused.id == "cancel"
        assert "3, one to each deployment" in found.line("calls")
        assert "2: openai/model-2, openai/model-3" in found.line("paid ")
        assert "1: each with its reason" in found.line("not asked")
        await found.press("enter")
        assert not found.dialog.is_running
        assert (found.started, found.cancelled) == ([], 0)


async def test_it_is_answered_with_the_other_button(monkeypatch: pytest.MonkeyPatch) -> None:
    heard(monkeypatch)
    async with opened(row(1, paid=True), row(2, paid=True)) as found:
        await found.press("right", "enter")
        assert len(found.started) == 1
        assert "0 of 2 calls" in found.text
        await found.press("enter")
        assert len(found.started) == 1


async def test_what_was_typed_before_it_could_be_read_is_no_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 3600.0)
    async with opened(row(1, paid=True), row(2, paid=True)) as found:
        await found.press("right", "enter", "enter")
        assert found.started == []
        assert found.dialog.is_running


async def test_escape_leaves_the_question() -> None:
    async with opened(row(1, paid=True), row(2, paid=True)) as found:
        await found.press("escape")
        assert not found.dialog.is_running
        assert (found.started, found.cancelled) == ([], 0)


# --- the progress ----------------------------------------------------------------------------------------------


async def test_a_line_per_deployment_as_results_come_in() -> None:
    async with opened(row(1), row(2), row(3), row(4, mode="responses"), row(5, loaded=False)) as found:
        skipped = outcome(4, ok=False, skipped="its mode is responses")
        await found.take(Started(3, 1), skipped, Asking("id-1"), Asking("id-2"))
        assert "asking" in found.line("group-1")
        assert "waits" in found.line("group-3")
        assert "not asked: its mode is responses" in found.line("group-4")
        assert "not loaded" in found.line("group-5")
        await found.take(outcome(1, first_token=0.1), failure(2))
        assert "● group-1" in found.line("group-1")
        assert "0.25 s  first token 0.10 s" in found.line("group-1")
        assert "✖ group-2" in found.line("group-2")
        assert "500: upstream" in found.line("group-2")
        assert "2 of 3 calls · 1 answered · 1 failed" in found.text
        assert found.button == "Cancel"
        await found.take(failure(3, "the gateway: closed", by_gateway=True), Done(1, 2, 1, 0.5))
        assert "gateway: the gateway: closed" in found.line("group-3")
        assert found.button == "Close"
        assert [result.deployment for result in found.results] == ["id-4", "id-1", "id-2", "id-3"]
        await found.press("escape")
        assert not found.dialog.is_running
        assert found.cancelled == 0


async def test_the_time_stands_still_when_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(row(1)) as found:
        await found.take(Started(1, 0), outcome(1), Done(1, 0, 0, 0.3))
        before = found.dialog._summary()
        later = time.monotonic() + 100
        monkeypatch.setattr("litellm_tui.ui.screens.probe.time.monotonic", lambda: later)
        assert found.dialog._summary() == before


async def test_escape_cancels_what_runs_and_keeps_the_results() -> None:
    async with opened(row(1), row(2), row(3)) as found:
        await found.take(Started(3, 0), Asking("id-1"), outcome(1), Asking("id-2"))
        await found.press("escape")
        assert found.cancelled == 1
        assert found.dialog.is_running
        assert "cancelled" in found.text
        assert "0.25 s" in found.line("group-1")
        assert "not asked" in found.line("group-3")
        assert found.button == "Close"
        # one that was under way while it was cancelled
        await found.take(outcome(2))
        assert len(found.results) == 1
        await found.press("escape")
        assert not found.dialog.is_running
        assert found.cancelled == 1


async def test_enter_shows_an_error_in_full_without_secrets() -> None:
    async with opened(row(1), row(2)) as found:
        await found.take(Started(2, 0), outcome(1), failure(2, f"{ERROR}\n hunter22 [red]x[/] \x1b[2J"))
        await found.press("down", "enter")
        assert isinstance(found.stage.screen, Sheet)
        for words in ("group-2", "openai/model-2", "HTTP 500", "look at its log", "exploded", "and ••• too", "[red]x"):
            assert words in found.text
        assert "hunter22" not in found.text
        assert "sk-abcdefgh1234" not in found.text
        await found.press("escape")
        assert found.stage.screen_stack[-1] is found.dialog


async def test_a_row_stays_selected_while_others_come_in() -> None:
    async with opened(*map(row, range(30))) as found:
        await found.press("down", "down")
        assert found.dialog.query_one("#probe-lines", Lines).selected == "key-2"
        await found.take(Started(30, 0), *(outcome(number) for number in range(30)))
        assert found.dialog.query_one("#probe-lines", Lines).selected == "key-2"
        await found.press("end")
        assert "group-29" in found.text


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 15)])
async def test_it_fits(size: tuple[int, int]) -> None:
    rows = [row(number, paid=number > 20) for number in range(40)]
    async with opened(*rows, size=size) as found:
        assert len(found.text.splitlines()) == size[1]
        assert "calls" in found.text
        assert "Cancel" in found.text
        found.dialog._begin()
        await found.take(Started(40, 0), *(failure(number) for number in range(30)))
        assert "30 of 40 calls" in found.text
        assert "Cancel" in found.text
        for widget in (found.dialog.query_one("#probe-lines", Lines), found.dialog.query_one("#cancel")):
            region = widget.region
            assert region.height > 0
            assert region.right <= size[0]
            assert region.bottom <= size[1]


# --- which of them, how long, and again --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_of_all_it_asks_which_are_meant(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    heard(monkeypatch)
    rows = (row(1), row(2, paid=True, failing=True), row(3, paid=True), row(4, failing=True))
    async with opened(*rows, choose=True, size=size) as found:
        assert found.started == []
        assert "1 all: 4 calls, 2 paid" in found.line("which")
        assert "2 failing only: 2 calls, 1 paid" in found.text
        assert "3 free only, local models: 2 calls, none paid" in found.text
        assert "1 all · 2 failing · 3 free · y probe · n leave" in found.text
        await found.press("2")
        assert "calls         2, one to each deployment" in found.text
        await found.press("3", "y")
        assert [[loaded.id for loaded in asked] for asked in found.started] == [["id-1", "id-4"]]
        await found.press("1")
        assert "0 of 2 calls" in found.text


async def test_where_there_is_nothing_to_choose_it_does_not_ask() -> None:
    async with opened(row(1), row(2), choose=True) as found:
        assert len(found.started) == 1


async def test_latency_is_a_bar_beside_its_figure() -> None:
    async with opened(row(1), row(2), row(3)) as found:
        assert "latency" in found.line("model  ")
        await found.take(Started(3, 0), outcome(1, took=2.0), outcome(2, took=0.5), outcome(3, took=1.0))
        bars = [found.line(f"group-{number}").count("█") for number in (1, 2, 3)]
        assert bars[0] > bars[2] > bars[1] > 0
        assert bars[0] == pytest.approx(4 * bars[1], abs=2)
        # its figure stands at the same place in each line
        assert len({found.line(f"group-{number}").index(" s ") for number in (1, 2, 3)}) == 1


async def test_r_asks_the_same_again_once_it_is_done() -> None:
    async with opened(row(1), row(2)) as found:
        await found.press("r")
        assert len(found.started) == 1
        await found.take(Started(2, 0), outcome(1), failure(2), Done(1, 1, 0, 0.5))
        assert "Enter detail · r repeat · Esc close" in found.text
        await found.press("r")
        assert len(found.started) == 2
        assert "0 of 2 calls" in found.text
        assert "waits" in found.line("group-2")
        assert found.button == "Cancel"
        await found.take(Started(2, 0), outcome(1), outcome(2), Done(2, 0, 0, 0.5))
        assert "2 answered" in found.text


async def test_to_repeat_what_costs_is_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    heard(monkeypatch)
    async with opened(row(1, paid=True), row(2, paid=True)) as found:
        await found.press("y")
        await found.take(Started(2, 0), outcome(1), outcome(2), Done(2, 0, 0, 0.5))
        await found.press("r", "enter")
        # it opened on Cancel
        assert len(found.started) == 1
        assert not found.dialog.is_running


async def test_it_is_no_higher_than_what_is_in_it() -> None:
    async with opened(row(1), row(2), size=(120, 40)) as found:
        await found.take(Started(2, 0), outcome(1), outcome(2), Done(2, 0, 0, 0.5))
        assert found.dialog.query_one(".sheet").size.height <= 10


async def test_ascii_is_ascii() -> None:
    async with opened(row(1), row(2), row(3, mode="responses"), row(4), ascii_only=True) as found:
        skipped = outcome(3, ok=False, skipped="its mode is responses")
        await found.take(Started(3, 1), skipped, outcome(1), failure(2))
        assert "#" in found.line("group-1")
        inner = [line for line in found.text.splitlines() if "group-" in line or "calls" in line]
        assert len(inner) == 5
        assert all(line.isascii() for line in inner)


async def test_names_from_outside_are_no_markup() -> None:
    odd = Deployment("k", "[bold]g\x1b[2J", "m[/]", Verdict("serving", "ok"), api_base=LOCAL,
                     loaded=LoadedDeployment("id-1", "g", "m", LOCAL))  # fmt: skip
    async with opened(odd) as found:
        assert "[bold]g" in found.text
        assert "\x1b" not in found.text


async def test_wired_to_the_action_it_shows_what_answers_and_hangs_up_on_escape() -> None:
    with standing_in() as standin:
        standin.answers = {"id-1": recorded("1.106.2", "probe-500"), "id-2": hangs}
        async with opened(row(1), row(2)) as found:

            async def follow() -> None:
                async with aclosing(probe(standin.profile, found.started[0])) as events:
                    async for event in events:
                        found.dialog.take(event)

            worker = found.stage.run_worker(follow())
            found.dialog._cancel = worker.cancel
            await eventually(lambda: len(found.results) == 1 and standin.at_once == 1)
            assert "500: upstream exploded" in found.line("group-1")
            await found.press("escape")
            await eventually(lambda: standin.hung_up == 1)
            assert "cancelled" in found.text
            assert len(found.results) == 1


# --- a single one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_a_single_one_answers_is_told_without_a_dialog(
    simulation: Simulation, size: tuple[int, int]
) -> None:
    async with scene_of(simulation, size) as scene:
        view = scene.app.view
        assert view is not None
        chosen = next(r for r in view.diagnosis.deployments if r.group == "llama3.1:8b")
        scene.lines("models").select(chosen.key)
        await scene.settled()
        await scene.press("p")
        await scene.shows("llama3.1:8b: answered in 0.")
        assert len(scene.app.screen_stack) == 1
        simulation.break_model("llama3.1:8b", "refused")
        await scene.press("p")
        await scene.shows("refused")
        await scene.until(lambda: ": failed after 0." in Drawn(scene.app).text)
        # and into its row
        await scene.until(lambda: _verdict(scene, chosen.key) in ("failing", "masked", "degraded"))
        assert len(scene.app.screen_stack) == 1


def _verdict(scene: Scene, key: str) -> str:
    view = scene.app.view
    assert view is not None
    return next(row.verdict.state for row in view.diagnosis.deployments if row.key == key)
