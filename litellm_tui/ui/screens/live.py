"""A list over the console that goes on showing what is true now."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantFocus
from textual.screen import ModalScreen, ScreenResultType

from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.clipboard import CopiesText
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.keymap import PLAIN, Bound
from litellm_tui.ui.textual_internals import CalmScreen
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.described import Described
from litellm_tui.ui.widgets.head import Head
from litellm_tui.ui.widgets.lines import Lines, Row, cell
from litellm_tui.ui.widgets.list_filter import ListFilter
from litellm_tui.ui.widgets.text_picking import TextPicking

ItemType = TypeVar("ItemType")

# what the frame has beside the keys: its corners and the lines before and behind them
_FRAME: Final = 8
# from so many cells of the screen on the keys of all lists have room in the frame too
_ROOMY: Final = 100


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

    `NAME` begins the ids of both; `WHAT` and the words of `OFFERS`, each behind the key of its binding, stand in the
    frame. Tab goes to the lower part, where it does not have room, and back.

    What is typed behind / narrows the list to the lines that have these words, in them or in all about them. O, or a
    click on the name of a column, orders it by one of `ORDERS`.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("views")
    NAME: ClassVar[str]
    WHAT: ClassVar[str] = ""
    OFFERS: ClassVar[tuple[tuple[str, str], ...]] = ()
    ORDERS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """By the name of a column what of an item its lines are ordered by; they begin in the order of `rows`."""
    COMMAND: ClassVar[tuple[str, ...]] = ()
    """The words of litellm-tui that tell the list in a shell."""
    TYPED: ClassVar[str] = "words in the line, or in what is known of it"

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view
        self._filter = ListFilter(placeholder=self.TYPED)
        self._texts: dict[str, tuple[ItemType, str]] = {}
        self.words = ""
        """What its lines must have."""
        self.order = ""
        """The name of the column that it is ordered by; empty for the order that it begins with."""

    # --- what each of them says ------------------------------------------------------------------------------------

    @abstractmethod
    def rows(self, width: int) -> Iterable[Row]:
        """The list, `width` cells wide."""

    @abstractmethod
    def items(self) -> Iterable[tuple[str, ItemType]]:
        """Every item, with the key of its row."""

    @abstractmethod
    def paragraphs(self, item: ItemType) -> Iterable[Paragraph]:
        """All that is known of it."""

    @abstractmethod
    def opened(self, item: ItemType) -> None:
        """Enter on its row."""

    @property
    def ending(self) -> str:
        """The keys, as they stand in the frame."""
        return self.offers_of(*self.OFFERS)

    def command(self, item: ItemType) -> Sequence[str]:
        """The words of litellm-tui that tell this item in a shell."""
        return self.COMMAND

    def head(self, width: int) -> Row | None:
        """The names of the columns."""
        return None

    # --- what they have in common ----------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content(self.WHAT)
            yield Head(id=f"{self.NAME}-head")
            yield _List(self.fill, f"{self.NAME}-lines")
            yield Described(self.describe, f"{self.NAME}-detail")
            yield self._filter

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
                lines.show(self._arranged(rows if isinstance(rows, Sequence) else list(rows), lines.room))
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

    def item(self, key: str) -> ItemType | None:
        """The item whose row has this key."""
        return next((item for name, item in self.items() if name == key), None)

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
                words = hint_words(("↑↓", "scroll"), ("Tab", "list"), (self._key("views.clear-or-close"), "close"))
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

    # --- its keys in the frame -------------------------------------------------------------------------------------

    def _key(self, id: str) -> str:
        found = getattr(self.app, "bound", PLAIN)
        return found.shown(id) if isinstance(found, Bound) else ""

    def offers_of(self, *offers: tuple[str, str]) -> str:
        """Words, each behind the key of the binding with this id; behind them what every list has."""
        common = [("views.filter", "filter")]
        if self.app.size.width >= _ROOMY:
            common += [("views.order", "order")] if self.ORDERS else []
            common += [("views.copy", "copy")]
        while True:
            every = [*offers, *common, ("views.clear-or-close", "all of them" if self.words else "close")]
            words = hint_words(*((self._key(id), word) for id, word in every if self._key(id)))
            if len(words) <= self.app.size.width - _FRAME or not common:
                return words
            # the help has them all
            common.pop()

    # --- filter and order ------------------------------------------------------------------------------------------

    def _arranged(self, rows: Sequence[Row], width: int) -> Sequence[Row]:
        """The rows that have what was typed, in the order that was chosen: those of items only, and how many there are.

        Headings and what is said of the whole list belong to the list as it begins.
        """
        if not self.words and not self.order:
            return rows
        items = dict(self.items())
        blocks: list[tuple[str, list[Row]]] = []
        for row in rows:
            if row.key in items:
                blocks.append((row.key, [row]))
            elif row.below and blocks:
                blocks[-1][1].append(row)
        kept = [block for block in blocks if self._has(block[0], items[block[0]], block[1])]
        if order := self.ORDERS.get(self.order):
            kept.sort(key=lambda block: order(items[block[0]]))
        told = [f"by {self.order}"] if self.order else []
        if self.words:
            told.append(f"with {self.words}: {len(kept)} of {len(blocks)}, {len(blocks) - len(kept)} hidden")
        note = Row(((cell(f" {' · '.join(told)}", width), "mark"),))
        return [note, *(row for _, block in kept for row in block)]

    def _has(self, key: str, item: ItemType, rows: Sequence[Row]) -> bool:
        if not self.words:
            return True
        known = self._texts.get(key)
        if known is None or known[0] != item:
            text = " ".join(text for name, text, _ in self.paragraphs(item) if name != "next")
            known = self._texts[key] = (item, text.casefold())
        shown = "".join(text for row in rows for text, _ in row.spans).casefold()
        return all(word in shown or word in known[1] for word in self.words.casefold().split())

    def action_filter(self) -> None:
        """Ask for the words."""
        self._filter.ask(self.words)

    @on(ListFilter.Narrowed)
    def _narrowed(self, event: ListFilter.Narrowed) -> None:
        event.stop()
        self._narrow(event.words)

    def _narrow(self, words: str) -> None:
        if words.strip() != self.words:
            self.words = words.strip()
            self.fill()

    def action_clear_or_close(self) -> None:
        if self.words:
            self._narrow("")
        else:
            self.action_close()

    def action_order(self) -> None:
        """The next of the orders, and behind the last the one that it begins with."""
        if not self.ORDERS:
            self.notify("this list has one order only", markup=False)
            return
        names = ["", *self.ORDERS]
        self._order_by(names[(names.index(self.order) + 1) % len(names)])

    @on(Head.Clicked)
    def _head_clicked(self, event: Head.Clicked) -> None:
        event.stop()
        for head in self.query(Head):
            if name := head.name_at(event.column, self.ORDERS):
                self._order_by("" if name == self.order else name)

    def _order_by(self, name: str) -> None:
        self.order = name
        self.fill()

    # --- copies ----------------------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """All about the selected item, and the command that tells it in a shell."""
        from litellm_tui.ui.clipboard import as_text
        from litellm_tui.ui.shell_words import shell_line

        chosen = self.chosen
        if chosen is None:
            self.notify("no line is selected", markup=False)
            return
        title = next((lines.text_of(self.selected) for lines in self.query(_List)), "")
        command = shell_line(self._view.profile, self.command(chosen))
        text = as_text(" ".join(title.split()), self.paragraphs(chosen), command)
        if isinstance(host := self.app, CopiesText):
            host.copy_text(text, "copied all about the line")

    @on(TextPicking.Copy)
    def _copy_asked(self, event: TextPicking.Copy) -> None:
        event.stop()
        self.action_copy()
