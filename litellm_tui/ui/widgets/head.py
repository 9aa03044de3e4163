"""The names of the columns of a list."""

from __future__ import annotations

from litellm_tui.ui.widgets.lines import Lines


class Head(Lines, can_focus=False):
    """One line above a list, which stays where the rows scroll."""
