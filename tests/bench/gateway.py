"""A healthy real gateway that is only watched: what the console costs with nobody at the keys, and what a key waits.

The gateway is a LiteLLM in the lab (see tests/lab/README.md) with background health checks every 30 s and no traffic.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.console import console_pid, let_run
from tests.bench.log import keys
from tests.lab import Lab
from tests.lab.calm import healthy_config
from tests.terminal import CONSOLE, Terminal, compile_console

CHECK_SECONDS = 30
SETTLING_SECONDS = 15.0
# whole rounds of the checks, whose lines are painted
IDLE_SECONDS = 4.0 * CHECK_SECONDS
READER_SECONDS = 300.0
USEFUL = "paired-b"


def _config() -> dict[str, Any]:
    config = healthy_config()
    config["general_settings"]["health_check_interval"] = CHECK_SECONDS
    return config


def _cpu(pid: int) -> tuple[float, float]:
    """CPU seconds of one process, and of the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    own, children = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
    return own / os.sysconf("SC_CLK_TCK"), children / os.sysconf("SC_CLK_TCK")


def _wakeups(pid: int) -> int:
    """How often the threads of a process have gone to sleep by themselves."""
    found = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            lines = (task / "status").read_text(encoding="utf-8").splitlines()
        except OSError:
            # a thread that has just ended
            continue
        found += sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    return found


def _reader_ended(terminal: Terminal) -> None:
    """Wait until what the installed LiteLLM reads is known: that is found out once, by a process of its own."""
    ends = time.monotonic() + READER_SECONDS
    quiet = 0
    while quiet < 3:
        assert time.monotonic() < ends, f"something goes on: {terminal.commands()}"
        # the console, what brought it into the lab, and the log's tail; a look at the unit is over in a moment
        quiet = quiet + 1 if len(terminal.processes()) <= 3 else 0
        let_run(terminal, 1.0)


def rows() -> Iterator[str]:
    """What is measured here, as the rows of a table."""
    compile_console()
    with Lab.boot(config=_config(), units=("user",), groups=("systemd-journal",), env={"LITELLM_LOG": "INFO"}) as lab:
        lab.wait_health_round()
        with Terminal(lab.argv(CONSOLE, True), (120, 40)) as terminal:
            terminal.wait_for(USEFUL, timeout=60)
            let_run(terminal, SETTLING_SECONDS)
            _reader_ended(terminal)
            pid = console_pid(terminal)
            tail = terminal.program("journalctl")
            before = _cpu(pid), _cpu(tail)[0], _wakeups(pid), terminal.bytes_received
            began = time.perf_counter()
            let_run(terminal, IDLE_SECONDS)
            seconds = time.perf_counter() - began
            after = _cpu(pid), _cpu(tail)[0], _wakeups(pid), terminal.bytes_received
            found = keys(terminal, mark=USEFUL, there="down", back="up")
    own, children = (100 * (late - early) / seconds for early, late in zip(before[0], after[0], strict=True))
    beside, wakeups, rate = ((late - early) / seconds for early, late in zip(before[1:], after[1:], strict=True))
    yield f"| a healthy gateway, nobody at the keys: of one core | {own:.2f} % | at most 1.0 % |"
    yield (
        f"| the same: commands that it runs, and journalctl | {children:.2f} % and {100 * beside:.2f} %; "
        f"its threads wake {wakeups:.0f} times a second | |"
    )
    yield f"| the same: to the terminal | {rate:.0f} B/s | at most 200 B/s |"
    yield f"| the same: a key until the cursor has moved, p50, p95, max | {found} | p95 at most 10 ms |"
