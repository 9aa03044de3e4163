"""A fleet of a hundred hosts, each a process that speaks the protocol: CPU, bytes and memory of the console, and keys.

In place of ssh stands a script that tells a document at once and another one every half a minute, as a real far side
does where little happens. What those processes cost is not the console's.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from litellm_tui.demo import Simulation
from tests.bench.console import USEFUL, Console, console_pid, cpu_seconds, let_run, resident_bytes
from tests.bench.log import Keys, keys
from tests.terminal import Terminal, compile_console

HOSTS: Final = 100
EVERY_SECONDS: Final = 30
DEPLOYMENTS: Final = 20
IDLE_SECONDS: Final = 2.0 * EVERY_SECONDS
SETTLING_SECONDS: Final = 10.0
PRESSES, APART = 40, 0.6
_PATIENCE: Final = 120.0
_SSH: Final = """\
#!/bin/sh
echo 'litellm-tui: begun'
while :; do
  sed "s/@NOW@/$(date +%s)/" {document}
  sleep {every}
done
"""


def _document() -> str:
    """As long as one of a gateway with some deployments and a problem."""
    told: dict[str, Any] = {
        "format": 1, "program": "0.1.0", "written_at": "@NOW@", "host": "gw", "url": "127.0.0.1:4000", "exit_status": 1,
        "litellm_version": "1.106.2",
        "headline": {"word": "DEGRADED", "severity": "warn", "advice": "look at the upstream",
                     "parts": [{"text": "1 problem", "severity": "warn"}, {"text": "up 3 d 4 h", "severity": "ok"}]},
        "rates": {"requests_per_minute": 120.0, "failed_per_minute": 0.4, "error_lines_per_minute": 1.2},
        "configuration": {"digest": "0123456789abcdef", "sections": {"model_list": "1", "router_settings": "2"}},
        "problems": [{"severity": "warn", "title": "small", "cause": "timeouts", "reason": "of five requests one",
                      "do": "look at the upstream", "hit": "small", "since": 1.0, "solved_at": None}],
        "deployments": [
            {"group": f"group-{number}", "model": f"openai/model-{number}", "api_base": "http://127.0.0.1:1/v1",
             "listed": True, "answered": 100, "failed": 1,
             "verdict": {"state": "serving", "severity": "ok", "reason": "answered 2 s ago", "evidence": ["x" * 200]}}
            for number in range(DEPLOYMENTS)
        ],
    }  # fmt: skip
    return json.dumps(told).replace('"@NOW@"', "@NOW@") + "\n"


class Fleet(NamedTuple):
    """What a fleet of so many hosts has cost: of one core, bytes a second to the terminal, bytes of memory, keys."""

    percent: float
    rate: float
    memory: int
    keys: Keys
    document: int


def _console(simulation: Simulation, folder: Path, hosts: int) -> Console:
    console = Console(simulation, folder)
    (folder / "document").write_text(_document(), encoding="utf-8")
    ssh = folder / "ssh"
    ssh.write_text(_SSH.format(document=folder / "document", every=EVERY_SECONDS), encoding="utf-8")
    ssh.chmod(0o755)
    settings = folder / "litellm-tui" / "config.yaml"
    settings.parent.mkdir()
    profiles = "".join(f"  gw-{number:03}: {{ssh: host-{number:03}, group: web}}\n" for number in range(hosts))
    settings.write_text(f"profiles:\n{profiles}", encoding="utf-8")
    return console


def _all_told(text: str) -> bool:
    return bool(re.search(r"gw-000 .*DEGRADED", text)) and "ASKED" not in text


def measured(hosts: int) -> Fleet:
    """Open the fleet, let all tell, and watch it."""
    with Simulation(scripted=False) as simulation, tempfile.TemporaryDirectory() as name:
        console = _console(simulation, Path(name), hosts)
        with Terminal(console.argv, (120, 40), environment=console.environment) as terminal:
            terminal.wait_for(USEFUL, timeout=_PATIENCE)
            let_run(terminal, SETTLING_SECONDS)
            pid = console_pid(terminal)
            before = resident_bytes(pid)
            terminal.press("G")
            terminal.wait_for(_all_told, timeout=_PATIENCE)
            let_run(terminal, SETTLING_SECONDS)
            cpu, received, began = cpu_seconds(pid), terminal.bytes_received, time.perf_counter()
            let_run(terminal, IDLE_SECONDS)
            seconds = time.perf_counter() - began
            percent = (cpu_seconds(pid) - cpu) / seconds * 100
            rate = (terminal.bytes_received - received) / seconds
            memory = resident_bytes(pid) - before
            found = keys(terminal, PRESSES, APART, mark="gw-000")
            return Fleet(percent, rate, memory, found, len(_document()))


def rows() -> Iterator[str]:
    """What is measured here, as the rows of a table."""
    compile_console()
    for hosts in (2, HOSTS):
        found = measured(hosts)
        name = f"a fleet of {hosts} hosts"
        yield f"| {name}: of one core | {found.percent:.1f} % | {'at most 5 %' if hosts == HOSTS else ''} |"
        each = f"{found.memory / hosts / 1000:.0f} kB a host"
        yield f"| {name}: memory of the console | {found.memory / 1e6:.1f} MB, {each} | at most 1 MB a host |"
        yield (
            f"| {name}: from each host; to the terminal | {found.document / 1000:.1f} kB every {EVERY_SECONDS} s; "
            f"{found.rate:.0f} B/s | |"
        )
        yield f"| {name}: a key until the cursor has moved, p50, p95, max of {PRESSES} | {found.keys} | as with two |"
