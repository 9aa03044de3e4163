"""Finds the process that a PID file names, and tells whether it is still the one that was started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from litellm_tui.host import proc
from litellm_tui.host.bounded import SMALL, read_text
from litellm_tui.host.command import argument_vector
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.workers import does_recycle, workers_of

# a PID file is written after the process was started; clocks of files are a little coarse
_WRITTEN_AFTER: Final = 2.0
_LITELLM: Final = ("litellm", "litellm-proxy")


class FoundProcess(NamedTuple):
    """The process of a PID file. `pid` is 0 when none runs: `why` then says more, `left` means that the file exists."""

    pid: int = 0
    stat: proc.Stat | None = None
    why: str = ""
    left: bool = False


def find(pid_file: str, start: Sequence[str] = ()) -> FoundProcess | Failure:
    """The process that a PID file names, compared with the command that starts it.

    A PID that belongs to no process, or to another one, makes the file stale.
    """
    path = Path(pid_file).expanduser()
    try:
        text, written = read_text(path, SMALL, encoding="ascii", errors="replace").strip(), path.stat().st_mtime
    except FileNotFoundError:
        return FoundProcess(why=f"no PID file {path}")
    except PermissionError:
        return Denied(f"{path} may not be read: run the console as the user who runs LiteLLM")
    except OSError as error:
        return NotAvailable(f"{path}: {error.strerror}")
    if not (text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) < 2**31):
        return FoundProcess(why=f"{path} holds no process number", left=True)
    pid = int(text)
    stat = proc.stat(pid)
    if stat is None or stat.gone:
        return FoundProcess(why=f"{path} is stale: process {pid} is gone", left=True)
    if other := _why_another(pid, stat, written, start):
        return FoundProcess(why=f"{path} is stale: {other}", left=True)
    return FoundProcess(pid, stat)


def look(settings: Process, name: str) -> Service | Failure:
    """One look. A process that ended and left its PID file has failed: nobody stopped it; how it ended is unknown."""
    assert settings.pid_file is not None, "another process is looked for by its port"
    start = argument_vector(settings.start or ())
    seen = find(settings.pid_file, start)
    if isinstance(seen, Failure):
        return seen
    if seen.pid:
        return running(name, "process", seen, settings.pid_file)
    known = program(settings) is not None
    state = ("failed", "failed") if seen.left else ("inactive", "dead")
    note = seen.why if known else f"{seen.why}; the start command {start[0]} is not there"
    return Service(name, "process", "loaded" if known else "not-found", *state, fragment=settings.pid_file, note=note)


def program(settings: Process) -> str | None:
    """The path of the program that the start command runs; None when it does not exist. Relative to `folder`."""
    return program_of(argument_vector(settings.start or ("",))[0], settings.folder)


def program_of(name: str, folder: str | None) -> str | None:
    """The path of a program; None when it does not exist. Relative to `folder`."""
    if os.sep not in name:
        return shutil.which(name)
    path = os.path.abspath(os.path.join(os.path.expanduser(folder or ""), name))
    return path if os.path.isfile(path) and os.access(path, os.X_OK) else None


def running(name: str, scope: str, seen: FoundProcess, pid_file: str) -> Service:
    """The `Service` of a process that runs."""
    assert seen.stat is not None
    used, workers = proc.usage(seen.pid), workers_of(seen.pid)
    return Service(
        unit=name,
        scope="custom" if scope == "custom" else "process",
        load_state="loaded",
        active_state="active",
        sub_state="running",
        main_pid=seen.pid,
        started_at=seen.stat.started_at,
        changed_at=seen.stat.started_at,
        memory=used[0] if used else None,
        cpu_seconds=used[1] if used else None,
        # the kernel reuses a PID, but not with the same start
        invocation=f"{seen.pid}-{seen.stat.ticks}",
        fragment=pid_file,
        workers=workers,
        recycles=bool(workers) and does_recycle(seen.pid),
    )


def _why_another(pid: int, stat: proc.Stat, written: float, start: Sequence[str]) -> str:
    """Why this is not the process that was started; empty when it is."""
    line = proc.command_line(pid)
    if start and line and _same(line, start):
        return ""
    if start and line and not any(os.path.basename(word) in _LITELLM or "litellm.proxy" in word for word in line):
        return f"process {pid} is {os.path.basename(line[0])}, which the start command does not start"
    if stat.started_at > written + _WRITTEN_AFTER:
        return f"process {pid} was started after it was written"
    return ""


def _same(line: list[str], start: Sequence[str]) -> bool:
    """Whether a running command line is that of the start command: a script's has its interpreter in front."""
    tail = line[-len(start) :]
    same_words = len(tail) == len(start) and tail[1:] == list(start[1:])
    return same_words and os.path.basename(tail[0]) == os.path.basename(start[0])
