"""Values of manifests as the programs that read them take them."""

from __future__ import annotations

import re
from typing import Any, Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)")


def mapping(value: Any) -> dict[Any, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def whole(value: Any, otherwise: int | None) -> int | None:
    """A number of replicas or workers."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 6:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 100_000 else otherwise


def text_of(value: Any) -> str:
    """A scalar as a variable's value: what YAML reads as true is `true` there."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def seconds(value: Any, otherwise: float) -> float:
    """A duration as Go writes it (`1m30s`), or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 10**9:
        return float(value)
    parts = _DURATION.findall(value[:100]) if isinstance(value, str) else []
    return sum(float(number) * _UNITS[unit] for number, unit in parts) or otherwise
