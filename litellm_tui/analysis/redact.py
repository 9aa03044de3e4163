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


class Redactor:
    """Masks text. `known` are secret values from the configuration and the environment, masked wherever they stand."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        values = sorted({value for value in known if len(value) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, values))) if values else None

    def __call__(self, text: str) -> str:
        """The text with every secret replaced by a mask of fixed width."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _SHAPES.sub(_mask, text) if _SUSPECT.search(text) else text


def _mask(match: re.Match[str]) -> str:
    kept = match["bearer"] or match["url"] or match["named"] or ""
    return kept + MASK
