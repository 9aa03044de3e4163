"""The load test: how many requests, what that may cost, then its progress, its percentiles and what failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from litellm_tui.actions.load import CONCURRENCY, Report, Sample, summarise
from litellm_tui.actions.probe_cost import is_paid
from litellm_tui.analysis.failures.causes import first_words
from litellm_tui.analysis.phrases import count
from litellm_tui.logs.log_line import clean
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.probe_words import bar
from litellm_tui.ui.screens.run_dialog import RunDialog
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.choice import Choice
from litellm_tui.ui.widgets.lines import Lines, Row

SIZES: Final = (20, 50, 200)
"""How many requests there are to choose from."""
_MOST_NAMES: Final = 5
# cells of a name, of a figure, and of what stands around a bar
_BESIDE_BAR: Final = 30
_LONGEST_BAR: Final = 40


class LoadDialog(RunDialog):
    """Asks first, and opens on Cancel. `start` sends so many requests and gives every sample to `take`, and calls
    `ended` after the last; `cancel` ends that.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("load")
    YES = "#load"

    def __init__(
        self,
        view: View,
        group: str,
        members: Sequence[LoadedDeployment],
        targets: Sequence[LoadedDeployment],
        start: Callable[[LoadDialog, int], None],
        cancel: Callable[[], None],
    ) -> None:
        """`members` are the deployments of the group, `targets` all that its requests may end at."""
        super().__init__(cancel)
        self._view, self._group = view, group
        self._members, self._targets = tuple(members), tuple(targets)
        self._start = start
        self._wanted = SIZES[0]
        self._samples: list[Sample] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -restart") as box:
            box.border_title = Content(clean(f"Load test · {self._group}").replace("\n", " "))
            yield Lines(id="load-lines")
            with Horizontal(id="dialog-buttons"):
                yield Choice("Cancel", id="cancel")
                yield Choice("Send", id="load")

    def on_mount(self) -> None:
        self.set_interval(0.25, self._tick)

    # --- what is pressed ---------------------------------------------------------------------------------------

    def say_how(self, wrong: str = "") -> None:
        """The keys that do something now."""
        if self._began is None:
            sizes = [(str(number), str(size)) for number, size in enumerate(SIZES, start=1)]
            words = hint_words(*sizes, ("y", "send"), ("n", "leave"))
        elif self._is_running:
            words = hint_words(("Esc", "stop"))
        else:
            words = hint_words(("r", "repeat"), ("Esc", "close"))
        say_below(self, wrong or words)

    def action_choose(self, number: int) -> None:
        """Send so many."""
        if self._began is None:
            self._wanted = SIZES[number - 1]
            self.fill()

    @on(Button.Pressed, "#load")
    def _load_pressed(self) -> None:
        if not self.could_be_read or self._began is not None:
            return
        self._began = time.monotonic()
        self.query_one("#load", Button).display = False
        self.label("#cancel", "Stop")
        self.query_one("#cancel").focus()
        self.say_how()
        self._start(self, self._wanted)
        self.fill()

    def action_repeat(self) -> None:
        """The question again: what it sends may cost again."""
        if self._ended is not None:
            self.forget()
            self._samples.clear()
            self.ask_again()

    # --- what happens ------------------------------------------------------------------------------------------

    def take(self, sample: Sample) -> None:
        """Count one request."""
        if self._is_running:
            self._samples.append(sample)

    # --- what is shown -----------------------------------------------------------------------------------------

    def rows(self, width: int) -> list[Row]:
        """The question, or the figures as they are now."""
        if self._began is None:
            return to_rows(self._question(), width)
        return to_rows(list(self._figures(min(_LONGEST_BAR, max(8, width - _BESIDE_BAR)))), width)

    def _question(self) -> list[Paragraph]:
        paid = list(dict.fromkeys(row.model for row in self._targets if is_paid(row)))
        more = f" and {len(paid) - _MOST_NAMES} more" if len(paid) > _MOST_NAMES else ""
        billed = f"may be billed: {', '.join(map(clean, paid[:_MOST_NAMES]))}{more}" if paid else ""
        return [
            ("group", clean(self._group), "strong"),
            ("requests", f"{self._wanted}, {CONCURRENCY} at a time", "strong"),
            ("paid", billed, "warn"),
            ("free", "" if paid else "all that they may end at is on this machine", "quiet"),
            ("", "", ""),
            (
                "",
                "As its clients ask: fallbacks, retries and the cache are on, and each has a prompt of its own.",
                "ok",
            ),
        ]

    def _figures(self, cells: int) -> Iterator[Paragraph]:
        assert self._began is not None
        took = (self._ended or time.monotonic()) - self._began
        report = summarise(self._samples, took, {row.id for row in self._members})
        dot = f" {self._view.signs.dot} "
        state = "cancelled" if self._cancelled else "" if self._is_running else "done"
        if state == "done" and report.requests < self._wanted:
            state = "ended early"
        sent = f"{report.requests} of {count(self._wanted, 'request')}"
        yield "progress", bar(report.requests, self._wanted, cells), "strong"
        yield " ", dot.join(filter(None, (sent, f"{took:.1f} s", state))), "strong"
        yield "answered", f"{report.answered}{dot}{report.rate:.1f} a second", "ok"
        yield "failed", str(report.failed), "bad" if report.failed else "quiet"
        yield "", "", ""
        times = (("p50", report.p50), ("p95", report.p95), ("p99", report.p99), ("slowest", report.slowest))
        for name, value in times:
            figure = f"{value:6.2f} s  {bar(value, report.slowest or 0.0, cells)}" if value is not None else "     -"
            yield name, figure, "ok"
        yield from self._more(report)

    def _more(self, report: Report) -> Iterator[Paragraph]:
        yield "", "", ""
        others = ", ".join(f"{name} {number}" for name, number in report.groups.items())
        by = f" (answers by group: {clean(others)})" if others else ""
        yield "fallbacks", f"gave {count(report.fallbacks, 'answer')}{by}" if report.fallbacks else "", "warn"
        yield "retries", f"{report.retries} before answers" if report.retries else "", "warn"
        yield "cache hits", str(report.cache_hits) if report.cache_hits else "", "ok"
        known = {row.id: row.model for row in self._targets}
        for number, (id_, answers) in enumerate(report.shares.items()):
            share = f"{100 * answers / max(1, report.answered):3.0f} %  {clean(known.get(id_, id_[:8]))}"
            yield "shares" if not number else " ", share, "quiet"
        for error in report.errors:
            text = clean(f"{error.cause}: {first_words(self._view.redact(error.example))}").replace("\n", " ")
            yield f"{error.count} failed", text, "bad"
            yield " ", error.do, "quiet"
