"""The console with a guide: a panel at the bottom of whatever is on the screen tells a story step by step.

A step is over when what it asks for is on the screen, however that was reached; nothing is forced, and the console does
all that it does without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from textual.screen import Screen
from textual.widgets import Static

from litellm_tui.target.profile import Profile
from litellm_tui.target.settings import Settings
from litellm_tui.ui.app import Console

LOOK_SECONDS: Final = 0.25
# what a step has led to is seen before the next one is told
PAUSE_SECONDS: Final = 0.5


class Step(NamedTuple):
    """`words` say what to press and why. It is over when `reached` is true of the console.

    `begin` makes what the step is about happen; it is run in a thread.
    """

    words: str
    reached: Callable[[Console], bool]
    begin: Callable[[], None] | None = None


class TourPanel(Static):
    """What the guide says now."""

    DEFAULT_CSS = """
    TourPanel {
        dock: bottom; width: 100%; height: auto; max-height: 5; padding: 0 1;
        background: $panel; color: $state-strong; border-top: solid $state-focus;
    }
    .-ascii TourPanel { border-top: ascii $state-focus; }
    """

    def __init__(self, words: str) -> None:
        # what is said holds names of models: never markup
        super().__init__(words, markup=False)


class TourConsole(Console):
    """`steps` one after another; after the last one the panel stays with its words."""

    def __init__(
        self, steps: Sequence[Step], profile: Profile | Callable[[], Profile], settings: Settings, title: str = ""
    ) -> None:
        super().__init__(profile, settings, title, memory=False)
        self._steps = tuple(steps)
        self._at = -1
        self._moving = False

    @property
    def step(self) -> int:
        """The number of the step that is told, from 0; -1 before the first one."""
        return self._at

    def on_mount(self) -> None:
        # Textual calls that of Console too
        self.set_interval(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        if not self.screen_stack or self.view is None:
            return
        if self._at < 0:
            self._next()
        elif not self._moving and self._at < len(self._steps) - 1 and self._steps[self._at].reached(self):
            self._moving = True
            self.set_timer(PAUSE_SECONDS, self._next)
        self._show_panel(self.screen)

    def _next(self) -> None:
        self._at, self._moving = self._at + 1, False
        if (begin := self._steps[self._at].begin) is not None:
            self.run_worker(begin, group="tour", thread=True)
        self._show_panel(self.screen)

    def _show_panel(self, screen: Screen[Any]) -> None:
        """The panel belongs to the uppermost screen, which may be another one than before."""
        if self._at < 0 or not screen.is_mounted:
            return
        last = self._at == len(self._steps) - 1
        words = f"tour {self._at + 1}/{len(self._steps)}  {self._steps[self._at].words}"
        words += "" if last else "  (Ctrl+Q ends the tour)"
        for panel in screen.query(TourPanel):
            if panel.content != words:
                panel.update(words)
            return
        screen.mount(TourPanel(words))
