"""Numbers, durations and sizes as text."""

from __future__ import annotations

from collections.abc import Sequence


def age(seconds: float) -> str:
    """A duration in at most two units: `12 s`, `4 min`, `3 h 5 min`, `3 d 4 h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        hours, rest = divmod(whole, 3600)
        return f"{hours} h {rest // 60} min" if rest >= 60 else f"{hours} h"
    days, rest = divmod(whole, 86400)
    return f"{days} d {rest // 3600} h" if rest >= 3600 else f"{days} d"


def coarse_age(seconds: float) -> str:
    """An age in coarse steps for the screen: a text that changes every second is painted every second."""
    if seconds < 20:
        return "now"
    return "20 s" if seconds < 40 else "40 s" if seconds < 60 else age(seconds)


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 deployment`, `3 deployments`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def first_of(names: Sequence[str], most: int = 6) -> str:
    """`A, B and C`, of a long list the first ones: `A, B and 7 more`."""
    shown = [*names[:most], *([f"{len(names) - most:,} more"] if len(names) > most else [])]
    return " and ".join([*([", ".join(shown[:-1])] if shown[1:] else []), *shown[-1:]])


def shortened(text: str, length: int) -> str:
    """The text, cut to this length by `…` where it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"


def size(number: float) -> str:
    """Bytes with three significant figures: `211 MB`, `1.2 GB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.3g} {unit}" if number < 100 else f"{number:.0f} {unit}"
        number /= 1024
    raise AssertionError("unreachable")
