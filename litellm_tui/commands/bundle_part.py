"""One file of a bundle: its text with every secret masked, or the reason why it is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.host.bounded import read_text

MOST_OF_A_FILE: Final = 4 << 20

Ask = Callable[[list[str]], str]
"""Runs a command and returns what it printed. Raises OSError when it cannot."""


class Part(NamedTuple):
    """One file of the bundle with the number of masks in it; without a text the reason why it is left out."""

    name: str
    text: str = ""
    masks: int = 0
    missing: str = ""


def text_part(name: str, text: str, redact: Redactor, masks: int = 0) -> Part:
    """The text, masked once more; `masks` were put into it already."""
    masked, more = redact.counted(text)
    return Part(name, masked if masked.endswith("\n") else masked + "\n", masks + more)


def json_part(name: str, value: Any, redact: Redactor) -> Part:
    """The value as JSON. It is masked as text: what is escaped in JSON is known in that form too."""
    return text_part(name, msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), redact)


def read_part(path: str) -> str | Part:
    """The text of a file, or the part that says why it is left out."""
    try:
        return read_text(path, MOST_OF_A_FILE, errors="replace")
    except OSError as error:
        return Part(path, missing=error.strerror or str(error))
