"""What is copied: to the clipboard of the terminal, and to a file where that may not reach it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from litellm_tui.storage.state import state_folder

if TYPE_CHECKING:
    from litellm_tui.ui.console_host import ConsoleHost
    from litellm_tui.ui.detail import Paragraph

_COPIED: Final = "copied.txt"


@runtime_checkable
class CopiesText(Protocol):
    """The console, for a screen that copies."""

    def copy_text(self, text: str, words: str) -> None:
        """Copy a text, masked, and say so in these words."""


def copy(console: ConsoleHost, text: str, words: str) -> None:
    """Copy a text, whose secrets are masked already, and say so in these words."""
    from litellm_tui.ui.log_export import terminal_keeps_it

    console.copy_to_clipboard(text)
    if not (why := terminal_keeps_it(text, os.environ)):
        console.notify(words, markup=False)
        return
    folder = console.session.own_folder or state_folder()
    console.begin(partial(_to_file, console, folder / _COPIED, text, f"{words}; {why}"), group="copy")


async def _to_file(console: ConsoleHost, path: Path, text: str, words: str) -> None:
    from litellm_tui.ui.log_export import copied_to

    if failure := await console.session.files.run(copied_to, path, text):
        console.notify(failure.why, severity="error", markup=False)
    else:
        console.notify(f"{words}, so it is in {path} as well", timeout=10, markup=False)


def as_text(title: str, paragraphs: Iterable[Paragraph], command: str = "") -> str:
    """All about one thing as plain lines, and below them the command that tells it in a shell."""
    lines = [title, *(f"{name.strip()}: {text}" if name.strip() else text for name, text, _ in paragraphs if text)]
    return "\n".join(filter(None, (*lines, f"$ {command}" if command else "")))
