"""Asks whether to go back to a set of files, with all that this changes."""

from __future__ import annotations

from litellm_tui.monitor.comparison import clock_time
from litellm_tui.storage.backups import Backup
from litellm_tui.storage.backups.rollback_preview import RollbackPreview
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.screens.backups import change_paragraphs
from litellm_tui.ui.screens.writing import WritingScreen
from litellm_tui.ui.widgets.lines import Row


class RestoreScreen(WritingScreen):
    """Which set, and what differs from it now."""

    WHAT = "Go back"
    ENDING = "y write, with a backup of what is there · n leave"
    LINES = "restore-lines"

    def __init__(self, backup: Backup, found: RollbackPreview, utc: bool) -> None:
        super().__init__()
        self._backup = backup
        self._found = found
        self._utc = utc

    def rows(self, width: int) -> list[Row]:
        """The set and the changes."""
        backup, result = self._backup, self._backup.result
        what = f"to the files of {clock_time(backup.at, self._utc)} ({backup.why}{f': {result}' if result else ''})"
        paragraphs: list[Paragraph] = [("", what, "strong"), ("", "", ""), *change_paragraphs(self._found)]
        paragraphs += [("", "", ""), ("", "What runs is not changed by this: a restart applies it.", "quiet")]
        return to_rows(paragraphs, width)
