"""Start-up beside a bare Textual app with one table, and what an idle console costs."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from litellm_tui.demo import Simulation
from tests.bench.console import USEFUL, Console, let_run
from tests.bench.log import PRESSES, keys
from tests.terminal import Terminal

RUNS = 5
IDLE_SECONDS = 20.0

BARE = """
from textual.app import App
from textual.widgets import DataTable

class Bare(App):
    def compose(self):
        yield DataTable()

    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("group", "model", "state")
        for number in range(50):
            table.add_row(f"group {number}", "model", "row on screen")

Bare().run()
"""


class Start(NamedTuple):
    """Seconds from the start of the process to its first byte, and until what is wanted is on the screen."""

    first_byte: float
    useful: float


def start_up(argv: list[str], wanted: str, environment: Mapping[str, str] | None = None) -> tuple[Start, Terminal]:
    """A program that has been waited for until `wanted` is on the screen."""
    terminal = Terminal(argv, (120, 40), environment=environment)
    terminal.wait_for(wanted, timeout=30)
    useful = time.monotonic() - terminal.started_at
    assert terminal.first_byte_at is not None
    return Start(terminal.first_byte_at - terminal.started_at, useful), terminal


def start_ups(console: Console) -> tuple[list[Start], list[Start]]:
    """Start-up of the bare app and of the console, in turn, so that a slow moment of the machine meets both."""
    bare: list[Start] = []
    ours: list[Start] = []
    for run in range(RUNS + 1):
        start, terminal = start_up([sys.executable, "-c", BARE], "row on screen")
        terminal.kill()
        own_start, terminal = start_up(console.argv, USEFUL, console.environment)
        terminal.kill()
        # the first of each reads its files from the disk
        if run:
            bare.append(start)
            ours.append(own_start)
    return bare, ours


def _ratio(ours: Sequence[float], bare: Sequence[float]) -> str:
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    return f"{ratio:.2f} times ({statistics.median(ours):.2f} s against {statistics.median(bare):.2f} s)"


def idle(terminal: Terminal) -> tuple[float, float, float]:
    """`(percent of one core, bytes a second to the terminal, resident MB)` of a console that nothing happens to."""
    # until every source was read for the first time
    let_run(terminal, 8.0)
    cpu, received, began = terminal.cpu_seconds(), terminal.bytes_received, time.perf_counter()
    let_run(terminal, IDLE_SECONDS)
    seconds = time.perf_counter() - began
    return (
        (terminal.cpu_seconds() - cpu) / seconds * 100,
        (terminal.bytes_received - received) / seconds,
        terminal.resident_bytes() / 1e6,
    )


def rows() -> list[str]:
    """What is measured here, as the rows of a table."""
    with Simulation(scripted=False) as simulation, tempfile.TemporaryDirectory() as folder:
        console = Console(simulation, Path(folder))
        bare, ours = start_ups(console)
        _, terminal = start_up(console.argv, USEFUL, console.environment)
        try:
            percent, rate, resident = idle(terminal)
            found = keys(terminal)
        finally:
            terminal.kill()
    return [
        "| first byte, against a bare Textual app with one table | "
        f"{_ratio([start.first_byte for start in ours], [start.first_byte for start in bare])} | |",
        "| first useful paint, against the same | "
        f"{_ratio([start.useful for start in ours], [start.useful for start in bare])} | at most 1.6 times |",
        f"| idle, of one core | {percent:.1f} % | at most 1.0 % |",
        f"| idle, to the terminal | {rate:.0f} B/s | at most 200 B/s |",
        f"| a key until the cursor has moved, p50, p95, max of {PRESSES} | {found} | p95 at most 10 ms |",
        f"| resident memory, all processes | {resident:.0f} MB | |",
    ]
