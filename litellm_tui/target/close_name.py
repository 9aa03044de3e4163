"""The known name that a mistyped one of a small, closed set was meant to be: settings, commands, options."""

from __future__ import annotations

from collections.abc import Iterable


def close_name(given: str, known: Iterable[str]) -> str:
    """The nearest of the known names; empty where none is near."""
    # only where something is wrong
    from difflib import get_close_matches

    names = {name.lower().replace("_", "-"): name for name in known}
    near = get_close_matches(given.lower().replace("_", "-")[:80], names, 1, 0.6)
    return names[near[0]] if near else ""


def did_you_mean(given: str, known: Iterable[str], *, sign: str = "") -> str:
    """`: did you mean NAME?`, with `sign` before the name; empty where none is near."""
    near = close_name(given, known)
    return f": did you mean {sign}{near}?" if near else ""
