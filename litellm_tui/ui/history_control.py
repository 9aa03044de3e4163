"""The history and the charts over the console: where they are read from, and where they lead."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from litellm_tui.analysis.failures.incidents import Incident, find_incidents
from litellm_tui.analysis.history.entries import watched
from litellm_tui.analysis.history.glance import MOST_EVENTS, Glance, glance_of
from litellm_tui.analysis.history.panels import read_panels
from litellm_tui.analysis.history.source import HistorySource
from litellm_tui.analysis.history.spans import DAY, Interval
from litellm_tui.storage.history.paths import history_path_of
from litellm_tui.storage.history.reader import HistoryReader
from litellm_tui.ui.screens.chart import ChartScreen, Drawn, Left, chartable
from litellm_tui.ui.screens.history import Chosen, HistoryScreen, Told
from litellm_tui.ui.view import View

if TYPE_CHECKING:
    from litellm_tui.model.history import Event
    from litellm_tui.ui.console_host import ConsoleHost

# how long before and after an incident of the log a problem may be told of it
NEAR_SECONDS: Final = 120.0


class Overlaid(Protocol):
    """What the history leads to, over the console."""

    def incidents(self, view: View, chosen: str = "") -> None:
        """What fails in the log, the `chosen` one selected."""

    def difference(self, view: View, started_at: float | None = None) -> None:
        """The file against what runs, or against what was applied with the start at this time."""

    def backups(self, view: View) -> None:
        """The configurations that were kept."""


class HistoryControl:
    """Bound to one console; every method takes the view that the operator saw when he pressed the key."""

    def __init__(self, console: ConsoleHost, overlays: Overlaid) -> None:
        self._console, self._overlays = console, overlays

    # --- reading -----------------------------------------------------------------------------------------------

    def _source(self) -> HistorySource:
        """Where it is read from; in the thread of the files."""
        session = self._console.session
        if session.past is None:
            profile = session.profile
            assert profile is not None
            session.past = HistoryReader(history_path_of(profile))
        return session.past

    def _tell(self, since: float, until: float) -> Told:
        source = self._source()
        events = source.events(since, until, limit=MOST_EVENTS)
        looked = watched(source.looked(since, until), since, until)
        return Told((since, until), events, looked, None, source.failure)

    def _figures(self, since: float, until: float) -> Glance:
        return glance_of(self._source(), since, until)

    def _draw(self, subject: str, span: Interval, columns: int, most: int) -> Drawn:
        source = self._source()
        return Drawn(
            subject,
            span,
            read_panels(source, subject, *span, columns, most),
            source.events(*span, limit=MOST_EVENTS),
            list(source.looked(*span)),
            chartable(source.subjects()),
            source.failure,
        )

    # --- what is shown -----------------------------------------------------------------------------------------

    def show(self, view: View, span: float = DAY) -> None:
        """What happened, newest first."""
        session = self._console.session

        async def read(since: float, until: float) -> Told:
            return await session.files.run(self._tell, since, until)

        async def figures(since: float, until: float) -> Glance:
            return await session.files.run(self._figures, since, until)

        def closed(chosen: Chosen | None) -> None:
            session.memory.looked_at_history()
            if chosen is not None:
                self._go(chosen, view)

        looked_at, utc = session.memory.history_looked_at, session.notation.utc
        self._console.push_screen(HistoryScreen(view, read, figures, looked_at=looked_at, utc=utc, span=span), closed)

    def charts(self, view: View, subject: str = "", at: float | None = None) -> None:
        """Charts of the whole gateway or of a group (`group:NAME`), with this time in the middle."""
        session = self._console.session
        opened = time.monotonic()

        def now() -> float:
            return view.now + time.monotonic() - opened

        async def read(subject: str, span: Interval, columns: int, most: int) -> Drawn:
            return await session.files.run(self._draw, subject, span, columns, most)

        def closed(left: Left | None) -> None:
            if left is not None and left.leads == "history":
                self.show(session.view or view)
            elif left is not None:
                self._to_log(left.at)

        screen = ChartScreen(read, now, subject=subject, at=at, utc=session.notation.utc)
        self._console.push_screen(screen, closed)

    # --- where it leads ----------------------------------------------------------------------------------------

    def _go(self, chosen: Chosen, before: View) -> None:
        view = self._console.session.view or before
        event = chosen.entry.event
        if chosen.leads == "charts":
            self.charts(view, at=chosen.at)
        elif chosen.leads == "difference" and event is not None:
            self._overlays.difference(view, event.at if event.kind != "saved" else None)
        elif chosen.leads == "audit":
            self._console.show_audit()
        elif chosen.leads == "backups":
            self._overlays.backups(view)
        elif chosen.leads == "incident" and event is not None and (found := incident_of(event, view)):
            self._overlays.incidents(view, found.key)
        else:
            self._to_log(chosen.at)

    def _to_log(self, at: float) -> None:
        self._console.show_pane("logs")
        # when it has come into sight
        self._console.log_pane.call_after_refresh(partial(self._console.log_pane.view.go_to_time, at))


def incident_of(event: Event, view: View) -> Incident | None:
    """The incident of the log that this problem is: of the same group or model, and at that time."""
    snapshot = view.snapshot
    kind, _, name = event.subject.partition(":")
    if kind == "deployment":
        name = next((row.group for row in view.diagnosis.deployments if row.key == name), "")
    for one in find_incidents(snapshot.failures, view.diagnosis, view.now, traffic=snapshot.traffic):
        named = name and name in (one.subject, *one.models)
        end = event.until if event.until is not None else view.now
        if named and one.first <= end + NEAR_SECONDS and one.last >= event.at - NEAR_SECONDS:
            return one
    return None
