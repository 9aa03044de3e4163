"""A row per deployment: group, model, state with its age, whether it is listed, limits, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from textual import on
from textual.app import ComposeResult

from litellm_tui.analysis.phrases import count
from litellm_tui.model.diagnosis import Deployment, Place, State
from litellm_tui.model.failures import Crashed
from litellm_tui.ui.detail import Paragraph, deployment_paragraphs, to_rows
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.model_order import ORDERS, in_order, next_order
from litellm_tui.ui.model_table import HEADS, Columns, columns_of, head_row, model_row
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.panes.registry import PaneEntry
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.head import Head
from litellm_tui.ui.widgets.lines import LazyRows, Lines, Row, cell
from litellm_tui.ui.widgets.list_filter import ListFilter
from litellm_tui.ui.widgets.model_lines import ModelLines

_LAST_LINES: Final = 3
# in this order they are counted in the frame
_TOLD: Final[tuple[State, ...]] = (
    "failing", "not loaded", "cooling down", "degraded", "masked", "not in file", "unproven", "idle",
)  # fmt: skip


class Models(Pane):
    """Every deployment of the file and of the router: what is wrong first, below a head that stays."""

    lines: ModelLines
    headed = True

    def __init__(self, entry: PaneEntry, pace: Pace | None = None) -> None:
        super().__init__(entry, pace)
        self.order = next(iter(ORDERS))
        self.words = ""
        self._view: View | None = None
        # lines that are no deployment
        self._beside = 0
        self._filter = ListFilter()

    def make_lines(self) -> Lines:
        return ModelLines(id="models-lines")

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self._filter

    def freshness(self, view: View) -> tuple[str, bool]:
        return view.freshness(view.snapshot.gateway.deployments, view.snapshot.gateway.groups)

    def draw(self, view: View) -> None:
        self._view = view
        super().draw(view)
        self._describe()

    def head(self, view: View, width: int) -> Sequence[Row]:
        if not view.diagnosis.deployments:
            return [Row((("", ""),))]
        return [head_row(self._columns(view, width), self.order, view.signs)]

    @property
    def wanted(self) -> int:
        # of all of them, for a filter that is typed must not move what is below
        known = len(self._view.diagnosis.deployments) if self._view is not None else 0
        return max(known, 1) + self._beside + self._head.size.height + 2

    def rows(self, view: View, width: int) -> Sequence[Row]:
        everything = view.diagnosis.deployments
        if not everything:
            return [Row(((f"  {_why_empty(view)}", "unknown"),))]
        columns = self._columns(view, width)
        deployments = in_order(everything, self.order, self.words)
        above, notes = _above(view, width), _notes(view)
        self._beside = len(above) + len(notes)
        if not deployments:
            notes = [Row(((f"   none of {count(len(everything), 'deployment')} has these words", "quiet"),)), *notes]

        def row(number: int) -> Row:
            place = number - len(above)
            if place < 0:
                return above[number]
            if place >= len(deployments):
                return notes[place - len(deployments)]
            repeated = place > 0 and deployments[place - 1].group == deployments[place].group
            return model_row(deployments[place], columns, view, repeated=repeated)

        return LazyRows(
            [*("" for _ in above), *(deployment.key for deployment in deployments), *("" for _ in notes)], row
        )

    def _columns(self, view: View, width: int) -> Columns:
        return columns_of(view.diagnosis.deployments, width, view.columns.models)

    # --- order and filter --------------------------------------------------------------------------------------

    def ask_filter(self) -> bool:
        self._filter.ask(self.words)
        return True

    @on(ModelLines.Order)
    def _reorder(self) -> None:
        self.order = next_order(self.order)
        self._again()

    @on(Head.Clicked)
    def _head_clicked(self, event: Head.Clicked) -> None:
        """By that column; once more, and trouble comes first again."""
        event.stop()
        name = self._head.name_at(event.column, HEADS.values())
        if chosen := next((order for order, head in HEADS.items() if head == name), ""):
            self.order = next(iter(ORDERS)) if chosen == self.order else chosen
            self._again()

    @on(ModelLines.Clear)
    def _clear(self) -> None:
        self.narrow("")

    @on(ListFilter.Narrowed)
    def _narrowed(self, event: ListFilter.Narrowed) -> None:
        event.stop()
        self.narrow(event.words)

    def narrow(self, words: str) -> None:
        """Show only those that have these words."""
        self.words = words.strip()
        self.lines.clearable = bool(self.words)
        self._again()

    def _again(self) -> None:
        if self._view is not None:
            self.draw(self._view)

    # --- its frame ---------------------------------------------------------------------------------------------

    @on(ModelLines.Scrolled)
    def _describe(self) -> None:
        if self._view is not None and self.is_attached:
            self._title(" · ".join((self.entry.label, *self._summary(self._view))))

    def _summary(self, view: View) -> Iterator[str]:
        """How many there are, what is wrong with how many, and which of them are in sight."""
        everything = view.diagnosis.deployments
        if not everything:
            return
        shown = in_order(everything, self.order, self.words)
        first, last = self.lines.in_sight
        yield count(len(everything), "deployment")
        states = Counter(d.verdict.state for d in everything if d.verdict.severity in ("bad", "warn"))
        yield from (f"{states[state]} {state}" for state in _TOLD if states[state])
        if self.words:
            yield f"filter {self.words}: {len(shown)}"
        if self.order != next(iter(ORDERS)):
            yield f"by {self.order}"
        if last and last - first + 1 < len(shown):
            yield f"rows {first}–{last}"

    def key_of(self, place: Place, view: View) -> str:
        if place.kind == "group":
            return next((row.key for row in view.diagnosis.deployments if row.group == place.key), "")
        return super().key_of(place, view)

    def concerned(self, view: View) -> Sequence[Deployment]:
        return [row for row in view.diagnosis.deployments if row.key == self.lines.selected]

    def command(self, key: str, view: View) -> Sequence[str]:
        chosen = next(iter(self.concerned(view)), None)
        return ("probe", chosen.group) if chosen else ("status",)

    def sheet(self, key: str, view: View) -> tuple[str, Callable[[], Iterable[Paragraph]]] | None:
        chosen = next((row for row in view.diagnosis.deployments if row.key == key), None)
        if chosen is None:
            return None
        return f"{chosen.group} · {chosen.model}", lambda: deployment_paragraphs(chosen, view)


def _above(view: View, width: int) -> list[Row]:
    """That the file is broken, above what is shown in its place; what the log said last where nothing answers."""
    error, rows = view.snapshot.configuration.error, []
    if error:
        rows += to_rows([("", f"the file is broken, its last good state is shown: {error}", "bad")], width)
    last = [] if view.answering else [r for r in view.snapshot.last_records if not r.own][-_LAST_LINES:]
    if last:
        rows.append(Row(((" the last lines before the end", "head"),)))
    for record in last:
        style = "bad" if record.level in ("ERROR", "CRITICAL") else "quiet"
        text = drawable(record.text.partition("\n")[0])
        rows.append(Row(((f" {view.clock(record.time)} ", "quiet"), (cell(text, max(1, width - 10)), style))))
    return rows


def _notes(view: View) -> list[Row]:
    notes = []
    if view.diagnosis.health_note:
        notes.append(("unknown", f"health: {view.diagnosis.health_note}"))
    asked = view.snapshot.gateway
    for name, reading in (("models", asked.deployments), ("names", asked.groups), ("router", asked.router)):
        if isinstance(reading.failure, Crashed):
            notes.append(("unknown", f"{name}: {reading.failure.why}"))
    file = view.snapshot.configuration.current
    if view.snapshot.configuration.failure:
        notes.append(("unknown", f"file: {view.snapshot.configuration.failure.why}"))
    if file is None and view.snapshot.configuration.why_unwatched:
        notes.append(("unknown", f"file: {view.snapshot.configuration.why_unwatched}"))
    return [Row(((f"   {text}", style),)) for style, text in notes]


def _why_empty(view: View) -> str:
    configuration = view.snapshot.configuration
    if configuration.error:
        return str(configuration.error)
    failure = (
        configuration.failure or view.snapshot.gateway.deployments.failure or view.snapshot.gateway.liveliness.failure
    )
    if failure:
        return failure.why
    if view.snapshot.gateway.deployments.value is not None:
        return "the proxy runs without any deployment"
    return "looking"
