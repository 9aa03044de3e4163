"""Problems: everything that is wrong, worst first; below the list all that is known of the selected one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from litellm_tui.analysis.phrases import age, coarse_age
from litellm_tui.analysis.records import Place, Problem
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.screens.live import LiveScreen
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.described import Described
from litellm_tui.ui.widgets.header import STYLES
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell


class Problems(LiveScreen[Place | None]):
    """Enter goes to the row concerned, Escape closes. It is drawn anew with every view, and keeps its selection."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,exclamation_mark", "close", show=False),
        # a modal screen keeps the keys of the console out: to look again is of use here too
        Binding("f5", "app.look", show=False),
    ]

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content("Problems")
            box.border_subtitle = Content("Enter goes there · Esc closes")
            yield Lines(id="problems-lines")
            yield Described(self.describe, "problems-detail")

    def on_mount(self) -> None:
        self.query_one("#problems-lines").focus()
        self.call_after_refresh(self.draw, self._view)

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw, self._view)

    def draw(self, view: View) -> None:
        """Show this view."""
        self._view = view
        for lines in self.query("#problems-lines").results(Lines):
            if lines.room:
                lines.show(list(problem_rows(view, lines.room)))
        self.describe()

    @on(Lines.Moved)
    def describe(self) -> None:
        """Show all that is known of the selected problem."""
        chosen = self._chosen()
        for lines in self.query("#problems-detail").results(Lines):
            lines.display = chosen is not None
            if chosen is not None and lines.room:
                lines.show(to_rows(list(problem_paragraphs(chosen, self._view)), lines.room))

    def _chosen(self) -> Problem | None:
        for lines in self.query("#problems-lines").results(Lines):
            return next((p for p in self._view.diagnosis.problems if p.key == lines.selected), None)
        return None

    @on(Lines.Opened)
    def _go(self, event: Lines.Opened) -> None:
        event.stop()
        chosen = self._chosen()
        if chosen is not None:
            self.dismiss(chosen.place)

    def action_close(self) -> None:
        self.dismiss(None)


def problem_rows(view: View, width: int) -> Iterator[Row]:
    """The list: what is wrong, what was (solved), or what was looked at; then the blind spots."""
    problems = view.diagnosis.problems
    lasting = [problem for problem in problems if problem.solved_at is None]
    wrong = [problem for problem in lasting if problem.severity in ("bad", "warn")]
    if not wrong:
        yield Row(((" nothing is wrong, as far as can be seen", "ok"),))
    names = min(max((cell_len(p.title) for p in problems), default=0), max(12, width // 3))
    causes = min(max((cell_len(p.cause) for p in problems), default=0), max(10, width // 4))
    for problem in lasting:
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
    rest = width - 2 - 4 - names - causes - 2 - 9
    spans: list[Span] = [
        (f"{' ' if solved else view.signs.states[sign]} ", style),
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
