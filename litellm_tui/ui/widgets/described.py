"""All about the selected line, below its list."""

from __future__ import annotations

from collections.abc import Callable

from litellm_tui.ui.widgets.lines import Lines


class Described(Lines):
    """Hidden while nothing is selected: when it is shown, it has no size yet, and is drawn as soon as it gets one.

    It takes the focus to be scrolled.
    """

    def __init__(self, describe: Callable[[], object], id: str) -> None:
        super().__init__(id=id)
        self._describe = describe

    def laid_out(self) -> None:
        super().laid_out()
        self._describe()
