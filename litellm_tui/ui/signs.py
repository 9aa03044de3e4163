"""The signs that stand beside the words: Unicode, or ASCII for terminals and fonts that lack them."""

from __future__ import annotations

from typing import NamedTuple


class Signs(NamedTuple):
    """One set of signs, each one cell wide but for the arrow of ASCII."""

    states: dict[str, str]
    arrow: str
    ellipsis: str
    dot: str
    changed: str
    finding: str
    ordered: str


def _braille() -> dict[int, str]:
    """Each cell of braille by the height of its higher half."""
    lines = (0x09, 0x12, 0x24, 0xC0)
    heights = {dots: next((4 - n for n, line in enumerate(lines) if dots & line), 0) for dots in range(256)}
    return {0x2800 + dots: " .:|#"[height] for dots, height in heights.items()}


# every other sign that the console draws by itself, each to one of the same width but for these two
_TO_ASCII = (
    str.maketrans("…·≠•–▲▼▌▁▂▃▄▅▆▇█↑↓←✓✖×┊─░", "~|!*-^v>_..--==#^v<+xx:-?")
    | {ord("→"): "->", ord("≥"): ">="}
    | _braille()
)


def to_ascii(text: str) -> str:
    """The text with the console's own signs in ASCII; what comes from outside keeps its letters.

    Where a sign becomes a longer one, the blanks that fill a column up become fewer, and what was cut is cut again.
    """
    found = text.translate(_TO_ASCII)
    grown = len(found) - len(text)
    if grown > 0 and text.endswith("…"):
        return found[: len(text) - 1] + found[-1]
    # the last blank keeps two columns apart
    spare = len(text) - len(text.rstrip(" ")) - 1
    return found[: len(found) - min(grown, spare)] if grown > 0 and spare > 0 else found


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
    ordered="↓",
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
    arrow="->",
    ellipsis="~",
    dot="|",
    changed="!",
    finding="^",
    # a letter would be taken for a part of the word that it stands behind
    ordered="<",
)
_STATES_TO_ASCII = {ord(sign): ASCII.states[state] for state, sign in UNICODE.states.items()}
