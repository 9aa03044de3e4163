"""Configurations of many deployments: how soon they are on the screen, what they cost at rest, and what a key waits."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from litellm_tui.demo import Simulation
from litellm_tui.demo.files import CONFIG
from tests.bench.console import Console, console_pid, cpu_seconds, let_run
from tests.bench.log import keys
from tests.bench.startup import start_up
from tests.large import configuration
from tests.terminal import Terminal

COUNTS = (1_000, 5_000)
# the cells of the row under the cursor
FIRST = "openai/model-00000"
SETTLING_SECONDS = 15.0
IDLE_SECONDS = 25.0
RUNS = 3
PRESSES, APART = 40, 0.4
_LOADED_SECONDS = 60.0
_GOALS = {1_000: (1.0, 1.5), 5_000: (1.5, 3.0)}


def _text(count: int) -> str:
    """The file, with keys that the simulation has and with its general settings."""
    tail = CONFIG[CONFIG.index("general_settings:") :]
    return re.sub(r"os\.environ/KEY_\d+", "os.environ/OPENAI_API_KEY", configuration(count)) + tail


@contextmanager
def _running(count: int) -> Iterator[Simulation]:
    """A simulated gateway that runs so many deployments."""
    with Simulation(scripted=False) as simulation:
        simulation.gateway_down()
        simulation.edit_config(_text(count))
        simulation.gateway_up()
        ends = time.monotonic() + _LOADED_SECONDS
        while (running := simulation._gateway.running) is None or len(running.deployments) != count:
            assert time.monotonic() < ends, "the simulated gateway has not loaded the file"
            time.sleep(0.1)
        yield simulation


def _start(console: Console) -> tuple[float, float, Terminal]:
    """Seconds until the deployments are on the screen, the CPU time until then, and the terminal."""
    start, terminal = start_up(console.argv, FIRST, console.environment)
    return start.useful, cpu_seconds(console_pid(terminal)), terminal


def rows() -> Iterator[str]:
    """What is measured here, as the rows of a table."""
    for count in COUNTS:
        soon, share = _GOALS[count]
        with _running(count) as simulation, tempfile.TemporaryDirectory() as folder:
            console = Console(simulation, Path(folder))
            starts = []
            for _ in range(RUNS):
                useful, cpu, terminal = _start(console)
                starts.append((useful, cpu))
                terminal.kill()
            useful, cpu = min(starts)
            _, _, terminal = _start(console)
            try:
                let_run(terminal, SETTLING_SECONDS)
                pid = console_pid(terminal)
                before, received, began = cpu_seconds(pid), terminal.bytes_received, time.perf_counter()
                let_run(terminal, IDLE_SECONDS)
                seconds = time.perf_counter() - began
                percent = (cpu_seconds(pid) - before) / seconds * 100
                rate = (terminal.bytes_received - received) / seconds
                found = keys(terminal, PRESSES, APART, mark=FIRST)
                switched = keys(terminal, PRESSES, APART, mark=FIRST, there="tab", back="shift+tab")
            finally:
                terminal.kill()
        name = f"{count:,} deployments"
        yield (
            f"| {name}: first useful paint | {useful:.2f} s ({cpu:.2f} s of computing), the best of {RUNS} "
            f"| at most {soon} s |"
        )
        yield f"| {name}: idle, of one core | {percent:.1f} %, {rate:.0f} B/s to the terminal | at most {share} % |"
        yield f"| {name}: a key until the cursor has moved, p50, p95, max | {found} | p95 at most 60 ms |"
        yield f"| {name}: a key until another pane has the cursor, p50, p95, max | {switched} | p95 at most 60 ms |"
