"""Which known name a mistyped one most likely stands for."""

from __future__ import annotations

from functools import lru_cache


def nearest(key: str, names: frozenset[str]) -> tuple[str, ...]:
    """The names that a mistyped key most likely stands for, at most three, nearest first in equal distance by name.

    Case, hyphens and a plural do not count; beside them one slip for every six letters, at most three. A short word is
    too easily another one: under four letters nothing is near.
    """
    plain = _plain(key)
    if len(plain) < 4:
        return ()
    allowed = min(3, max(1, len(plain) // 6))
    letters = _letters(plain)
    best: dict[str, int] = {}
    lengths = _index(names)
    near = (entry for size in range(len(plain) - allowed, len(plain) + allowed + 1) for entry in lengths.get(size, ()))
    for name, other, others in near:
        if name == key or (letters ^ others).bit_count() > 2 * allowed:
            continue
        distance = _distance(plain, other, allowed)
        if distance <= allowed and _alike_in_words(plain, other):
            best[name] = distance
    lowest = min(best.values(), default=0)
    return tuple(sorted(name for name, distance in best.items() if distance == lowest))[:3]


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_").removesuffix("s")


def _letters(name: str) -> int:
    """The letters that occur, as bits: two names that differ in many are not worth a comparison."""
    bits = 0
    for letter in name:
        bits |= 1 << (ord(letter) & 63)
    return bits


@lru_cache(maxsize=64)
def _index(names: frozenset[str]) -> dict[int, list[tuple[str, str, int]]]:
    """The names by the length of their plain form: with it, and its letters."""
    lengths: dict[int, list[tuple[str, str, int]]] = {}
    for name in sorted(names):
        plain = _plain(name)
        lengths.setdefault(len(plain), []).append((name, plain, _letters(plain)))
    return lengths


def _alike_in_words(key: str, other: str) -> bool:
    """Whether the two differ within words only: `redis_host` is not a slip for `redis_port`."""
    ours, theirs = key.split("_"), other.split("_")
    if len(ours) != len(theirs):
        return True
    return all(
        _distance(mine, its, 1 + len(its) // 6) <= 1 + len(its) // 6 for mine, its in zip(ours, theirs, strict=True)
    )


def _distance(left: str, right: str, limit: int) -> int:
    """Slips between two words: a letter too many, missing, wrong, or two swapped. Above `limit` it says only that."""
    too_many = limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, mine in enumerate(left, 1):
        # further from the diagonal than the limit there are too many slips already
        low, high = max(1, i - limit), min(len(right), i + limit)
        earlier, before, row = before, row, [too_many] * (len(right) + 1)
        row[0] = i
        for j in range(low, high + 1):
            its = right[j - 1]
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (mine != its))
            if i > 1 and j > 1 and mine == right[j - 2] and left[i - 2] == its:
                row[j] = min(row[j], earlier[j - 2] + 1)
        if min(row) > limit:
            return too_many
    return min(row[-1], too_many)
