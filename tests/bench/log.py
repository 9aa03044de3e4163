"""What the log costs: keys under a flood, memory, the terminal's bytes, and how long a line takes to be seen."""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Iterator
from typing import NamedTuple

from tests.bench.console import (
    USEFUL,
    console_pid,
    cpu_seconds,
    flooded,
    let_run,
    opened,
    resident_bytes,
    written_by_hand,
)
from tests.terminal import Terminal

PRESSES = 60
SLOW_PRESSES = 40
RATES = (0, 1000, 20000)
LINES_SEEN = 30
STEADY_SECONDS = 15.0
SLOW_LINK = 8192.0


class Keys(NamedTuple):
    """Milliseconds from a key until the row under the cursor is another one."""

    p50: float
    p95: float
    most: float

    def __str__(self) -> str:
        return f"{self.p50:.0f}, {self.p95:.0f}, {self.most:.0f} ms"


def _moved(terminal: Terminal, written: list[tuple[float, bytes]], mark: str) -> Iterator[float]:
    """When what moved the cursor had come, for each time that it moved."""
    before = terminal.styled(mark)
    for moment, data in written:
        terminal.draw(data)
        if (now := terminal.styled(mark)) != before:
            before = now
            yield moment


def keys(
    terminal: Terminal,
    presses: int = PRESSES,
    apart: float = 0.15,
    *,
    mark: str = USEFUL,
    there: str = "down",
    back: str = "up",
) -> Keys:
    """How long the cursor of the models takes to move from the row with `mark` and back again: nothing else changes
    how their rows are drawn.

    Each press waits its time whether the one before was answered or not; what was written is looked at afterwards.
    """
    pressed, written = [], terminal.record()
    for number in range(presses):
        # at a moment that has nothing to do with the console's own beat
        let_run(terminal, apart + 0.037 * (number % 7))
        pressed.append(time.perf_counter())
        terminal.press(back if number % 2 else there)
    let_run(terminal, 10 * apart)
    moved = list(_moved(terminal, list(written), mark))
    found = []
    for begin, end in itertools.pairwise([*pressed, math.inf]):
        answer = next((moment for moment in moved if begin < moment < end), None)
        assert answer is not None, f"the cursor has not moved within {end - begin:.1f} s of a key"
        found.append((answer - begin) * 1000)
    found.sort()
    return Keys(statistics.median(found), found[int(len(found) * 0.95) - 1], found[-1])


def keys_under(rate: int) -> tuple[Keys, float]:
    """The same while so many lines come a second, and how many really did."""
    with flooded(rate) as console, opened(console) as terminal:
        let_run(terminal, 5.0)
        began, emitted = time.perf_counter(), console.emitted
        found = keys(terminal)
        return found, (console.emitted - emitted) / (time.perf_counter() - began)


def steady() -> tuple[float, float]:
    """`(percent of one core, bytes a second to the terminal)` at 100 lines a second, beyond what it costs at none."""
    costs = []
    for rate in (0, 100):
        with flooded(rate) as console, opened(console) as terminal:
            let_run(terminal, 8.0)
            pid = console_pid(terminal)
            cpu, received, began = cpu_seconds(pid), terminal.bytes_received, time.perf_counter()
            let_run(terminal, STEADY_SECONDS)
            seconds = time.perf_counter() - began
            costs.append(((cpu_seconds(pid) - cpu) / seconds * 100, (terminal.bytes_received - received) / seconds))
    return costs[1]


def keys_on_a_slow_link(buffered: bool) -> Keys:
    """Keys at 100 lines a second, on a terminal that takes 8 KiB a second, with or without a buffer in front of it."""
    with flooded(100) as console, opened(console, SLOW_LINK, buffered) as terminal:
        let_run(terminal, 20.0)
        return keys(terminal, SLOW_PRESSES, 0.8)


def until_seen() -> list[float]:
    """Milliseconds from a line's writing to its being on the screen."""
    found = []
    with written_by_hand() as (console, write), opened(console) as terminal:
        let_run(terminal, 3.0)
        for number in range(LINES_SEEN):
            let_run(terminal, 0.2 + 0.053 * (number % 11))
            began = time.perf_counter()
            write(f"line-{number:04}-written")
            terminal.wait_for(f"line-{number:04}-written", timeout=30)
            found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


class Taken(NamedTuple):
    """Lines, the seconds that they took to be taken in, and the console's memory after so many of them."""

    lines: int
    seconds: float
    memory: list[tuple[int, int]]


def take_in(lines: int) -> Taken:
    """The console takes all that it can: the speed of its own process, painting included, and its memory."""
    memory = []
    with flooded(-1) as console, opened(console) as terminal:
        pid = console_pid(terminal)
        began, at = time.perf_counter(), console.emitted
        for part in range(1, 6):
            while console.emitted - at < lines * part // 5:
                let_run(terminal, 0.2)
            memory.append((console.emitted, resident_bytes(pid)))
        return Taken(console.emitted - at, time.perf_counter() - began, memory)
