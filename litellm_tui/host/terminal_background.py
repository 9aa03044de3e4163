"""Whether the terminal's background is light: it is asked itself (OSC 11), before anything is painted.

Behind that question stands one that every terminal answers, what it is (DA1): its answer ends the waiting where the
first one is not understood, as in screen and mosh. While it is waited for nothing is echoed, so that no part of an
answer is ever seen; what somebody typed meanwhile is kept.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import termios
import time
from collections.abc import Mapping
from typing import Any, Final, Literal

Ground = Literal["dark", "light", ""]
QUESTION: Final = b"\x1b]11;?\x1b\\\x1b[c"
# a terminal that is itself still starting, or far away; one that answers nothing at all costs this once
PATIENCE_SECONDS: Final = 2.0
_ANSWER: Final = re.compile(
    rb"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})(?:/[0-9a-fA-F]{1,4})?(?:\x07|\x1b\\)"
)
_LAST: Final = re.compile(rb"\x1b\[\?[0-9;]*c")
# an answer to either question, whole or cut off where the waiting ended
_ANSWERS: Final = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|\x1b?$)|\x1b\[\?[0-9;]*(?:c|$)")
_MOST: Final = 4096
# the console of Linux takes no more of OSC than its palette, and older ones print the rest
_NOT_ASKED: Final = ("", "dumb", "linux", "vt220", "vt100")
# black, grey and the dark colours of the 16 are dark
_LIGHT_OF_16: Final = ("7", "15")


class BackgroundQuestion:
    """Asks when it is made, where there is a terminal that may be asked; `answer` is to be called in any case."""

    def __init__(self, file: int, output: int, environ: Mapping[str, str]) -> None:
        self._file, self._environ = file, environ
        self._before: list[Any] | None = None
        self._until = time.monotonic() + PATIENCE_SECONDS
        self._got = b""
        self._asked = False
        if environ.get("TERM", "") in _NOT_ASKED or not (os.isatty(file) and os.isatty(output)):
            return
        with contextlib.suppress(termios.error, OSError):
            before = termios.tcgetattr(file)
            quiet = termios.tcgetattr(file)
            # keys that interrupt or suspend stay what they are
            quiet[3] &= ~(termios.ICANON | termios.ECHO)
            quiet[6][termios.VMIN], quiet[6][termios.VTIME] = 1, 0
            termios.tcsetattr(file, termios.TCSANOW, quiet)
            self._before = before
            os.write(output, QUESTION)
            self._asked = True

    def answer(self) -> Ground:
        """What is known of the background; empty where nothing is. The terminal is then as it was before."""
        try:
            if self._before is not None:
                self._wait()
        finally:
            self.leave()
        return ground_of(self._got) or ground_of_variable(self._environ.get("COLORFGBG", ""))

    @property
    def is_owed(self) -> bool:
        """Whether the terminal was asked, and its last answer may still come: it is no key then."""
        return self._asked and not _LAST.search(self._got)

    @property
    def typed(self) -> bytes:
        """The keys that were typed before the answers came, as the terminal sent them."""
        return _ANSWERS.sub(b"", self._got)

    def leave(self) -> None:
        """Make the terminal what it was."""
        if self._before is not None:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(self._file, termios.TCSANOW, self._before)
            self._before = None

    def _wait(self) -> None:
        """Byte by byte, so that nothing is taken that was typed behind the answers."""
        while not _LAST.search(self._got) and len(self._got) < _MOST:
            # what has come while a busy machine imported is there, whatever the time is
            left = max(0.0, self._until - time.monotonic())
            if not select.select([self._file], [], [], left)[0]:
                return
            byte = os.read(self._file, 1)
            if not byte:
                return
            self._got += byte


def ground_of(answer: bytes) -> Ground:
    """By the colour in an answer to OSC 11, with one to four hexadecimal digits a part; empty where there is none."""
    if (found := _ANSWER.search(answer)) is None:
        return ""
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return "light" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "dark"


def ground_of_variable(value: str) -> Ground:
    """By COLORFGBG, `foreground;background` in the numbers of the 16 colours, which some terminals set."""
    last = value.rpartition(";")[2]
    if not (";" in value and last.isascii() and last.isdigit() and int(last) < 16):
        return ""
    return "light" if last in _LIGHT_OF_16 else "dark"
