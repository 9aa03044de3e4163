"""The restart dialog: what will happen, the question, the progress, the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from litellm_tui.actions.restart import STEPS, Outcome, Step
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Lines

# keys that come within this time of the dialog's opening were typed, or pasted, before it could be read
DEAF_SECONDS: Final = 0.4


class RestartDialog(ModalScreen[None]):
    """Opens on Cancel. Closing it while the restart runs leaves the restart running."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("left,right,up,down", "other_button", show=False),
    ]

    def __init__(self, view: View, start: Callable[[RestartDialog], None], log: Callable[[], list[str]]) -> None:
        super().__init__()
        self._view = view
        self._start = start
        self._log = log
        self._opened = time.monotonic()
        self._broken = view.snapshot.configuration.error
        self._insisted = False
        self._steps: dict[str, Step] = {}
        self._began = 0.0
        self._outcome: Outcome | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content("Restart")
            yield Lines(id="dialog-lines")
            with Horizontal(id="dialog-buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                label = "Restart anyway" if self._broken else "Restart"
                yield Button(label, id="restart", compact=True, variant="error" if self._broken else "default")

    def on_mount(self) -> None:
        self.query_one("#cancel").focus()
        self.call_after_refresh(self._fill)
        self.set_interval(0.25, self._tick)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    # --- the question ------------------------------------------------------------------------------------------

    def action_close(self) -> None:
        self.dismiss(None)

    def action_other_button(self) -> None:
        self.focus_next()

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#restart")
    def _restart(self) -> None:
        if time.monotonic() - self._opened < DEAF_SECONDS:
            return
        if self._broken and not self._insisted:
            self._insisted = True
            self.query_one("#restart", Button).label = "Press again"
            self._fill()
            return
        self._began = time.monotonic()
        self.query_one("#restart", Button).display = False
        self.query_one("#cancel", Button).label = "Hide (it goes on)"
        self.query_one("#cancel").focus()
        self._start(self)
        self._fill()

    # --- the progress ------------------------------------------------------------------------------------------

    def take(self, event: Step | Outcome) -> None:
        """Show one event of the restart."""
        if isinstance(event, Outcome):
            self._outcome = event
            self.query_one("#cancel", Button).label = "Close"
        else:
            self._steps[event.name] = event
        self._fill()

    def _tick(self) -> None:
        if self._began and self._outcome is None:
            self._fill()

    def _fill(self) -> None:
        lines = self.query_one(Lines)
        if lines.room:
            paragraphs = self._progress() if self._began else self._question()
            lines.show(to_rows(paragraphs, lines.room))

    def _question(self) -> list[Paragraph]:
        profile, service = self._view.profile, self._view.snapshot.service.value
        drift = self._view.diagnosis.drift
        unit = f"{profile.unit.value} ({profile.scope})" if profile.unit else ""
        state = f"{service.active_state} ({service.sub_state})" if service else "not known"
        paragraphs: list[Paragraph] = [("unit", unit, "strong"), ("state", state, "ok")]
        if self._broken:
            paragraphs.append(("file", f"does not parse: {self._broken}", "bad"))
            paragraphs.append(
                ("", "LiteLLM would not start with it, and the gateway would be down until it is mended.", "bad")
            )
        elif self._view.snapshot.configuration.current:
            paragraphs.append(("file", f"{self._view.snapshot.configuration.path} parses", "ok"))
            paragraphs += _changes(drift)
        else:
            paragraphs.append(("file", "not known: what will be loaded cannot be said", "unknown"))
        paragraphs.append(("", "", ""))
        paragraphs.append(("", "Requests in flight are cut off; new ones are refused until it answers again.", "quiet"))
        if self._insisted:
            paragraphs.append(("", "Press again to restart into the broken file.", "bad"))
        return paragraphs

    def _progress(self) -> list[Paragraph]:
        paragraphs: list[Paragraph] = []
        for name in STEPS:
            step = self._steps.get(name)
            if step is None:
                paragraphs.append((name, "-", "quiet"))
            elif step.took is None:
                running = "…" if self._outcome is None else "not reached"
                paragraphs.append((name, running, "strong" if self._outcome is None else "bad"))
            else:
                paragraphs.append((name, f"{step.took:.1f} s  {step.detail}", "ok"))
        took = self._outcome.took if self._outcome else time.monotonic() - self._began
        paragraphs.append(("total", f"{took:.1f} s", "quiet"))
        if self._outcome:
            paragraphs.append(("", "", ""))
            paragraphs.append(("result", self._outcome.text, "strong" if self._outcome.ok else "bad"))
            if not self._outcome.ok:
                paragraphs.append(("the log says", "", "head"))
                paragraphs += [("", line, "ok") for line in self._log()]
        return paragraphs


def _changes(drift: Sequence[str]) -> list[Paragraph]:
    """One change a line, and how many more there are."""
    if not drift:
        return [("changes", "nothing differs from what runs", "quiet")]
    shown: list[Paragraph] = [(" " if number else "changes", change, "mark") for number, change in enumerate(drift[:6])]
    if len(drift) > 6:
        shown.append((" ", f"and {len(drift) - 6} more", "mark"))
    return shown
