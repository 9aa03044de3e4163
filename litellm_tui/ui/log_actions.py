"""What leaves the log: a record in full, copies, exports, and filters kept by name."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from litellm_tui.analysis.phrases import count
from litellm_tui.model.failures import Failure
from litellm_tui.model.log import LogRecord
from litellm_tui.ui.panes.logs import Logs
from litellm_tui.ui.view import View

if TYPE_CHECKING:
    from litellm_tui.monitor.monitor import Monitor
    from litellm_tui.storage.filters import SavedFilters
    from litellm_tui.ui.console_host import ConsoleHost

# lines that are read at once from before the first record
_OLDER: Final = 2000


class LogActions:
    """Does for the console what the log's keys ask for beyond its pane. None of it changes the gateway."""

    def __init__(self, app: ConsoleHost) -> None:
        self._app = app
        self._saved: SavedFilters | None = None
        self._reading = False

    @property
    def _pane(self) -> Logs:
        return self._app.log_pane

    def open(self, record: LogRecord, view: View) -> None:
        """One record in full."""
        from litellm_tui.ui.screens.record import RecordSheet

        shown = self._pane.view

        def lines_of(record: LogRecord) -> list[LogRecord]:
            return shown.reads.together(record) if shown.reading else [record]

        def step(by: int) -> tuple[LogRecord, list[LogRecord]] | None:
            found = shown.beside(by)
            return None if found is None else (found, lines_of(found))

        self._app.push_screen(
            RecordSheet(
                record, view, lambda one: self.copy(lines_of(one), view), self._show_call, lines_of(record), step
            )
        )

    def _show_call(self, record: LogRecord) -> None:
        self._app.show_pane("logs")
        self._pane.view.show_call(record)

    # --- what is older than the first record ---------------------------------------------------------------------

    def want_older(self, wanted: float | None) -> None:
        """Read back, once or until the time that one wants to go to."""
        if not self._reading and self._app.session.monitor is not None:
            self._reading = True
            self._app.begin(partial(self._read_back, self._app.session.monitor, wanted), group="older")

    async def _read_back(self, monitor: Monitor, wanted: float | None) -> None:
        shown, store = self._pane.view, monitor.store
        shown.reading_back(True)
        try:
            while True:
                came = await monitor.read_back(_OLDER)
                if isinstance(came, Failure):
                    self._app.notify(f"nothing older was read: {came.why}", severity="warning", markup=False)
                    return
                shown.take(store)
                first = store.get(store.first)
                if not came or first is None:
                    begin = self._app.session.notation.clock(first.time) if first else ""
                    why = "no more is held at once" if store.full else "the log holds nothing older"
                    self._app.notify(f"{why}: it begins at {begin}", markup=False)
                    return
                if wanted is None or first.time <= wanted:
                    return
        finally:
            self._reading = False
            shown.reading_back(False)

    def followed(self) -> None:
        """One reads the newest lines again: what was read back need not be held."""
        if self._app.session.monitor is not None:
            self._app.session.monitor.store.release_older()

    # --- copies and exports ------------------------------------------------------------------------------------

    def copy(self, records: list[LogRecord], view: View) -> None:
        """Records with their stack traces."""
        from litellm_tui.ui.clipboard import copy
        from litellm_tui.ui.log_export import as_text

        text = "\n".join(as_text(record, view.redact) for record in records)
        copy(self._app, text, f"copied {count(len(records), 'record')}")

    def ask_export(self) -> None:
        """Ask for the file; a name that is free is offered."""
        if self._app.is_web and self._app.session.read_only:
            self._app.say("read-only: nothing is written on the host of the console; y copies")
            return
        stamp = time.strftime("%Y%m%d-%H%M%S")
        self._pane.prompt("export", f"litellm-log-{stamp}.txt")

    def export(self, typed: str, view: View) -> None:
        """Write what the filter lets through, once all of it is found."""
        path = Path(typed)
        self._app.begin(partial(self._export, path, view), group="export", exclusive=True)

    async def _export(self, path: Path, view: View) -> None:
        from litellm_tui.ui.log_export import write

        shown = self._pane.view
        await shown.looked.wait()
        records = shown.records()
        path = await asyncio.to_thread(lambda: path.expanduser().absolute())
        failure = await asyncio.to_thread(partial(write, path, records, view.redact))
        if failure:
            self._app.notify(failure.why, severity="error", timeout=10, markup=False)
        else:
            self._app.notify(f"{count(len(records), 'record')} written to {path}", timeout=10, markup=False)

    # --- filters by name ---------------------------------------------------------------------------------------

    def choose_filter(self, view: View) -> None:
        """Show the filters that were kept."""
        self._app.begin(partial(self._choose_filter, view), group="filters")

    async def _choose_filter(self, view: View) -> None:
        from litellm_tui.storage.filters import SavedFilters
        from litellm_tui.ui.screens.filters import FiltersScreen

        session = self._app.session
        if self._saved is None:
            self._saved = await session.files.run(SavedFilters.of_user) if session.remembers else SavedFilters(None)
        shown = self._pane.view

        def chosen(typed: str | None) -> None:
            if typed is not None:
                self._app.show_pane("logs")
                shown.set_filter(typed)

        self._app.push_screen(FiltersScreen(self._saved, shown.filter.typed, view.redact, session.files), chosen)
