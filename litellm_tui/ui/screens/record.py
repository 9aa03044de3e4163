"""One record of the log in full, its stack trace folded until it is wanted whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from litellm_tui.model.log import LogRecord
from litellm_tui.ui.detail import record_paragraphs, request_paragraphs
from litellm_tui.ui.screens.sheet import Sheet
from litellm_tui.ui.view import View


class RecordSheet(Sheet):
    """`on_copy` and `on_call` are told what y and c ask for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fold", show=False),
        Binding("y", "copy", show=False),
        Binding("c", "call", show=False),
    ]

    def __init__(
        self,
        record: LogRecord,
        view: View,
        on_copy: Callable[[LogRecord], None],
        on_call: Callable[[LogRecord], None],
        lines: Sequence[LogRecord] = (),
    ) -> None:
        """With `lines`, those of a request, which the record ends."""
        self._record = record
        self._has_trace = any(one.stack for one in (record, *lines))
        self._full = False
        self._on_copy, self._on_call = on_copy, on_call
        if len(lines) > 1:
            super().__init__("Request", lambda: list(request_paragraphs(lines, view, full=self._full)))
        else:
            super().__init__("Log record", lambda: list(record_paragraphs(record, view, full=self._full)))

    def on_mount(self) -> None:
        self._describe()

    def _describe(self) -> None:
        trace = f"f {'folds' if self._full else 'unfolds'} the trace, " if self._has_trace else ""
        for box in self.query(".sheet").results(Vertical):
            box.border_subtitle = Content(f"{trace}y copies, c all of this call, Esc closes")

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
