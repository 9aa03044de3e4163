"""The probe dialog: what will be asked and what that may cost, then a line per deployment as results come in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from msgspec.structs import replace
from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from litellm_tui.actions.probe import Asking, Done, Event, Started
from litellm_tui.actions.probe_cost import calls_needed, is_paid
from litellm_tui.actions.probe_request import MAX_TOKENS
from litellm_tui.analysis.failures.causes import first_words, name_cause
from litellm_tui.analysis.phrases import count
from litellm_tui.logs.log_line import clean
from litellm_tui.model.diagnosis import Deployment
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.screens.question import Question
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.choice import Choice
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell


class ProbeDialog(Question[None]):
    """Starts at once unless more than one paid deployment is meant; then it asks, and opens on Cancel.

    `start` runs `actions.probe` on what it is handed and gives every event to `take`; `cancel` ends that. Each result
    goes on to `on_result`. Escape cancels what runs and keeps the results; the next one closes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
    ]
    YES = "#probe"

    def __init__(
        self,
        view: View,
        deployments: Sequence[Deployment],
        start: Callable[[ProbeDialog, Sequence[LoadedDeployment]], None],
        *,
        on_result: Callable[[ProbeResult], None],
        cancel: Callable[[], None],
    ) -> None:
        super().__init__()
        self._view = view
        self._deployments = tuple(deployments)
        # the group that the console shows: 1.77 lists an alias before it
        self._loaded = tuple(replace(row.loaded, group=row.group) for row in deployments if row.loaded)
        self._calls = calls_needed(self._loaded)
        self._start, self._cancel, self._on_result = start, cancel, on_result
        self._began: float | None = None
        self._ended: float | None = None
        self._cancelled = False
        self._asking: set[str] = set()
        self._results: dict[str, ProbeResult] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content("Probe")
            yield Lines(id="probe-lines")
            with Horizontal(id="dialog-buttons"):
                yield Choice("Cancel", id="cancel")
                yield Choice("Probe", id="probe")

    def on_mount(self) -> None:
        self.set_interval(0.5, self._tick)
        if not self._calls.wants_consent:
            # when it has the focus that a question wants
            self.call_later(self._begin)

    # --- what is pressed ---------------------------------------------------------------------------------------

    @property
    def _is_running(self) -> bool:
        return self._began is not None and self._ended is None

    def action_leave(self) -> None:
        if not self._is_running:
            self.dismiss(None)
            return
        self._cancelled = True
        self._cancel()
        self._end()

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_leave()

    @on(Button.Pressed, "#probe")
    def _probe_pressed(self) -> None:
        if self.could_be_read:
            self._begin()

    @on(Lines.Opened)
    def _open(self, event: Lines.Opened) -> None:
        event.stop()
        row = next((row for row in self._deployments if row.key == event.key), None)
        if row is not None:
            self.app.push_screen(Sheet(f"{row.group} · {row.model}", lambda: list(self._in_full(row))))

    # --- what happens ------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._began is not None:
            return
        self._began = time.monotonic()
        self.query_one("#probe", Button).display = False
        self.say_how()
        # its rows are what there is to choose from now
        self.query_one(Lines).focus()
        self._start(self, self._loaded)
        self.fill()

    def take(self, event: Event) -> None:
        """Show one event of the probe, and hand a result on."""
        if self._cancelled:
            return
        if isinstance(event, Asking):
            self._asking.add(event.deployment)
        elif isinstance(event, ProbeResult):
            self._asking.discard(event.deployment)
            self._results[event.deployment] = event
            self._on_result(event)
        elif isinstance(event, Done):
            self._end()
        else:
            assert isinstance(event, Started)
        self.fill()

    def _end(self) -> None:
        self._ended = time.monotonic()
        self._asking.clear()
        self.label("#cancel", "Close")
        self.fill()

    def _tick(self) -> None:
        if self._is_running:
            self.fill()

    # --- what is shown -----------------------------------------------------------------------------------------

    def rows(self, width: int) -> list[Row]:
        """The question, and what came of it once it is answered."""
        return self._progress(width) if self._began is not None else to_rows(self._question(), width)

    def _question(self) -> list[Paragraph]:
        calls = self._calls
        paid = list(dict.fromkeys(row.model for row in self._loaded if is_paid(row)))
        more = f" and {len(paid) - 8} more" if len(paid) > 8 else ""
        skipped = len(self._deployments) - calls.total
        return [
            ("calls", f"{calls.total}, one to each deployment", "strong"),
            ("paid", f"{calls.paid}: {', '.join(map(clean, paid[:8]))}{more}", "warn"),
            ("free", f"{calls.free}, to this machine or a private address", "quiet"),
            ("not asked", f"{skipped}: each with its reason in the list" if skipped else "", "quiet"),
            ("", "", ""),
            (
                "",
                f"Fallbacks, retries and the cache are off: each answers for itself, {MAX_TOKENS} tokens at most.",
                "quiet",
            ),
        ]

    def _progress(self, room: int) -> list[Row]:
        rows = [Row(((f" {self._summary()}", "strong"),))]
        groups = min(max((cell_len(row.group) for row in self._deployments), default=0), room // 4)
        models = min(max((cell_len(row.model) for row in self._deployments), default=0), room // 3)
        for row in self._deployments:
            sign, words, style = self._told(row)
            left: list[Span] = [
                (f" {sign} ", style),
                (f"{cell(clean(row.group), groups)}  ", "ok"),
                (f"{cell(clean(row.model), models)}  ", "quiet"),
            ]
            wide = max(1, room - groups - models - 8)
            rows.append(Row((*left, (cell(clean(words), wide, ellipsis=self._view.signs.ellipsis), style)), row.key))
        return rows

    def _summary(self) -> str:
        results = self._results.values()
        answered, failed = sum(r.ok for r in results), sum(bool(r.error) for r in results)
        took = (self._ended or time.monotonic()) - (self._began or 0.0)
        parts = [f"{answered + failed} of {count(self._calls.total, 'call')}", f"{answered} answered"]
        parts += [f"{failed} failed"] if failed else []
        parts += ["cancelled"] if self._cancelled else []
        parts.append(f"{took:.1f} s")
        return f" {self._view.signs.dot} ".join(parts)

    def _told(self, row: Deployment) -> tuple[str, str, str]:
        """`(sign, words, style)` of one line."""
        states = self._view.signs.states
        if row.loaded is None:
            return "-", "not asked: the proxy has not loaded it", "quiet"
        result = self._results.get(row.loaded.id)
        if result is None:
            asked = row.loaded.id in self._asking
            waiting = "not asked" if self._cancelled else "waits"
            return (states["unknown"], "asking", "strong") if asked else (states["unknown"], waiting, "unknown")
        if result.skipped:
            return "-", f"not asked: {result.skipped}", "quiet"
        took = f"{result.took:5.2f} s"
        if result.ok:
            first = f"  first token {result.first_token:.2f} s" if result.first_token is not None else ""
            return states["serving"], f"{took}{first}", "ok"
        cause = "gateway" if result.by_gateway else name_cause(result.error).name
        return states["failing"], f"{took}  {cause}: {first_words(self._view.redact(result.error))}", "bad"

    def _in_full(self, row: Deployment) -> Iterator[Paragraph]:
        result = self._results.get(row.loaded.id) if row.loaded else None
        _, words, style = self._told(row)
        yield "probe", words if result is None or result.skipped else "answered" if result.ok else "failed", style
        yield "group", clean(row.group), "ok"
        yield "model", clean(row.model), "ok"
        yield "api_base", clean(row.api_base or ""), "ok"
        yield "id", row.loaded.id if row.loaded else "", "quiet"
        if result is None or result.skipped:
            return
        yield "asked at", self._view.clock(result.asked_at), "quiet"
        yield "took", f"{result.took:.2f} s", "quiet"
        yield "first token", f"{result.first_token:.2f} s" if result.first_token is not None else "", "quiet"
        yield "endpoint", result.endpoint + (", streamed" if result.stream else ""), "quiet"
        yield "status", f"HTTP {result.status}" if result.status else "no answer", "quiet"
        if result.error:
            cause = name_cause(result.error)
            yield "cause", "the gateway, not the deployment" if result.by_gateway else cause.name, "bad"
            yield "next", "" if result.by_gateway else cause.do, "strong"
            yield "", "", ""
            yield "error", "", "head"
            yield "", clean(self._view.redact(result.error)), "ok"
