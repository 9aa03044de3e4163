"""The result of looking for a setting or a service: a value with its source, or why there is none."""

from __future__ import annotations

import msgspec


class Found(msgspec.Struct, frozen=True):
    """A value and where it came from, in the operator's words."""

    value: str
    source: str


class Missing(msgspec.Struct, frozen=True):
    """Something that was not found: what, why, and what would help."""

    what: str
    why: str
    mend: str
