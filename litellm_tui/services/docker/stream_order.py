"""Puts the lines of a container's two streams into the order of their stamps.

The client writes both streams in order, into a pipe each: what is read of one pipe may be younger than what waits in
the other. At a moment at which neither holds anything, all that was read so far is older than all that comes.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final, NamedTuple

from litellm_tui.logs.stream import OnLines

# of a flood that leaves no such moment
MOST_HELD: Final = 4 << 20


class _Held(NamedTuple):
    stamp: bytes
    output: int
    line: bytes


class StampOrder:
    """Holds lines, each with its stamp at its beginning, until their order is known."""

    def __init__(self, take: OnLines) -> None:
        self._take = take
        self._held: list[_Held] = []
        self._size = 0
        self._last = [b"", b""]

    def add(self, output: int, lines: bytes, cut: bool) -> None:
        """Whole lines of one stream; those without a stamp keep their place behind the line before them."""
        for line in lines.split(b"\n") if lines else ():
            stamp = line.partition(b" ")[0]
            if stamp[:2].isdigit() and stamp[10:11] == b"T":
                self._last[output] = stamp
            self._held.append(_Held(self._last[output], output, line))
        self._size += len(lines)
        if cut:
            self.flush()
            self._take(output, b"", True)
        elif self._size > MOST_HELD:
            # a line of the other stream that is older than these may still wait
            self._hand_over(min(filter(None, self._last), default=b""))

    def flush(self) -> None:
        """Nothing waits in either pipe: hand over what is held."""
        self._hand_over(b"")

    def _hand_over(self, until: bytes) -> None:
        """Lines up to a stamp; all of them where there is none, or none is that old."""
        self._held.sort(key=lambda held: held.stamp)
        count = sum(held.stamp <= until for held in self._held) if until else 0
        ready, self._held = self._held[: count or None], self._held[count:] if count else []
        self._size = sum(len(held.line) + 1 for held in self._held)
        for output, group in groupby(ready, key=lambda held: held.output):
            self._take(output, b"\n".join(held.line for held in group), False)
