"""Charts: rate, errors, latency, cache and memory below each other on one axis of time; of the gateway, or a group."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, tzinfo
from typing import ClassVar, Final, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Click
from textual.message import Message

from litellm_tui.analysis.history.axis import LEGEND, clock_of, column_of, moment_words
from litellm_tui.analysis.history.chart import LEFT_MARGIN, chart_lines, columns_in, panels_in
from litellm_tui.analysis.history.entries import Entry, entries_of, gaps, title_words
from litellm_tui.analysis.history.panels import KINDS, Panel
from litellm_tui.analysis.history.spans import DAY, HOUR, Interval, other_span, span_words
from litellm_tui.model.history import Event
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.guarded_work import begin_beside
from litellm_tui.ui.hint_words import framed, hint_words, say_below
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Lines, Row, cell

# how often it is read anew while its end is now
READ_SECONDS: Final = 10.0
# lines above the curves: what happened in the column, or what the signs mean
_ABOVE: Final = 1
WHOLE: Final = ""


class Drawn(NamedTuple):
    """What was read for one drawing of a subject (empty: the whole gateway)."""

    subject: str
    span: Interval
    panels: tuple[Panel, ...]
    events: list[Event]
    looked: list[Interval]
    subjects: tuple[str, ...]
    """All that there are charts of, the whole gateway first."""
    failure: str = ""
    """Why the record could not be read."""


class Left(NamedTuple):
    """What the screen ends with: to the log or to the history, at this time."""

    leads: str
    at: float


Read = Callable[[str, Interval, int, int], Awaitable[Drawn]]
"""Subject, span, columns, and of how many curves at most."""


class ChartLines(Lines, can_focus=False):
    """The chart: a click selects a column."""

    class Column(Message):
        """This column was clicked."""

        def __init__(self, column: int) -> None:
            super().__init__()
            self.column = column

    def on_click(self, event: Click) -> None:
        self.post_message(self.Column(event.x - LEFT_MARGIN))


class ChartScreen(FilledScreen[Left | None]):
    """`read` reads what a drawing needs, beside the screen; `now` is the present in seconds since the epoch."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("charts")

    def __init__(
        self,
        read: Read,
        now: Callable[[], float],
        *,
        subject: str = WHOLE,
        span: float = DAY,
        at: float | None = None,
        utc: bool = False,
    ) -> None:
        """With `at` that time is in the middle, and selected."""
        super().__init__()
        self._read, self._now = read, now
        self._zone: tzinfo | None = UTC if utc else None
        self._subject, self._span = subject, span
        # the end of the span; None for now
        self._until: float | None = None
        if at is not None and at < now() - span / 2:
            self._until = at + span / 2
        # the selected time; None while none is
        self._at = at
        self._alone = 0
        self._drawn: Drawn | None = None
        self._wanted = False
        self._reading = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet"):
            yield ChartLines(id="chart-lines")

    @property
    def first_focus(self) -> Lines:
        return self.query_one(Lines)

    def on_mount(self) -> None:
        self._say_keys()
        self.set_interval(READ_SECONDS, self._again)
        self.call_after_refresh(self._begin)

    def on_resize(self) -> None:
        self.call_after_refresh(self._begin)

    # --- reading -----------------------------------------------------------------------------------------------

    @property
    def span(self) -> Interval:
        """What is shown; its end is a round time, so that columns stay where they are while time goes on."""
        until = self._until if self._until is not None else self._now()
        grain = 10.0 if self._span <= HOUR else 60.0 if self._span <= DAY / 2 else 600.0
        end = (until // grain + 1) * grain
        return end - self._span, end

    def _again(self) -> None:
        if self._until is None:
            self._begin()

    def _begin(self) -> None:
        self._wanted = True
        if not self._reading and self.is_attached:
            self._reading = True
            begin_beside(self, self._read_all, "reading the history", "charts")

    async def _read_all(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                lines = next(iter(self.query(Lines)), None)
                if lines is not None and lines.room:
                    # what has no room is not read, but where one looks at one after the other
                    most = len(KINDS) if self._alone else panels_in(lines.size.height - _ABOVE)
                    self._drawn = await self._read(self._subject, self.span, columns_in(lines.room), most)
                    self.fill()
        finally:
            self._reading = False

    # --- what is shown -----------------------------------------------------------------------------------------

    def fill(self) -> None:
        for box in self.query(".sheet"):
            box.border_title = framed(self.app, f"Charts · {subject_words(self._subject)} · {self._span_words()}")
        super().fill()
        self._say_keys()

    def _span_words(self) -> str:
        if self._until is None:
            return f"last {span_words(self._span)}"
        begin, end = (moment_words(at, day=True, zone=self._zone) for at in self.span)
        return f"{span_words(self._span)}, {begin} to {end}"

    def rows(self, width: int) -> Iterator[Row]:
        drawn = self._drawn
        if drawn is None:
            yield Row(((" reading", "quiet"),))
            return
        height = next((lines.size.height for lines in self.query(Lines)), 0) - _ABOVE
        cursor = self._column(drawn)
        yield self._above(drawn, cursor, width)
        # what is still to come is no gap
        unwatched = gaps(drawn.looked, drawn.span[0], min(drawn.span[1], self._now()))
        panels = self._panels(drawn)
        if drawn.failure:
            yield Row(((cell(f" the record cannot be read: {drawn.failure}", width), "bad"),))
            return
        if not panels:
            words = "of this nothing was recorded in this span"
            yield Row(((f" {words}: + shows a longer one, ↓ another group", "unknown"),))
            return
        for line in chart_lines(panels, drawn.events, unwatched, drawn.span, height, self._zone, cursor):
            yield Row(line)

    def _panels(self, drawn: Drawn) -> Sequence[Panel]:
        if not self._alone or not drawn.panels:
            return drawn.panels
        return (drawn.panels[(self._alone - 1) % len(drawn.panels)],)

    def _above(self, drawn: Drawn, cursor: int | None, width: int) -> Row:
        """What happened in the selected column; while none is selected, what the signs mean."""
        if cursor is None or self._at is None:
            return Row(((cell(f" {LEGEND}", width), "quiet"),))
        found = [title_words(entry) for entry in self._in_column(drawn, cursor)]
        when = clock_of(drawn.span, self._zone)(self._at)
        said = " · ".join(found) or "nothing is marked here"
        return Row(((f" {when}  ", "strong"), (cell(said, max(1, width - len(when) - 3)), "ok" if found else "quiet")))

    def _in_column(self, drawn: Drawn, cursor: int) -> Sequence[Entry]:
        columns = self._columns(drawn)
        inside = [one for one in drawn.events if column_of(one.at, *drawn.span, columns) == cursor]
        return [entry for entry in entries_of(inside, [drawn.span], *drawn.span) if entry.kind == "event"][::-1]

    def _say_keys(self) -> None:
        subjects = self._drawn is not None and len(self._drawn.subjects) > 1
        wide = self.app.size.width >= 100
        say_below(
            self,
            hint_words(
                ("+ -", "span"),
                ("↑↓", "group" if subjects else ""),
                ("←→", "time"),
                ("n N", "mark"),
                ("[ ]", "earlier, later" if self.app.size.width >= 130 else "move" if wide else ""),
                ("m", "one alone" if wide else "one"),
                ("Enter", "log"),
                ("h", "history" if wide else ""),
                ("Esc", "close"),
            ),
        )

    # --- the selected column -----------------------------------------------------------------------------------

    def _columns(self, drawn: Drawn) -> int:
        return len(drawn.panels[0].columns) if drawn.panels else 1

    def _column(self, drawn: Drawn) -> int | None:
        if self._at is None:
            return None
        found = column_of(self._at, *drawn.span, self._columns(drawn))
        return found if 0 <= found < self._columns(drawn) else None

    def _select(self, column: int) -> None:
        drawn = self._drawn
        if drawn is not None and drawn.panels:
            since, until = drawn.span
            columns = self._columns(drawn)
            column = min(max(0, column), columns - 1)
            self._at = since + (column + 0.5) * (until - since) / columns
            self.fill()

    @on(ChartLines.Column)
    def _clicked(self, event: ChartLines.Column) -> None:
        event.stop()
        self._select(event.column)

    def action_column(self, step: int) -> None:
        """A column before, or after: from the newest one on."""
        if (drawn := self._drawn) is not None:
            column = self._column(drawn)
            self._select(self._columns(drawn) - 1 if column is None else column + step)

    def action_edge(self, column: int) -> None:
        """The oldest column, or the newest."""
        if (drawn := self._drawn) is not None:
            self._select(column % self._columns(drawn))

    def action_mark(self, step: int) -> None:
        """The next thing that is marked, or the one before."""
        if (drawn := self._drawn) is None or not drawn.panels:
            return
        columns = self._columns(drawn)
        marked = sorted({column_of(one.at, *drawn.span, columns) for one in drawn.events})
        marked = [column for column in marked if 0 <= column < columns]
        column = self._column(drawn)
        at = column if column is not None else columns if step < 0 else -1
        beyond = [one for one in marked if (one - at) * step > 0]
        if beyond:
            self._select(beyond[0] if step > 0 else beyond[-1])

    # --- which chart -------------------------------------------------------------------------------------------

    def action_span(self, step: int) -> None:
        """A longer span, or a shorter one; what is selected stays in it."""
        self._span = other_span(self._span, step)
        since, until = self.span
        if self._at is not None and not since <= self._at < until:
            self._until = self._at + self._span / 2
        if self._until is not None and self._until >= self._now():
            self._until = None
        self._begin()

    def action_pan(self, step: int) -> None:
        """Half a span earlier, or later."""
        until = (self._until if self._until is not None else self._now()) + step * self._span / 2
        # time went on meanwhile: back at the end is at now
        self._until = until if until < self._now() - self._span / 10 else None
        self._at = None
        self._begin()

    def action_subject(self, step: int) -> None:
        """Another group, or the whole gateway."""
        if (drawn := self._drawn) is not None and len(drawn.subjects) > 1:
            there = drawn.subjects.index(self._subject) if self._subject in drawn.subjects else 0
            self._subject = drawn.subjects[(there + step) % len(drawn.subjects)]
            self._alone = 0
            self._begin()

    def action_alone(self) -> None:
        """One curve after the other alone, then all of them again."""
        if self._drawn is None or not self._drawn.panels:
            return
        if not self._alone:
            self._alone = 1
            self._begin()
        else:
            self._alone = (self._alone + 1) % (len(self._drawn.panels) + 1)
            self.fill()

    def action_read_now(self) -> None:
        self._begin()

    def action_leave(self, leads: str) -> None:
        """To the log, or to the history, at the selected time."""
        self.dismiss(Left(leads, self._at if self._at is not None else self._now()))

    def action_close(self) -> None:
        self.dismiss(None)


def subject_words(subject: str) -> str:
    """What a chart is about."""
    kind, _, name = subject.partition(":")
    return f"{kind} {name}" if name else "the whole gateway"


def chartable(subjects: Sequence[str]) -> tuple[str, ...]:
    """What one can see charts of: the whole gateway, then the groups by their names."""
    groups = sorted(subject for subject in subjects if subject.startswith("group:"))
    return (WHOLE, *groups)
