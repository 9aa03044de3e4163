"""What /proc says of a process: its command line, environment, children, memory and CPU time."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from litellm_tui.host.bounded import read_bytes, read_text

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Stat(NamedTuple):
    """What /proc/PID/stat says: resident bytes, CPU seconds, and the start in ticks and in seconds since the epoch."""

    gone: bool
    memory: int
    cpu: float
    ticks: int
    started_at: float


def stat(pid: int) -> Stat | None:
    """One process; None where there is none. A process that has ended and waits for its parent is `gone`."""
    try:
        text = read_text(f"/proc/{pid}/stat", errors="replace")
        # the name in parentheses may hold anything, a parenthesis too
        fields = text.rsplit(")", 1)[1].split()
        ticks = int(fields[19])
        return Stat(
            gone=fields[0] in "ZXx",
            memory=int(fields[21]) * _PAGE,
            cpu=(int(fields[11]) + int(fields[12])) / _TICKS,
            ticks=ticks,
            started_at=booted_at() + ticks / _TICKS,
        )
    except (OSError, IndexError, ValueError):
        return None


def booted_at() -> float:
    """When this machine was started, in seconds since the epoch."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def command_line(pid: int) -> list[str]:
    """The argument vector of a process; empty when it has ended or may not be read."""
    return _nul_separated(pid, "cmdline")


def environment(pid: int) -> dict[str, str]:
    """The environment that the process was started with; empty when it has ended or may not be read."""
    return dict(entry.split("=", 1) for entry in _nul_separated(pid, "environ") if "=" in entry)


def control_groups(pid: int) -> str:
    """The control groups of a process, a line for each hierarchy; empty when it has ended."""
    try:
        return read_text(f"/proc/{pid}/cgroup", errors="replace")
    except OSError:
        return ""


def family(pid: int) -> list[int]:
    """The process and its descendants, parents first."""
    found = [pid]
    for member in found:
        try:
            tasks = os.listdir(f"/proc/{member}/task")
            for task in tasks:
                children = read_text(f"/proc/{member}/task/{task}/children", encoding="ascii").split()
                found.extend(int(child) for child in children)
        except OSError:
            continue
    return found


def usage(pid: int) -> tuple[int, float] | None:
    """`(resident bytes, CPU seconds)` of the process and its descendants; None when it has ended."""
    memory, cpu, seen = 0, 0.0, False
    for member in family(pid):
        if found := stat(member):
            seen = True
            cpu += found.cpu
            memory += found.memory
    return (memory, cpu) if seen else None


def _nul_separated(pid: int, name: str) -> list[str]:
    try:
        data = read_bytes(f"/proc/{pid}/{name}")
    except OSError:
        return []
    return [part.decode(errors="replace") for part in data.split(b"\0") if part]
