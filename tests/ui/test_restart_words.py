"""The restart dialog says what it does: a start where nothing runs, and with how many errors."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from litellm_tui.actions.transaction.events import Outcome, Step
from litellm_tui.analysis.change.preflight import PreflightCheck, preflight_checks
from litellm_tui.analysis.change.proof import NOT_WANTED, STEADY_SECONDS, ProofCheck
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.ui.proof_checklist import checklist
from litellm_tui.ui.screens.restart import RestartDialog, told_of
from litellm_tui.ui.service_control import ServiceControl
from litellm_tui.ui.signs import UNICODE
from litellm_tui.ui.view import View
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import settled
from tests.waiting import eventually


@asynccontextmanager
async def _asked(
    snapshot: Snapshot, *, audited: bool = False, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Frozen, RestartDialog]]:
    app = Frozen(snapshot, audited=audited)
    view = app.view

    async def inspect() -> tuple[PreflightCheck, ...]:
        return tuple(preflight_checks(view.snapshot, view.diagnosis))

    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        dialog = RestartDialog(view, inspect, lambda *_: None)
        await app.push_screen(dialog)
        await eventually(lambda: "parses" in Drawn(app).text, "the preflight is shown")
        await settled(pilot)
        yield app, dialog


async def test_where_nothing_runs_it_is_a_start_and_cuts_nothing_off(tmp_path: Path) -> None:
    async with _asked(frozen.down(tmp_path)) as (app, dialog):
        text = Drawn(app).text
        assert "─ Start ─" in text
        assert str(dialog.query_one("#restart").label) == "Start"  # type: ignore[attr-defined]  # a button
        assert "in flight" not in text


async def test_where_it_runs_it_is_a_restart(tmp_path: Path) -> None:
    async with _asked(frozen.healthy(tmp_path)) as (app, dialog):
        assert "─ Restart ─" in Drawn(app).text
        assert str(dialog.query_one("#restart").label) == "Restart"  # type: ignore[attr-defined]  # a button
        assert "in flight" in Drawn(app).text


async def test_errors_are_red_with_one_count_that_the_button_says_too(tmp_path: Path) -> None:
    async with _asked(frozen.degraded(tmp_path), audited=True) as (app, dialog):
        audit = app.view.diagnosis.audit
        assert audit
        number = sum(finding.severity == "error" for finding in audit.findings)
        assert number
        words = f"{number} error" + ("s" if number > 1 else "")
        assert str(dialog.query_one("#restart").label) == f"Restart with {words}"  # type: ignore[attr-defined]  # a button
        assert f"{words} in the file" in Drawn(app).text
        told = [style for name, text, style in dialog._question() if name.strip() in ("audit", "") and "error" in text]
        assert set(told) == {"bad"}


@pytest.mark.parametrize("worse", [True, False])
async def test_the_end_names_what_is_worse_than_before(tmp_path: Path, worse: bool) -> None:
    async with _asked(frozen.healthy(tmp_path)) as (app, dialog):
        dialog._begin("apply")
        if worse:
            app._frozen = Frozen(frozen.degraded(tmp_path))._frozen
        dialog.take(Outcome("applied", "applied and proved", 12.0))
        await eventually(lambda: "applied and proved" in Drawn(app).text)
        assert ("new problems: ! shows them" in Drawn(app).text) is worse


# --- the progress --------------------------------------------------------------------------------------------------

BEGUN = (
    ProofCheck("unit", "ok", "process 4243"),
    ProofCheck("answers", "waiting", "it does not answer yet"),
)
LOADED = (
    ProofCheck("unit", "ok", "process 4243"),
    ProofCheck("answers", "ok"),
    ProofCheck("ready", "ok", "LiteLLM 1.106.2"),
    ProofCheck("deployments", "ok", "7 of 7 deployments loaded"),
    ProofCheck("cache", "waiting", "the cache was not pinged yet"),
    ProofCheck("log", "ok"),
    ProofCheck("probes", "ok", NOT_WANTED),
)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_proof_is_a_checklist_with_a_bar_for_the_watch(tmp_path: Path, size: tuple[int, int]) -> None:
    async with _asked(frozen.healthy(tmp_path), size=size) as (app, dialog):
        dialog._begin("apply")
        dialog.take(Step("preflight", 0.2, "nothing speaks against it"))
        dialog.take(Step("restart", 1.4))
        dialog.take(Step("proof", None, "", checks=BEGUN))
        await eventually(lambda: "process" in Drawn(app).text)
        lines = _lines_below(app, "proof")
        assert [line.split()[:2] for line in lines[:6]] == [
            ["process", "●"], ["alive", "◌"], ["ready", "○"], ["deployments", "○"], ["cache", "○"], ["watch", "○"],
        ]  # fmt: skip
        assert lines[1].endswith("◌ it does not answer yet")
        now = time.time()
        watch = ProofCheck("steady", "waiting", "it must go on", until=now + STEADY_SECONDS * 0.75)
        dialog.take(Step("proof", None, "", checks=(*LOADED, watch)))
        await eventually(lambda: "7 of 7 deployments loaded" in Drawn(app).text)
        lines = _lines_below(app, "proof")
        assert [line.split()[:2] for line in lines[:6]] == [
            ["process", "●"], ["alive", "●"], ["ready", "●"], ["deployments", "●"], ["cache", "◌"], ["watch", "◌"],
        ]  # fmt: skip
        # what nobody wants, and what was not found in the log, are no lines
        assert "probes" not in Drawn(app).text
        assert re.search(r"watch +◌ █+▁+ \d+ of 10 s", Drawn(app).text)
        # its columns stay
        assert {line.index("●") for line in lines[:4]} == {lines[4].index("◌")}


def test_the_bar_of_the_watch_fills_with_the_time() -> None:
    bars = []
    for left in (10.0, 5.0, 0.0, -3.0, 99.0):
        check = ProofCheck("steady", "waiting", "it must go on", until=1000.0 + left)
        ((_, text, _),) = checklist((check,), (), UNICODE.states, 1000.0, ended=False)
        bars.append(text)
    assert bars == [
        f"◌ {'▁' * 20} 0 of 10 s", f"◌ {'█' * 10}{'▁' * 10} 5 of 10 s", f"◌ {'█' * 20} 10 of 10 s",
        f"◌ {'█' * 20} 10 of 10 s", f"◌ {'▁' * 20} 0 of 10 s",
    ]  # fmt: skip


def test_what_was_not_reached_and_what_failed_are_told_apart() -> None:
    checks = (ProofCheck("unit", "failed", "it ended"), ProofCheck("answers", "waiting", "it does not answer yet"))
    told = list(checklist(checks, ("ready",), UNICODE.states, 0.0, ended=True))
    assert told == [
        ("  process", "✖ it ended", "bad"),
        ("  alive", "✖ it does not answer yet", "bad"),
        ("  ready", "○ not reached", "quiet"),
    ]


async def test_the_end_says_what_the_new_problems_are_also_when_they_come_later(tmp_path: Path) -> None:
    async with _asked(frozen.healthy(tmp_path)) as (app, dialog):
        dialog._begin("apply")
        dialog.take(Outcome("applied", "applied and proved", 12.0))
        await eventually(lambda: "applied and proved" in Drawn(app).text)
        assert "new problem" not in Drawn(app).text
        app._frozen = Frozen(frozen.degraded(tmp_path))._frozen
        await eventually(lambda: "new problems: ! shows them" in Drawn(app).text)
        assert "qwen-coder-vllm: refused" in Drawn(app).text


async def test_a_problem_from_between_the_question_and_the_answer_is_not_new(tmp_path: Path) -> None:
    async with _asked(frozen.healthy(tmp_path)) as (app, dialog):
        app._frozen = Frozen(frozen.degraded(tmp_path))._frozen
        dialog._begin("apply")
        dialog.take(Outcome("applied", "applied and proved", 12.0))
        await eventually(lambda: "applied and proved" in Drawn(app).text)
        assert "new problem" not in Drawn(app).text


def _lines_below(app: Frozen, words: str) -> list[str]:
    """The lines of the dialog below the one that begins with these words."""
    area = app.screen.query_one("#dialog-lines").region
    drawn = Drawn(app).text.splitlines()[area.y : area.bottom]
    lines = [line[area.x : area.right].strip() for line in drawn]
    place = next(number for number, line in enumerate(lines) if line.startswith(words))
    return lines[place + 1 :]


def _problem(number: int) -> Problem:
    return Problem(f"k{number}", "bad", f"model-{number}", "refused", "it is down", Place("group", f"g{number}"))


def test_the_end_of_a_restart_that_nobody_watches_names_what_is_worse() -> None:
    outcome = Outcome("applied", "applied and proved", 3.0)
    assert told_of(outcome, []) == "applied: applied and proved"
    assert told_of(outcome, [_problem(1)]) == (
        "applied: applied and proved · 1 new problem (! shows them): model-1: refused"
    )
    many = told_of(outcome, [_problem(number) for number in range(5)])
    assert "5 new problems (! shows them): model-0: refused; model-1: refused; model-2: refused; and 2 more" in many


async def test_a_restart_that_was_left_while_it_ran_ends_with_a_notice_of_what_is_worse(tmp_path: Path) -> None:
    async with _asked(frozen.healthy(tmp_path)) as (app, dialog):
        dialog._begin("apply")
        await app.pop_screen()
        # what is seen after the end, and not what was on the screen when it ended
        looks = iter((_at(app.view, 0.0), _at(app.view, 0.0), _at(Frozen(frozen.failing(tmp_path)).view, 1e10)))
        host = _Host(looks)
        await ServiceControl(host)._tell_hidden(dialog, Outcome("applied", "applied and proved", 3.0))  # type: ignore[arg-type]  # a part of it
        ((words, severity),) = host.notes
        assert severity == "warning"
        assert re.match(r"applied: applied and proved · \d+ new problems? \(! shows them\): ", words)


def _at(view: View, taken_at: float) -> View:
    return view._replace(snapshot=msgspec.structs.replace(view.snapshot, taken_at=taken_at))


class _Host:
    """A console of which each look shows the next view, and the last one from then on."""

    def __init__(self, looks: Iterator[View]) -> None:
        self._looks, self._last = looks, next(looks)
        self.notes: list[tuple[str, str]] = []

    @property
    def session(self) -> _Host:
        return self

    @property
    def view(self) -> View:
        self._last = next(self._looks, self._last)
        return self._last

    def notify(self, words: str, *, severity: str, timeout: float, markup: bool) -> None:
        assert timeout
        assert not markup
        self.notes.append((words, severity))
