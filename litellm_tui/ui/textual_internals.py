"""All that the console uses of Textual beyond what Textual promises: private names, and behaviour nobody documents.

Each part says what it relies on, as read in Textual 8.2.8; `VERSIONS` is the range that pyproject.toml allows. A test
shows that nothing else in `ui/` touches a private name of Textual, and that the names used here are there.
"""

from __future__ import annotations

import select
from typing import Any, Final

from rich.console import Console
from rich.control import Control
from rich.text import Text
from textual import _compositor
from textual._compositor import Compositor
from textual.app import App, ReturnType
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen, ScreenResultType
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import WorkerFailed

# from, and before
VERSIONS: Final = ((8, 2), (9,))
USED: Final[dict[type, tuple[str, ...]]] = {
    App: ("_fatal_error", "_exception", "_driver", "_background_screens"),
    Screen: ("_compositor", "_compositor_refresh", "_dirty_widgets"),
    Compositor: ("_dirty_regions",),
}
"""The private names that are relied on, by the class that has them."""


class TerminalApp(App[ReturnType]):
    """An app that reports its own end, and writes to its terminal beside what is painted.

    Relies on `App._fatal_error`, which is called once when an exception ends the app; on `App._exception`, which that
    exception is kept in; and on `App._driver`, None until the app has a terminal, whose `write` queues text in the
    order of the paintings.
    """

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

    def output_waits(self) -> bool:
        """Whether something that was painted is still to be written."""
        return output_waits(self._driver)


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


class CroppedUpdate(_compositor.ChopsUpdate):
    """Sends of a line the cells that are to be painted, and not all that its widget has to the left of them.

    Textual cuts an update on the right only: a clock whose last figure changes is sent whole, and so is every line in
    which one word is another. `spans` are `(row, first column, end)`; of each row's strips what lies between them is
    sent. Relies on `ChopsUpdate` being what the compositor makes of a partial update, and on its three attributes.
    """

    def render_segments(self, console: Console) -> str:
        """The update as it is written to the terminal."""
        sent: list[str] = []
        last_row = self.spans[-1][0]
        for row, first, after in self.spans:
            for end, (begin, strip) in zip(self.chop_ends[row], self.chops[row].items(), strict=False):
                if strip is None or begin >= after or end <= first:
                    continue
                left, right = max(begin, first) if _is_narrow(strip) else begin, min(end, after)
                if (left, right) != (begin, end):
                    strip = strip.crop(left - begin, right - begin)
                sent += (Control.move_to(left, row).segment.text, strip.render(console))
            if row != last_row:
                sent.append("\n")
        return "".join(sent)


def _is_narrow(strip: Strip) -> bool:
    """Whether each character takes one cell: a wide one that is cut in two would leave a blank."""
    return len(strip.text) == strip.cell_length


def crop_updates() -> None:
    """Have Textual send its updates so (`CroppedUpdate`); where it has none of this kind, nothing is changed."""
    if hasattr(_compositor, "ChopsUpdate"):
        _compositor.ChopsUpdate = CroppedUpdate  # type: ignore[misc]
