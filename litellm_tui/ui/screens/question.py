"""A question with buttons: y and n answer it, or a name that is typed, and the frame says which."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.screen import ScreenResultType
from textual.widget import Widget
from textual.widgets import Button, Input

from litellm_tui.ui.bindings import bindings_of
from litellm_tui.ui.hint_words import hint_words, say_below
from litellm_tui.ui.screens.filled import FilledScreen
from litellm_tui.ui.widgets.lines import Lines
from litellm_tui.ui.widgets.unit_name import UnitName


class Question(FilledScreen[ScreenResultType]):
    """Opens on Cancel, or on the field where a name must be typed: there Enter presses `YES` once the name is right.

    `YES` selects the button that goes on; while that is not to be seen, y and n do nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("questions")
    FOCUS = "#cancel"
    YES: ClassVar[str]

    @property
    def first_focus(self) -> Widget:
        """The field where a name must be typed, else Cancel."""
        return next(iter(self.query(UnitName)), None) or super().first_focus

    def on_mount(self) -> None:
        self.say_how()

    @property
    def _yes(self) -> Button | None:
        return next((b for b in self.query(self.YES).results(Button) if b.display and not b.disabled), None)

    def say_how(self, wrong: str = "") -> None:
        """What answers it, in the frame, and what was wrong with the last answer."""
        yes, field = self._yes, next(iter(self.query(UnitName)), None)
        # a label may have been set that is not drawn yet
        what = str(yes.label).lower() if yes is not None else ""
        if not what:
            words = ""
        elif field is not None:
            words = f"type the name · {hint_words(('Enter', what), ('Esc', 'leave'))}"
        else:
            words = hint_words(("y", what), ("n", "leave"))
        say_below(self, wrong or words)

    def action_answer(self, yes: bool) -> None:
        if (button := self._yes) is not None:
            (button if yes else self.query_one("#cancel", Button)).press()

    def action_other_button(self, step: int) -> None:
        self.focus_next(Button) if step > 0 else self.focus_previous(Button)

    def action_scroll_text(self, pages: int) -> None:
        for lines in self.query(Lines):
            lines.action_page(pages)

    @property
    def named(self) -> bool:
        """Whether the name was typed, where one must be."""
        return all(field.matches for field in self.query(UnitName))

    def ask_for_name(self) -> None:
        """Go to the field, and say what is missing."""
        for field in self.query(UnitName):
            field.focus()
            self.say_how(f"not {field.wanted} yet: type it · {hint_words(('Enter', 'go on'), ('Esc', 'leave'))}")

    @on(Input.Submitted)
    def _typed(self) -> None:
        if not self.named:
            self.ask_for_name()
        elif (button := self._yes) is not None:
            button.press()

    @on(Input.Changed)
    def _types(self) -> None:
        self.say_how()
