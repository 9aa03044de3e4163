"""One record of the log in full, its stack trace folded until it is wanted whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from litellm_tui.model.log import LogRecord
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, record_paragraphs, request_paragraphs
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.view import View
from litellm_tui.ui.widgets.lines import Lines

Step = Callable[[int], tuple[LogRecord, Sequence[LogRecord]] | None]


class RecordSheet(Sheet):
    """`on_copy` and `on_call` are told what y and c ask for; `step` gives the record shown before (-1) or after it (1),
    with the lines of its request, or None where there is none.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("record", first=("step(1)", "step(-1)"))

    def __init__(
        self,
        record: LogRecord,
        view: View,
        on_copy: Callable[[LogRecord], None],
        on_call: Callable[[LogRecord], None],
        lines: Sequence[LogRecord] = (),
        step: Step = lambda _: None,
    ) -> None:
        """With `lines`, those of a request, which the record ends."""
        self._record, self._lines = record, lines
        self._view, self._full = view, False
        self._on_copy, self._on_call, self._step = on_copy, on_call, step
        super().__init__(self._what, self._told)

    @property
    def _what(self) -> str:
        return "Request" if len(self._lines) > 1 else "Log record"

    def _told(self) -> list[Paragraph]:
        if len(self._lines) > 1:
            return list(request_paragraphs(self._lines, self._view, full=self._full))
        return list(record_paragraphs(self._record, self._view, full=self._full))

    def say_keys(self) -> None:
        self._describe()

    def _describe(self) -> None:
        has_trace = any(one.stack for one in (self._record, *self._lines))
        trace = ("fold" if self._full else "unfold") if has_trace else ""
        say_below(
            self,
            hint_words(("j", "next"), ("k", "previous"), ("f", trace), ("y", "copy"), ("c", "call"), ("Esc", "close")),
        )
        for box in self.query(".sheet").results(Vertical):
            box.border_title = Content(self._what)

    def action_step(self, step: int) -> None:
        """The record after this one, or the one before."""
        found = self._step(step)
        if found is None:
            say_below(self, f"no record {'after' if step > 0 else 'before'} this one · {hint_words(('Esc', 'close'))}")
            return
        self._record, self._lines = found
        self.fill()
        for lines in self.query(Lines):
            lines.scroll_to(y=0, animate=False, force=True)
        self._describe()

    def action_fold(self) -> None:
        """The other way of showing the stack trace."""
        self._full = not self._full
        self.fill()
        self._describe()

    def action_copy(self) -> None:
        """The record goes to the clipboard."""
        self._on_copy(self._record)

    def action_call(self) -> None:
        """Only what belongs to this call, in the log."""
        self.dismiss(None)
        self._on_call(self._record)
