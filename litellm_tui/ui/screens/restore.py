"""Asks whether to go back to a set of files, with all that this changes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from litellm_tui.backups import Backup
from litellm_tui.backups.against import Against
from litellm_tui.comparison import moment
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.screens.backups import change_paragraphs
from litellm_tui.ui.widgets.lines import Lines


class RestoreScreen(ModalScreen[bool]):
    """Ends with True when the operator wants it written. Enter alone does not write: it may be held down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "write", show=False),
        Binding("escape,q,enter", "close", show=False),
    ]

    def __init__(self, backup: Backup, found: Against, utc: bool) -> None:
        super().__init__()
        self._backup = backup
        self._found = found
        self._utc = utc

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet") as box:
            box.border_title = Content("Go back")
            box.border_subtitle = Content("w writes it, with a backup of what is there, Esc leaves it")
            yield Lines(id="restore-lines")

    def on_mount(self) -> None:
        self.query_one(Lines).focus()
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        lines = self.query_one(Lines)
        if not lines.room:
            return
        backup, result = self._backup, self._backup.result
        what = f"to the files of {moment(backup.at, self._utc)} ({backup.why}{f': {result}' if result else ''})"
        paragraphs: list[Paragraph] = [("", what, "strong"), ("", "", ""), *change_paragraphs(self._found)]
        paragraphs += [("", "", ""), ("", "What runs is not changed by this: a restart applies it.", "quiet")]
        lines.show(to_rows(paragraphs, lines.room))

    def action_write(self) -> None:
        self.dismiss(True)

    def action_close(self) -> None:
        self.dismiss(False)
