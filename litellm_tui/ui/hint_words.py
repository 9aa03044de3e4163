"""The keys that do something on a screen, in one grammar for every frame: `Enter log · o model · Esc close`."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.content import Content
from textual.screen import Screen

from litellm_tui.ui.signs import to_ascii
from litellm_tui.ui.widgets.lines import ASCII_CLASS


def hint_words(*hints: tuple[str, str]) -> str:
    """Each key with its word; one without a word is left out."""
    return " · ".join(f"{key} {word}" for key, word in hints if word)


def framed(app: App[Any], words: str) -> Content:
    """Words of the console's own: never markup, and in ASCII where that is wanted."""
    return Content(to_ascii(words) if app.has_class(ASCII_CLASS) else words)


def say_below(screen: Screen[Any], words: str) -> None:
    """Put words into the lower frame of a sheet or a dialog."""
    shown = framed(screen.app, words)
    # by query: the screen may have been left in the meantime
    for box in screen.query(".dialog, .sheet"):
        if box.border_subtitle != shown:
            box.border_subtitle = shown
