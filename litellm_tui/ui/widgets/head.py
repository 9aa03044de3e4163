"""What stands above the rows of a list and stays: the names of its columns."""

from __future__ import annotations

from collections.abc import Sequence

from litellm_tui.ui.widgets.lines import Lines, Row


class Head(Lines, can_focus=False):
    """One line, or as many as it is given: none takes no room."""

    _height = 1

    def stand(self, rows: Sequence[Row]) -> None:
        """Show these, in as many lines."""
        if len(rows) != self._height:
            self._height = len(rows)
            self.display = bool(rows)
            self.styles.height = len(rows)
        self.show(rows)
