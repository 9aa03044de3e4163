"""One function that masks secrets, by their shapes and by the values that are known to be secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "•••"
# shorter values are too likely to stand in ordinary text
SHORTEST: Final = 4

# The shapes, each with the part that is kept in front: provider keys, bearer headers, credentials in URLs,
# `api_key=…` in any spelling.
_SHAPES: Final = re.compile(
    r"""
      (?P<bearer>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}
    | (?P<url>\b[a-z][a-z0-9+.-]{1,15}://)[^\s/@:"']*:[^\s/@"']+(?=@)
    | (?P<named>["']?(?<![\w-])[\w-]*
        (?:api[_-]?key|master_key|virtual_key|salt_key|secret|password|passwd|access_token|auth_token)
        \\?["']?\s*[=:]\s*\\?["']?)(?!os\.environ/|None\b|null\b|\*|•)[^\s"',;&)}\]\\]{4,}
    | \b(?:sk|pk|rk)-(?!\.)[A-Za-z0-9_-]{6,}
    | \b(?:gsk|hf|xai|ghp|gho|ghs|glpat|pplx|nvapi|r8|fw|tgp_v1|voyage|co)[-_][A-Za-z0-9_-]{16,}
    | \bAIza[A-Za-z0-9_-]{20,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}
    | \beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]+)?
    """,
    re.VERBOSE | re.IGNORECASE,
)
# a cheap test that almost every line fails
_SUSPECT: Final = re.compile(
    r"://[^\s/]*@|bearer|basic |key|secret|passw|_token|\b(?:sk|pk|rk)-|[-_][A-Za-z0-9_-]{16}|AIza|AKIA|ASIA|eyJ",
    re.IGNORECASE,
)
# the same as plain words, for text in which no letter has a case of its own beyond ASCII; a pattern only where the
# places are common ones
_SUSPECT_WORDS: Final = ("key", "secret", "passw", "_token", "bearer", "basic ", "k-", "aiza", "akia", "asia", "eyj")
_LONG_WORD: Final = re.compile(r"[-_][A-Za-z0-9_-]{16}")


def _is_suspect(text: str) -> bool:
    """Whether it may hold a secret's shape; cheap, for almost every line of a log fails it."""
    if not text.isascii():
        return _SUSPECT.search(text) is not None
    lower = text.lower()
    for word in _SUSPECT_WORDS:
        if word in lower:
            return True
    return ("://" in text and "@" in text) or _LONG_WORD.search(text) is not None


class Redactor:
    """Masks text. `known` are secret values from the configuration and the environment, masked wherever they stand."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        values = sorted({value for value in known if len(value) >= SHORTEST}, key=len, reverse=True)
        self._values = values
        self._known = re.compile("|".join(map(re.escape, values))) if values else None

    def __call__(self, text: str) -> str:
        """The text with every secret replaced by a mask of fixed width."""
        for value in self._values:
            # a search for one plain value is many times cheaper than the pattern of all
            if value in text:
                assert self._known is not None
                text = self._known.sub(MASK, text)
                break
        return _SHAPES.sub(_mask, text) if _is_suspect(text) else text


def _mask(match: re.Match[str]) -> str:
    kept = match["bearer"] or match["url"] or match["named"] or ""
    return kept + MASK
