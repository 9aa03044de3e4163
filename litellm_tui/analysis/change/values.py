"""Values of a configuration: where two differ, and their texts without secrets.

With anchors, a file can have a collection that contains itself, or that would be gigabytes when written out. So no pair
of collections is compared twice, and no text goes deeper than is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from litellm_tui.analysis.change.drift import Path, scalar_text
from litellm_tui.analysis.nested import are_equal
from litellm_tui.analysis.phrases import shortened
from litellm_tui.analysis.redaction.secret_names import may_carry_a_secret

ABSENT: Final = object()
"""A missing value; `null` is a value."""
NOT_SHOWN: Final = "(not shown)"
LONGEST: Final = 200
_MOST_ITEMS: Final = 12
_DEEPEST: Final = 3
_FURTHEST: Final = 20
_REFERENCE: Final = "os.environ/"


def differing_leaves(before: Any, after: Any, place: Path) -> Iterator[tuple[Path, Any, Any]]:
    """Every value that differs: its path, and both values or `ABSENT`.

    A list counts as one value, and so does a mapping that is nested too deep to be read.
    """
    pending = [(place, before, after)]
    seen: set[tuple[int, int]] = set()
    while pending:
        path, old, new = pending.pop()
        sides = [side for side in (old, new) if side is not ABSENT]
        near = len(path) - len(place) < _FURTHEST
        if near and sides and all(isinstance(side, dict) for side in sides) and any(sides):
            a, b = ({} if side is ABSENT else side for side in (old, new))
            if (id(old), id(new)) not in seen:
                seen.add((id(old), id(new)))
                inner = [((*path, str(key)), a.get(key, ABSENT), b.get(key, ABSENT)) for key in {**a, **b}]
                pending += reversed(inner)
        elif not are_equal(old, new):
            yield path, old, new


def value_text(value: Any) -> str:
    """The value in at most `LONGEST` characters, with secrets masked by the names of their keys and by their shape."""
    text = _text(value, 0)
    return shortened(text, LONGEST)


def secret_text(value: Any) -> str:
    """The text in place of a secret; the name in `os.environ/NAME` is no secret and is shown."""
    if value is ABSENT:
        return ""
    return value if isinstance(value, str) and value.startswith(_REFERENCE) else NOT_SHOWN


def _text(value: Any, depth: int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, dict | list):
        return scalar_text(value)
    if depth == _DEEPEST:
        return "…"
    if isinstance(value, dict):
        shown = [
            f"{scalar_text(key)}: {secret_text(item) if may_carry_a_secret(str(key)) else _text(item, depth + 1)}"
            for key, item in list(value.items())[:_MOST_ITEMS]
        ]
        return "{" + ", ".join(_cut(shown, value)) + "}"
    shown = _cut([_text(item, depth + 1) for item in value[:_MOST_ITEMS]], value)
    return ", ".join(shown) if depth == 0 and shown else "[" + ", ".join(shown) + "]"


def _cut(shown: list[str], value: Sequence[Any] | Mapping[Any, Any]) -> list[str]:
    return [*shown, f"and {len(value) - _MOST_ITEMS} more"] if len(value) > _MOST_ITEMS else shown
