"""Incidents: what fails in the log, one line per cause and group; below the list all about the selected one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len
from textual.binding import BindingType
from textual.content import Content

from litellm_tui.analysis.failures.incidents import GOING_ON, Incident, find_incidents
from litellm_tui.analysis.health.headline import sparkline
from litellm_tui.analysis.health.request_counts import count_requests, rates_words
from litellm_tui.analysis.phrases import age, coarse_age, count
from litellm_tui.model.diagnosis import Place
from litellm_tui.model.log import Log
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell

# cells of the rate of the last hour, and the minutes of each
CELLS: Final = 15
MINUTES_A_CELL: Final = 4
# cells in front of the cause (the cursor's bar, the sign, and whether it is new), of the number and of the age
_LEAD: Final = 7
_COUNT: Final = 8
_AGE: Final = 9
_LEAST_WORDS: Final = 12


class IncidentsScreen(LiveList[Incident | Place | None, Incident]):
    """Enter gives the incident, whose example stands in the log; `o` the place of the row concerned."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("incidents")
    NAME = "incidents"
    OFFERS = (("lists.open", "log"), ("incidents.place", "model"), ("incidents.since-restart", "since start"))
    COMMAND = ("incidents",)
    ORDERS: ClassVar[Mapping[str, Callable[[Incident], object]]] = {
        "cause": lambda incident: incident.cause.casefold(),
        "whom it hits": lambda incident: incident.subject.casefold(),
        "times": lambda incident: -incident.count,
        "last": lambda incident: -incident.last,
    }

    def __init__(self, view: View, looked_at: float, chosen: str = "") -> None:
        """`chosen` is the key of the incident that is selected at first."""
        super().__init__(view)
        self._looked_at = looked_at
        self._chosen_first = chosen
        self._since_restart = False
        self._found: tuple[Incident, ...] = ()

    def on_mount(self) -> None:
        if self._chosen_first:
            self.query_one(f"#{self.NAME}-lines", Lines).select(self._chosen_first)

    def fill(self) -> None:
        view, since = self._view, self._since()
        self._found = find_incidents(
            view.snapshot.failures,
            view.diagnosis,
            view.now,
            since=since,
            looked_at=self._looked_at,
            traffic=view.snapshot.traffic,
        )
        for box in self.query(".sheet"):
            box.border_title = Content(f"Incidents{f' since the restart {age(view.now - since)} ago' if since else ''}")
        super().fill()

    def rows(self, width: int) -> Iterator[Row]:
        return incident_rows(self._found, self._view, width, self.height)

    def head(self, width: int) -> Row | None:
        return incident_head(self._found, width, self.height)

    def items(self) -> Iterator[tuple[str, Incident]]:
        return ((incident.key, incident) for incident in self._found)

    def paragraphs(self, item: Incident) -> Iterator[Paragraph]:
        return incident_paragraphs(item, self._view)

    def opened(self, item: Incident) -> None:
        self.dismiss(item)

    def _since(self) -> float:
        service = self._view.snapshot.service.value
        return service.started_at or 0.0 if self._since_restart and service else 0.0

    def action_place(self) -> None:
        if self.chosen is not None:
            self.dismiss(self.chosen.place)

    def action_since_restart(self) -> None:
        """All that the log told, or only what failed since the service was started."""
        service = self._view.snapshot.service.value
        if service is None or not service.started_at:
            self.notify("when the service was started is not known", markup=False)
            return
        self._since_restart = not self._since_restart
        self.fill()


class _Columns(NamedTuple):
    """Cells of the cause, of whom it hits, and of what it says, where that has a column; how many take two lines."""

    causes: int
    names: int
    words: int
    wide: bool
    doubled: int


def _columns(found: Sequence[Incident], width: int, height: int) -> _Columns:
    over = sum(not incident.going_on for incident in found)
    # the answers in a line, and what goes on apart from what is over
    above = 1 + (2 if 0 < over < len(found) else 1 if over else 0)
    doubled = max(0, min(len(found), height - above - len(found)))
    name = max((cell_len(one.subject or "-") for one in found), default=0)
    cause = max((cell_len(one.cause) for one in found), default=0)
    wide = width >= 90
    room = width - _LEAD - 2 - _COUNT - (CELLS + 1 if wide else 0) - _AGE
    if doubled:
        # what it says stands in the second line
        causes = min(cause, max(room // 2, room - name))
        return _Columns(causes, max(1, room - causes), 0, wide, doubled)
    names, causes = min(name, max(10, width // 4)), min(cause, max(16, width // 3))
    words = room - names - causes
    if words < _LEAST_WORDS:
        return _Columns(causes, room - causes, 0, wide, 0)
    return _Columns(causes, names, words, wide, 0)


def incident_head(found: Sequence[Incident], width: int, height: int) -> Row | None:
    """The names of the columns; None where there is no incident."""
    if not found:
        return None
    columns = _columns(found, width, height)
    begin = f"{cell('cause', columns.causes)} {cell('whom it hits', columns.names)} "
    times, words = cell("times", _COUNT - 1, right=True), cell("it says", columns.words) if columns.words else ""
    rate = f" {cell('last hour', CELLS)}" if columns.wide else ""
    return Row(((f"{' ' * _LEAD}{begin}{times} {words}{rate}{cell('last', _AGE, right=True)}", "head"),))


def incident_rows(found: tuple[Incident, ...], view: View, width: int, height: int = 0) -> Iterator[Row]:
    """The answers of the gateway in a line, then the incidents: cause, whom it hits, how often, when.

    Where the list is `height` lines high and has room, the first ones take two lines each.
    """
    yield Row(((cell(_answered(view), width), "quiet"),))
    if not found:
        yield Row(((" " + _nothing(view.snapshot.log), "unknown" if view.snapshot.log.failure else "ok"),))
    columns = _columns(found, width, height)
    place = itertools.count()
    now = [incident for incident in found if incident.going_on]
    over = [incident for incident in found if not incident.going_on]
    if now and over:
        yield Row(((" going on", "head"),))
    for incident in now:
        yield from _rows(incident, view, columns, width, next(place))
    if over:
        yield Row(((f" over: none in the last {GOING_ON} min", "head"),))
    for incident in over:
        yield from _rows(incident, view, columns, width, next(place))
    if view.snapshot.failures.other:
        yield Row(((f" and {count(view.snapshot.failures.other, 'failure')} of kinds not seen any more", "quiet"),))


def _answered(view: View) -> str:
    found = count_requests(view.snapshot, view.now)
    if words := rates_words(found):
        return f" {words}"
    if found.asked is None:
        return " the log has no access lines: rate and shares are not known"
    return " no request in 5 min"


def _nothing(log: Log) -> str:
    return log.failure.why if log.failure else "nothing failed in the log, as far as it was read"


def _rows(incident: Incident, view: View, columns: _Columns, width: int, place: int) -> Iterator[Row]:
    # a caller's own mistake counts against nobody here
    style = "bad" if incident.going_on and incident.failure_of != "caller" else "quiet"
    mark: Span = ("new ", "mark") if incident.new else ("    ", "")
    last = cell(coarse_age(view.now - incident.last), _AGE, right=True)
    spans: list[Span] = [
        (f" {view.signs.states['failing' if incident.going_on else 'idle']} ", style),
        mark,
        (cell(incident.cause, columns.causes) + " ", style),
        (cell(incident.subject or "-", columns.names) + " ", "strong"),
        (cell(f"{incident.count:,}", _COUNT - 1, right=True) + " ", "ok"),
    ]
    if columns.words:
        spans.append((cell(incident.words, columns.words), "quiet"))
    rate = f" {sparkline(_coarse(incident.minutes))}" if columns.wide else ""
    spans += [(rate, style), (last, "quiet")]
    yield Row(tuple(spans), incident.key)
    if place < columns.doubled:
        yield Row(((" " * _LEAD, ""), (cell(incident.words, width - _LEAD), "quiet")), below=True)


def _coarse(minutes: tuple[int, ...]) -> list[int]:
    return [sum(minutes[place : place + MINUTES_A_CELL]) for place in range(0, CELLS * MINUTES_A_CELL, MINUTES_A_CELL)]


def incident_paragraphs(incident: Incident, view: View) -> Iterator[Paragraph]:
    """One incident in full, the next step before what may be cut off on a small screen."""
    yield "cause", incident.cause + (f": {incident.means}" if incident.means else ""), "bad"
    yield "next", incident.do, "strong"
    yield "seen", _seen(incident, view), "ok"
    yield "last hour", f"{sparkline(incident.minutes)} most {max(incident.minutes)} a minute", "ok"
    yield "it says", incident.words, "ok"
    yield "also", "; ".join(incident.also), "quiet"
    models = ", ".join(incident.models) + (f" (provider {incident.provider})" if incident.provider else "")
    yield "hits", ": ".join(filter(None, (incident.subject, models))), "ok"
    yield "fallback", incident.fallback, "ok"
    yield "asked as", ", ".join(incident.asked), "quiet"
    yield "answered", ", ".join(f"{status} ({number})" for status, number in incident.statuses), "ok"
    yield "callers", ", ".join(f"{client} ({number})" for client, number in incident.callers), "ok"
    yield "call ids", ", ".join(incident.calls), "quiet"
    for rule in incident.rules:
        yield "audit", rule, "warn"


def _seen(incident: Incident, view: View) -> str:
    first, last = (f"{age(view.now - at)} ago ({view.clock(at)})" for at in (incident.first, incident.last))
    return f"{count(incident.count, 'time')}, first {first}, last {last}"
