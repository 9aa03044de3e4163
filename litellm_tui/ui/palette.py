"""The styles that spans are drawn in, made from a theme's states.

They are not component classes of the widgets: a style sheet applies those to each widget one by one, which cost a fifth
of the start-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from rich.style import Style
from textual.color import Color

CURSOR_SHAPE: Final = "cursor-shape"
REVERSE: Final = "reverse"
"""The variable of a theme that is `reverse` where the line under the cursor changes its text with its ground."""


def palette(variables: Mapping[str, str]) -> dict[str, Style]:
    """Name to style, from the variables of a theme (`state-ok`, `background` …).

    Only `cursor` changes what is behind a text.
    """
    return _palette(tuple((name, variables[name]) for name in sorted(variables) if name in _USED))


_STATES = ("strong", "quiet", "ok", "warn", "bad", "unknown", "mark", "focus", "cursor")
_USED = frozenset(("background", CURSOR_SHAPE, *(f"state-{name}" for name in _STATES)))


@lru_cache(maxsize=8)
def _palette(variables: tuple[tuple[str, str], ...]) -> dict[str, Style]:
    given = {name.removeprefix("state-"): value for name, value in variables}
    reverse = given.pop(CURSOR_SHAPE, "") == REVERSE
    colors = {name: Color.parse(value).rich_color for name, value in given.items()}
    styles = {name: Style(color=colors[name]) for name in _STATES if name != "cursor"}
    styles["strong"] += Style(bold=True)
    styles["head"] = styles["quiet"] + Style(underline=True)
    styles["head-strong"] = styles["strong"] + Style(underline=True)
    styles["match"] = Style(color=colors["background"], bgcolor=colors["warn"])
    styles["cursor"] = Style(reverse=True) if reverse else Style(bgcolor=colors["cursor"])
    for name in ("warn", "bad", "unknown"):
        styles[f"word-{name}"] = Style(color=colors["background"], bgcolor=colors[name], bold=True)
    styles["word-ok"] = styles["word-quiet"] = styles["strong"]
    return styles
