"""The signs that stand beside the words: Unicode, or ASCII for terminals and fonts that lack them."""

from __future__ import annotations

from typing import NamedTuple


class Signs(NamedTuple):
    """One set of signs, each one cell wide."""

    states: dict[str, str]
    arrow: str
    ellipsis: str
    dot: str
    changed: str
    finding: str


# every other sign that the console draws by itself, each to one of the same width
_TO_ASCII = str.maketrans("…·→≥≠•–▲▌▁▂▃▄▅▆▇█", ".|>>!*-^>_..--==#")


def to_ascii(text: str) -> str:
    """The text with the console's own signs in ASCII; what comes from outside keeps its letters."""
    return text.translate(_TO_ASCII)


def every_sign_to_ascii(text: str) -> str:
    """The same with the signs of the states, for an output that cannot hold them."""
    return to_ascii(text.translate(_STATES_TO_ASCII))


UNICODE = Signs(
    states={
        "serving": "●",
        "degraded": "◐",
        "masked": "◐",
        "failing": "✖",
        "cooling down": "◐",
        "idle": "○",
        "unproven": "◌",
        "not loaded": "✖",
        "not in file": "◐",
        "expected down": "–",
        "unknown": "◌",
    },
    arrow="→",
    ellipsis="…",
    dot="·",
    changed="≠",
    finding="▲",
)
ASCII = Signs(
    states={
        "serving": "*",
        "degraded": "~",
        "masked": "~",
        "failing": "x",
        "cooling down": "~",
        "idle": "o",
        "unproven": "?",
        "not loaded": "x",
        "not in file": "~",
        "expected down": "-",
        "unknown": "?",
    },
    arrow=">",
    ellipsis=".",
    dot="|",
    changed="!",
    finding="^",
)
_STATES_TO_ASCII = {ord(sign): ASCII.states[state] for state, sign in UNICODE.states.items()}
