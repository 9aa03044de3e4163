"""Each pattern of the package takes linear time in the way that it is used, whatever it reads: five times the text, at
most eight times as long.
"""

from __future__ import annotations

import ast
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import litellm_tui
from tests.fuzz import patterns
from tests.fuzz.patterns import Attack

SMALL_AND_LARGE: Final = (2_000, 10_000)
# a reader that needs no longer for the small text is too quick to be compared
QUICK: Final = 0.0004
MOST_GROWTH: Final = 8.0
_ANCHORED: Final = ("match", "fullmatch")
_USES: Final = ("search", "sub", "subn", "finditer", "findall", "split", *_ANCHORED)


@cache
def uses() -> dict[str, frozenset[str]]:
    """By the name of a pattern, or of the table that holds it, the methods that are called on it anywhere."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in Path(litellm_tui.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in _USES:
                holder = node.value
                while isinstance(holder, ast.Subscript | ast.Call):
                    holder = holder.value if isinstance(holder, ast.Subscript) else holder.func
                if isinstance(holder, ast.Name | ast.Attribute):
                    found[holder.id if isinstance(holder, ast.Name) else holder.attr].add(node.attr)
    return {name: frozenset(methods) for name, methods in found.items()}


def readers(found: patterns.Found) -> Iterator[Callable[[str], object]]:
    """The pattern as it is used: looked for anywhere, unless all that is asked is whether a text begins with it."""
    methods = uses().get(found.place.rpartition(".")[2], frozenset())
    if not methods <= set(_ANCHORED) or not methods:
        yield found.pattern.search
    yield from (getattr(found.pattern, method) for method in _ANCHORED if method in methods)


def _time(read: Callable[[str], object], text: str, rounds: int = 1) -> float:
    least = 1e9
    for _ in range(rounds):
        began = time.thread_time()
        read(text)
        least = min(least, time.thread_time() - began)
    return least


def is_linear(read: Callable[[str], object], attack: Attack) -> bool:
    small, large = (attack.of(length) for length in SMALL_AND_LARGE)
    if _time(read, small) <= QUICK:
        return True
    return any(
        _time(read, large, rounds) <= MOST_GROWTH * max(_time(read, small, rounds), QUICK) for rounds in (2, 4, 8)
    )


def test_every_pattern_takes_linear_time() -> None:
    slow = []
    for found in patterns.patterns():
        for text in patterns.matching(found.pattern, 1):
            attacks = (*patterns.attacks(text), *patterns.fills())
            worst = next((a for read in readers(found) for a in attacks if not is_linear(read, a)), None)
            if worst is not None:
                slow.append((found.place, worst))
    assert slow == []


def test_a_quadratic_pattern_would_be_seen() -> None:
    import re

    found = patterns.Found("litellm_tui.x._NOBODY", re.compile(r"original model_group=(.+?)\. Fallbacks="))
    (text,) = patterns.matching(found.pattern, 1)
    attacks = (*patterns.attacks(text), *patterns.fills())
    assert not all(is_linear(read, attack) for read in readers(found) for attack in attacks)
    assert uses()["_TERM"] == {"finditer"}
