"""The last hour, minute by minute: failed requests, with restarts, saves and incidents marked on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from textual import on
from textual.message import Message

from litellm_tui.analysis.bars import blocks
from litellm_tui.analysis.health.timeline import Event, EventKind, by_minute
from litellm_tui.analysis.phrases import count
from litellm_tui.model.traffic import HOUR
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.panes.registry import PaneEntry
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell
from litellm_tui.ui.widgets.minute_lines import LEFT_MARGIN, MinuteLines

BARS: Final = 3
# of several in one minute the first of these is seen
_MARKS: Final[dict[EventKind, tuple[str, str]]] = {
    "restart": ("R", "strong"),
    "save": ("s", "mark"),
    "incident": ("!", "bad"),
}
_TICK: Final = 10


class Timeline(Pane):
    """A bar a minute; the arrows choose one, Enter takes the log there."""

    class ToLog(Message):
        """The log is wanted at this time, seconds since the epoch."""

        def __init__(self, at: float) -> None:
            super().__init__()
            self.at = at

    def __init__(self, entry: PaneEntry, pace: Pace | None = None) -> None:
        super().__init__(entry, pace)
        self._view: View | None = None
        self._chosen: int | None = None

    def make_lines(self) -> Lines:
        return MinuteLines(id="timeline-lines")

    def draw(self, view: View) -> None:
        self._view = view
        self._title(f"{self.entry.label} · failed requests a minute")
        super().draw(view)

    def freshness(self, view: View) -> tuple[str, bool]:
        return "marks: R restart, s save, ! incident · Enter log", False

    @property
    def minute(self) -> int:
        """The selected minute, seconds since the epoch over 60: the present one until another is chosen."""
        newest = int(self._view.now // 60) if self._view else 0
        return newest if self._chosen is None else min(newest, max(newest - HOUR + 1, self._chosen))

    def rows(self, view: View, width: int) -> Sequence[Row]:
        newest, shown = int(view.now // 60), max(1, min(HOUR, width - LEFT_MARGIN))
        first = newest - shown + 1
        failed = by_minute(view.snapshot.traffic.failed_hour, view.now)[-shown:]
        at = self.minute - first
        bars = [self._column(line, "bad", at) for line in blocks(failed, BARS)]
        since = view.snapshot.traffic.since
        watched = newest + 1 if since is None else int(since // 60)
        marks = self._column_of(_marks(view.events, first, shown, watched, view.signs.dot), at)
        most = f"  up to {max(failed):,}" if any(failed) else ""
        room = width - LEFT_MARGIN - shown
        bars[0] = Row((*bars[0].spans, (cell(most, room) if most and room > 8 else "", "quiet")))
        told = Row(tuple(_told(view, self.minute, failed[at] if 0 <= at < shown else 0, width)))
        return [told, *bars, marks, _axis(view, first, shown, at if self.lines.has_focus else -1)]

    def _column(self, line: str, style: str, at: int) -> Row:
        return self._column_of([(sign, style) for sign in line], at)

    def _column_of(self, signs: Sequence[Span], at: int) -> Row:
        """A line of signs, the selected minute drawn apart while the list has the focus."""
        spans: list[Span] = [(" " * LEFT_MARGIN, "")]
        for place, (sign, style) in enumerate(signs):
            name = "match" if place == at and self.lines.has_focus else style
            if spans[-1][1] == name:
                spans[-1] = (spans[-1][0] + sign, name)
            else:
                spans.append((sign, name))
        return Row(tuple(spans))

    # --- the selected minute -----------------------------------------------------------------------------------

    @on(MinuteLines.Step)
    def _step(self, event: MinuteLines.Step) -> None:
        self._choose(self.minute + event.minutes)

    @on(MinuteLines.Column)
    def _clicked(self, event: MinuteLines.Column) -> None:
        if self._view is not None and 0 <= event.column < HOUR:
            shown = max(1, min(HOUR, self.lines.room - LEFT_MARGIN))
            self._choose(int(self._view.now // 60) - shown + 1 + event.column)

    @on(MinuteLines.ToMark)
    def _to_mark(self, event: MinuteLines.ToMark) -> None:
        marked = sorted({int(one.at // 60) for one in self._view.events}) if self._view else []
        beyond = [minute for minute in marked if (minute - self.minute) * event.step > 0]
        if beyond:
            self._choose(beyond[0] if event.step > 0 else beyond[-1])

    def _choose(self, minute: int) -> None:
        if self._view is None:
            return
        newest = int(self._view.now // 60)
        # at the end it goes on with the time
        self._chosen = None if minute >= newest else max(newest - HOUR + 1, minute)
        self.draw(self._view)

    @on(MinuteLines.Wanted)
    def _wanted(self) -> None:
        if self._view is not None:
            first = min((one.at for one in self._view.events if int(one.at // 60) == self.minute), default=None)
            self.post_message(self.ToLog(first if first is not None else self.minute * 60.0))

    def on_descendant_focus(self) -> None:
        self._again()

    def on_descendant_blur(self) -> None:
        self._again()

    def _again(self) -> None:
        if self._view is not None and self.is_attached:
            self.call_after_refresh(self.draw, self._view)


def _told(view: View, minute: int, failed: int, width: int) -> Iterator[Span]:
    """The selected minute in words."""
    yield f" {view.clock(minute * 60.0)[:5]}  ", "strong"
    events = [event for event in view.events if int(event.at // 60) == minute]
    words = [count(failed, "failed request")] if failed or not events else []
    words += [f"{event.words} {view.clock(event.at)}" for event in events]
    yield cell(f" {view.signs.dot} ".join(words), max(1, width - 8)), "bad" if failed else "ok" if events else "quiet"


def _marks(events: Sequence[Event], first: int, shown: int, watched: int, dot: str) -> list[Span]:
    """A sign for each minute: what happened in it, a dot where nothing did, a blank before it was watched."""
    found: list[Span] = [(dot if first + place >= watched else " ", "quiet") for place in range(shown)]
    order = list(_MARKS)
    for event in sorted(events, key=lambda event: -order.index(event.kind)):
        place = int(event.at // 60) - first
        if 0 <= place < shown:
            found[place] = _MARKS[event.kind]
    return found


def _axis(view: View, first: int, shown: int, at: int) -> Row:
    """The time of the clock below every tenth minute, and where the selected one is, for who sees no colours."""
    line = [" "] * shown
    for place in range(shown):
        if (first + place) % _TICK == 0 and place + 5 <= shown:
            line[place : place + 5] = view.clock((first + place) * 60.0)[:5]
    if 0 <= at < shown:
        line[at] = "▲"
    return Row(((" " * LEFT_MARGIN + "".join(line), "quiet"),))
