"""Comparison and text of nested values of a file or an answer, as loops without recursion and with bounded output.

With anchors, a YAML file can have a collection that contains itself, collections that would be gigabytes when written
out, and any depth of nesting.
"""

from __future__ import annotations

import math
from typing import Any, Final

COLLECTIONS: Final = (dict, list, tuple, set, frozenset)
# more of a value is never shown; where only texts are compared, two values that agree so far count as equal
_MOST_PARTS: Final = 1_000
LARGEST: Final = 10**18
"""No larger number is written out for a fix: it is a mistake, and Python refuses to write 4,300 digits."""
_TOO_LONG: Final = "a very long number"


def are_equal(one: Any, other: Any) -> bool:
    """Whether two values are equal."""
    pending, seen = [(one, other)], set()
    while pending:
        a, b = pending.pop()
        if a is b:
            continue
        pairs = _items(a, b)
        if pairs is None:
            return False
        if pairs and (id(a), id(b)) not in seen:
            seen.add((id(a), id(b)))
            pending += pairs
    return True


def _items(a: Any, b: Any) -> list[tuple[Any, Any]] | None:
    """The pairs of items that must be equal; None when the two differ already."""
    if isinstance(a, dict) and isinstance(b, dict):
        return [(value, b[key]) for key, value in a.items()] if a.keys() == b.keys() else None
    for kind in (list, tuple):
        if isinstance(a, kind) and isinstance(b, kind):
            return list(zip(a, b, strict=True)) if len(a) == len(b) else None
    if isinstance(a, dict | list | tuple) or isinstance(b, dict | list | tuple):
        return None
    if isinstance(a, bool) != isinstance(b, bool):
        return None
    both_nan = isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b)
    return [] if a == b or both_nan else None


def python_text(value: Any) -> str:
    """The value as Python's `str` and `repr` write it, up to a thousand parts."""
    if not isinstance(value, COLLECTIONS):
        return _scalar(value, str)
    parts: list[str] = []
    pending: list[tuple[bool, Any]] = [(False, value)]
    while pending:
        if len(parts) > _MOST_PARTS:
            parts.append("…")
            break
        literal, item = pending.pop()
        if literal:
            parts.append(item)
        elif isinstance(item, COLLECTIONS):
            pending += reversed(_pieces(item))
        else:
            parts.append(_scalar(item, repr))
    return "".join(parts)


def _pieces(value: Any) -> list[tuple[bool, Any]]:
    """The parts of a collection's text: `(whether it is text already, text or value)`."""
    opening, closing = "[]" if isinstance(value, list) else "()" if isinstance(value, tuple) else "{}"
    found: list[tuple[bool, Any]] = [(True, opening)]
    for number, item in enumerate(value):
        if number > _MOST_PARTS:
            break
        if number:
            found.append((True, ", "))
        found.append((False, item))
        if isinstance(value, dict):
            found += [(True, ": "), (False, value[item])]
    return [*found, (True, closing)]


def _scalar(value: Any, write: Any) -> str:
    try:
        return str(write(value))
    except ValueError:
        # Python refuses numbers of more than 4,300 digits
        return _TOO_LONG
