"""The service strip at the bottom, with the keys that matter beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from litellm_tui.analysis.phrases import age, count, size
from litellm_tui.model.service import Service
from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.drawable import drawable
from litellm_tui.ui.keymap import PLAIN, Bound
from litellm_tui.ui.keys import hints, tabs
from litellm_tui.ui.shortened import shortened
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.cache_line import cache_spans
from litellm_tui.ui.widgets.header import wrap
from litellm_tui.ui.widgets.lines import Lines, Row, Span, cell

# how long a short message stands where the keys are
SAID_SECONDS: Final = 4.0
# messages that wait behind another one, and the lines that one may take
_MOST_SAID: Final = 5
_MOST_ROWS: Final = 4
# the last of the keys that hold everywhere: help and quit
_KEPT: Final = 2
_MOST_OF_NAME: Final = 36


class _Said(NamedTuple):
    """A message, its style, and until when of the monotonic clock it stands."""

    words: str
    style: str
    until: float


class ServiceLine(Lines, can_focus=False):
    """The service in one line."""

    def draw(self, view: View) -> None:
        """Show this view."""
        if self.room:
            self.show([Row(tuple(wrap([(" ", "quiet"), *service_spans(view)], self.room, 1)[0]))])


class CacheLine(Lines, can_focus=False):
    """The cache and the database in one line."""

    def draw(self, view: View) -> None:
        """Show this view."""
        if self.room:
            self.show([Row(tuple(wrap([(" ", "quiet"), *cache_spans(view)], self.room, 1)[0]))])


class Hints(Lines, can_focus=False):
    """The keys that matter where one is, in a widget of its own: a widget's line is repainted whole, and these change
    only with the focus.
    """

    _pane = ""

    def __init__(self) -> None:
        super().__init__()
        self._said: list[_Said] = []
        self._height = 1

    def say(self, words: str, seconds: float = SAID_SECONDS, style: str = "strong") -> None:
        """A message in place of the keys, for so long; nothing in place of all messages.

        The newest is shown, and the one before comes back when it ends. A long one makes the strip higher.
        """
        self._said = [*self._said, _Said(words, style, time.monotonic() + seconds)][-_MOST_SAID:] if words else []
        if words:
            self.set_timer(seconds, self._ended)
        self._tell()

    def _ended(self) -> None:
        # a timer may come a little early
        now = time.monotonic() + 0.05
        self._said = [said for said in self._said if said.until > now]
        self._tell()

    def about(self, pane: str) -> None:
        """This pane has the focus: what was said of a key in another one is over."""
        if pane != self._pane:
            self._pane = pane
            now = time.monotonic()
            self._said = [said for said in self._said if said.until > now + SAID_SECONDS]
            self._tell()

    def _tell(self) -> None:
        if self.room:
            self.laid_out()

    @property
    def _bound(self) -> Bound:
        found = getattr(self.app, "bound", PLAIN)
        return found if isinstance(found, Bound) else PLAIN

    @property
    def _read_only(self) -> bool:
        return bool(getattr(self.app, "read_only", False))

    def laid_out(self) -> None:
        super().laid_out()
        rows = to_rows([("", drawable(self._said[-1].words), self._said[-1].style)], self.room) if self._said else []
        if len(rows) > _MOST_ROWS:
            *_, (text, style) = rows[_MOST_ROWS - 1].spans
            rows[_MOST_ROWS - 1 :] = [Row(((" ", ""), (cell(f"{text} …", self.room - 1), style)))]
        height = max(1, len(rows))
        if height != self._height:
            self._height = height
            self.styles.height = height
        if rows:
            self.show(rows)
            return
        shown = _spans(fitting(self._pane, self._read_only, self.room - 1, self._bound))
        self.show([Row(((" ", ""), *wrap(list(shown), self.room - 1, 1)[0]))])


class Tabs(Lines, can_focus=False):
    """Where one pane is shown at a time: which one it is, and the way to the others."""

    _pane = ""

    def __init__(self, bound: Bound) -> None:
        super().__init__()
        self._bound = bound

    def about(self, pane: str) -> None:
        """This pane is shown."""
        if pane != self._pane:
            self._pane = pane
            if self.room:
                self.laid_out()

    def laid_out(self) -> None:
        super().laid_out()
        self.show([Row(tuple(wrap([(" ", ""), *_tabs(self._pane, self._bound)], self.room, 1)[0]))])


class ServiceStrip(Vertical):
    """Side by side where both fit, one over the other where they do not; the cache above where it has no pane."""

    def __init__(self, bound: Bound = PLAIN) -> None:
        super().__init__(id="strip")
        self._service, self._cache = ServiceLine(), CacheLine()
        self._tabs = Tabs(bound)

    def compose(self) -> ComposeResult:
        yield self._tabs
        yield self._cache
        with Horizontal(id="strip-lower"):
            yield self._service
            yield Hints()

    def draw(self, view: View) -> None:
        """Show this view."""
        for line in (self._service, self._cache):
            if line.is_attached and line.display:
                line.draw(view)


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


def _tabs(pane: str, bound: Bound) -> Iterator[Span]:
    for name, key, title in tabs(bound.keys):
        # the brackets are seen without colours
        yield ("[" if name == pane else " "), "strong"
        yield f"{key} ", "strong" if name == pane else "quiet"
        yield title, "strong" if name == pane else "quiet"
        yield ("]" if name == pane else " "), "strong"


def fitting(pane: str, read_only: bool, width: int, bound: Bound = PLAIN) -> list[tuple[str, str]]:
    """The keys that have room. Of those that hold everywhere the last fall out first, but for help and quit; then quit,
    and the last of the pane's own. The way to all others stays.
    """
    found = hints(pane, read_only, bound.keys)
    everywhere = hints("", read_only, bound.keys)
    general = [hint for hint in found if hint in everywhere]
    way_to_all = bound.shown("everywhere.help")
    fall = [*reversed(general[:-_KEPT]), *reversed([hint for hint in found if hint not in general[:-_KEPT]])]
    for hint in fall:
        if sum(cell_len(f"{shown} {word}  ") for shown, word in found) - 2 <= width:
            break
        if hint[0] != way_to_all:
            found.remove(hint)
    return found


def _spans(found: list[tuple[str, str]]) -> Iterator[Span]:
    for place, (shown, word) in enumerate(found):
        yield shown, "strong"
        yield f" {word}" + ("  " if place + 1 < len(found) else ""), "quiet"
