"""The worker processes of a gateway that has several (`--num_workers`, gunicorn), from /proc."""

from __future__ import annotations

from typing import Final

from litellm_tui.host import proc
from litellm_tui.model.service import Worker

_SPAWNED: Final = "multiprocessing.spawn"
_RECYCLES: Final = "max_requests_before_restart"


def workers_of(pid: int) -> tuple[Worker, ...]:
    """The descendants that serve requests, the oldest first; empty for a single process.

    uvicorn spawns its workers by multiprocessing, gunicorn forks them: they have the command line of their parent.
    """
    lines: set[tuple[str, ...]] = set()
    found = []
    for member in proc.family(pid):
        line = tuple(proc.command_line(member))
        spawned = any(_SPAWNED in word for word in line)
        if line and member != pid and (spawned or line in lines) and (stat := proc.stat(member)) and not stat.gone:
            found.append(Worker(member, stat.memory, stat.started_at))
        lines.add(line)
    return tuple(sorted(found, key=lambda worker: (worker.started_at, worker.pid)))


def does_recycle(pid: int) -> bool:
    """Whether the gateway ends its workers itself after so many requests (litellm/proxy/proxy_cli.py)."""
    words = any(_RECYCLES in word for member in proc.family(pid) for word in proc.command_line(member))
    return words or _RECYCLES.upper() in proc.environment(pid)
