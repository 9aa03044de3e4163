"""Measures the console as ratios within one run: `python -m tests.bench [--write docs/benchmarks.md]`.

Everything is measured from outside, in a pty of 120x40 on the simulated gateway, or on a real one in the lab. The
journal is a real one where the lab can be booted (see tests/lab/README.md); floods are written by a stand-in for
journalctl.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench import audit, fleet, gateway, intake, log, many, startup
from tests.lab import missing

WHAT = {
    "startup": "start beside a bare Textual app, and the simulated gateway at rest",
    "gateway": "a healthy real gateway with checks every 30 s, nobody at the keys: CPU, bytes, wake-ups, then keys",
    "intake": "lines taken in, beside journalctl and lnav",
    "keys": "how soon a line is seen, and keys at 0 to 20,000 lines a second",
    "steady": "100 lines a second, and keys on a slow link",
    "memory": "memory after five million lines",
    "journal": "start with a journal of 1 GB",
    "many": "1,000 and 5,000 deployments: start, rest, keys",
    "fleet": "a fleet of two and of a hundred hosts: CPU, memory, bytes, keys",
    "audit": "an audit of a small file and of 5,000 deployments",
}
PARTS = tuple(WHAT)


def _intake(lines: int) -> Iterator[str]:
    with intake.journal(lines) as folder:
        found = intake.rates(folder, lines)
        beside = intake.lnav(folder, lines)
    yield (
        f"| lines taken in, against journalctl's own output of the same {lines:,} lines | {found.ratio:.2f} "
        f"({found.taken:,.0f} lines/s against {found.journalctl:,.0f}) | 0.90 or more |"
    )
    if isinstance(beside, str):
        yield f"| the same, against lnav reading it from a pipe | not measured: {beside} | |"
    else:
        yield (
            f"| the same, against lnav reading it from a pipe | {found.taken / beside:.2f} times "
            f"({beside:,.0f} lines/s) | |"
        )


def _keys() -> Iterator[str]:
    seen = log.until_seen()
    yield (
        f"| a line's writing until it is on the screen, p50, p95, max of {len(seen)} | {statistics.median(seen):.0f}, "
        f"{seen[int(len(seen) * 0.95) - 1]:.0f}, {seen[-1]:.0f} ms | painted 4 times a second |"
    )
    for rate in log.RATES:
        found, real = log.keys_under(rate)
        goal = {0: "p95 at most 10 ms", max(log.RATES): "p95 at most 30 ms"}.get(rate, "")
        yield f"| a key until the cursor has moved, at {rate:,} lines/s ({real:,.0f} came) | {found} | {goal} |"


def _steady() -> Iterator[str]:
    percent, rate = log.steady()
    yield f"| at 100 lines/s, of one core | {percent:.1f} % | at most 10 % |"
    yield f"| at 100 lines/s, to the terminal | {rate / 1000:.1f} KB/s | at most 40 KB/s |"
    for what, buffered in (("stops the console", False), ("takes everything at once", True)):
        found = log.keys_on_a_slow_link(buffered)
        yield (
            f"| a key at 100 lines/s on a link of 8 KiB/s that {what}, p50, p95, max of {log.SLOW_PRESSES} | {found} "
            "| within 300 ms |"
        )


def _memory(lines: int) -> Iterator[str]:
    taken = log.take_in(lines)
    grown = ", ".join(f"{size / 1e6:.0f}" for _, size in taken.memory)
    yield (
        f"| all that the console takes, painting meanwhile | {taken.lines / taken.seconds:,.0f} lines/s "
        f"(from a stand-in that has no limit of its own) | |"
    )
    yield f"| its memory after each fifth of {lines:,} lines | {grown} MB | flat, at most 150 MB |"


def _journal(lines: int) -> Iterator[str]:
    found = []
    for count in (10_000, lines):
        with intake.journal(count) as folder:
            size = sum(path.stat().st_size for path in folder.glob("*.journal"))
            found.append((intake.start_up(folder), size))
    (small, small_size), (large, large_size) = found
    yield (
        f"| until the last line is on the screen, with a journal of {large_size / 1e6:,.0f} MB against one of "
        f"{small_size / 1e6:,.0f} MB | {large / small:.2f} times ({large:.2f} s against {small:.2f} s) | no slower |"
    )


def rows(parts: Sequence[str], lines: int, flood: int, large: int) -> Iterator[str]:
    """The rows of the table, as they are measured."""
    why = missing()
    if "startup" in parts:
        yield from startup.rows()
    if "gateway" in parts:
        yield from [f"| a healthy real gateway | not measured: {why} | |"] if why else gateway.rows()
    if "intake" in parts:
        yield from [f"| lines taken in, against journalctl | not measured: {why} | |"] if why else _intake(lines)
    if "keys" in parts:
        yield from _keys()
    if "steady" in parts:
        yield from _steady()
    if "memory" in parts:
        yield from _memory(flood)
    if "journal" in parts:
        yield from [f"| start-up with a large journal | not measured: {why} | |"] if why else _journal(large)
    if "many" in parts:
        yield from many.rows()
    if "fleet" in parts:
        yield from fleet.rows()
    if "audit" in parts:
        yield from audit.rows()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the page if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--write", metavar="FILE", type=Path, help="write the page to this file as well")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this alone (may be repeated)")
    parser.add_argument("--lines", type=int, default=300_000, help="lines of the journal that is taken in")
    parser.add_argument("--flood", type=int, default=5_000_000, help="lines after which memory is measured")
    parser.add_argument("--large", type=int, default=2_000_000, help="lines of the large journal: 2 million are 1 GB")
    chosen = parser.parse_args(arguments)
    page = [
        "# Benchmarks",
        "",
        f"Made by `python -m tests.bench --write docs/benchmarks.md`: Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, a load of {os.getloadavg()[0]:.1f} before it began.",
        "",
        "Each goal is measured by one part, which is measured alone with `--only PART` (may be repeated):",
        "",
        *(f"- `python -m tests.bench --only {part}`: {what}" for part, what in WHAT.items()),
        "",
        "`gateway`, `intake` and `journal` need the lab (`LITELLM_TUI_LAB_LITELLM`, see tests/lab/README.md). Times",
        "are to be taken on a machine with nothing else to do; shares of a core grow with its load, too.",
        "",
        "The console runs in a pty of 120x40, on the simulated gateway where no real one is named. First useful paint",
        "means the models and the fallbacks of the file, the median over alternating runs of both. What is compared",
        "with journalctl and lnav is a journal that a real journald wrote, read with the same options; the lines are",
        "parsed, masked, counted and kept. Under a flood a stand-in for journalctl writes the lines of a busy proxy.",
        "A key moves the cursor of the",
        "models, so that nothing else on the screen is taken for its answer; it is answered when the bytes that move",
        "it have come, what the terminal needs to draw them is not counted. A slow link either stops the console when",
        "it is full, or takes everything at once and brings it late, as ssh does.",
        "",
        "| what | measured | goal |",
        "|---|---|---|",
    ]
    print("\n".join(page[-2:]))
    for row in rows(chosen.only or PARTS, chosen.lines, chosen.flood, chosen.large):
        print(row, flush=True)
        page.append(row)
    if chosen.write:
        chosen.write.parent.mkdir(exist_ok=True)
        chosen.write.write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
