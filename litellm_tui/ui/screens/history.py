"""History: what happened, newest first; that nobody looked is told apart from that nothing happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from functools import partial
from typing import ClassVar, Final, Literal, NamedTuple

from textual.binding import BindingType

from litellm_tui.analysis.history.axis import clock_of, moment_words
from litellm_tui.analysis.history.entries import (
    Entry,
    entries_of,
    has_words,
    kind_words,
    lasts,
    length_words,
    line_words,
    severity_of,
    title_beside_kind,
    title_words,
)
from litellm_tui.analysis.history.glance import Glance, glance_words, share_words
from litellm_tui.analysis.history.spans import DAY, Interval, last_night, other_span, span_words
from litellm_tui.analysis.phrases import age, count
from litellm_tui.model.history import Event, EventKind
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph
from litellm_tui.ui.guarded_work import begin_beside
from litellm_tui.ui.hint_words import framed
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Lines, Row, cell

# how often it is read anew while it is open
READ_SECONDS: Final = 10.0
_KIND: Final = 10
_LENGTH: Final = 14
# lines of the list from which on the figures have a line each
ROOMY: Final = 20
# of a line that stands for several, as many are told one by one
_MOST_TIMES: Final = 12
_SIGNS: Final = {"bad": "failing", "warn": "degraded", "unknown": "unknown"}

Leads = Literal["log", "difference", "incident", "audit", "backups", "charts"]
# where Enter goes; everything else goes to the log at its time
LEADS: Final[dict[EventKind, Leads]] = {
    "start": "difference", "applied": "difference", "upgrade": "difference", "saved": "difference",
    "problem": "incident", "audit": "audit", "backup": "backups",
}  # fmt: skip


class Told(NamedTuple):
    """What was read of a span: its events, when somebody looked, and its figures; or why it could not be read."""

    span: Interval
    events: list[Event]
    looked: list[Interval]
    glance: Glance | None
    failure: str = ""


class Chosen(NamedTuple):
    """What the screen ends with: where to go, and what for."""

    leads: Leads
    entry: Entry

    @property
    def at(self) -> float:
        """The time that is meant."""
        return self.entry.at


Read = Callable[[float, float], Awaitable[Told]]
Figures = Callable[[float, float], Awaitable[Glance]]


class HistoryScreen(LiveList[Chosen | None, Entry]):
    """`read` reads what happened in a span, and `figures`, which takes longer, what there is to say of it in numbers.

    Both go on beside the screen. `looked_at` is when one looked last, None where that is not known.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("history")
    NAME, WHAT, COMMAND = "history", "History", ("history",)
    TYPED = "words in what happened, whom it hit, or why"
    ORDERS: ClassVar[Mapping[str, Callable[[Entry], object]]] = {
        "when": lambda entry: entry.at,
        "what": lambda entry: (kind_words(entry), title_words(entry).casefold()),
    }

    def __init__(
        self, view: View, read: Read, figures: Figures, *, looked_at: float | None, utc: bool, span: float = DAY
    ) -> None:
        super().__init__(view)
        self._read, self._figures, self._looked_at = read, figures, looked_at
        self._zone: tzinfo | None = UTC if utc else None
        self._span = span
        # a span of its own: last night, or since the last look
        self._fixed: Interval | None = None
        self._named = ""
        self._told: Told | None = None
        self._entries: tuple[Entry, ...] = ()
        self._read_at = 0.0
        self._wanted: Interval | None = None
        self._reading = False

    # --- reading -----------------------------------------------------------------------------------------------

    @property
    def span(self) -> Interval:
        """What is shown, seconds since the epoch."""
        return self._fixed or (self._view.now - self._span, self._view.now)

    def draw(self, view: View) -> None:
        """Show this view; what happened is read anew now and then."""
        self._view = view
        if view.now - self._read_at >= READ_SECONDS or self._told is None:
            self._begin()
        super().draw(view)

    def _begin(self) -> None:
        self._wanted = self.span
        if not self._reading:
            self._reading = True
            begin_beside(self, self._read_all, "reading the history", "history")

    async def _read_all(self) -> None:
        try:
            while (wanted := self._wanted) is not None:
                self._wanted = None
                self._read_at = self._view.now
                before = self._told
                told = await self._read(*wanted)
                self._entries = entries_of(told.events, told.looked, *told.span)
                # until the new figures are there those of a moment ago stand, but of no other span
                kept = before.glance if before is not None and _is_near(before.span, wanted) else None
                self._told = told._replace(glance=kept)
                self.fill()
                if self._wanted is None and not told.failure:
                    self._told = self._told._replace(glance=await self._figures(*wanted))
                    self.fill()
        finally:
            self._reading = False

    # --- what is shown -----------------------------------------------------------------------------------------

    def fill(self) -> None:
        for box in self.query(".sheet"):
            box.border_title = framed(self.app, f"History · {self._named or 'last ' + span_words(self._span)}")
        super().fill()

    def head(self, width: int) -> Row | None:
        if not self._entries:
            return None
        when = cell("when", self._when)
        rest = cell("what", _rest(width, self._when))
        return Row(((f"   {when} {cell('', _KIND)}{rest}{cell('how long', _LENGTH, right=True)}", "head"),))

    @property
    def _when(self) -> int:
        return len(self._clock(self.span[1]))

    def rows(self, width: int) -> Iterator[Row]:
        if self._told is None:
            yield Row(((" reading", "quiet"),))
            return
        if self._told.failure:
            yield Row(((cell(f" the record cannot be read: {self._told.failure}", width), "bad"),))
            return
        if (glance := self._told.glance) is None:
            yield Row(((" adding up", "quiet"),))
        else:
            yield from glance_rows(glance, self._clock, width) if self.height >= ROOMY else glance_line(glance, width)
        for entry in self._entries:
            yield entry_row(entry, self._view, self._clock(entry.at), self._when, width)
        if not self._entries:
            yield Row(((" nothing is recorded of this span", "quiet"),))

    @property
    def _clock(self) -> Callable[[float], str]:
        return clock_of(self.span, self._zone)

    def items(self) -> Iterator[tuple[str, Entry]]:
        return ((entry.key, entry) for entry in self._entries)

    def _has(self, key: str, item: Entry, rows: Sequence[Row]) -> bool:
        return not self.words or has_words(item, self.words)

    def paragraphs(self, item: Entry) -> Iterator[Paragraph]:
        return entry_paragraphs(item, self._view, partial(moment_words, day=True, zone=self._zone))

    @property
    def ending(self) -> str:
        chosen = self.chosen
        leads = str(leads_to(chosen)) if chosen is not None else ""
        wide = self.app.size.width >= 100
        if not wide:
            leads = "diff" if leads == "difference" else leads
            return self.offers_of(
                ("lists.open", leads), ("history.charts", "charts"), ("history.longer", "span"),
                ("history.last-look", "new"), ("history.night", "night"),
            )  # fmt: skip
        return self.offers_of(
            ("lists.open", leads),
            ("history.log", "log" if leads not in ("", "log") else ""),
            ("history.charts", "charts"),
            ("history.longer", "span"),
            ("history.last-look", "since last look"),
            ("history.night", "last night"),
        )

    # --- keys --------------------------------------------------------------------------------------------------

    def opened(self, item: Entry) -> None:
        self.dismiss(Chosen(leads_to(item), item))

    def action_leave(self, leads: Leads) -> None:
        """To the log, or to the charts, at the time of the selected line."""
        if (chosen := self.chosen) is not None:
            self.dismiss(Chosen(leads, chosen))

    def action_span(self, step: int) -> None:
        """A longer span, or a shorter one, up to now."""
        self._fixed, self._named = None, ""
        self._span = other_span(self._span, step)
        self._show_span()

    def action_last_look(self) -> None:
        """Since one looked last."""
        if self._looked_at is None:
            self.notify("when you looked last is not known", markup=False)
            return
        self._fixed = (min(self._looked_at, self._view.now - 1), self._view.now)
        self._named = f"since you looked last, {age(self._view.now - self._looked_at)} ago"
        self._show_span()

    def action_night(self) -> None:
        """Last night, from 20:00 to 08:00."""
        self._fixed = last_night(self._view.now, self._zone)
        self._named = "last night, 20:00 to 08:00"
        self._show_span()

    def action_read_now(self) -> None:
        self._begin()

    def _show_span(self) -> None:
        for lines in self.query(f"#{self.NAME}-lines").results(Lines):
            lines.scroll_to(y=0, animate=False, force=True)
        self._begin()
        self.fill()


def _is_near(one: Interval, other: Interval) -> bool:
    """Whether it is the same span, a little later."""
    return all(abs(a - b) <= 2 * READ_SECONDS for a, b in zip(one, other, strict=True))


def leads_to(entry: Entry) -> Leads:
    """Where Enter on it goes."""
    return LEADS.get(entry.events[0].kind, "log") if entry.events else "log"


def glance_rows(glance: Glance, clock: Callable[[float], str], width: int) -> Iterator[Row]:
    """The figures of the span, a line each, as far as there is anything to say."""
    for name, words, severity in glance_words(glance, clock):
        if words not in ("none", "not recorded", "not known"):
            style = severity if severity in ("bad", "warn", "unknown") else "ok"
            yield Row(((f" {cell(name, 13)} ", "quiet"), (cell(words, width - 15), style)))
    yield Row((("", ""),))


def glance_line(glance: Glance, width: int) -> Iterator[Row]:
    """The same in a line, where a list of few lines would hold nothing else."""
    if glance.availability is None:
        words = "nobody looked"
    else:
        words = f"{share_words(glance.availability)} available, {count(len(glance.outages), 'outage')}"
    told = [words, count(len(glance.changes), "change")]
    if glance.requests is not None:
        told.append(f"{glance.failed or 0:,} of {count(glance.requests, 'request')} failed")
    if glance.slowest is not None:
        told.append(f"slowest {glance.slowest.group}")
    yield Row(((cell(f" {' · '.join(told)}", width), "warn" if glance.outages else "ok"),))


def _rest(width: int, when: int) -> int:
    return max(10, width - 3 - when - 1 - _KIND - _LENGTH)


def entry_row(entry: Entry, view: View, moment: str, when: int, width: int) -> Row:
    """One line: when, what sort, what, and how long."""
    severity = severity_of(entry)
    sign = view.signs.states[_SIGNS[severity]] if severity in _SIGNS else " "
    style = severity if severity in _SIGNS else "quiet"
    event = entry.event
    words = "quiet" if event is None else style if lasts(entry) else "strong" if severity == "bad" else "ok"
    return Row(
        (
            (f" {sign} ", style),
            (cell(moment, when) + " ", "quiet"),
            (cell(kind_words(entry), _KIND), style),
            (cell(line_words(entry), _rest(width, when)), words if entry.kind != "unwatched" else "unknown"),
            (cell(length_words(entry, view.now), _LENGTH, right=True), style if lasts(entry) else "quiet"),
        ),
        entry.key,
    )


def entry_paragraphs(entry: Entry, view: View, clock: Callable[[float], str]) -> Iterator[Paragraph]:
    """One line in full."""
    event = entry.event
    if event is None:
        until = entry.until or entry.at
        words = title_words(entry)
        yield "", f"{words}: from {clock(entry.at)} to {clock(until)}", "unknown" if entry.kind == "unwatched" else "ok"
        if entry.kind == "unwatched":
            yield "why", "neither a recorder ran nor a console was open", "quiet"
            yield "next", "litellm-tui record --install has somebody look all the time", "strong"
        return
    severity = severity_of(entry)
    yield kind_words(entry), title_beside_kind(event), severity if severity in ("bad", "warn") else "ok"
    yield "cause", event.cause, "ok"
    yield "next", event.do if lasts(entry) else "", "strong"
    yield "about", _about(event.subject), "ok"
    yield "who is hit", event.hit, "ok"
    yield "from", f"{clock(event.at)}, {age(view.now - event.at)} ago", "ok"
    if event.until is not None:
        yield "to", f"{clock(event.until)}, after {age(event.until - event.at)}", "ok"
    elif lasts(entry):
        yield "to", "it goes on", "bad" if severity == "bad" else "warn"
    if len(entry.events) > 1:
        shown = entry.events[:_MOST_TIMES]
        more = len(entry.events) - len(shown)
        times = [f"{clock(one.at)} {one.title}" for one in shown]
        yield "each", "; ".join([*times, *([f"and {more} more"] if more else [])]), "quiet"
    yield "", event.text, "quiet"


def _about(subject: str) -> str:
    """Whom it is about; a deployment has its name in the title, and its key says nothing to anybody."""
    kind, _, name = subject.partition(":")
    return "" if kind == "deployment" else f"{kind} {name}".strip()
