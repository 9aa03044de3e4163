"""One function that masks secrets, by their shapes and by the values that are known to be secret."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

from litellm_tui.analysis.redaction.secret_shapes import MASK, mask_shapes

__all__ = ["MASK", "ORDINARY", "SHORTEST", "Redactor"]

# shorter values are too likely to stand in ordinary text
SHORTEST: Final = 4
# what stands where a key belongs and is none: local servers want any, and words are not masked for that
ORDINARY: Final = frozenset(
    {"true", "false", "none", "null", "empty", "dummy", "fake", "anything", "ollama", "vllm", "openai", "lm-studio"}
)
# what is shorter is too likely to stand in other base64
_SHORTEST_ENCODED: Final = 8
# where a text may have been cut off in the middle of a value; so much of its beginning is masked too
_CUT_FROM: Final = 1000
_SHORTEST_CUT: Final = 6
# the lines of a busy gateway are short and much alike: what so many of the last ones came to need not be sought again
_SHORT: Final = 200
_SHORT_ONES: Final = 4096
# of a shorter value nothing would be left to be shown
_TELLING: Final = 8
# no fewer than any tool puts in place of the middle of a value
_MOST_ASTERISKS: Final = 64
# a long string in the repr of an object is broken into pieces, each in quotes
_BREAK: Final = r"""(?:\\?['"][^\S\n]*\n\s*\\?['"])"""
_BROKEN: Final = re.compile(_BREAK)


class Redactor:
    """Masks text. `known` are secret values from the configuration and the environment, masked wherever they stand:
    as they are, URL-encoded, escaped as in JSON or a repr, in base64, and broken over lines.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        values = {value for value in known if len(value) >= SHORTEST and value.lower() not in ORDINARY}
        forms = {form for value in values for form in _forms(value)}
        self._values = tuple(sorted(values, key=lambda value: (-len(value), value)))
        # longer ones first: of two that begin alike the shorter one would leave the rest of the longer one
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        patterns = [*map(re.escape, ordered), *(_half_masked(value) for value in self._values if len(value) > _TELLING)]
        self._known = re.compile("|".join(patterns)) if forms else None
        self._again = lru_cache(_SHORT_ONES)(lambda text: self.counted(text)[0])

    def __call__(self, text: str) -> str:
        """The text with every secret replaced by a mask of fixed width."""
        return self._again(text) if len(text) <= _SHORT else self.counted(text)[0]

    def counted(self, text: str) -> tuple[str, int]:
        """The same, and the number of masks that were put in."""
        count = 0
        if self._known is not None:
            text, count = self._without_known(text)
        text, more = mask_shapes(text)
        return text, count + more

    def _without_known(self, text: str) -> tuple[str, int]:
        count = 0
        if self._known is not None:
            text, count = self._known.subn(MASK, text)
        if "\n" in text and _BROKEN.search(text):
            joined = _BROKEN.sub("", text)
            for value in self._values:
                if value in joined:
                    text, more = re.subn(_BREAK + "?" + f"{_BREAK}?".join(map(re.escape, value)), MASK, text)
                    count += more
        if len(text) >= _CUT_FROM:
            text, more = self._without_cut(text)
            count += more
        return text, count

    def _without_cut(self, text: str) -> tuple[str, int]:
        for value in self._values:
            for length in range(len(value) - 1, _SHORTEST_CUT - 1, -1):
                if text.endswith(value[:length]):
                    return text[:-length] + MASK, 1
        return text, 0


def _half_masked(value: str) -> str:
    """As LiteLLM prints it at start and at DEBUG: asterisks in the middle, four characters at either end."""
    return rf"{re.escape(value[:4])}\*{{1,{max(len(value), _MOST_ASTERISKS)}}}{re.escape(value[-4:])}"


def _forms(value: str) -> Iterator[str]:
    """The ways in which a value may be written."""
    yield value
    yield quote(value, safe="")
    yield quote(value)
    yield quote_plus(value)
    # in a repr the quotes are escaped that it happens to stand in
    plain = value.replace("\\", "\\\\")
    for written in (value, repr(value)[1:-1], plain.replace("'", "\\'"), plain.replace('"', '\\"'), ascii(value)[1:-1]):
        yield written
        yield json.dumps(written)[1:-1]
        yield json.dumps(written, ensure_ascii=False)[1:-1]
    yield json.dumps(json.dumps(value)[1:-1])[1:-1]
    yield from _encoded(value)


def _encoded(value: str) -> Iterator[str]:
    """The part of its base64 that does not depend on what stands before and behind it, as `user:` does."""
    raw = value.encode("utf-8", "surrogatepass")
    for before in range(3):
        text = b64encode(bytes(before) + raw).decode()
        first = (0, 2, 3)[before]
        last = len(text) - (4 if (before + len(raw)) % 3 else 0)
        inner = text[first:last]
        if len(inner) >= _SHORTEST_ENCODED:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")
