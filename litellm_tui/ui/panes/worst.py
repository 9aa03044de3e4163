"""The worst problems, always in sight where there is room for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

from litellm_tui.analysis.health.unnamed_failures import all_clear
from litellm_tui.analysis.phrases import coarse_age, count
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import STYLES
from litellm_tui.ui.widgets.lines import Row, cell, middle

MOST: Final = 5


class Worst(Pane):
    """The first of the problems, one line each: what, why, who is hit, and for how long."""

    def draw(self, view: View) -> None:
        wrong = len(_wrong(view))
        self._title(f"{self.entry.label} · {MOST} of {wrong}" if wrong > MOST else self.entry.label)
        super().draw(view)

    def freshness(self, view: View) -> tuple[str, bool]:
        return "Enter goes there · ! all of them", False

    def rows(self, view: View, width: int) -> Sequence[Row]:
        wrong = _wrong(view)
        worst = wrong[:MOST]
        if not worst:
            lasting = [problem for problem in view.diagnosis.problems if problem.solved_at is None]
            solved = len(view.diagnosis.problems) - len(lasting)
            rows = [Row(((f" {all_clear(lasting)}", "ok"),))]
            return (
                [*rows, Row(((f" {count(solved, 'problem')} not seen any more: ! tells", "quiet"),))]
                if solved
                else rows
            )
        names = min(max(cell_len(problem.title) for problem in worst), max(12, width // 3))
        causes = min(max(cell_len(problem.cause) for problem in worst), max(10, width // 4))
        return [_row(problem, view, names, causes, width) for problem in worst]

    def leads_to(self, key: str, view: View) -> Place | None:
        return next((problem.place for problem in view.diagnosis.problems if problem.key == key), None)


def _wrong(view: View) -> list[Problem]:
    return [p for p in view.diagnosis.problems if p.solved_at is None and p.severity in ("bad", "warn")]


def _row(problem: Problem, view: View, names: int, causes: int, width: int) -> Row:
    style = STYLES[problem.severity]
    sign = view.signs.states["failing" if problem.severity == "bad" else "degraded"]
    ago = coarse_age(view.now - problem.since) if problem.since is not None else ""
    rest = max(0, width - 3 - names - causes - 2 - 9)
    # its own name stands beside it already
    hit = problem.hit.removeprefix(f"group {problem.title}").removeprefix(", ")
    return Row((
        (f" {sign} ", style),
        (middle(problem.title, names) + " ", "strong"),
        (cell(problem.cause, causes) + " ", style),
        (cell(hit or problem.reason, rest) if rest else "", "quiet"),
        (cell(ago, min(9, width), right=True), "quiet"),
    ), problem.key)  # fmt: skip
