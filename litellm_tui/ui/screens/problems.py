"""Problems: everything that is wrong, worst first; below the list all that is known of the selected one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from textual.binding import BindingType

from litellm_tui.analysis.health.unnamed_failures import all_clear
from litellm_tui.analysis.phrases import age, coarse_age
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import STYLES
from litellm_tui.ui.widgets.lines import Row, Span, cell

# cells in front of the title: the cursor's bar, the sign, and whether it is new
_LEAD: Final = 7
_AGE: Final = 9
_LEAST_HIT: Final = 12


class Problems(LiveList[Place | None, Problem]):
    """Enter goes to the row concerned, Escape closes."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("problems")
    NAME, WHAT, OFFERS, COMMAND = "problems", "Problems", (("lists.open", "its row"),), ("status",)
    ORDERS: ClassVar[Mapping[str, Callable[[Problem], object]]] = {
        "problem": lambda problem: problem.title.casefold(),
        "cause": lambda problem: problem.cause.casefold(),
        "since": lambda problem: -(problem.since or 0.0),
    }

    def rows(self, width: int) -> Iterator[Row]:
        return problem_rows(self._view, width, self.height)

    def head(self, width: int) -> Row | None:
        return problem_head(self._view.diagnosis.problems, width, self.height)

    def items(self) -> Iterator[tuple[str, Problem]]:
        return ((problem.key, problem) for problem in self._view.diagnosis.problems)

    def paragraphs(self, item: Problem) -> Iterator[Paragraph]:
        return problem_paragraphs(item, self._view)

    def opened(self, item: Problem) -> None:
        self.dismiss(item.place)


class _Columns(NamedTuple):
    """Cells of the title, the cause and who is hit, where that has a column; so many of the rows take two lines."""

    titles: int
    causes: int
    hit: int
    doubled: int


def _columns(problems: Sequence[Problem], width: int, height: int) -> _Columns:
    headings = 3 if any(problem.solved_at is not None for problem in problems) else 1
    doubled = max(0, min(len(problems), height - headings - len(problems)))
    title = max((cell_len(problem.title) for problem in problems), default=0)
    cause = max((cell_len(problem.cause) for problem in problems), default=0)
    room = width - _LEAD - 2 - _AGE
    if doubled:
        # who is hit stands in the second line
        titles = min(title, max(room // 2, room - cause))
        return _Columns(titles, max(1, room - titles), 0, doubled)
    titles, causes = min(title, max(12, width // 3)), min(cause, max(10, width // 4))
    hit = room - titles - causes
    return _Columns(titles, causes if hit >= _LEAST_HIT else room - titles, hit if hit >= _LEAST_HIT else 0, 0)


def problem_head(problems: Sequence[Problem], width: int, height: int) -> Row | None:
    """The names of the columns; None where there is no problem."""
    if not problems:
        return None
    columns = _columns(problems, width, height)
    hit = cell("who is hit", columns.hit) if columns.hit else ""
    names = f"{cell('problem', columns.titles)} {cell('cause', columns.causes)} {hit}{cell('since', _AGE, right=True)}"
    return Row(((" " * _LEAD + names, "head"),))


def problem_rows(view: View, width: int, height: int = 0) -> Iterator[Row]:
    """The list: what is wrong, what was (solved), or what was looked at; then the blind spots.

    Where the list is `height` lines high and has room, the worst ones take two lines each.
    """
    problems = view.diagnosis.problems
    lasting = [problem for problem in problems if problem.solved_at is None]
    wrong = [problem for problem in lasting if problem.severity in ("bad", "warn")]
    solved = [problem for problem in problems if problem.solved_at is not None]
    columns = _columns(problems, width, height)
    place = itertools.count()
    if not wrong:
        yield Row(((f" {all_clear(lasting)}", "ok"),))
    elif solved:
        yield Row(((" going on", "head"),))
    for problem in wrong:
        yield from _rows(problem, view, columns, width, next(place))
    # the header counts what is wrong: what is only worth knowing stands apart
    if notes := [problem for problem in lasting if problem not in wrong]:
        yield Row(((" worth knowing", "head"),))
        for problem in notes:
            yield from _rows(problem, view, columns, width, next(place))
    if solved:
        yield Row(((" over, not seen any more", "head"),))
        for problem in solved:
            yield from _rows(problem, view, columns, width, next(place))
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


def _rows(problem: Problem, view: View, columns: _Columns, width: int, place: int) -> Iterator[Row]:
    solved = problem.solved_at is not None
    style = "quiet" if solved else STYLES[problem.severity]
    sign = {"bad": "failing", "warn": "degraded"}.get(problem.severity, "idle")
    moment = problem.solved_at if solved else problem.since
    ago = age(view.now - moment) if moment is not None else ""
    mark: Span = ("new ", "mark") if problem.new and not solved else ("    ", "")
    spans: list[Span] = [
        (f" {' ' if solved else view.signs.states[sign]} ", style),
        mark,
        (cell(problem.title, columns.titles) + " ", "quiet" if solved else "strong"),
        (cell(problem.cause, columns.causes) + " ", style),
    ]
    # its own name stands beside it already
    hit = problem.hit.removeprefix(f"group {problem.title}").removeprefix(", ") or problem.reason
    if columns.hit:
        spans.append((cell(hit, columns.hit), "quiet"))
    spans.append((cell(ago, _AGE, right=True), "quiet"))
    yield Row(tuple(spans), problem.key)
    if place < columns.doubled:
        do = f" {view.signs.arrow} {problem.do}" if problem.do and not solved else ""
        yield Row(((" " * _LEAD, ""), (cell(hit + do, width - _LEAD), "quiet")), below=True)


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
