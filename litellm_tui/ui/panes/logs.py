"""The log pane: the live tail, with a line to type a filter or a search into."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from litellm_tui.analysis.phrases import count
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.logview import LogView


class _Prompt(Input):
    """Where a filter or a search is typed; Escape leaves it and takes back what was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "abandon", show=False)]

    def __init__(self) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self.purpose = "filter"
        self.display = False
        # a blinking cursor costs 3.6 KB a second
        self.cursor_blink = False

    def action_abandon(self) -> None:
        self.value = ""
        self.post_message(self.Submitted(self, ""))


class Logs(Pane):
    """The unit's journal, live."""

    number, name_shown = 2, "Logs"
    view: LogView

    def __init__(self) -> None:
        super().__init__()
        self._prompt = _Prompt()

    def compose(self) -> ComposeResult:
        yield self.view
        yield self._prompt

    def make_lines(self) -> LogView:
        self.view = LogView()
        return self.view

    def draw(self, view: View) -> None:
        self.view.clock = view.clock
        self.view.take(view.store)
        log = view.snapshot.log
        self._source_words = _source_words(view)
        self.set_class(log.state in ("ended", "off"), "-stale")
        self._describe()

    _source_words = ""

    @on(LogView.Changed)
    def _describe(self) -> None:
        shown = self.view
        words = ["following" if shown.following else f"paused, {count(shown.unseen, 'new line')}"]
        words.append("all levels" if shown.level == "DEBUG" else f"level ≥ {shown.level.lower()}")
        if shown.filter:
            words.append(f"filter {shown.filter.typed}" + (f" ({shown.filter.error})" if shown.filter.error else ""))
        if shown.sought:
            words.append(f"search {shown.sought.typed}")
        if shown.hidden_polling:
            words.append("polling hidden")
        title = self._words(f"2 Logs · {' · '.join(words)}")
        if self.border_title != title:
            self.border_title = title
        self._subtitle(self._source_words)

    def prompt(self, purpose: str) -> None:
        """Open the line for typing a `filter` or a `search`; what is typed from now on goes there."""
        prompt = self._prompt
        prompt.purpose = purpose
        prompt.placeholder = f"{purpose}: text, or ~regex"
        prompt.value = self.view.filter.typed if purpose == "filter" else self.view.sought.typed
        prompt.cursor_position = len(prompt.value)
        prompt.display = True
        # at once: focus() waits its turn, and the next key would still go to the pane
        self.screen.set_focus(prompt)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if isinstance(event.input, _Prompt) and event.input.display:
            self._apply(event.input.purpose, event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if isinstance(event.input, _Prompt):
            self._apply(event.input.purpose, event.value)
            if event.input.purpose == "search" and event.value:
                self.view.action_next_match(-1)
            self.screen.set_focus(self.view)
            event.input.display = False

    def _apply(self, purpose: str, typed: str) -> None:
        if purpose == "filter":
            self.view.set_filter(typed)
        else:
            self.view.search(typed)


def _source_words(view: View) -> str:
    log = view.snapshot.log
    if log.state == "ended":
        return f"the tail ended: {log.failure.why if log.failure else ''}; trying again"
    if log.state == "off":
        return log.failure.why if log.failure else "no log"
    if log.hint and log.last < 0:
        return f"nothing to see: {log.hint}"
    return log.source if not log.hint else f"{log.source} · {log.hint}"
