"""Problems: everything that is wrong, worst first; below the list all that is known of the selected one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from litellm_tui.analysis.health.unnamed_failures import all_clear
from litellm_tui.analysis.phrases import age, coarse_age
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import STYLES
from litellm_tui.ui.widgets.lines import Row, Span, cell


class Problems(LiveList[Place | None, Problem]):
    """Enter goes to the row concerned, Escape closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,exclamation_mark", "close", show=False),
        # a modal screen keeps the keys of the console out: to look again is of use here too
        Binding("f5", "app.look", show=False),
    ]
    NAME, WHAT, ENDING = "problems", "Problems", "Enter goes there · Esc closes"

    def rows(self, width: int) -> Iterator[Row]:
        return problem_rows(self._view, width)

    def item(self, key: str) -> Problem | None:
        return next((problem for problem in self._view.diagnosis.problems if problem.key == key), None)

    def paragraphs(self, item: Problem) -> Iterator[Paragraph]:
        return problem_paragraphs(item, self._view)

    def opened(self, item: Problem) -> None:
        self.dismiss(item.place)


def problem_rows(view: View, width: int) -> Iterator[Row]:
    """The list: what is wrong, what was (solved), or what was looked at; then the blind spots."""
    problems = view.diagnosis.problems
    lasting = [problem for problem in problems if problem.solved_at is None]
    wrong = [problem for problem in lasting if problem.severity in ("bad", "warn")]
    if not wrong:
        yield Row(((f" {all_clear(lasting)}", "ok"),))
    names = min(max((cell_len(p.title) for p in problems), default=0), max(12, width // 3))
    causes = min(max((cell_len(p.cause) for p in problems), default=0), max(10, width // 4))
    for problem in wrong:
        yield _row(problem, view, names, causes, width)
    # the header counts what is wrong: what is only worth knowing stands apart
    if notes := [problem for problem in lasting if problem not in wrong]:
        yield Row(((" worth knowing", "head"),))
        for problem in notes:
            yield _row(problem, view, names, causes, width)
    solved = [problem for problem in problems if problem.solved_at is not None]
    if solved:
        yield Row(((" not seen any more", "head"),))
        for problem in solved:
            yield _row(problem, view, names, causes, width)
    if not wrong:
        yield Row((("", ""),))
        yield Row(((" looked at", "head"),))
        for item in view.diagnosis.looked:
            seen = coarse_age(view.now - item.seen_at) if item.seen_at else "-"
            yield Row((
                (f" {item.what:<14}", "quiet"),
                (cell(item.text, width - 25), "ok"),
                (cell(seen, 9, right=True), "quiet"),
            ))  # fmt: skip
    spots = view.diagnosis.blind_spots
    if spots:
        yield Row((("", ""),))
        yield Row(((" cannot be seen here", "head"),))
        for spot in spots:
            yield from _folded(f" {spot.what}", "unknown", width)
            yield from _folded(f"   {view.signs.arrow} {spot.mend}", "quiet", width)


def _folded(text: str, style: str, width: int) -> Iterator[Row]:
    yield from to_rows([("", text, style)], width)


def _row(problem: Problem, view: View, names: int, causes: int, width: int) -> Row:
    solved = problem.solved_at is not None
    style = "quiet" if solved else STYLES[problem.severity]
    sign = {"bad": "failing", "warn": "degraded"}.get(problem.severity, "idle")
    moment = problem.solved_at if solved else problem.since
    ago = age(view.now - moment) if moment is not None else ""
    mark: Span = ("new ", "mark") if problem.new and not solved else ("    ", "")
    rest = width - 3 - 4 - names - causes - 2 - 9
    spans: list[Span] = [
        (f" {' ' if solved else view.signs.states[sign]} ", style),
        mark,
        (cell(problem.title, names) + " ", "quiet" if solved else "strong"),
        (cell(problem.cause, causes) + " ", style),
    ]
    if rest >= 12:
        # its own name stands beside it already
        hit = problem.hit.removeprefix(f"group {problem.title}").removeprefix(", ")
        spans.append((cell(hit or problem.reason, rest), "quiet"))
    spans.append((cell(ago, 9, right=True), "quiet"))
    return Row(tuple(spans), problem.key)


def problem_paragraphs(problem: Problem, view: View) -> Iterator[Paragraph]:
    """One problem in full."""
    yield "cause", problem.cause, STYLES[problem.severity]
    yield "because", problem.reason, "ok"
    # before what may be cut off on a small screen
    yield "next", problem.do, "strong"
    yield "who is hit", problem.hit, "ok"
    if problem.since is not None:
        yield "since", f"{age(view.now - problem.since)} ago, {view.clock(problem.since)}", "ok"
    if problem.solved_at is not None:
        yield "gone", f"{age(view.now - problem.solved_at)} ago, {view.clock(problem.solved_at)}", "ok"
