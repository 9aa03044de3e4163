"""The signs that stand beside the words: Unicode, or ASCII for terminals and fonts that lack them."""

from __future__ import annotations

from typing import NamedTuple

from litellm_tui.analysis.records import State


class Signs(NamedTuple):
    """One set of signs, each one cell wide."""

    states: dict[State, str]
    arrow: str
    ellipsis: str
    dot: str
    changed: str


# every other sign that the console draws by itself, each to one of the same width
_TO_ASCII = str.maketrans("…·→≥≠•▁▂▃▄▅▆▇█", ".|>>!*_..--==#")


def to_ascii(text: str) -> str:
    """The text with the console's own signs in ASCII; what comes from outside keeps its letters."""
    return text.translate(_TO_ASCII)


UNICODE = Signs(
    states={
        "serving": "●",
        "degraded": "◐",
        "masked": "◐",
        "failing": "✖",
        "unproven": "○",
        "not loaded": "✖",
        "not in file": "◐",
        "unknown": "◌",
    },
    arrow="→",
    ellipsis="…",
    dot="·",
    changed="≠",
)
ASCII = Signs(
    states={
        "serving": "*",
        "degraded": "~",
        "masked": "~",
        "failing": "x",
        "unproven": "o",
        "not loaded": "x",
        "not in file": "~",
        "unknown": "?",
    },
    arrow=">",
    ellipsis=".",
    dot="|",
    changed="!",
)
