"""The console's own screen: header, panes and strip; all panes at once, or one where it is narrow or zoomed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.widget import Widget

from litellm_tui.model.failures import Crashed
from litellm_tui.monitor.supervisor import guarded
from litellm_tui.ui.keymap import PLAIN, Bound
from litellm_tui.ui.keys import with_key
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.pane import Pane, make_pane
from litellm_tui.ui.panes.registry import FIRST, LEFT, PANES, Layout, Row, entry_of, in_order
from litellm_tui.ui.textual_internals import CalmScreen
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.header import Header
from litellm_tui.ui.widgets.lines import Lines
from litellm_tui.ui.widgets.strip import SAID_SECONDS, Hints, ServiceStrip, Tabs

NARROW: Final = 100
WIDE: Final = 170
# from so many lines on a wide screen has room for the hour and the worst problems below all else
FULL: Final = 40
# until a pane that had to wait for the terminal is tried again
WAIT_SECONDS: Final = 0.05
# what the log gets at least, and the others at most, of all lines
LOG_LEAST: Final = 6
LOG_SHARE: Final = 0.3
MIDDLE_LEAST: Final = 5
MIDDLE_SHARE: Final = 0.28
UPPER_LEAST: Final = 5


def _heights(whole: int, upper: int, middle: int) -> tuple[int, int]:
    """The heights of the first two rows of panes, of so many lines, by what they want."""
    second = min(max(middle, 3), max(MIDDLE_LEAST, int(whole * MIDDLE_SHARE)))
    left = whole - second - max(LOG_LEAST, int(whole * LOG_SHARE))
    return min(max(upper, UPPER_LEAST), max(UPPER_LEAST, left)), second


class MainScreen(CalmScreen[None]):
    """`pace` says when the terminal has room for what is large; `redraw` is called when panes have come into sight."""

    def __init__(self, pace: Pace, redraw: Callable[[], None], bound: Bound = PLAIN) -> None:
        super().__init__()
        self._bound = bound
        self._pace = pace
        self._redraw = redraw
        # what panes are to show that wait for the terminal
        self._waiting: dict[Pane, View] = {}
        self._parts: list[Header | ServiceStrip | Pane] = []
        self._records: tuple[int, int] | None = None
        self._zoomed = False
        self._heights: dict[str, int | None] = {}
        self.shown = FIRST
        """The pane that has the focus, or had it last."""

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="panes"):
            with Horizontal(id="columns", classes="holder"):
                with Vertical(id="left", classes="holder"):
                    for row in LEFT:
                        yield self._holder(row)
                yield self._holder("side")
            yield self._holder("bottom")
        yield ServiceStrip(self._bound)

    def _holder(self, row: Row) -> Horizontal:
        panes = (make_pane(with_key(entry, self._bound.keys), self._pace) for entry in PANES if entry.row == row)
        return Horizontal(*panes, id=row, classes="holder")

    def on_mount(self) -> None:
        self._arrange()
        # not by a query at each drawing: the clock ticks all day
        self._parts = [part for part in self.query("*") if isinstance(part, Header | ServiceStrip | Pane)]
        if self._parts:
            # there are none where the console is ended while it begins
            self.pane(FIRST).lines.focus()

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
            if isinstance(part, Pane) and part.large and not asked:
                ended = guarded(partial(self._draw_large, part, view), view.redact)
            else:
                ended = guarded(partial(part.draw, view), view.redact)
            if ended is not None:
                crash = crash or ended
                if isinstance(part, Pane):
                    part.fell(ended)
        self._share_out()
        return crash

    # --- heights ---------------------------------------------------------------------------------------------

    def _share_out(self) -> None:
        """Each row of panes as high as what is in it, and the rest to the last, of which there is always more."""
        upper, middle, _ = (self.query_one(f"#{row}") for row in LEFT)
        heights: tuple[int | None, int | None] = (None, None)
        if not self._is_single and (whole := self.query_one("#left").size.height):
            heights = _heights(whole, self._wanted(upper), self._wanted(middle))
        for holder, height in zip((upper, middle), heights, strict=True):
            if height != self._heights.get(holder.id or "", None):
                self._heights[holder.id or ""] = height
                holder.styles.height = height

    @staticmethod
    def _wanted(holder: Widget) -> int:
        return max((pane.wanted for pane in holder.children if isinstance(pane, Pane) and pane.display), default=0)

    def _draw_large(self, pane: Pane, view: View) -> None:
        """Of all that moves by itself it is by far the most to be sent: it waits while the terminal is behind."""
        waits = self._waiting.pop(pane, None)
        if not pane.in_parts and self._pace.ready():
            records = view.store.first, view.store.last
            if records != self._records:
                # only news of the log are much: the terminal is asked about nothing else
                self._pace.link.ask_soon()
            self._records = records
            pane.draw(view)
            return
        self._waiting[pane] = view
        if waits is None:
            self.set_timer(WAIT_SECONDS, partial(self._draw_waiting, pane))

    def _draw_waiting(self, pane: Pane) -> None:
        view = self._waiting.pop(pane, None)
        if view is not None and pane.is_attached and pane.display:
            crash = guarded(partial(self._draw_large, pane, view), view.redact)
            if crash is not None:
                pane.fell(crash)

    def tick(self, words: str) -> None:
        """The clock shows these words."""
        for part in self._parts:
            if isinstance(part, Header) and part.is_attached:
                part.tick(words)

    def say(self, words: str, seconds: float = SAID_SECONDS, style: str = "strong") -> None:
        """A message in the line of the keys, for so long."""
        for hints in self.query(Hints):
            hints.say(words, seconds, style)

    # --- panes -------------------------------------------------------------------------------------------------

    def pane(self, name: str) -> Pane:
        """One of the panes."""
        return self.query_one(f"#{name}", Pane)

    def pane_around(self, lines: Lines) -> Pane | None:
        """The pane whose list this is."""
        return next((pane for pane in self.query(Pane) if pane.lines is lines), None)

    def selection_moved(self, lines: Lines, key: str, view: View | None) -> None:
        """The cursor of a list stands on another row: the panes that follow it show that one."""
        around = self.pane_around(lines)
        for pane in self.query(Pane):
            if around is not None and pane.entry.follows == around.entry.name:
                pane.follow(key)
                if pane.display and view is not None:
                    crash = guarded(partial(pane.draw, view), view.redact)
                    if crash is not None:
                        pane.fell(crash)

    @property
    def _layout(self) -> Layout:
        """What there is room for, where it is not narrow."""
        width, height = self.app.size
        return "usual" if width < WIDE else "wide" if height < FULL else "full"

    @property
    def _is_narrow(self) -> bool:
        return self.app.size.width < NARROW

    @property
    def _is_single(self) -> bool:
        return self._is_narrow or self._is_zoomed

    @property
    def _is_zoomed(self) -> bool:
        """Whether one pane stands alone where there is room for others."""
        return not self._is_narrow and (self._zoomed or self._layout not in entry_of(self.shown).at)

    def _arrange(self) -> None:
        """Which panes stand on the screen, and how."""
        single, layout = self._is_single, self._layout
        self.set_class(single, "-single")
        self.set_class(not single and layout == "full", "-full")
        for pane in self.query(Pane):
            pane.display = pane.id == self.shown if single else layout in pane.entry.at
            pane.zoomed(self._is_zoomed and pane.id == self.shown)
        for holder in self.query(".holder"):
            holder.display = any(pane.display for pane in holder.query(Pane))

    def lay_out(self) -> None:
        """One pane at a time when it is narrow or zoomed, all that have room otherwise."""
        entry = entry_of(self.shown)
        if not entry.key and (self._is_narrow or self._layout not in entry.at):
            # nobody goes to it where it does not stand beside the one that it follows
            self.shown = entry.follows
            self.call_after_refresh(self.set_focus, self.pane(self.shown).lines)
        self._arrange()
        self._share_out()
        self.call_after_refresh(self._redraw)

    def show(self, name: str) -> None:
        """Bring a pane into sight and give it the focus."""
        if name != self.shown:
            # a pane alone ends where another one is wanted
            self._zoomed = False
        self.shown = name
        if self._is_single or self.has_class("-single"):
            # where all panes are in sight, to select styles anew would take longer than all else a key does
            self.lay_out()
        self.set_focus(self.pane(name).lines)

    def step(self, step: int) -> None:
        """The next pane, or the one before."""
        names = in_order(None if self.has_class("-single") else self._layout)
        place = names.index(self.shown) if self.shown in names else 0
        self.show(names[(place + step) % len(names)])

    def zoom(self) -> None:
        """Only the pane that has the focus, or all of them again."""
        if self._is_narrow:
            self.say("one pane at a time is all there is room for")
            return
        self._zoomed = not self._is_zoomed
        if not self._zoomed and self._layout not in entry_of(self.shown).at:
            self.shown = FIRST
        self.lay_out()
        self.set_focus(self.pane(self.shown).lines)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        pane = next((node for node in event.widget.ancestors if isinstance(node, Pane)), None)
        if pane is None or not pane.id:
            return
        if not self.has_class("-single"):
            self.shown = pane.id
        for hints in self.query(Hints):
            hints.about(pane.id)
        for tabs in self.query(Tabs):
            tabs.about(pane.id)
