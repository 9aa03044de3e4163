"""The fallbacks pane: chains with their flaws, what if groups were down, and the drill's dialog."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from litellm_tui.actions.drill import SETTING, Answer, Asking, Outcome, Plan
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.target.settings import Settings
from litellm_tui.ui.panes.fallbacks import Fallbacks, fallback_paragraphs, group_of
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.screens import filled
from litellm_tui.ui.screens.drill import DrillDialog
from litellm_tui.ui.widgets.chain_lines import ChainLines
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen, degraded, healthy
from tests.ui.scene import screen_text, settled
from tests.waiting import eventually

MARK = "what if:"


class _Console(Frozen):
    """Keeps what the pane asks the console for."""

    def __init__(self, snapshot: Snapshot, settings: Settings | None = None) -> None:
        super().__init__(snapshot, settings)
        self.drilled: list[str] = []

    def on_chain_lines_drill(self, event: ChainLines.Drill) -> None:
        self.drilled.append(event.key)


class _Shown:
    def __init__(self, app: _Console, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def pane(self) -> Fallbacks:
        return self.app.screen_stack[0].query_one(Fallbacks)

    def line(self, words: str) -> str:
        """The line that these words stand in."""
        return next(line for line in self.text.splitlines() if words in line)

    def below(self, words: str) -> str:
        """The line after the one in which these words stand."""
        lines = self.text.splitlines()
        return lines[next(number for number, line in enumerate(lines) if words in line) + 1]


@asynccontextmanager
async def _shown(
    snapshot: Snapshot, size: tuple[int, int] = (120, 40), *, ascii_only: bool = False
) -> AsyncIterator[_Shown]:
    app = _Console(snapshot, Settings(utc=True, ascii=ascii_only))
    async with app.run_test(size=size) as pilot:
        shown = _Shown(app, pilot)
        await shown.press("3", "z")
        yield shown


def _with(snapshot: Snapshot, **router: Any) -> Snapshot:
    """The same with other routing, in the file and in the router."""
    file = snapshot.configuration.current
    assert isinstance(file, ConfigFile)
    data = {**file.data, "router_settings": router}
    configuration = msgspec.structs.replace(snapshot.configuration, current=msgspec.structs.replace(file, data=data))
    reading = snapshot.gateway.router
    gateway = msgspec.structs.replace(
        snapshot.gateway, router=Reading(router, reading.seen_at, tried_at=reading.tried_at, interval=10.0)
    )
    return msgspec.structs.replace(snapshot, configuration=configuration, gateway=gateway)


async def test_every_group_has_a_row_that_can_be_marked(tmp_path: Path) -> None:
    async with _shown(healthy(tmp_path)) as shown:
        assert "without a chain of their own" in shown.text
        keys = {row.key for row in shown.pane.lines._rows if row.key}
        view = shown.app.view
        groups = {deployment.group for deployment in view.diagnosis.deployments}
        assert {group_of(key, view) for key in keys} - {None} == groups


async def test_the_alias_trap_and_a_ghost_are_named(tmp_path: Path) -> None:
    async with _shown(healthy(tmp_path)) as shown:
        assert "requests for gpt-4 do not get the fallbacks of llama3.1:latest" in shown.text
        assert "nonexistent-model NO SUCH GROUP" in shown.text
        assert MARK not in shown.text


async def test_a_cycle_and_the_hop_limit_are_named(tmp_path: Path) -> None:
    names = ["llama3.1:latest", "qwen2.5-coder:7b", "qwen-coder-vllm", "kimi-k2:1t-cloud"]
    line = [{one: [other]} for one, other in pairwise(names)]
    snapshot = _with(healthy(tmp_path), fallbacks=[*line, {names[-1]: [names[2]]}], max_fallbacks=2)
    async with _shown(snapshot) as shown:
        assert "cut off after 2 hops: kimi-k2:1t-cloud never asked" in shown.below("llama3.1:latest")
        assert shown.text.count("CYCLE") == 2


async def test_settings_that_litellm_does_not_take_are_named(tmp_path: Path) -> None:
    async with _shown(_with(healthy(tmp_path), fallbacks={"llama3.1:latest": ["gpt-oss:120b-cloud"]})) as shown:
        assert "fallbacks is a dict, not a list: LiteLLM does not start with it" in shown.text


@pytest.mark.parametrize("key", ["space", "x"])
async def test_marking_a_group_shows_where_its_requests_would_go(tmp_path: Path, key: str) -> None:
    async with _shown(healthy(tmp_path)) as shown:
        selected = shown.pane.lines.selected
        assert selected == "general:qwen2.5-coder:7b"
        await shown.press(key)
        assert "what if: 1 marked down · Esc clears" in shown.text
        assert "qwen2.5-coder:7b ▼ MARKED → qwen-coder-vllm" in shown.text
        assert "= answered by qwen-coder-vllm" in shown.below("qwen2.5-coder:7b ▼ MARKED → qwen-coder-vllm")
        assert "would still find an answer" in shown.text
        # where it was: the banner above it moved the row, not the selection
        assert shown.pane.lines.selected == selected
        await shown.press(key)
        assert MARK not in shown.text


async def test_who_would_be_left_without_an_answer_is_said(tmp_path: Path) -> None:
    async with _shown(healthy(tmp_path)) as shown:
        shown.pane.lines.select("alias:gpt-4")
        await shown.press("x")
        assert shown.pane.marked == ("llama3.1:latest",)
        assert "would be left without an answer: gpt-4" in shown.text
        assert "= NO ANSWER: gpt-4 is an alias: it does not get the fallbacks of llama3.1:latest" in shown.text
        assert "= answered by qwen2.5-coder:7b" in shown.below("llama3.1:latest ▼ MARKED → qwen2.5-coder:7b")


async def test_what_is_dead_already_counts_and_is_not_blamed_on_the_marks(tmp_path: Path) -> None:
    async with _shown(degraded(tmp_path)) as shown:
        shown.pane.lines.select("group:gpt-oss:120b-cloud")
        await shown.press("x")
        # its other fallback is dead, and nothing is left
        assert "would be left without an answer: qwen2.5-coder:7b, gpt-oss:120b-cloud" in shown.text
        assert "= NO ANSWER: all 2 it falls back to fail" in shown.text


async def test_escape_takes_all_marks_back_and_nothing_real_is_changed(tmp_path: Path) -> None:
    async with _shown(healthy(tmp_path)) as shown:
        before, snapshot = shown.text, shown.app.view.snapshot
        await shown.press("x", "j", "x", "escape")
        assert shown.pane.marked == ()
        assert MARK not in shown.text
        await shown.press("k")
        assert shown.text == before
        assert shown.app.view.snapshot is snapshot
        # without marks Escape is somebody else's key, and does no harm
        await shown.press("escape")
        assert shown.app.is_running


async def test_the_default_chain_is_about_no_group(tmp_path: Path) -> None:
    snapshot = _with(healthy(tmp_path), fallbacks=[{"*": ["gpt-oss:120b-cloud"]}])
    async with _shown(snapshot) as shown:
        shown.pane.lines.select("default:*")
        await shown.press("x")
        assert shown.pane.marked == ()
        shown.pane.lines.select("group:llama3.1:latest")
        await shown.press("x")
        assert "= answered by gpt-oss:120b-cloud" in shown.below("llama3.1:latest ▼ MARKED")


async def test_a_mark_on_a_group_that_goes_away_goes_with_it(tmp_path: Path) -> None:
    async with _shown(healthy(tmp_path)) as shown:
        await shown.press("x")
        view = shown.app.view
        rest = tuple(d for d in view.diagnosis.deployments if d.group != "qwen2.5-coder:7b")
        shown.pane.draw(view._replace(diagnosis=msgspec.structs.replace(view.diagnosis, deployments=rest)))
        await shown.pilot.pause()
        assert shown.pane.marked == ()
        assert MARK not in shown.text


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_it_fits_eighty_columns(tmp_path: Path, ascii_only: bool) -> None:
    async with _shown(degraded(tmp_path), (80, 40), ascii_only=ascii_only) as shown:
        await shown.press("x", "j", "x")
        lines = shown.pane.lines
        for row in lines._rows:
            assert sum(len(text) for text, _ in row.spans) <= lines.room, row
        frame = [line for line in shown.text.splitlines() if "MARKED" in line or MARK in line]
        assert frame
        if ascii_only:
            assert all(line.isascii() for line in frame)


async def test_a_row_in_full_goes_hop_by_hop(tmp_path: Path) -> None:
    async with _shown(degraded(tmp_path)) as shown:
        said = list(fallback_paragraphs("general:qwen2.5-coder:7b", shown.app.view, ["gpt-oss:120b-cloud"]))
        assert ("1.", "qwen2.5-coder:7b: down", "ok") in said
        assert ("2.", "qwen-coder-vllm: down", "ok") in said
        assert ("3.", "gpt-oss:120b-cloud: down", "ok") in said
        name, text, style = said[-1]
        assert (name, style) == ("result", "bad")
        assert "all 2 it falls back to fail" in text
        now = list(fallback_paragraphs("general:qwen2.5-coder:7b", shown.app.view))
        assert now[-1] == ("3.", "gpt-oss:120b-cloud answers", "strong")
        assert list(fallback_paragraphs("general:nobody", shown.app.view)) == []


# --- the drill ---------------------------------------------------------------------------------------------------

PLAN = Plan("general", "front", ("dead", "alive"), paid=("alive",), ghosts=("nobody",))


@asynccontextmanager
async def _dialog(
    tmp_path: Path, plan: Plan = PLAN
) -> AsyncIterator[tuple[_Shown, DrillDialog, list[DrillDialog], list[str]]]:
    started: list[DrillDialog] = []
    cancelled: list[str] = []
    async with _shown(healthy(tmp_path)) as shown:
        dialog = DrillDialog(shown.app.view, plan, started.append, lambda: cancelled.append("cancelled"))
        await shown.app.push_screen(dialog)
        await shown.pilot.pause()
        yield shown, dialog, started, cancelled


async def test_d_asks_for_a_drill_of_the_row(tmp_path: Path) -> None:
    async with _shown(healthy(tmp_path)) as shown:
        await shown.press("D")
        assert shown.app.drilled == ["general:qwen2.5-coder:7b"]


async def test_the_dialog_says_how_many_calls_and_which_are_paid_and_starts_on_cancel(tmp_path: Path) -> None:
    async with _dialog(tmp_path) as (shown, _, started, cancelled):
        assert shown.app.focused is not None
        assert shown.app.focused.id == "cancel"
        assert "at most 2 calls to models; 1 of them may be billed: alive" in shown.text
        assert "front → dead → alive" in shown.text
        assert "nobody" in shown.text
        await shown.press("enter")
        assert len(shown.app.screen_stack) == 1
        assert (started, cancelled) == ([], [])


async def test_a_key_typed_before_it_could_be_read_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 3600.0)
    async with _dialog(tmp_path) as (shown, _, started, _cancelled):
        await shown.press("right", "enter")
        assert started == []


async def test_each_step_and_the_setting_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)
    async with _dialog(tmp_path) as (shown, dialog, started, cancelled):
        await shown.press("right", "enter")
        assert started == [dialog]
        dialog.take(Asking("front", False))
        await shown.pilot.pause()
        assert "asked" in shown.line(" drill")
        dialog.take(Answer("front", False, False, 0.1, error="mock_testing_fallbacks", refused=True))
        dialog.take(Asking("dead", True))
        dialog.take(Answer("dead", True, False, 0.2, error="litellm.InternalServerError: upstream exploded"))
        dialog.take(Answer("alive", True, True, 0.3, "alive", "abc"))
        dialog.take(Outcome(True, "not drilled; asked alone, alive is the first to answer", 0.6, SETTING))
        await shown.pilot.pause()
        assert "does not permit it" in shown.line(" drill")
        assert "upstream exploded" in shown.line(" dead")
        assert "answered in 0.3 s" in shown.line(" alive")
        assert "dangerously_allow_mock_testing_request_params" in shown.text
        assert str(dialog.query_one("#cancel", Button).label) == "Close"
        await shown.press("enter")
        assert len(shown.app.screen_stack) == 1
        assert cancelled == []


async def test_leaving_a_drill_that_runs_cancels_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled, "DEAF_SECONDS", 0.0)
    async with _dialog(tmp_path) as (shown, dialog, _started, cancelled):
        await shown.press("right", "enter", "escape")
        assert cancelled == ["cancelled"]
        assert len(shown.app.screen_stack) == 1
        # what comes afterwards is for nobody
        dialog.take(Outcome(True, "alive answers when front fails", 0.6))


async def test_a_flaw_that_is_no_problem_is_grey_and_ok_is_not_said_over_red(tmp_path: Path) -> None:
    """A ghost behind a target that answers hits nobody."""
    app = Frozen(healthy(tmp_path))
    chain = next(chain for chain in app.view.diagnosis.chains if any(t.flaw == "ghost" for t in chain.targets))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        lines = app.main.pane("fallbacks").lines

        def ghost() -> set[str]:
            return {style for row in lines._rows for text, style in row.spans if "NO SUCH GROUP" in text}

        assert ghost() == {"bad"}
        notes = tuple(
            msgspec.structs.replace(problem, severity="quiet") if problem.key == f"chain:{chain.key}" else problem
            for problem in app.view.diagnosis.problems
        )
        app.remember(notes)
        app.redraw()
        await settled(pilot)
        assert ghost() == {"quiet"}
        drawn = {style for pane in app.main.query(Pane) for row in pane.lines._rows for _, style in row.spans}
        assert "bad" not in drawn


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_target_that_a_restart_takes_away_says_so_with_the_nearest_name(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    app = Frozen(frozen.renamed(tmp_path))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("3", "z")
        await eventually(lambda: "any group" in Drawn(app).text)
        await settled(pilot)
        words = "gpt-oss:120b-cloud ◐ GONE with a restart, gpt-oss:120b?"
        assert f"any group → {words}" in Drawn(app).text
        assert Drawn(app).text.count("GONE with a restart, gpt-oss:120b?") >= 2


async def test_what_would_answer_stands_first_in_all_about_a_chain(tmp_path: Path) -> None:
    app = Frozen(frozen.degraded(tmp_path))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3", "enter")
        await eventually(lambda: " answer " in Drawn(app).text)
        drawn = Drawn(app)
        assert drawn.row_of("answer        a request now: answered by") < drawn.row_of("kind          general")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_whether_every_request_finds_an_answer_stands_above_the_chains(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    words = "all are answered now · nobody behind 4: qwen-coder-vllm, "
    app = _Console(healthy(tmp_path))
    async with app.run_test(size=size) as pilot:
        shown = _Shown(app, pilot)
        await shown.press("3")
        await settled(pilot)
        lines = screen_text(app).splitlines()
        place = next((number for number, line in enumerate(lines) if words in line), 0)
        assert "3 Fallbacks" in lines[place - 1], "it is the first line of the pane"
        # it stays where it is
        await shown.press("end")
        await settled(pilot)
        assert words in screen_text(app).splitlines()[place]


async def test_who_gets_no_answer_now_is_named_first(tmp_path: Path) -> None:
    async with _shown(_with(degraded(tmp_path), fallbacks=[])) as shown:
        assert "no answer now: " in shown.text
        assert "qwen-coder-vllm" in shown.line("no answer now: ")
        assert "nobody behind " in shown.line("no answer now: ")


async def test_where_there_is_room_the_rows_have_a_head(tmp_path: Path) -> None:
    async with _shown(healthy(tmp_path)) as shown:
        assert "group → where its requests go next, in order" in shown.below("all are answered now")
