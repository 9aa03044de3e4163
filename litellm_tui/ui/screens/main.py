"""The console's own screen: header, panes and strip; all panes at once, or one where it is narrow or zoomed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.screen import Screen

from litellm_tui.model.failures import Crashed
from litellm_tui.monitor.supervisor import guarded
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.cache import Cache
from litellm_tui.ui.panes.detail import Detail
from litellm_tui.ui.panes.fallbacks import Fallbacks
from litellm_tui.ui.panes.logs import Logs
from litellm_tui.ui.panes.models import Models
from litellm_tui.ui.panes.pane import Pane
from litellm_tui.ui.panes.service import Service
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import Header
from litellm_tui.ui.widgets.strip import ServiceStrip

ORDER: Final = ("models", "logs", "fallbacks", "cache", "service")
NARROW: Final = 100
WIDE: Final = 170
# until a log that had to wait for the terminal is tried again
LOG_SECONDS: Final = 0.05


class MainScreen(Screen[None]):
    """`pace` says when the terminal has room for the log; `redraw` is called when panes have come into sight."""

    def __init__(self, pace: Pace, redraw: Callable[[], None]) -> None:
        super().__init__()
        self._pace = pace
        self._redraw = redraw
        self._parts: list[Header | ServiceStrip | Pane] = []
        self._log_waits: View | None = None
        self._log_seen: tuple[int, int] | None = None
        self._zoomed = False
        self.shown = "models"
        """The pane that has the focus, or had it last."""

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="panes"):
            with Horizontal(id="upper", classes="holder"):
                yield Models()
                yield Detail()
            with Horizontal(id="middle", classes="holder"):
                yield Fallbacks()
                yield Cache()
                yield Service()
            yield Logs(self._pace)
        yield ServiceStrip()

    def on_mount(self) -> None:
        # not by a query at each drawing: the clock ticks all day
        self._parts = [part for part in self.query("*") if isinstance(part, Header | ServiceStrip | Pane)]
        self.query_one(Models).lines.focus()

    # --- drawing -----------------------------------------------------------------------------------------------

    def draw(self, view: View, *, asked: bool) -> Crashed | None:
        """Show this view; `asked` says that it answers a key, which waits for nothing.

        A part that cannot be drawn says so, and the others are drawn; the first failure is returned.
        """
        crash = None
        for part in self._parts:
            # a snapshot may come while the screen is being taken down
            if not part.is_attached or not part.display:
                continue
            if isinstance(part, Logs) and not asked:
                ended = guarded(partial(self._draw_log, part, view), view.redact)
            else:
                ended = guarded(partial(part.draw, view), view.redact)
            if ended is not None:
                crash = crash or ended
                if isinstance(part, Pane):
                    part.fell(ended)
        return crash

    def _draw_log(self, log: Logs, view: View) -> None:
        """Of all that moves by itself the log is by far the most to be sent: it waits while the terminal is behind."""
        ready = not log.view.is_in_parts and self._pace.ready()
        waits, self._log_waits = self._log_waits, None if ready else view
        if ready:
            seen = view.store.first, view.store.last
            if seen != self._log_seen:
                self._pace.link.ask_soon()
            self._log_seen = seen
            log.draw(view)
        elif waits is None:
            self.set_timer(LOG_SECONDS, partial(self._draw_waiting, log))

    def _draw_waiting(self, log: Logs) -> None:
        view, self._log_waits = self._log_waits, None
        if view is not None and log.is_attached and log.display:
            crash = guarded(partial(self._draw_log, log, view), view.redact)
            if crash is not None:
                log.fell(crash)

    def tick(self, words: str) -> None:
        """The clock shows these words."""
        for part in self._parts:
            if isinstance(part, Header) and part.is_attached:
                part.tick(words)

    # --- panes -------------------------------------------------------------------------------------------------

    def pane(self, name: str) -> Pane:
        """One of the panes."""
        return self.query_one(f"#{name}", Pane)

    def lay_out(self) -> None:
        """One pane at a time when it is narrow or zoomed, all of them otherwise."""
        self.set_class(self.size.width < NARROW or self._zoomed, "-single")
        for pane in self.query(Pane):
            pane.set_class(pane.id == self.shown, "-shown")
        for holder in self.query(".holder"):
            holder.set_class(any(pane.id == self.shown for pane in holder.query(Pane)), "-holds-shown")
        self.call_after_refresh(self._redraw)

    def show(self, name: str) -> None:
        """Bring a pane into sight and give it the focus."""
        self.shown = name
        # the service has a pane of its own on wide screens only
        if name == "service" and self.size.width < WIDE:
            self._zoomed = True
        self.lay_out()
        self.set_focus(self.pane(name).lines)

    def step(self, step: int) -> None:
        """The next pane, or the one before."""
        every = self.has_class("-single") or self.size.width >= WIDE
        names = ORDER if every else ORDER[:-1]
        place = names.index(self.shown) if self.shown in names else 0
        self.show(names[(place + step) % len(names)])

    def zoom(self) -> None:
        """Only the pane that has the focus, or all of them again."""
        self._zoomed = not self._zoomed
        if not self._zoomed and self.shown == "service" and self.size.width < WIDE:
            self.shown = "models"
        self.lay_out()
        self.set_focus(self.pane(self.shown).lines)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        pane = next((node for node in event.widget.ancestors if isinstance(node, Pane)), None)
        if pane is not None and pane.id and not self.has_class("-single"):
            self.shown = pane.id
