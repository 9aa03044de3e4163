"""What sheets and dialogs have in common, in an app of its own where nothing else moves."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import App, ComposeResult
from textual.widgets import Button

from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Row


class Question(FilledScreen[None]):
    CSS = "Button { min-width: 0; }"
    FOCUS = "#answer"

    def compose(self) -> ComposeResult:
        yield Button("Go", id="answer", compact=True)

    def rows(self, width: int) -> Iterable[Row]:
        return ()


async def test_a_longer_label_gets_its_width_though_nothing_else_changes() -> None:
    app: App[None] = App()
    async with app.run_test() as pilot:
        question = Question()
        await app.push_screen(question)
        await pilot.pause()
        button = question.query_one(Button)
        assert button.size.width == len(" Go ")
        question.label("#answer", "Go all the same")
        await pilot.pause()
        assert button.size.width == len(" Go all the same ")
