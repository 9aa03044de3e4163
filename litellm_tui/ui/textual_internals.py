"""All that the console uses of Textual beyond what Textual promises: private names, and behaviour nobody documents.

Each part says what it relies on, as read in Textual 8.2.8; `VERSIONS` is the range that pyproject.toml allows. A test
shows that nothing else in `ui/` touches a private name of Textual, and that the names used here are there.
"""

from __future__ import annotations

import re
import select
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.text import Text
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual._xterm_parser import XTermParser
from textual.app import App, ReturnType
from textual.drivers import linux_driver
from textual.geometry import Size
from textual.message import Message
from textual.notifications import Notification, Notifications
from textual.reactive import Reactive
from textual.screen import Screen, ScreenResultType
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.widget import Widget
from textual.worker import WorkerFailed

from litellm_tui.ui.painted_cells import PaintedCells, Placed

# from, and before
VERSIONS: Final = ((8, 2), (9,))
_ANSWER: Final = re.compile(r"\x1b\]11;[^\x07\x1b]{0,40}(?:\x07|\x1b\\)|\x1b\[\?[0-9;]{0,40}c")
# the begin of one, and of nothing that a key sends but Alt+], which then waits for the next key
_CUT_OFF: Final = re.compile(r"\x1b(?:\](?:1(?:1(?:;[0-9a-frgb:/]{0,40}\x1b?)?)?)?|\[\?[0-9;]{0,40})$", re.IGNORECASE)
USED: Final[dict[type, tuple[str, ...]]] = {
    App: (
        "_fatal_error",
        "_exception",
        "_driver",
        "_background_screens",
        "_display",
        "_notifications",
        "_refresh_notifications",
    ),
    Screen: ("_compositor", "_compositor_refresh", "_dirty_widgets"),
    Compositor: ("_dirty_regions",),
}
"""The private names that are relied on, by the class that has them."""


class TerminalApp(App[ReturnType]):
    """An app that reports its own end, sends its terminal what is not shown yet, and writes to it beside that.

    Relies on `App._fatal_error`, which is called once when an exception ends the app; on `App._exception`, which that
    exception is kept in; on `App._driver`, None until the app has a terminal, whose `write` queues text in the
    order of the paintings; on `App._display`, through which every painting goes, which asks an update for its
    `render_segments` only when it writes it; and on `App._refresh_notifications`, which shows `App._notifications` as
    toasts whenever there is a new one and when a screen comes to the front, by the `show` of that screen's `ToastRack`.
    `LayoutUpdate` and `ChopsUpdate` are all that the compositor makes of a screen that is not inline; of them the
    attributes are used that their `__init__` sets. What was typed early goes the way of what is typed later: through
    an `XTermParser` and the `process_message` of the driver.
    """

    def __init__(self) -> None:
        super().__init__()
        self._painted_cells = PaintedCells()
        self._said: set[str] = set()

    def says(self, notice: Notification) -> bool:
        """Whether the screen has a place of its own for this notice, and shows it there."""
        return False

    def _refresh_notifications(self) -> None:
        """A toast lies over what is read: it is the last resort."""
        if not self.screen_stack:
            return
        notices = list(self._notifications)
        self._said.intersection_update(notice.identity for notice in notices)
        shown = Notifications()
        for notice in notices:
            if notice.identity in self._said or self.says(notice):
                self._said.add(notice.identity)
            else:
                shown.add(notice)
        for rack in self.screen.query("ToastRack"):
            self.call_later(rack.show, shown)  # type: ignore[attr-defined]  # a ToastRack, whose module is private

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """Leave the terminal to somebody else, who writes on it."""
        with super().suspend():
            yield
            self._painted_cells.forget()

    def on_mount(self) -> None:
        """Stopped by a signal and continued, it finds an empty terminal."""
        self.app_resume_signal.subscribe(self, lambda _: self.action_paint_anew())

    def on_resize(self) -> None:
        """A terminal that gets another size moves what it shows."""
        self._painted_cells.forget()

    def action_paint_anew(self) -> None:
        """Send everything: something else has written on the terminal."""
        self._painted_cells.forget()
        self.refresh(layout=True)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        changes: Any = renderable
        if isinstance(renderable, LayoutUpdate | ChopsUpdate):
            changes = _Changes(renderable, self._painted_cells, self.size)
        super()._display(screen, changes)

    def crash_report(self, error: BaseException | None) -> Text:
        """What is printed in place of Textual's own report, which holds every local variable."""
        raise NotImplementedError

    def _fatal_error(self) -> None:
        error = self._exception.error if isinstance(self._exception, WorkerFailed) else self._exception
        self.panic(self.crash_report(error))

    def send(self, text: str) -> None:
        """Write to the terminal, behind all that was painted; nothing where there is none."""
        if self._driver is not None:
            self._driver.write(text)

    def typed_early(self, keys: bytes) -> None:
        """Take keys, as a terminal sends them, that somebody typed before there was an app."""
        if self._driver is None:
            return
        parser = XTermParser()
        # the end of the text: a lone escape is the key of that name
        for text in (keys.decode("utf-8", "replace"), ""):
            for message in parser.feed(text):
                self._driver.process_message(message)

    def output_waits(self) -> bool:
        """Whether something that was painted is still to be written."""
        return output_waits(self._driver)


class AnswerParser(XTermParser):
    """Takes what a terminal answers late, to OSC 11 and DA1, for no keys: Textual's parser would press them one by one.

    Relies on `LinuxDriver.run_input_thread` making a parser by the name `XTermParser` of its module, and giving `feed`
    all that it reads.
    """

    _held = ""

    def feed(self, data: str) -> Iterable[Message]:
        """As Textual's, without the answers; one that is cut off waits for its rest."""
        if not data:
            return super().feed(data)
        told = _ANSWER.sub("", self._held + data)
        cut = _CUT_OFF.search(told)
        self._held = cut[0] if cut is not None else ""
        told = told.removesuffix(self._held)
        return super().feed(told) if told else ()


def answers_are_no_keys() -> None:
    """The drivers that are started from now on take late answers for what they are."""
    linux_driver.XTermParser = AnswerParser  # type: ignore[attr-defined]


def output_waits(driver: Any) -> bool:
    """Whether something that Textual has painted is still to be written, as far as its driver for Unix tells.

    Relies on `LinuxDriver._writer_thread` and the `_queue` of that thread, for which there is no public way: where the
    driver is another, nothing waits.
    """
    writer = getattr(driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    if writer is None or queue is None:
        return False
    return bool(queue.qsize()) or not select.select([], [writer.fileno()], [], 0)[1]


def turn_into(bar: ScrollBar, kind: type[ScrollBar]) -> None:
    """Make a scroll bar one of a subclass that has no state of its own at first.

    Relies on `ScrollView` making its bars itself, of a class that cannot be named, and on `ScrollBar` having no slots.
    """
    bar.__class__ = kind


def resize_without_layout(view: ScrollView, size: Size) -> None:
    """Another number of lines, where that changes nothing on the screen but the bar.

    Relies on the watcher of `ScrollView.virtual_size` laying out the whole screen, which `set_reactive` leaves out, and
    on the bar's `window_virtual_size` being all that it is drawn from.
    """
    view.set_reactive(ScrollView.virtual_size, size)
    view.vertical_scrollbar.window_virtual_size = size.height


class CalmScreen(Screen[ScreenResultType]):
    """A screen of which only that is painted that has changed: when the focus moves, and while a dialog lies over it.

    A change of `Screen.focused` repaints all of a screen, some 20 KB at 120x40. What looks different with the focus is
    repainted by its own styles, `:focus` and `:focus-within`, and by its `watch_has_focus`.

    A screen in the background notes what it has changed as its own to be painted, besides handing it to the uppermost
    one: what was noted once is handed on with every later change, so that a clock sends the whole screen every second.
    It is painted as a whole when it comes to the front, and need not note anything. Relies on
    `Screen._compositor_refresh` being what paints, and on the names in `USED`.
    """

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def _compositor_refresh(self) -> None:
        app = self.app
        if self is app.screen or app.is_inline:
            super()._compositor_refresh()
            return
        changed = self._compositor._dirty_regions
        if changed and self in app._background_screens:
            app.screen.refresh(*changed)
        changed.clear()
        self._dirty_widgets.clear()


class _Changes(CompositorUpdate):
    """What of an update the terminal does not show yet."""

    def __init__(self, update: LayoutUpdate | ChopsUpdate, cells: PaintedCells, size: Size) -> None:
        self._update = update
        self._cells = cells
        self._size = size

    def render_segments(self, console: Console) -> str:
        """What is written to the terminal; asked for when it is written, and only then."""
        return self._cells.changes(_placed(self._update), self._size, console)


def _placed(update: LayoutUpdate | ChopsUpdate) -> Iterator[Placed]:
    """The strips of an update, each with its place; of a partial one those that its spans touch."""
    if isinstance(update, LayoutUpdate):
        for row, strips in enumerate(update.strips, update.region.y):
            column = update.region.x
            for strip in strips:
                yield row, column, strip
                column += strip.cell_length
        return
    for row, first, after in update.spans:
        for end, (begin, part) in zip(update.chop_ends[row], update.chops[row].items(), strict=False):
            if part is not None and begin < after and end > first:
                yield row, begin, part
