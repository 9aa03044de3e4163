"""What is laid over the console when a key asks for it. A screen's module is loaded when it is opened first."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from litellm_tui.analysis.health.marks import dated
from litellm_tui.model.diagnosis import Deployment, Place
from litellm_tui.ui.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from litellm_tui.analysis.failures.incidents import Incident
    from litellm_tui.ui.console_host import ConsoleHost
    from litellm_tui.ui.detail import Paragraph
    from litellm_tui.ui.keys import Key
    from litellm_tui.ui.operations import Operations
    from litellm_tui.ui.signs import Signs


class Overlays:
    """Bound to one console; every method takes the view that the operator saw when he pressed the key."""

    def __init__(self, console: ConsoleHost, operations: Operations) -> None:
        self._console = console
        self._operations = operations

    # --- lists -------------------------------------------------------------------------------------------------

    def problems(self, view: View) -> None:
        """Everything that is wrong; Enter goes to the row concerned."""
        from litellm_tui.ui.screens.problems import Problems

        def closed(place: Place | None) -> None:
            self._console.session.memory.looked_at_problems()
            self._console.session.keep()
            if place is not None:
                self._console.go_to(place)

        self._console.push_screen(Problems(view), closed)

    def incidents(self, view: View, chosen: str = "") -> None:
        """What fails in the log, the `chosen` one selected; Enter goes to an example, or to the row concerned."""
        from litellm_tui.ui.screens.incidents import IncidentsScreen

        memory = self._console.session.memory

        def closed(chosen: Incident | Place | None) -> None:
            memory.looked_at_incidents()
            self._console.session.keep()
            if isinstance(chosen, Place):
                self._console.go_to(chosen)
            elif chosen is not None and chosen.sequence < 0:
                # no line tells of it
                self._console.go_to(chosen.place)
            elif chosen is not None:
                self._console.show_record(chosen.sequence)

        self._console.push_screen(IncidentsScreen(view, memory.incidents_looked_at, chosen), closed)

    def audit(self, view: View) -> None:
        """The findings, with their fixes."""
        from litellm_tui.ui.screens.audit import AuditScreen

        self._console.push_screen(AuditScreen(view, self._operations.fix))

    def difference(self, view: View, started_at: float | None = None) -> None:
        """The file against what runs, or against what was applied with the start at this time."""
        from litellm_tui.ui.screens.difference import DifferenceScreen

        session = self._console.session
        self._console.push_screen(DifferenceScreen(view, session.history, session.notation.utc, started_at))

    def backups(self, view: View) -> None:
        """The configurations that were kept."""
        from litellm_tui.ui.screens.backups import BackupsScreen

        session = self._console.session
        if session.backups is not None:
            self._console.push_screen(
                BackupsScreen(view, session.backups, session.notation.utc, self._operations.restore)
            )
        else:
            self._console.notify("no gateway is open yet, and no backups of one", markup=False)

    def past(self, view: View, *, charts: bool) -> None:
        """What happened, newest first, or the charts of it."""
        from litellm_tui.ui.history_control import HistoryControl

        control = HistoryControl(self._console, self)
        if charts:
            control.charts(view)
        else:
            control.show(view)

    # --- sheets ------------------------------------------------------------------------------------------------

    def help(self, signs: Signs, pane: str, keys: Sequence[Key]) -> None:
        """Every key and every sign; those of the pane that one is in come first."""
        from litellm_tui.ui.screens.help import HelpScreen, help_sections

        self._console.push_screen(HelpScreen(help_sections(signs, self._console.session.read_only, pane, keys)))

    def filter_help(self) -> None:
        """The terms of the log's filter."""
        from litellm_tui.ui.screens.help import filter_paragraphs

        self.sheet("Filter of the log", filter_paragraphs)

    def sheet(
        self,
        title: str,
        paragraphs: Callable[[], Iterable[Paragraph]],
        offers: Iterable[tuple[Key, str, Callable[[], object]]] = (),
    ) -> None:
        """A title, and text to scroll through; `offers` are keys, their words, and what they do."""
        from litellm_tui.ui.screens.sheet import Offer, Sheet

        offered = [
            Offer(tuple(key.keys.split(",")), key.shown.partition(" ")[0], word, run) for key, word, run in offers
        ]
        self._console.push_screen(Sheet(title, lambda: list(paragraphs()), offered))

    # --- marks -------------------------------------------------------------------------------------------------

    def expect_down(self, row: Deployment) -> None:
        """Mark a deployment as expected down, after asking why, or take the mark back."""
        from litellm_tui.ui.screens.note import NotePrompt

        monitor = self._console.session.monitor
        assert monitor is not None
        if row.key in monitor.expected_down:
            self._mark_down(row, None)
            self._console.notify(f"{row.group} · {row.model} is not expected down any more", markup=False)
            return
        question = (
            f"{row.group} · {row.model} is {row.verdict.state}. Marked as expected down it is no problem any more, "
            "here and in litellm-tui status and check. A word on why?"
        )
        self._console.push_screen(NotePrompt("Expected down", question), partial(self._noted, row))

    def _noted(self, row: Deployment, note: str | None) -> None:
        if note is None:
            self._console.notify("not marked", markup=False)
            return
        self._mark_down(row, note)
        why = f": {note}" if note else ""
        key = self._console.bound.shown("everywhere.expect-down")
        back = f"; {key} takes it back" if key else ""
        self._console.notify(f"{row.group} · {row.model} is expected down{why}{back}", markup=False)

    def _mark_down(self, row: Deployment, note: str | None) -> None:
        monitor = self._console.session.monitor
        assert monitor is not None
        marks = {key: text for key, text in monitor.expected_down.items() if key != row.key}
        monitor.expect_down(marks | ({row.key: dated(note, datetime.now())} if note is not None else {}))
        self._console.session.keep()
