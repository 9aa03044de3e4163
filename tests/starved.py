"""What a busy machine adds to a bound: for how long processes were ready to run and got no processor.

The kernel counts that for every thread (sched-stats, `/proc/PID/task/TID/schedstat`: the second number, nanoseconds).
A bound of the package is then kept in time in which it could run, on an idle machine and on a busy one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
# looking at some twenty processes takes a few ms
_LOOK_SECONDS = 0.25


def _waited(process: Path) -> int:
    """Nanoseconds that the main thread has waited; 0 where it is gone or the kernel does not count."""
    try:
        return int((process / "schedstat").read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def family(roots: set[int]) -> Iterator[int]:
    """The processes of these numbers, and all that descend from them."""
    children: dict[int, list[int]] = {}
    for process in _PROC.glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # the name in parentheses may hold blanks
            parent = int((process / "stat").read_bytes().rpartition(b")")[2].split()[1])
            children.setdefault(parent, []).append(int(process.name))
    pending = list(roots)
    while pending:
        pid = pending.pop()
        yield pid
        pending += children.get(pid, [])


class Starved:
    """Adds up for how long the processes below some have waited for a processor since this was made.

    They work one after the other on what is waited for (a provider, LiteLLM, journald, the console): their waits add.
    """

    def __init__(self, *roots: int) -> None:
        self._roots = set(roots)
        self._known: dict[int, int] = {}
        self._total = 0
        self._looked = 0.0
        self._look()
        self._total = 0

    @property
    def seconds(self) -> float:
        """The sum so far; looked up at most four times a second."""
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._look()
        return self._total / 1e9

    def _look(self) -> None:
        for pid in family(self._roots):
            waited = _waited(_PROC / str(pid))
            self._total += max(0, waited - self._known.get(pid, 0))
            self._known[pid] = waited
        self._looked = time.monotonic()
