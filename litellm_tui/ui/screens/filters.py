"""The filters that were kept by name: one is chosen, the present one is kept, or one is deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from litellm_tui.analysis.redaction.redactor import MASK
from litellm_tui.host.file_thread import FileThread
from litellm_tui.logs.log_line import clean
from litellm_tui.storage.filters import SavedFilters
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.guarded_work import begin_beside
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Lines, Row, cell

_LONGEST_NAME: Final = 40


class FiltersScreen(FilledScreen[str | None]):
    """Gives the chosen filter, or None. `present` is the one that is kept; `redact` finds secrets, which never are.

    The file is written in `thread`.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("filters")

    def __init__(self, saved: SavedFilters, present: str, redact: Callable[[str], str], thread: FileThread) -> None:
        super().__init__()
        self._thread = thread
        self._saved, self._present, self._redact = saved, present, redact

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -filters") as box:
            box.border_title = Content("Filters of the log")
            yield Lines(id="filters-lines")
            field = Input(placeholder="a name for it, then Enter", compact=True, max_length=_LONGEST_NAME)
            field.cursor_blink = False
            field.display = False
            yield field

    def on_mount(self) -> None:
        self._say_keys()

    def _say_keys(self) -> None:
        if self.query_one(Input).display:
            say_below(self, hint_words(("Enter", "keep"), ("Esc", "leave")))
        else:
            say_below(self, hint_words(("Enter", "use"), ("a", "keep present one"), ("x", "delete"), ("Esc", "close")))

    def rows(self, width: int) -> list[Row]:
        """The filters by name, and the present one."""
        filters = self._saved.filters
        names = max(4, min(max((len(name) for name in filters), default=0), width // 3))
        head = Row((((" " + cell("name", names) + "  filter"), "head"),))
        rows = [
            Row((
                (" " + cell(clean(name), names) + "  ", "strong"),
                (cell(clean(filters[name]), width - names - 3), "ok"),
            ), name)
            for name in sorted(filters)
        ]  # fmt: skip
        rows = [head, *rows] if rows else [Row(((" none is kept yet", "quiet"),))]
        present = f"present: {clean(self._present)}" if self._present else "no filter is set: / types one, a keeps it"
        rows += [Row((("", ""),)), *to_rows([("", present, "quiet"), ("", self._saved.failure, "bad")], width)]
        return rows

    @on(Lines.Opened)
    def _use(self, event: Lines.Opened) -> None:
        event.stop()
        self.dismiss(self._saved.filters.get(event.key))

    def action_name(self) -> None:
        """Ask for the name that the present filter is kept by."""
        if not self._present:
            self.notify("no filter is set: / types one", markup=False)
        elif self._redact(self._present) != self._present or MASK in self._present:
            self.notify("this filter holds a secret, and is not kept", severity="warning", markup=False)
        else:
            field = self.query_one(Input)
            field.value = ""
            field.display = True
            self.set_focus(field)
            self._say_keys()

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        event.stop()
        name = " ".join(clean(event.value).split())
        self._leave_field()
        if name and self._redact(name) == name:
            self._change(partial(self._saved.keep, name, self._present), name)

    def action_delete(self) -> None:
        """Forget the selected one; what it was is said, so that it can be typed again."""
        name = self.query_one(Lines).selected
        if name:
            self.notify(f"deleted {name}: {self._saved.filters.get(name, '')}", markup=False)
            self._change(partial(self._saved.delete, name))

    def _change(self, change: Callable[[], None], name: str = "") -> None:
        begin_beside(self, partial(self._changed, change, name), "filters", "filters")

    async def _changed(self, change: Callable[[], None], name: str) -> None:
        await self._thread.run(change)
        self.fill()
        for lines in self.query(Lines):
            if name:
                lines.select(name)

    def _leave_field(self) -> None:
        self.query_one(Input).display = False
        self._say_keys()
        self.set_focus(self.query_one(Lines))

    def action_close(self) -> None:
        """Back to the list from the name, or away from it."""
        if self.query_one(Input).display:
            self._leave_field()
        else:
            self.dismiss(None)
