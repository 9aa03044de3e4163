"""Incidents: what fails in the log, one line per cause and group; below the list all about the selected one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.content import Content

from litellm_tui.analysis.failures.incidents import Incident, answers, find_incidents
from litellm_tui.analysis.health.headline import sparkline
from litellm_tui.analysis.phrases import age, coarse_age, count
from litellm_tui.model.diagnosis import Place
from litellm_tui.model.log import Log
from litellm_tui.ui.detail import Paragraph
from litellm_tui.ui.screens.live import LiveList
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Row, Span, cell

# cells of the rate of the last hour, and the minutes of each
CELLS: Final = 15
MINUTES_A_CELL: Final = 4


class IncidentsScreen(LiveList[Incident | Place | None, Incident]):
    """Enter gives the incident, whose example stands in the log; `o` the place of the row concerned."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,i", "close", show=False),
        Binding("o", "place", show=False),
        Binding("r", "since_restart", show=False),
        Binding("f5", "app.look", show=False),
    ]
    NAME = "incidents"
    ENDING = "Enter: in the log · o: the model · r: since the restart · Esc closes"

    def __init__(self, view: View, looked_at: float) -> None:
        super().__init__(view)
        self._looked_at = looked_at
        self._since_restart = False
        self._found: tuple[Incident, ...] = ()

    def fill(self) -> None:
        view, since = self._view, self._since()
        self._found = find_incidents(
            view.snapshot.failures,
            view.diagnosis,
            view.now,
            since=since,
            looked_at=self._looked_at,
            failed=view.snapshot.traffic.failed,
        )
        for box in self.query(".sheet"):
            box.border_title = Content(f"Incidents{f' since the restart {age(view.now - since)} ago' if since else ''}")
        super().fill()

    def rows(self, width: int) -> Iterator[Row]:
        return incident_rows(self._found, self._view, width)

    def item(self, key: str) -> Incident | None:
        return next((incident for incident in self._found if incident.key == key), None)

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


def incident_rows(found: tuple[Incident, ...], view: View, width: int) -> Iterator[Row]:
    """The answers of the gateway in a line, then the incidents: cause, whom it hits, how often, when."""
    yield Row(((cell(_answered(view), width), "quiet"),))
    if not found:
        yield Row(((" " + _nothing(view.snapshot.log), "unknown" if view.snapshot.log.failure else "ok"),))
    names = min(max((cell_len(one.subject or "-") for one in found), default=0), max(10, width // 4))
    causes = min(max((cell_len(one.cause) for one in found), default=0), max(16, width // 3))
    for incident in found:
        yield _row(incident, view, names, causes, width)
    if view.snapshot.failures.other:
        yield Row(((f" and {count(view.snapshot.failures.other, 'failure')} of kinds not seen any more", "quiet"),))


def _answered(view: View) -> str:
    found = answers(view.snapshot.failures, view.now)
    if found.refused is None or found.failed is None:
        seen = view.snapshot.traffic.access_lines
        return " no answer in 5 min" if seen else " the log has no access lines: rate and shares are not known"
    shares = f"{found.refused:.0%} refused (4xx), {found.failed:.0%} failed (5xx)"
    return f" {found.per_minute:.3g} answers a minute, {shares}, in 5 min"


def _nothing(log: Log) -> str:
    return log.failure.why if log.failure else "nothing failed in the log, as far as it was read"


def _row(incident: Incident, view: View, names: int, causes: int, width: int) -> Row:
    style = "bad" if incident.going_on else "quiet"
    mark: Span = ("new ", "mark") if incident.new else ("    ", "")
    wide = width >= 90
    rate = sparkline(_coarse(incident.minutes)) if wide else ""
    last = cell(coarse_age(view.now - incident.last), 9, right=True)
    spans: list[Span] = [
        (f" {view.signs.states['failing' if incident.going_on else 'idle']} ", style),
        mark,
        (cell(incident.cause, causes) + " ", style),
        (cell(incident.subject or "-", names) + " ", "strong"),
        (cell(f"{incident.count:,}", 7, right=True) + " ", "ok"),
    ]
    rest = width - sum(cell_len(text) for text, _ in spans) - (CELLS + 1 if wide else 0) - 9
    if rest >= 12:
        spans.append((cell(incident.words, rest), "quiet"))
    elif rest > 0:
        spans.append((" " * rest, ""))
    spans += [(f" {rate}" if wide else "", style), (last, "quiet")]
    return Row(tuple(spans), incident.key)


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
    yield "callers", ", ".join(f"{client} ({number})" for client, number in incident.callers), "ok"
    yield "call ids", ", ".join(incident.calls), "quiet"
    for rule in incident.rules:
        yield "audit", rule, "warn"


def _seen(incident: Incident, view: View) -> str:
    first, last = (f"{age(view.now - at)} ago ({view.clock(at)})" for at in (incident.first, incident.last))
    return f"{count(incident.count, 'time')}, first {first}, last {last}"
