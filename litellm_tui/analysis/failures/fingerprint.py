"""The part of a failure's text that is the same each time it happens."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 300
_CHANGING: Final = re.compile(
    r"""
      (?P<quoted>'(?![A-Za-z_]{1,24}')[^'\n]*' | "(?![A-Za-z_]{1,24}")[^"\n]*" | `(?![A-Za-z_]{1,24}`)[^`\n]*`)
    | \b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b
    | \b0x[0-9a-fA-F]+
    | \d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?
    | \[(?=[0-9a-fA-F:]{0,45}:)[0-9a-fA-F:]{1,45}\](?::\d{1,5})?
    | (?:(?<=//)|(?<=@)|\b)[A-Za-z0-9][\w.-]{0,253}:\d{2,5}\b
    | \b[\w-]{0,80}\d[\w-]{0,80}(?:\.\d+)*
    """,
    re.VERBOSE,
)
_BLANKS: Final = re.compile(r"\s+")


def fingerprint(text: str) -> str:
    """The text without numbers, ids, addresses, times, ports and what is quoted of a request; at most 300 characters.

    A quoted word of letters alone stays: it names what is missing rather than what was sent.
    """
    # replacements shorten the text, so more of it is read than is kept
    return _BLANKS.sub(" ", _CHANGING.sub(_replaced, text[: 4 * LONGEST])).strip()[:LONGEST]


def _replaced(match: re.Match[str]) -> str:
    return "'…'" if match["quoted"] else "#"
