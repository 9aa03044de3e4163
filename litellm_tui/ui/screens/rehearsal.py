"""The rehearsal: what will be started, the question, how far it is, and everything that it has shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from litellm_tui.analysis.phrases import count, shortened
from litellm_tui.model.rehearsal import Rehearsal, RehearsalOutcome
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.screens.question import Question
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.choice import Choice
from litellm_tui.ui.widgets.lines import Lines, Row

_ENDED: Final[dict[RehearsalOutcome, tuple[str, str]]] = {
    "passed": ("passed", "strong"),
    "refused": ("refused", "bad"),
    "not judged": ("not judged", "warn"),
    "not possible": ("not rehearsed", "warn"),
}
_LOG_LINES: Final = 3
_LONGEST: Final = 300


class RehearsalScreen(Question[None]):
    """Opens on Cancel, or has begun already. `start` rehearses and gives `tell` and `take` what comes of it.

    Leaving it ends what was started: `cancel` sees to that.
    """

    YES = "#rehearse"

    def __init__(
        self,
        view: View,
        start: Callable[[RehearsalScreen], None],
        cancel: Callable[[], None],
        *,
        begun: bool = False,
    ) -> None:
        super().__init__()
        self._view, self._start, self._cancel = view, start, cancel
        self._at_once = begun
        self._began = 0.0
        self._stands = ""
        self._done: Rehearsal | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -restart") as box:
            box.border_title = Content("Rehearsal")
            yield Lines(id="dialog-lines")
            with Horizontal(id="dialog-buttons"):
                yield Choice("Cancel", id="cancel")
                yield Choice("Rehearse", id="rehearse")

    def on_mount(self) -> None:
        self.set_interval(0.25, self._tick)
        if self._at_once:
            self._begin()

    # --- what is pressed ---------------------------------------------------------------------------------------

    def action_leave(self) -> None:
        if self._began and self._done is None:
            self._cancel()
        self.dismiss(None)

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    @on(Button.Pressed, "#rehearse")
    def _rehearse_pressed(self) -> None:
        if not self._began and self.could_be_read:
            self._begin()

    def _begin(self) -> None:
        self._began = time.monotonic()
        self.query_one("#rehearse", Button).display = False
        self.label("#cancel", "End it")
        self.query_one("#cancel").focus()
        self.say_how()
        self._start(self)
        self.fill()

    # --- what it shows -----------------------------------------------------------------------------------------

    def tell(self, text: str) -> None:
        """Show how it stands."""
        self._stands = text
        self.fill()

    def take(self, done: Rehearsal) -> None:
        """Show what came of it."""
        self._done = done
        self.label("#cancel", "Close")
        self.query_one(Lines).focus()
        say_below(self, hint_words(("Esc", "close")))
        self.fill()

    def _tick(self) -> None:
        if self._began and self._done is None:
            self.fill()

    def rows(self, width: int) -> list[Row]:
        """The question, how far it is, or the result."""
        if self._done is not None:
            return to_rows(list(result_paragraphs(self._done)), width)
        return to_rows(list(self._progress() if self._began else self._question()), width)

    def _question(self) -> Iterator[Paragraph]:
        profile = self._view.profile
        yield "service", f"{profile.unit.value} ({profile.place})" if profile.unit else "", "strong"
        yield "file", profile.config.value if profile.config else "", "ok"
        yield "", "", ""
        yield "", "The file is started for real, on a spare port of 127.0.0.1, while the gateway goes on serving.", "ok"
        yield (
            "",
            "It takes a second gateway's memory for as long. What would bill, write or tell somebody is left out of "
            "it, and each such thing is named.",
            "quiet",
        )

    def _progress(self) -> Iterator[Paragraph]:
        yield "rehearsal", f"… {self._stands}", "strong"
        yield "total", f"{time.monotonic() - self._began:5.1f} s; the gateway goes on serving", "quiet"


def result_paragraphs(done: Rehearsal) -> Iterator[Paragraph]:
    """Everything that a rehearsal has shown: what came of it and why, then what was seen, a line each."""
    word, style = _ENDED[done.outcome]
    answers = f"answers after {done.ready:.1f} s" if done.ready is not None else ""
    if done.outcome == "passed":
        yield word, "it starts and is proved", style
    else:
        yield word, done.cause, style
        yield "line", str(done.mark) if done.mark else "", "mark"
    yield "", "", ""
    if done.log:
        yield "it said last", "", "head"
        for text in done.log:
            yield from (("", shortened(line, _LONGEST), "ok") for line in text.splitlines()[:_LOG_LINES])
        yield "", "", ""
    yield "start", answers, "ok"
    yield "memory", f"{done.memory / 1e6:.0f} MB" if done.memory else "", "ok"
    yield "LiteLLM", done.version, "ok"
    yield "loaded", count(len(done.loaded), "deployment") if done.loaded or done.ready is not None else "", "ok"
    yield from _each("not loaded", done.dropped, "bad")
    yield from _each("differs", done.differs, "mark")
    if done.outcome == "passed":
        yield from _each("its log warns", done.warnings, "warn")
    for number, probe in enumerate(done.probes):
        said = "answered" if probe.ok else probe.skipped or shortened(probe.error.strip().partition("\n")[0], _LONGEST)
        yield "probes" if not number else " ", f"{probe.group} ({probe.model}): {said}", "ok" if probe.ok else "bad"
    yield from _each("left out", done.left_out, "quiet")
    if done.outcome != "not possible":
        yield "total", f"{done.took:5.1f} s; the gateway went on serving", "quiet"


def _each(name: str, texts: tuple[str, ...], style: str) -> Iterator[Paragraph]:
    for number, text in enumerate(texts):
        yield name if not number else " ", text, style
