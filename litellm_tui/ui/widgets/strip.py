"""The service strip at the bottom, with the keys that matter beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.timer import Timer

from litellm_tui.analysis.phrases import age, count, size
from litellm_tui.model.service import Service
from litellm_tui.ui.keys import hints, tabs
from litellm_tui.ui.shortened import shortened
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import wrap
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell

# how long a short message stands where the keys are
SAID_SECONDS: Final = 4.0
_MOST_OF_NAME: Final = 36


class ServiceLine(Lines, can_focus=False):
    """The service in one line."""

    def draw(self, view: View) -> None:
        """Show this view."""
        if self.room:
            self.show([Row(tuple(wrap([(" ", "quiet"), *service_spans(view)], self.room, 1)[0]))])


class Hints(Lines, can_focus=False):
    """The keys that matter where one is, in a widget of its own: a widget's line is repainted whole, and these change
    only with the focus.
    """

    _pane = ""
    _said = ""
    _saying: Timer | None = None

    def say(self, words: str) -> None:
        """A short message in place of the keys, for some seconds."""
        self._said = words
        if self._saying is not None:
            self._saying.stop()
        self._saying = self.set_timer(SAID_SECONDS, lambda: self.say("")) if words else None
        if self.room:
            self.laid_out()

    def about(self, pane: str) -> None:
        """This pane has the focus."""
        if pane != self._pane:
            self._pane, self._said = pane, ""
            if self.room:
                self.laid_out()

    @property
    def _read_only(self) -> bool:
        return bool(getattr(self.app, "read_only", False))

    def laid_out(self) -> None:
        super().laid_out()
        if self._said:
            self.show([Row(tuple(wrap([(f" {self._said}", "strong")], self.room, 1)[0]))])
            return
        self.show([Row(((" ", ""), *wrap(list(_hints(self._pane, self._read_only)), self.room - 1, 1)[0]))])


class Tabs(Lines, can_focus=False):
    """Where one pane is shown at a time: which one it is, and the way to the others."""

    _pane = ""

    def about(self, pane: str) -> None:
        """This pane is shown."""
        if pane != self._pane:
            self._pane = pane
            if self.room:
                self.laid_out()

    def laid_out(self) -> None:
        super().laid_out()
        self.show([Row(tuple(wrap([(" ", ""), *_tabs(self._pane)], self.room, 1)[0]))])


class ServiceStrip(Horizontal):
    """Side by side where both fit, one over the other where they do not."""

    def __init__(self) -> None:
        super().__init__(id="strip")
        self._service = ServiceLine()

    def compose(self) -> ComposeResult:
        yield Tabs()
        yield self._service
        yield Hints()

    def draw(self, view: View) -> None:
        """Show this view."""
        if self._service.is_attached:
            self._service.draw(view)


def service_spans(view: View) -> Iterator[Span]:
    """The service in one line, in the order in which it may be cut off. The figures keep their width."""
    reading = view.snapshot.service
    service = reading.value
    if service is None or reading.failure is not None:
        yield f"service: {reading.failure.why if reading.failure else 'not asked yet'}", "unknown"
        return
    dot = f" {view.signs.dot} "
    # its name alone must not take the line from its state
    yield f"{shortened(service.unit, _MOST_OF_NAME)} ", "quiet"
    yield _state(service), "ok" if service.active_state == "active" else "bad"
    if service.main_pid:
        yield f"{dot}pid {service.main_pid}", "quiet"
    if service.started_at is not None:
        yield f"{dot}up {age(view.now - service.started_at)}", "quiet"
    if service.memory is not None:
        yield f"{dot}{cell(size(service.memory), 7, right=True)}", "quiet"
    if service.cpu_percent is not None:
        # in steps, for a figure that moves by itself repaints the line all day
        share = "< 10" if service.cpu_percent < 10 else f"{round(service.cpu_percent, -1):.0f}"
        yield f"{dot}{cell(share, 4, right=True)} % cpu", "quiet"
    if service.health:
        yield f"{dot}{service.health}", "warn" if service.health == "unhealthy" else "quiet"
    if service.restarts is not None:
        yield f"{dot}{count(service.restarts, 'restart')}", "warn" if service.restarts else "quiet"
    version = view.snapshot.gateway.readiness.value
    if version is not None and version.version:
        yield f"{dot}LiteLLM {version.version}", "quiet"
    if service.need_daemon_reload:
        yield f"{dot}unit file changed: R has it read anew", "warn"


def _state(service: Service) -> str:
    if service.load_state == "not-found":
        return "not found"
    known = service.sub_state not in ("", service.active_state)
    return f"{service.active_state} ({service.sub_state})" if known else service.active_state


def _tabs(pane: str) -> Iterator[Span]:
    for name, label in tabs():
        key, _, title = label.partition(" ")
        # the brackets are seen without colours
        yield ("[" if name == pane else " "), "strong"
        yield f"{key} ", "strong" if name == pane else "quiet"
        yield title, "strong" if name == pane else "quiet"
        yield ("]" if name == pane else " "), "strong"


def _hints(pane: str, read_only: bool) -> Iterator[Span]:
    for shown, word in hints(pane, read_only):
        yield shown, "strong"
        yield f" {word}  ", "quiet"
