"""A fix as a diff, to be written or left."""

from __future__ import annotations

from collections.abc import Iterator

from litellm_tui.ui.detail import to_rows
from litellm_tui.ui.screens.writing import WritingScreen
from litellm_tui.ui.widgets.lines import Row

_STYLES = {"+": "ok", "-": "bad", "@": "mark"}


class FixScreen(WritingScreen):
    """The fix in words, what must be decided, and the diff."""

    WHAT = "Fix"
    ENDING = "y write, with a backup · c copy the patch · n leave"
    LINES = "fix-lines"

    def __init__(self, title: str, decision: str, diff: str) -> None:
        super().__init__()
        self._title = title
        self._decision = decision
        self._diff = diff

    @property
    def patch(self) -> str:
        return self._diff

    def rows(self, width: int) -> Iterator[Row]:
        """Title, decision and diff."""
        yield from to_rows([("", self._title, "strong")], width)
        if self._decision:
            yield from to_rows([("", f"to be decided: {self._decision}", "warn")], width)
        yield Row((("", ""),))
        for line in self._diff.splitlines():
            style = "quiet" if line.startswith(("+++ ", "--- ")) else _STYLES.get(line[:1], "quiet")
            yield from to_rows([("", line, style)], width)
