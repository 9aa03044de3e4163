"""A framed part of the screen with a list in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import ClassVar, Final, Self

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region

from litellm_tui.model.diagnosis import Deployment, Place
from litellm_tui.model.failures import Crashed
from litellm_tui.ui.detail import Paragraph
from litellm_tui.ui.paint_pace import Pace
from litellm_tui.ui.panes.registry import PaneEntry
from litellm_tui.ui.signs import to_ascii
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.head import Head
from litellm_tui.ui.widgets.lines import ASCII_CLASS, Lines, Row, cell

# the corners, and a line and a blank before and behind the words
_FRAME: Final = 6
ZOOMED: Final = "zoomed, z ends it"


class Pane(Vertical):
    """Number and name in the frame, the age of what it shows beside it; grey when that is stale.

    A pane shows its part of a `View` and owns no truth: `draw` is all it is told.
    """

    large: ClassVar[bool] = False
    """Whether so much is painted for it that it waits for a slow terminal, unless a key asked for it."""
    headed: ClassVar[bool] = False
    """Whether lines stand above the list that stay where its rows scroll."""

    def __init__(self, entry: PaneEntry, pace: Pace | None = None) -> None:
        """`pace` says when the terminal has room for what moves by itself."""
        self._line: Region | None = None
        self.entry = entry
        self.pace = pace
        self._told = entry.label
        self._zoomed = False
        super().__init__(id=entry.name, classes=f"pane -share-{entry.share}")
        self.border_title = Content(entry.label)
        self.lines = self.make_lines()
        self._head = Head()

    @property
    def in_parts(self) -> bool:
        """Whether a part of what is in sight is still to be painted: until then nothing newer is shown."""
        return False

    def make_lines(self) -> Lines:
        """The list in it."""
        return Lines(id=f"{self.entry.name}-lines")

    def compose(self) -> ComposeResult:
        if self.headed:
            yield self._head
        yield self.lines

    def draw(self, view: View) -> None:
        """Show this view."""
        words, stale = self.freshness(view)
        self._subtitle(words)
        self.set_class(stale, "-stale")
        self.lines.fade(stale)
        if self.lines.room:
            self.lines.show(self.rows(view, self.lines.room))
            if self.headed:
                self._head.stand(self.head(view, self.lines.room))

    def fell(self, crash: Crashed) -> None:
        """It could not be drawn: what it shows is older than what is known."""
        self._subtitle(f"not drawn: {crash.error} at {crash.place}")
        self.add_class("-stale")

    def freshness(self, view: View) -> tuple[str, bool]:
        """`(words for the frame, whether it is stale)`."""
        raise NotImplementedError

    def rows(self, view: View, width: int) -> Sequence[Row]:
        """What to show, `width` cells wide."""
        raise NotImplementedError

    def head(self, view: View, width: int) -> Sequence[Row]:
        """What stands above the list of a pane that is `headed`."""
        return ()

    @property
    def wanted(self) -> int:
        """Lines of the screen in which all of it has room, with its frame; 0 where more is always of use."""
        return self.lines.height_of_all + self._head.height_of_all + 2

    # --- what its rows are about -------------------------------------------------------------------------------

    def key_of(self, place: Place, view: View) -> str:
        """The key of the row that stands for a place; empty for none."""
        return "" if place.kind == "reading" else place.key

    def concerned(self, view: View) -> Sequence[Deployment]:
        """The deployments that the selected row is about."""
        return ()

    def sheet(self, key: str, view: View) -> tuple[str, Callable[[], Iterable[Paragraph]]] | None:
        """Title and text of all that is known of the row with this key, or nothing to open."""
        return None

    @property
    def opens(self) -> bool:
        """Whether there is something under its cursor that Enter opens."""
        return bool(self.lines.selected)

    def leads_to(self, key: str, view: View) -> Place | None:
        """The place that Enter on the row with this key goes to, in place of a sheet."""
        return None

    def command(self, key: str, view: View) -> Sequence[str]:
        """The words of litellm-tui that tell the row with this key in a shell; none for nothing of the kind."""
        return ("status",)

    def ask_filter(self) -> bool:
        """Ask for words that its rows must have; False where that is not for this pane."""
        return False

    def follow(self, key: str) -> None:
        """The row with this key is selected in the pane that this one follows."""

    # --- its frame ---------------------------------------------------------------------------------------------

    def _subtitle(self, words: str) -> None:
        content = self._words(words)
        if self.border_subtitle != content:
            with self._only_the_line(self.outer_size.height - 1):
                self.border_subtitle = content

    def zoomed(self, zoomed: bool) -> None:
        """Whether it stands alone where there is room for others: its frame says so."""
        if zoomed != self._zoomed:
            self._zoomed = zoomed
            self._title(self._told)

    def _title(self, words: str) -> None:
        self._told = words
        if self._zoomed:
            # before what may be cut off
            words = f"{self.entry.label} · {ZOOMED}{words.removeprefix(self.entry.label)}"
        content = self._words(words)
        if self.border_title != content:
            with self._only_the_line(0):
                self.border_title = content

    @contextmanager
    def _only_the_line(self, number: int) -> Iterator[None]:
        """Textual paints the whole pane for other words in its frame: five KB each time a line is counted."""
        self._line = Region(0, number, self.outer_size.width, 1)
        try:
            yield
        finally:
            self._line = None

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._line is not None and not regions:
            regions = (self._line.translate(-self.content_offset),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _words(self, words: str) -> Content:
        """Words for the frame: never markup, in ASCII where that is wanted, and cut by us: Textual's sign is none."""
        room = self.outer_size.width - _FRAME
        if 0 < room < cell_len(words):
            words = cell(words, room)
        return Content(to_ascii(words) if self.app.has_class(ASCII_CLASS) else words)


def make_pane(entry: PaneEntry, pace: Pace) -> Pane:
    """The pane of an entry; its module is loaded only now."""
    module, _, name = entry.path.partition(":")
    made = getattr(import_module(module), name)(entry, pace)
    assert isinstance(made, Pane)
    return made
