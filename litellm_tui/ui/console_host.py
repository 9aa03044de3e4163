"""What the helpers of the app may ask of it: the session that is shown, dialogs, notices, work, the way to a pane."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol, TypeVar

from textual.screen import Screen

from litellm_tui.model.diagnosis import Place
from litellm_tui.ui.guarded_work import Work
from litellm_tui.ui.keymap import Bound
from litellm_tui.ui.panes.logs import Logs
from litellm_tui.ui.session import Session
from litellm_tui.ui.terminal_link import Link

ResultType = TypeVar("ResultType")


class ConsoleHost(Protocol):
    """The console as its helpers see it. The names are those of Textual's app where it has them."""

    # --- the gateway -------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The one that is shown."""

    @property
    def is_web(self) -> bool:
        """Whether it is shown in a browser."""

    @property
    def bound(self) -> Bound:
        """The keys as they are bound."""

    # --- the screen --------------------------------------------------------------------------------------------

    @property
    def link(self) -> Link:
        """The line to the terminal."""

    @property
    def log_pane(self) -> Logs:
        """The log, whatever lies over it."""

    def notify(
        self,
        message: str,
        *,
        severity: Literal["information", "warning", "error"] = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Say something in passing; what comes from outside is never `markup`."""

    def say(self, words: str) -> None:
        """A short message in the line of the keys, for some seconds."""

    def push_screen(
        self, screen: Screen[ResultType], callback: Callable[[ResultType | None], None] | None = None
    ) -> object:
        """Lay a screen over what is there; `callback` gets what it ends with."""

    async def push_screen_wait(self, screen: Screen[ResultType]) -> ResultType | Any:
        """The same, in a worker that waits for its end."""

    def suspend(self) -> AbstractContextManager[None]:
        """Hand the terminal over to somebody else; raises SuspendNotSupported."""

    def copy_to_clipboard(self, text: str) -> None:
        """To the clipboard of the terminal."""

    def begin(self, work: Work, group: str, *, exclusive: bool = False) -> object:
        """Do this beside everything else; its exception is told, and ends nothing else.

        An `exclusive` one ends the others of its group.
        """

    def cancel_workers(self, group: str) -> None:
        """End what is being done in this group."""

    # --- where to go -------------------------------------------------------------------------------------------

    def show_pane(self, name: str) -> None:
        """Bring a pane into sight and give it the focus."""

    def show_record(self, sequence: int) -> None:
        """A record of the log, in the log."""

    def show_audit(self) -> None:
        """The findings, where nothing lies over the console."""

    def show_difference(self) -> None:
        """The file against what runs, over whatever is on the screen."""

    def go_to(self, place: Place) -> None:
        """The row that a problem is about."""
