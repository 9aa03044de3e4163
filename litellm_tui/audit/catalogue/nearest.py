"""The known names nearest to a mistyped one."""

from __future__ import annotations

from functools import lru_cache


def nearest(key: str, names: frozenset[str]) -> tuple[str, ...]:
    """The known names at the smallest distance from a mistyped key, by name, at most three.

    Case, hyphens and a plural do not count. Beside them, one slip for every six letters is allowed, at most three. A
    key under four letters has no near names, as too many words differ from it by one letter.
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
    """The letters that occur, as bits: a cheap test before the comparison."""
    bits = 0
    for letter in name:
        bits |= 1 << (ord(letter) & 63)
    return bits


@lru_cache(maxsize=64)
def _index(names: frozenset[str]) -> dict[int, list[tuple[str, str, int]]]:
    """The names, their plain forms and letters, by the length of the plain form."""
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
    """Slips between two words: a letter too many, missing, wrong, or two swapped. Returns `limit` + 1 for more."""
    too_many = limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, mine in enumerate(left, 1):
        # outside this band there are more slips than the limit
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
