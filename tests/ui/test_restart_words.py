"""The restart dialog says what it does: a start where nothing runs, and with how many errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from litellm_tui.actions.transaction.events import Outcome
from litellm_tui.analysis.change.preflight import PreflightCheck, preflight_checks
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.ui.screens.restart import RestartDialog
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import settled
from tests.waiting import eventually


@asynccontextmanager
async def _asked(snapshot: Snapshot, *, audited: bool = False) -> AsyncIterator[tuple[Frozen, RestartDialog]]:
    app = Frozen(snapshot, audited=audited)
    view = app.view

    async def inspect() -> tuple[PreflightCheck, ...]:
        return tuple(preflight_checks(view.snapshot, view.diagnosis))

    async with app.run_test(size=(120, 40)) as pilot:
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
