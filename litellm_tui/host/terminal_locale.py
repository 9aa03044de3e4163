"""Which characters the terminal's locale has, and what replaces those that it lacks."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

# what Python itself sets LC_CTYPE to in the locales C and POSIX (PEP 538)
_COERCED: Final = ("C.UTF-8", "C.utf8", "UTF-8")
TEXT: Final = "litellm_tui.text"
JSON: Final = "litellm_tui.json"


def speaks_utf8(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the locale's character set is UTF-8. Without any locale UTF-8 is assumed, as in systemd."""
    value = _locale(os.environ if environ is None else environ)
    return not value or "utf8" in value.lower().replace("-", "")


def draws_unicode() -> bool:
    """Whether signs and frames beyond ASCII can be shown: by the locale and by the encoding of Python's output."""
    encoding = getattr(sys.__stdout__, "encoding", None) or "utf-8"
    return speaks_utf8() and codecs.lookup(encoding).name.startswith("utf-")


def prepare_output(in_ascii: Callable[[str], str], *, json: bool) -> None:
    """Make stdout and stderr accept every text.

    `in_ascii` replaces what the character set lacks, and a question mark what is then still not ASCII. Where `json` is
    printed, JSON's escapes replace it.
    """

    def replaced(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        text = in_ascii(error.object[error.start : error.end])
        return "".join(letter if letter.isascii() else "?" for letter in text), error.end

    codecs.register_error(TEXT, replaced)
    codecs.register_error(JSON, _escaped)
    # Python uses UTF-8 in the locales C and POSIX, which have only ASCII
    encoding = "ascii" if _locale(os.environ) in ("C", "POSIX") else None
    for stream, errors in ((sys.stdout, JSON if json else TEXT), (sys.stderr, TEXT)):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding or stream.encoding, errors=errors)


def _locale(environ: Mapping[str, str]) -> str:
    names = ["LC_ALL", "LC_CTYPE", "LANG"]
    if environ.get("LANG") in ("C", "POSIX") and environ.get("LC_CTYPE") in _COERCED and _was_not_given("LC_CTYPE"):
        names.remove("LC_CTYPE")
    return next((environ[name] for name in names if environ.get(name)), "")


def _was_not_given(name: str) -> bool:
    """Whether a variable is not in the environment that this process was started with."""
    try:
        given = Path("/proc/self/environ").read_bytes()
    except OSError:
        return False
    return not (b"\0" + given).count(b"\0" + name.encode() + b"=")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)), error.end
