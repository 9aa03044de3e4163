"""Masks secrets in text, by their shapes and by known secret values."""

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

# shorter values occur too often in ordinary text
SHORTEST: Final = 4
# placeholders for keys of local servers: ordinary words that are not masked
ORDINARY: Final = frozenset(
    {"true", "false", "none", "null", "empty", "dummy", "fake", "anything", "ollama", "vllm", "openai", "lm-studio"}
)
# shorter parts occur too often in other base64
_SHORTEST_ENCODED: Final = 8
# from this length on a text may be cut in the middle of a value; a beginning of this length is masked too
_CUT_FROM: Final = 1000
_SHORTEST_CUT: Final = 6
# the lines of a busy gateway are short and often equal: the results of the last ones are cached
_SHORT: Final = 200
_SHORT_ONES: Final = 4096
# a shorter value, half masked, shows nothing of itself
_TELLING: Final = 8
# at least as many as any tool writes in place of the middle of a value
_MOST_ASTERISKS: Final = 64
# a long string in the repr of an object is broken into pieces, each in quotes
_BREAK: Final = r"""(?:\\?['"][^\S\n]*\n\s*\\?['"])"""
_BROKEN: Final = re.compile(_BREAK)


class Redactor:
    """Masks secrets in text.

    `known` are secret values from the configuration and the environment. They are masked in every form: plain,
    URL-encoded, escaped as in JSON or a repr, in base64, and broken over lines.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        values = {value for value in known if len(value) >= SHORTEST and value.lower() not in ORDINARY}
        forms = {form for value in values for form in _forms(value)}
        self._values = tuple(sorted(values, key=lambda value: (-len(value), value)))
        # longer ones first: a shorter one with the same beginning would leave the rest of the longer one
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        patterns = [*map(re.escape, ordered), *(_half_masked(value) for value in self._values if len(value) > _TELLING)]
        self._known = re.compile("|".join(patterns)) if forms else None
        self._again = lru_cache(_SHORT_ONES)(lambda text: self.counted(text)[0])

    def __call__(self, text: str) -> str:
        """The text with every secret replaced by a mask of fixed width."""
        return self._again(text) if len(text) <= _SHORT else self.counted(text)[0]

    def counted(self, text: str) -> tuple[str, int]:
        """The masked text and the number of masks."""
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
    """A pattern for how LiteLLM prints a value at start and at DEBUG: asterisks between four characters at each end."""
    return rf"{re.escape(value[:4])}\*{{1,{max(len(value), _MOST_ASTERISKS)}}}{re.escape(value[-4:])}"


def _forms(value: str) -> Iterator[str]:
    """The forms in which a value can be written."""
    yield value
    yield quote(value, safe="")
    yield quote(value)
    yield quote_plus(value)
    # a repr escapes the quotes that it uses
    plain = value.replace("\\", "\\\\")
    for written in (value, repr(value)[1:-1], plain.replace("'", "\\'"), plain.replace('"', '\\"'), ascii(value)[1:-1]):
        yield written
        yield json.dumps(written)[1:-1]
        yield json.dumps(written, ensure_ascii=False)[1:-1]
    yield json.dumps(json.dumps(value)[1:-1])[1:-1]
    yield from _encoded(value)


def _encoded(value: str) -> Iterator[str]:
    """The part of its base64 that does not depend on the text around the value, such as `user:`."""
    raw = value.encode("utf-8", "surrogatepass")
    for before in range(3):
        text = b64encode(bytes(before) + raw).decode()
        first = (0, 2, 3)[before]
        last = len(text) - (4 if (before + len(raw)) % 3 else 0)
        inner = text[first:last]
        if len(inner) >= _SHORTEST_ENCODED:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")
