"""The drill dialog: what will be asked and what that may cost, the question, each step's result."""

from __future__ import annotations

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from litellm_tui.actions.drill import Answer, Asking, Event, Outcome, Plan
from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.phrases import count
from litellm_tui.logs.log_line import clean
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.screens.question import Question
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.choice import Choice
from litellm_tui.ui.widgets.lines import Lines, Row

_WHY = {
    "general": "fails on purpose",
    "context window": "says that the prompt is too long",
    "content policy": "refuses the content",
}


class DrillDialog(Question[None]):
    """Opens on Cancel. `start` runs `actions.drill` and gives every event to `take`; `cancel` ends that."""

    YES = "#drill"

    def __init__(
        self, view: View, plan: Plan, start: Callable[[DrillDialog], None], cancel: Callable[[], None]
    ) -> None:
        super().__init__()
        self._view, self._plan = view, plan
        self._start, self._cancel = start, cancel
        self._began = False
        self._events: list[Asking | Answer] = []
        self._outcome: Outcome | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Drill")
            yield Lines(id="dialog-lines")
            with Horizontal(id="dialog-buttons"):
                yield Choice("Cancel", id="cancel")
                yield Choice("Drill", id="drill")

    # --- what is pressed ---------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        if self._began and self._outcome is None:
            self._cancel()
        self.dismiss(None)

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    @on(Button.Pressed, "#drill")
    def _drill_pressed(self) -> None:
        if self._began or not self.could_be_read:
            return
        self._began = True
        self.query_one("#drill", Button).display = False
        self.query_one("#cancel").focus()
        self.say_how()
        self._start(self)
        self.fill()

    # --- what it shows -----------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Show one event of the drill."""
        if isinstance(event, Outcome):
            self._outcome = event
            self.label("#cancel", "Close")
        elif isinstance(event, Answer):
            # the answer stands in the place of its question
            self._events = [e for e in self._events if not (isinstance(e, Asking) and e.target == event.target)]
            self._events.append(event)
        else:
            self._events.append(event)
        self.fill()

    def rows(self, width: int) -> list[Row]:
        """The question, or how far it is."""
        return to_rows(self._progress() if self._began else self._question(), width)

    def _question(self) -> list[Paragraph]:
        plan, arrow = self._plan, self._view.signs.arrow
        calls, paid = len(plan.targets), len(plan.paid)
        billed = f"{paid} of them may be billed: {', '.join(plan.paid)}" if paid else "none of them is billed"
        return [
            ("chain", f" {arrow} ".join((plan.source, *plan.targets)), "strong"),
            ("kind", plan.kind, "quiet"),
            ("ghosts", ", ".join(plan.ghosts), "bad"),
            ("calls", f"at most {count(calls, 'call')} to models; {billed}", "warn" if paid else "ok"),
            ("", "", ""),
            ("", f"One request for {plan.source}, which {_WHY[plan.kind]}: who answers it is shown.", "ok"),
            ("", "Where the gateway refuses that, each target is asked once by itself.", "ok"),
            ("", "Other requests are not touched.", "quiet"),
        ]

    def _progress(self) -> list[Paragraph]:
        paragraphs = [self._step(event) for event in self._events]
        if self._outcome:
            paragraphs.append(("", "", ""))
            paragraphs.append(("result", self._outcome.text, "strong" if self._outcome.ok else "bad"))
            if self._outcome.setting:
                paragraphs.append(("to drill", f"set {self._outcome.setting}, and restart", "ok"))
        return paragraphs

    def _step(self, event: Asking | Answer) -> Paragraph:
        name = event.target if event.alone else "drill"
        if isinstance(event, Asking):
            return name, "asked", "quiet"
        if event.ok:
            alone = "answered" if event.alone else f"answered by {event.served_by}"
            return name, f"{alone} in {event.took:.1f} s ({event.deployment[:12]})", "ok"
        if event.refused:
            return name, "the gateway does not permit it (HTTP 400)", "warn"
        return name, first_words(clean(self._view.redact(event.error))), "bad"
