"""Which lines of two files are the same ones."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter


class Lines(difflib.SequenceMatcher[str]):
    """Matched first by the lines that stand once on both sides, and only between those by search, which grows with the
    square: a configuration says the same in many places."""

    def __init__(self, old: list[str], new: list[str]) -> None:
        super().__init__(None, old, new)
        self._old, self._new = old, new

    def get_matching_blocks(self) -> list[difflib.Match]:
        blocks: list[difflib.Match] = []
        a = b = 0
        for i, j in [*self._anchors(), (len(self._old), len(self._new))]:
            head = 0
            while a + head < i and b + head < j and self._old[a + head] == self._new[b + head]:
                head += 1
            tail = 0
            while i - tail > a + head and j - tail > b + head and self._old[i - tail - 1] == self._new[j - tail - 1]:
                tail += 1
            found = [(a, b, head)]
            a, b = a + head, b + head
            if a < i - tail and b < j - tail:
                between = difflib.SequenceMatcher(None, self._old[a : i - tail], self._new[b : j - tail])
                found += ((a + x, b + y, size) for x, y, size in between.get_matching_blocks())
            for x, y, size in [*found, (i - tail, j - tail, tail)]:
                if blocks and size and (blocks[-1].a + blocks[-1].size, blocks[-1].b + blocks[-1].size) == (x, y):
                    blocks[-1] = blocks[-1]._replace(size=blocks[-1].size + size)
                elif size:
                    blocks.append(difflib.Match(x, y, size))
            a, b = i, j
        return [*blocks, difflib.Match(len(self._old), len(self._new), 0)]

    def _anchors(self) -> list[tuple[int, int]]:
        """Places of lines that stand once in either file, as many as are in the same order in both."""
        once = [{line: at for at, line in enumerate(side)} for side in (self._old, self._new)]
        counts = [Counter(side) for side in (self._old, self._new)]
        pairs = sorted(
            (at, once[1][line]) for line, at in once[0].items() if counts[0][line] == 1 and counts[1].get(line) == 1
        )
        # the longest run that rises, by patience
        ends: list[int] = []
        tops: list[int] = []
        before: list[int] = []
        for number, (_, j) in enumerate(pairs):
            pile = bisect_left(ends, j)
            ends[pile : pile + 1] = [j]
            tops[pile : pile + 1] = [number]
            before.append(tops[pile - 1] if pile else -1)
        chain: list[tuple[int, int]] = []
        number = tops[-1] if tops else -1
        while number >= 0:
            chain.append(pairs[number])
            number = before[number]
        return chain[::-1]
