"""The log pane: the live tail, with a line to type a filter, a search, a time or a file's name into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Input

from litellm_tui.analysis.health.coverage import unread_lines
from litellm_tui.analysis.phrases import count
from litellm_tui.model.diagnosis import Deployment
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.log_prompt import LogPrompt, Purpose
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.panes.registry import PaneEntry
from litellm_tui.ui.view import View, utc_clock
from litellm_tui.ui.widgets.log_view import LogView


class Logs(Pane):
    """The unit's journal, live."""

    large = True
    view: LogView

    class Export(Message):
        """What is shown is to be written to this file."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    class OpenRecord(Message):
        """The record of this sequence is to be shown in full."""

        def __init__(self, sequence: int) -> None:
            super().__init__()
            self.sequence = sequence

    def __init__(self, entry: PaneEntry, pace: Pace | None = None) -> None:
        super().__init__(entry, pace)
        self._prompt = LogPrompt()

    def compose(self) -> ComposeResult:
        yield self.view
        yield self._prompt

    def make_lines(self) -> LogView:
        self.view = LogView(self.pace)
        return self.view

    @property
    def in_parts(self) -> bool:
        return self.view.is_in_parts

    @property
    def wanted(self) -> int:
        return 0

    @property
    def opens(self) -> bool:
        # the cursor is put on the newest record in sight
        return True

    def draw(self, view: View) -> None:
        if view.clock is not self.view.clock:
            self.view.clock, self.view.utc = view.clock, view.clock is utc_clock
            self.view.refresh()
        if view.diagnosis.deployments is not self._deployments:
            self._deployments = view.diagnosis.deployments
            self.view.reads.groups = _groups(self._deployments)
        self.view.take(view.store)
        log = view.snapshot.log
        self._source_words = _source_words(view)
        self.set_class(log.state in ("ended", "off"), "-stale")
        self._describe()

    _source_words = ""
    _deployments: tuple[Deployment, ...] = ()

    @on(LogView.Changed)
    def _describe(self) -> None:
        self._title(f"{self.entry.label} · {' · '.join(self._state())}")
        if self._prompt.display and self._prompt.purpose in ("filter", "search"):
            shown = self.view
            self._prompt.show_error(
                shown.filter.error if self._prompt.purpose == "filter" else shown.sought.error, self._words
            )
        self._subtitle(self._source_words)

    def _state(self) -> Iterator[str]:
        shown = self.view
        yield "following" if shown.following else f"paused, {count(shown.unseen, 'new line')}"
        # what somebody looks for is not what the frame's end may cut off
        if shown.filter or shown.filter.error:
            yield f"filter {shown.filter.typed}" + (f" ({shown.filter.error})" if shown.filter.error else "")
        if shown.sought:
            found = f": {shown.matches}" if shown.matches else ""
            yield f"search {shown.sought.typed}{found}" + (f" ({shown.sought.error})" if shown.sought.error else "")
        yield "requests" if shown.reading else "lines"
        if shown.is_reading_back:
            yield "reading what is older"
        yield "all levels" if shown.level == "DEBUG" else f"level ≥ {shown.level.lower()}"
        if not shown.settled and shown.share < 1:
            yield f"looking: {int(100 * shown.share)} %"
        elif shown.seeking:
            yield f"looking for {shown.seeking}"
        if shown.marks:
            yield count(len(shown.marks), "mark")
        if shown.utc:
            yield "UTC"
        if shown.hidden_polling:
            yield "polling hidden"

    @on(LogView.Opened)
    def _open(self, event: LogView.Opened) -> None:
        event.stop()
        self.post_message(self.OpenRecord(int(event.key)))

    # --- what is typed -----------------------------------------------------------------------------------------

    def prompt(self, purpose: Purpose, value: str = "") -> None:
        """Open the line for typing; what is typed from now on goes there."""
        known = {"filter": self.view.filter.typed, "search": self.view.sought.typed}
        self._prompt.ask(purpose, known.get(purpose, value))

    def answer(self, purpose: Purpose, typed: str) -> None:
        """As if this had been typed there, and Enter been pressed."""
        self.prompt(purpose, typed)
        self._answer(typed)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._prompt.display:
            self._apply(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self._answer(event.value)

    def _answer(self, typed: str) -> None:
        purpose = self._prompt.purpose
        self._apply(typed)
        if purpose == "jump" and (error := self.view.jump_to(typed)):
            self._prompt.refuse(error, self._words)
            return
        self._close()
        if purpose == "search" and typed:
            self.view.action_next_match(-1)
        if purpose == "export" and typed.strip():
            self.post_message(self.Export(typed.strip()))

    @on(LogPrompt.Abandoned)
    def _abandoned(self) -> None:
        self._apply("")
        self._close()

    def _apply(self, typed: str) -> None:
        if self._prompt.purpose == "filter":
            self.view.set_filter(typed)
        elif self._prompt.purpose == "search":
            self.view.search(typed)
        else:
            self._prompt.show_error("")

    def _close(self) -> None:
        self.screen.set_focus(self.view)
        self._prompt.display = False


def _groups(deployments: Iterable[Deployment]) -> dict[str, str]:
    """The group of each model that stands in one group only: the router's lines name the model."""
    found: dict[str, set[str]] = {}
    for row in deployments:
        found.setdefault(row.model, set()).add(row.group)
    return {model: next(iter(groups)) for model, groups in found.items() if len(groups) == 1}


def _source_words(view: View) -> str:
    log = view.snapshot.log
    if log.state == "ended":
        return f"the tail ended: {log.failure.why if log.failure else ''}; trying again"
    if log.state == "off":
        return log.failure.why if log.failure else "no log"
    if log.hint and log.last < 0:
        return f"nothing to see: {log.hint}"
    return " · ".join(filter(None, (log.source, log.hint, unread_lines(log))))
