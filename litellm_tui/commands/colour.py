"""Colour in the output of commands: where a terminal shows it, or it is asked for, and nobody has turned it off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TextIO

from litellm_tui.model.diagnosis import Severity

# the terminal's own palette, whose yellow and red its user has chosen to be readable
_CODES: Final[Mapping[Severity, str]] = {"warn": "\x1b[1;33m", "bad": "\x1b[1;31m"}
_END: Final = "\x1b[0m"
# the signs of problems, and what stands for them in ASCII (`ui.signs`)
_SIGNS: Final[Mapping[str, Severity]] = {"✖ ": "bad", "x ": "bad", "◐ ": "warn", "~ ": "warn"}


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """NO_COLOR (no-color.org) goes before CLICOLOR_FORCE (bixense.com/clicolors), that before the kind of stream."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return stream.isatty() and environ.get("TERM", "dumb") != "dumb" and environ.get("CLICOLOR", "1") != "0"


def severity_of(line: str) -> Severity:
    """Of a line of the glance, by the sign that it begins with."""
    return _SIGNS.get(line[:2], "quiet")


def painted(line: str, severity: Severity) -> str:
    """The line in the colour of its severity; what is well stays as it is."""
    return f"{_CODES[severity]}{line}{_END}" if severity in _CODES else line
