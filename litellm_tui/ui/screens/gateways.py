"""The gateways that were found on this machine, to choose the one that is operated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from litellm_tui.logs.log_line import clean
from litellm_tui.model.discovered import Discovery
from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.detail import Paragraph, to_rows
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.signs import Signs
from litellm_tui.ui.widgets.lines import Lines, Row, cell

_LONGEST_NAME: Final = 44
_LONGEST_ADDRESS: Final = 30


class GatewaysScreen(FilledScreen[str | None]):
    """Gives the identity of the chosen gateway, or None. `present` is the one that is open; empty where none is yet."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("gateways")

    def __init__(self, found: Discovery, present: str, signs: Signs) -> None:
        super().__init__()
        self._found, self._present, self._signs = found, present, signs

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -gateways") as box:
            box.border_title = Content("Which gateway")
            yield Lines(id="gateways-lines")

    def on_mount(self) -> None:
        leave = "close" if self._present else "quit"
        say_below(self, hint_words(("Enter", "open, now and the next time"), ("Esc", leave)))

    def rows(self, width: int) -> Iterator[Row]:
        """One line for each gateway; below, how each is known."""
        gateways = self._found.gateways
        names = min(max((len(clean(str(one))) for one in gateways), default=0), _LONGEST_NAME, width // 2)
        urls = max(0, min(_LONGEST_ADDRESS, width - names - 18))
        yield Row(((f"   {cell('gateway', names)}  {cell('address', urls)}  state", "head"),))
        for one in gateways:
            state = "open now" if one.identity == self._present else "runs" if one.active else "stopped"
            sign = self._signs.states["serving" if one.active else "expected down"]
            yield Row((
                (f" {sign} ", "ok" if one.active else "quiet"),
                (cell(clean(str(one)), names), "strong"),
                ("  " + cell(clean(one.unit.url), urls), "ok"),
                (f"  {state}", "mark" if one.identity == self._present else "quiet"),
            ), one.identity)  # fmt: skip
        yield Row((("", ""),))
        yield from to_rows(list(self._reasons()), width)

    def _reasons(self) -> Iterator[Paragraph]:
        for one in self._found.gateways:
            yield "", f"{one}: {one.why}", "quiet"
        for searched in self._found.searched:
            if searched.mend:
                yield "", f"{searched.what}: {searched.result}; {searched.mend}", "quiet"

    @on(Lines.Opened)
    def _chosen(self, event: Lines.Opened) -> None:
        event.stop()
        if event.key and self.could_be_read:
            self.dismiss(event.key)

    def action_close(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)
