"""Text from outside in characters that every terminal draws in the same number of cells."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from litellm_tui.logs.log_line import clean

# a picture or a plain sign, one cell or two: every terminal thinks otherwise of a character that one of these follows
_SELECTORS: Final = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef\U0001f3fb-\U0001f3ff]")
_ACCENTS: Final = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
# two of these are a flag on one terminal and two letters on the next
_FLAGS: Final = {0x1F1E6 + number: chr(ord("A") + number) for number in range(26)}
# a cell holds a letter with its accents; hundreds of them are no text
_PILED: Final = re.compile(f"({_ACCENTS}{{3}}){_ACCENTS}+")


def drawable(text: str) -> str:
    """The text in characters that a terminal only draws, each in a width of its own."""
    if text.isascii() and text.isprintable():
        return text
    # letters and syllables in one piece where there is one
    text = unicodedata.normalize("NFC", clean(text)).translate(_FLAGS)
    text = _PILED.sub(r"\1", _SELECTORS.sub("", text))
    if text.isprintable():
        return text
    return "".join(_drawn(character) for character in text)


def _drawn(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "\ufffd"
