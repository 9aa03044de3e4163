"""The probe dialog: what will be asked and what that may cost, then a line per deployment as results come in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Final, NamedTuple

from msgspec.structs import replace
from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from litellm_tui.actions.probe import Asking, Done, Event, Started
from litellm_tui.actions.probe_cost import calls_needed, is_paid
from litellm_tui.actions.probe_request import MAX_TOKENS
from litellm_tui.analysis.failures.causes import name_cause
from litellm_tui.analysis.phrases import count
from litellm_tui.logs.log_line import clean
from litellm_tui.model.diagnosis import Deployment
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.probe import ProbeResult
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.probe_words import bar, error_words
from litellm_tui.ui.screens.run_dialog import RunDialog
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.choice import Choice
from litellm_tui.ui.widgets.head import Head
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell

_LONGEST_BAR: Final = 24
_LEAST_HEIGHT: Final = 10


class _Choice(NamedTuple):
    """Some of the deployments, by a word for the frame and words for the question."""

    name: str
    words: str
    rows: tuple[Deployment, ...]


def _choices(deployments: Sequence[Deployment]) -> tuple[_Choice, ...]:
    """All of them, those that fail, and those that bill nothing; nothing where these are the same."""
    every = tuple(deployments)
    failing = tuple(row for row in every if row.verdict.severity in ("bad", "warn"))
    free = tuple(row for row in every if row.loaded is not None and not is_paid(row.loaded))
    if all(len(some) in (0, len(every)) for some in (failing, free)):
        return ()
    return (
        _Choice("all", "all", every),
        _Choice("failing", "failing only", failing),
        _Choice("free", "free only, local models", free),
    )


class ProbeDialog(RunDialog):
    """Starts at once unless more than one paid deployment is meant; then it asks, and opens on Cancel. With `choose` it
    also asks which of them are meant, where there is a choice: all, those that fail, or those that bill nothing.

    `start` runs `actions.probe` on what it is handed and gives every event to `take`; `cancel` ends that. Each result
    goes on to `on_result`.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("probe")
    YES = "#probe"

    def __init__(
        self,
        view: View,
        deployments: Sequence[Deployment],
        start: Callable[[ProbeDialog, Sequence[LoadedDeployment]], None],
        *,
        on_result: Callable[[ProbeResult], None],
        cancel: Callable[[], None],
        choose: bool = False,
    ) -> None:
        super().__init__(cancel)
        self._view = view
        self._choices = _choices(deployments) if choose else ()
        self._choice = 0
        self._mean(deployments)
        self._start, self._on_result = start, on_result
        self._asking: set[str] = set()
        self._results: dict[str, ProbeResult] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content("Probe")
            yield Head(id="probe-summary")
            yield Head(id="probe-head")
            yield Lines(id="probe-lines")
            with Horizontal(id="dialog-buttons"):
                yield Choice("Cancel", id="cancel")
                yield Choice("Probe", id="probe")

    def on_mount(self) -> None:
        self.set_interval(0.5, self._tick)
        if not self._asks:
            # when it has the focus that a question wants
            self.call_later(self._begin)

    def _mean(self, deployments: Sequence[Deployment]) -> None:
        self._deployments = tuple(deployments)
        # the group that the console shows: 1.77 lists an alias before it
        self._loaded = tuple(replace(row.loaded, group=row.group) for row in deployments if row.loaded)
        self._calls = calls_needed(self._loaded)

    @property
    def _asks(self) -> bool:
        return self._calls.wants_consent or len(self._choices) > 1

    # --- what is pressed ---------------------------------------------------------------------------------------

    def action_choose(self, number: int) -> None:
        """Mean these of them, and not the others."""
        if self._began is None and number <= len(self._choices) and self._choices[number - 1].rows:
            self._choice = number - 1
            self._mean(self._choices[self._choice].rows)
            self.fill()

    def action_repeat(self) -> None:
        """Ask the same ones again; where that costs, it is asked about again."""
        if self._ended is None:
            return
        self.forget()
        self._results.clear()
        if self._calls.wants_consent:
            self.ask_again()
        else:
            self._begin()

    def say_how(self, wrong: str = "") -> None:
        """The keys that do something now."""
        if self._began is None:
            chosen = [(str(number), choice.name) for number, choice in enumerate(self._choices, start=1)]
            words = hint_words(*chosen, ("y", "probe"), ("n", "leave"))
        elif self._is_running:
            words = hint_words(("Enter", "detail"), ("Esc", "stop"))
        else:
            words = hint_words(("Enter", "detail"), ("r", "repeat"), ("Esc", "close"))
        say_below(self, wrong or words)

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
        self.query_one("#probe-lines").focus()
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
            self.ended()
        else:
            assert isinstance(event, Started)
        self.fill()

    def ended(self) -> None:
        """No more results come."""
        self._asking.clear()
        super().ended()

    def fill(self) -> None:
        begun = self._began is not None
        room = next((lines.room for lines in self.query("#probe-lines").results(Lines)), 0)
        for head in self.query(Head):
            head.display = begun
            if begun and room:
                # it has no size of its own yet, where it was hidden
                head.show([self._summary_row() if head.id == "probe-summary" else self._names(room)])
        super().fill()
        for box in self.query(".sheet"):
            # as high as what is in it: frame, heads and buttons are around it
            needed = sum(lines.height_of_all for lines in self.query(Lines)) + 3
            box.styles.max_height = max(needed, _LEAST_HEIGHT)

    # --- what is shown -----------------------------------------------------------------------------------------

    def rows(self, width: int) -> list[Row]:
        """The question, and what came of it once it is answered."""
        return self._progress(width) if self._began is not None else to_rows(self._question(), width)

    def _question(self) -> list[Paragraph]:
        calls, choices = self._calls, self._choices
        paid = list(dict.fromkeys(row.model for row in self._loaded if is_paid(row)))
        more = f" and {len(paid) - 8} more" if len(paid) > 8 else ""
        skipped = len(self._deployments) - calls.total
        asked = [("which" if not n else " ", self._choice_words(n), self._choice_style(n)) for n in range(len(choices))]
        return [
            *asked,
            *([("", "", "")] if asked else []),
            ("calls", f"{calls.total}, one to each deployment", "strong"),
            ("paid", f"{calls.paid}: {', '.join(map(clean, paid[:8]))}{more}" if calls.paid else "", "warn"),
            ("free", f"{calls.free}, to this machine or a private address", "quiet"),
            ("not asked", f"{skipped}: each with its reason in the list" if skipped else "", "quiet"),
            ("", "", ""),
            (
                "",
                f"Fallbacks, retries and the cache are off: each answers for itself, {MAX_TOKENS} tokens at most.",
                "quiet",
            ),
        ]

    def _choice_words(self, number: int) -> str:
        choice = self._choices[number]
        calls = calls_needed([row.loaded for row in choice.rows if row.loaded])
        billed = f", {calls.paid} paid" if calls.paid else ", none paid" if calls.total else ""
        mark = self._view.signs.states["serving" if number == self._choice else "idle"]
        return f"{mark} {number + 1} {choice.words}: {count(calls.total, 'call')}{billed}"

    def _choice_style(self, number: int) -> str:
        return "strong" if number == self._choice else "ok" if self._choices[number].rows else "quiet"

    def _summary_row(self) -> Row:
        return Row(((f" {self._summary()}", "strong"),))

    def _columns(self, room: int) -> tuple[int, int, int]:
        """Cells of the group, of the model, and of the bar."""
        groups = min(max((cell_len(row.group) for row in self._deployments), default=0), room // 4)
        models = min(max((cell_len(row.model) for row in self._deployments), default=0), room // 3)
        return max(5, groups), max(5, models), min(_LONGEST_BAR, max(7, (room - groups - models - 8) // 5))

    def _names(self, room: int) -> Row:
        groups, models, bars = self._columns(room)
        names = f"   {cell('group', groups)}  {cell('model', models)}  {cell('latency', bars)}"
        return Row(((cell(names, room), "head"),))

    def _progress(self, room: int) -> list[Row]:
        rows: list[Row] = []
        groups, models, bars = self._columns(room)
        slowest = max((result.took for result in self._results.values() if result.ok), default=0.0)
        for row in self._deployments:
            sign, words, style = self._told(row)
            result = self._results.get(row.loaded.id) if row.loaded else None
            spans: list[Span] = [
                (f" {sign} ", style),
                (f"{cell(clean(row.group), groups)}  ", "ok"),
                (f"{cell(clean(row.model), models)}  ", "quiet"),
            ]
            wide = max(1, room - groups - models - 8)
            if result is not None and result.ok:
                # other words take the room of the bar
                spans.append((f"{cell(bar(result.took, slowest, bars), bars)} ", "quiet"))
                wide = max(1, wide - bars - 1)
            spans.append((cell(clean(words), wide, ellipsis=self._view.signs.ellipsis), style))
            rows.append(Row(tuple(spans), row.key))
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
        return states["failing"], f"{took}  {error_words(result, self._view.redact)}", "bad"

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
