"""Measures the console as ratios within one run: `python -m tests.bench [--write docs/benchmarks.md]`.

Everything is measured from outside, in a pty of 120x40, on the simulated gateway left in peace: start-up beside a bare
Textual app with one table, what an idle console costs, and how long a key takes to change the screen.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from litellm_tui.demo import Simulation
from tests.terminal import CONSOLE, Terminal

RUNS = 5
IDLE_SECONDS = 20.0
PRESSES = 40
# a deployment's row: the file is on the screen
USEFUL = "ollama_chat"

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


class Console:
    """The console's own command on a simulated gateway in which nothing happens.

    The simulation runs in this process. The command finds it as it finds a real one: by the `systemctl` on its PATH.
    """

    def __init__(self, simulation: Simulation, folder: Path) -> None:
        for name, command in (("systemctl", simulation.tools.systemctl), ("journalctl", simulation.tools.journalctl)):
            stand_in = folder / name
            stand_in.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
            stand_in.chmod(0o700)
        self.argv = CONSOLE
        self.environment = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }


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
    _let_run(terminal, 8.0)
    cpu, received, began = terminal.cpu_seconds(), terminal.bytes_received, time.perf_counter()
    _let_run(terminal, IDLE_SECONDS)
    seconds = time.perf_counter() - began
    return (
        (terminal.cpu_seconds() - cpu) / seconds * 100,
        (terminal.bytes_received - received) / seconds,
        terminal.resident_bytes() / 1e6,
    )


def key_to_paint(terminal: Terminal) -> list[float]:
    """Milliseconds from a key until the screen has changed, for moving the cursor up and down."""
    found = []
    for number in range(PRESSES):
        _let_run(terminal, 0.05)
        received, began = terminal.bytes_received, time.perf_counter()
        terminal.press("up" if number % 2 else "down")
        terminal.wait_for(partial(_has_more_than, terminal, received), timeout=5)
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


def _has_more_than(terminal: Terminal, received: int, screen: str) -> bool:
    del screen
    return terminal.bytes_received > received


def _let_run(terminal: Terminal, seconds: float) -> None:
    """Let time pass; the terminal is read meanwhile."""
    assert terminal.running
    time.sleep(seconds)


def measure() -> list[str]:
    """All measurements, as the lines of a table."""
    with Simulation(scripted=False) as simulation, tempfile.TemporaryDirectory() as folder:
        console = Console(simulation, Path(folder))
        bare, ours = start_ups(console)
        _, terminal = start_up(console.argv, USEFUL, console.environment)
        try:
            percent, rate, resident = idle(terminal)
            keys = key_to_paint(terminal)
        finally:
            terminal.kill()
    return [
        "| what | measured | goal |",
        "|---|---|---|",
        "| first byte, against a bare Textual app with one table | "
        f"{_ratio([start.first_byte for start in ours], [start.first_byte for start in bare])} | |",
        "| first useful paint, against the same | "
        f"{_ratio([start.useful for start in ours], [start.useful for start in bare])} | at most 2.0 times |",
        f"| idle, of one core | {percent:.1f} % | under 2 % |",
        f"| idle, to the terminal | {rate:.0f} B/s | under 500 B/s |",
        f"| a key until the screen changes, p50, p95, max of {PRESSES} | {statistics.median(keys):.0f}, "
        f"{keys[int(len(keys) * 0.95) - 1]:.0f}, {keys[-1]:.0f} ms | |",
        f"| resident memory, all processes | {resident:.0f} MB | |",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", metavar="FILE", type=Path, help="write the page to this file as well")
    chosen = parser.parse_args(arguments)
    lines = measure()
    print("\n".join(lines))
    if chosen.write:
        page = [
            "# Benchmarks",
            "",
            "Made by `python -m tests.bench --write docs/benchmarks.md`: the console in a pty of 120x40 on the",
            f"simulated gateway, Python {platform.python_version()}. First useful paint means the models and the",
            "fallbacks of the file; it is the median over alternating runs of both.",
            "",
            *lines,
        ]
        chosen.write.parent.mkdir(exist_ok=True)
        chosen.write.write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
