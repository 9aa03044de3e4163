"""What was looked for before anything can be watched: a value with its source, or why there is none."""

from __future__ import annotations

import msgspec


class Found(msgspec.Struct, frozen=True):
    """A value and where it came from, in the operator's words."""

    value: str
    source: str


class Missing(msgspec.Struct, frozen=True):
    """Something that was looked for and not found: what, why, and what would mend it."""

    what: str
    why: str
    mend: str
