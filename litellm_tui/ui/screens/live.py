"""A list over the console that goes on showing what is true now."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.screen import ModalScreen, ScreenResultType
from textual.widget import Widget

from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.textual_internals import CalmScreen
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.described import Described
from litellm_tui.ui.widgets.head import Head
from litellm_tui.ui.widgets.lines import Lines, Row

ItemType = TypeVar("ItemType")


class _List(Lines):
    """Filled anew when it has another height: how much a row may take depends on it."""

    def __init__(self, fill: Callable[[], object], id: str) -> None:
        super().__init__(id=id)
        self._fill = fill
        self._height = 0

    def laid_out(self) -> None:
        super().laid_out()
        if self.size.height != self._height:
            self._height = self.size.height
            self._fill()


class LiveList(ModalScreen[ScreenResultType], CalmScreen[ScreenResultType], Generic[ScreenResultType, ItemType]):
    """A list, which keeps its selection, and below it all about the selected item. The console draws it anew with every
    view while it is the uppermost.

    `NAME` begins the ids of both; `WHAT` and `ENDING` stand in the frame. Tab goes to the lower part, where it does not
    have room, and back.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open_chosen", show=False)]
    NAME: ClassVar[str]
    WHAT: ClassVar[str] = ""
    ENDING: ClassVar[str] = "Esc close"

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    # --- what each of them says ------------------------------------------------------------------------------------

    @abstractmethod
    def rows(self, width: int) -> Iterable[Row]:
        """The list, `width` cells wide."""

    @abstractmethod
    def item(self, key: str) -> ItemType | None:
        """The item whose row has this key."""

    @abstractmethod
    def paragraphs(self, item: ItemType) -> Iterable[Paragraph]:
        """All that is known of it."""

    @abstractmethod
    def opened(self, item: ItemType) -> None:
        """Enter on its row."""

    @property
    def ending(self) -> str:
        """The keys, as they stand in the frame."""
        return self.ENDING

    def head(self, width: int) -> Row | None:
        """The names of the columns."""
        return None

    def lowest(self) -> Iterable[Widget]:
        """What stands below all of it."""
        return ()

    # --- what they have in common ----------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(self.WHAT)
            yield Head(id=f"{self.NAME}-head")
            yield _List(self.fill, f"{self.NAME}-lines")
            yield Described(self.describe, f"{self.NAME}-detail")
            yield from self.lowest()

    def on_mount(self) -> None:
        self.query_one(f"#{self.NAME}-lines").focus()
        self._say_keys()

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.draw, self._view)

    def on_resize(self) -> None:
        self.call_after_refresh(self.fill)

    def draw(self, view: View) -> None:
        """Show this view."""
        self._view = view
        self.fill()

    def fill(self) -> None:
        """Show what is known now."""
        # by query: the screen may have been left in the meantime
        for lines in self.query(f"#{self.NAME}-lines").results(Lines):
            if lines.room:
                rows = self.rows(lines.room)
                lines.show(rows if isinstance(rows, Sequence) else list(rows))
                for head in self.query(Head):
                    names = self.head(lines.room)
                    head.display = names is not None
                    head.show([names] if names is not None else [])
        self.describe()

    @property
    def height(self) -> int:
        """Lines of the screen that the list takes; 0 before the layout."""
        return next((lines.size.height for lines in self.query(f"#{self.NAME}-lines").results(Lines)), 0)

    @property
    def selected(self) -> str:
        """The key of the selected row; empty when there is none."""
        return next((lines.selected for lines in self.query(f"#{self.NAME}-lines").results(Lines)), "")

    @property
    def chosen(self) -> ItemType | None:
        """The item of the selected row."""
        return self.item(self.selected) if self.selected else None

    @on(Lines.Moved)
    def describe(self) -> None:
        """Show all that is known of the selected item."""
        chosen = self.chosen
        for lines in self.query(f"#{self.NAME}-detail").results(Lines):
            lines.display = chosen is not None
            if chosen is not None and lines.room:
                lines.show(to_rows(list(self.paragraphs(chosen)), lines.room))
        self._say_keys()

    @on(DescendantFocus)
    def _say_keys(self) -> None:
        words = self.ending
        for detail in self.query(Described):
            if detail.has_focus:
                words = hint_words(("↑↓", "scroll"), ("Tab", "list"), ("Esc", "close"))
            elif detail.display and detail.height_of_all > detail.size.height > 0:
                begin, _, end = words.rpartition(" · ")
                words = " · ".join(filter(None, (begin, "Tab all of it", end)))
        say_below(self, words)

    @on(Lines.Opened)
    def _open(self, event: Lines.Opened) -> None:
        event.stop()
        if (chosen := self.chosen) is not None:
            self.opened(chosen)

    def action_open_chosen(self) -> None:
        """Enter in the lower part is about the selected row as well."""
        if (chosen := self.chosen) is not None:
            self.opened(chosen)

    def action_close(self) -> None:
        self.dismiss(None)
