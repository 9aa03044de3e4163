"""The tests under every condition that must not matter: ``python -m tests.stress [conditions] [pytest's arguments]``.

Each run is a whole `./test`, with the arguments handed on; what it prints goes to a file, and a table of all runs is
printed at the end. The status is 0 when every run was green.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
ZONES = ("Pacific/Auckland", "America/St_Johns")
# Every test begins so many seconds before local midnight: most pass it, or have passed it.
MIDNIGHT = (1.0, 0.0)
UPTIME = 60.0
_SUMMARY = re.compile(r"^(?:=+ )?((?:\d+ \w+(?:, )?)+) in [\d.]+s.*$", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S.*$", re.MULTILINE)
_BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    sum(range(1_000_000))\n"


class Condition(NamedTuple):
    """How a run differs from a plain one: `prefix` comes before the command, `arguments` after it."""

    name: str
    prefix: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    arguments: tuple[str, ...] = ()
    busy: bool = False


class Result(NamedTuple):
    condition: Condition
    status: int
    summary: str
    seconds: float
    failed: tuple[str, ...]


def just_started() -> tuple[str, ...]:
    """A command's prefix: for it and its children the machine was started a minute ago. Needs root and Linux 5.6."""
    options: list[str] = []
    for name, clock in (("boottime", time.CLOCK_BOOTTIME), ("monotonic", time.CLOCK_MONOTONIC)):
        options += [f"--{name}", str(round(UPTIME - time.clock_gettime(clock)))]
    return ("unshare", "--time", *options, "--fork", "--kill-child")


def conditions(options: argparse.Namespace) -> list[Condition]:
    """The runs that were asked for, in their order."""
    found = [Condition(f"plain {number + 1}") for number in range(options.times)]
    if options.busy or options.all:
        found.append(Condition("a busy loop on each core", busy=True))
    if options.fresh_boot or options.all:
        found.append(Condition("started a minute ago", just_started()))
    if options.zones or options.all:
        found += [Condition(f"TZ={zone}", environment={"TZ": zone}) for zone in ZONES]
    if options.midnight or options.all:
        found += [
            Condition(f"{seconds:g} s before midnight", arguments=(f"--midnight-in={seconds:g}",))
            for seconds in MIDNIGHT
        ]
    return found or [Condition("plain 1")]


@contextmanager
def busy_loops() -> Iterator[None]:
    """One on each core, while it is entered."""
    command = [sys.executable, "-c", _BUSY, str(os.getpid())]
    loops = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run(condition: Condition, command: Sequence[str], log: Path) -> Result:
    """One run; what it prints is in `log`."""
    begun = time.monotonic()
    with ExitStack() as stack:
        if condition.busy:
            stack.enter_context(busy_loops())
        output = stack.enter_context(log.open("wb"))
        done = subprocess.run(
            [*condition.prefix, *command, *condition.arguments],
            cwd=ROOT,
            env={**os.environ, **condition.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    text = log.read_text(encoding="utf-8", errors="replace")
    summaries = _SUMMARY.findall(text)
    summary = summaries[-1] if summaries else f"no result, status {done.returncode}"
    return Result(condition, done.returncode, summary, time.monotonic() - begun, tuple(_FAILED.findall(text)))


def table(results: Sequence[Result]) -> str:
    """The results in Markdown, and below them what failed."""
    lines = ["| run | result | status | minutes |", "|---|---|---|---|"]
    lines += [f"| {r.condition.name} | {r.summary} | {r.status} | {r.seconds / 60:.1f} |" for r in results]
    lines += [f"{r.condition.name}: {line}" for r in results for line in r.failed]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__, allow_abbrev=False)
    parser.add_argument("--times", type=int, default=0, help="so many plain runs, one after the other")
    parser.add_argument("--busy", action="store_true", help="a run beside a busy loop on each core")
    parser.add_argument("--fresh-boot", action="store_true", help="a run as if the machine was started a minute ago")
    parser.add_argument("--zones", action="store_true", help=f"a run in each of {', '.join(ZONES)}")
    parser.add_argument("--midnight", action="store_true", help="runs in which each test begins at local midnight")
    parser.add_argument("--all", action="store_true", help="all of these, and what --times says")
    parser.add_argument("--logs", type=Path, help="the folder for what the runs print; else a new one")
    options, rest = parser.parse_known_args(arguments)
    folder = options.logs or Path(tempfile.mkdtemp(prefix="litellm-tui-stress-"))
    folder.mkdir(parents=True, exist_ok=True)
    results = []
    for number, condition in enumerate(conditions(options)):
        log = folder / f"{number}.log"
        print(f"{condition.name}: {log}", flush=True)
        results.append(run(condition, ["./test", *rest], log))
    print(table(results))
    return int(any(result.status for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
