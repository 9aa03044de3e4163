"""How fast the journal is taken in: against what journalctl itself prints, and against lnav reading the same.

A real journald writes the journal, in the lab (see tests/lab); its files are copied, and read from there.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.demo import Simulation
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.journal import JournalTail
from litellm_tui.logs.journal_line import FIELDS
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.service_kinds import Tools
from tests.bench.console import Console
from tests.lab import Lab

UNIT = "flood.service"
ROUNDS = 3
# a proxy whose access lines are plain text: the ordinary case
WRITER = """
import sys
for begin in range(0, int(sys.argv[1]), 1000):
    print("\\n".join(
        f'INFO:     10.0.{n % 7}.{n % 250}:{40000 + n % 999} - "POST /v1/chat/completions HTTP/1.1" '
        f'{500 if n % 50 == 1 else 200} n={n}' for n in range(begin, begin + 1000)), flush=True)
"""


@contextmanager
def journal(lines: int) -> Iterator[Path]:
    """A folder with a journal that holds so many lines of a unit."""
    with Lab.boot(units=()) as lab, TemporaryDirectory() as name:
        writer = lab.dir / "writer.py"
        writer.write_text(WRITER, encoding="utf-8")
        unlimited = ("-p", "LogRateLimitIntervalSec=0")
        unit = ("systemd-run", "--wait", "--quiet", "--unit=flood", *unlimited, "python3", str(writer), str(lines))
        lab.run(unit, user=False, timeout=900)
        lab.run(["journalctl", "--sync"], user=False, timeout=600)
        copy = f"cp /var/log/journal/*/*.journal {shlex.quote(name)}"
        lab.run(["sh", "-c", copy], user=False, timeout=600)
        yield Path(name)


def command(folder: Path) -> list[str]:
    """journalctl as the console runs it, but for following."""
    return [
        "journalctl",
        "-D",
        str(folder),
        "-u",
        UNIT,
        "-o",
        "json",
        "--all",
        f"--output-fields={FIELDS}",
        "--no-pager",
    ]


class Rates(NamedTuple):
    """Lines a second, each the median of runs in turn; `ratio` of journalctl's is the median of the runs' ratios."""

    journalctl: float
    taken: float
    ratio: float


def rates(folder: Path, lines: int) -> Rates:
    """What journalctl prints to nobody, and what is taken in of it, parsed, masked, counted and kept."""
    own, taken = [], []
    for _ in range(ROUNDS):
        own.append(lines / _seconds(lambda: subprocess.run(command(folder), stdout=subprocess.DEVNULL, check=True)))
        taken.append(lines / _seconds(lambda: asyncio.run(_take(folder, lines))))
    ratio = statistics.median(ours / theirs for ours, theirs in zip(taken, own, strict=True))
    return Rates(statistics.median(own), statistics.median(taken), ratio)


async def _take(folder: Path, lines: int) -> None:
    store = LogStore()
    intake = LogIntake(store, Redactor(["a-secret-of-the-file", "another-of-its-secrets"]), TrafficCounter())
    done = asyncio.Event()
    count = 0

    def keep(ready: list[Any]) -> None:
        nonlocal count
        intake.add_lines(ready)
        count += len(ready)
        if count >= lines:
            done.set()

    tools = Tools(journalctl=("journalctl", "-D", str(folder)))
    tail = JournalTail(tools, UNIT, "system", keep, lambda *_: None, prepare=intake.prepare, history=10 * lines)
    following = asyncio.create_task(tail.run())
    await done.wait()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


def lnav(folder: Path, lines: int) -> float | str:
    """Lines a second of lnav for the same: journalctl's JSON piped into it, and counted; or why it was not asked."""
    if shutil.which("lnav") is None:
        return "lnav is not installed"
    counting = shlex.join(["lnav", "-n", "-q", "-c", ";select count(*) from all_logs", "-c", ":write-csv-to -"])
    environment = {**os.environ, "HOME": str(folder)}
    pipe = f"{shlex.join(command(folder))} | {counting}"

    def count() -> None:
        quiet = subprocess.DEVNULL
        subprocess.run(["sh", "-c", pipe], stdout=quiet, stderr=quiet, check=True, env=environment)

    return statistics.median(lines / _seconds(count) for _ in range(ROUNDS))


def start_up(folder: Path) -> float:
    """Seconds until the console shows the last line of this journal, on the simulated gateway."""
    found = []
    # the simulation's unit is a user's of another name
    words = f'set -- $(printf "%s\\n" "$@" | sed "/^--user$/d; s/^litellm.service$/{UNIT}/"); '
    reader = f'{words} exec {shutil.which("journalctl")} -D {shlex.quote(str(folder))} "$@"'
    for _ in range(ROUNDS):
        with Simulation(scripted=False) as simulation, TemporaryDirectory() as home:
            console = Console(simulation, Path(home), ["/bin/sh", "-c", reader, "journalctl"])
            terminal = console.open()
            try:
                terminal.wait_for(r"\d POST /v1/chat/completions", timeout=60)
                found.append(time.monotonic() - terminal.started_at)
            finally:
                terminal.kill()
    return statistics.median(found)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
