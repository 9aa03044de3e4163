"""The worker processes of a gateway that has several (`--num_workers`, gunicorn), from /proc."""

from __future__ import annotations

import time
from typing import Final

from litellm_tui.host import proc
from litellm_tui.model.service import Worker

_SPAWNED: Final = "multiprocessing.spawn"
# a process that was forked to run something else has the command line of its parent for a moment
YOUNGEST_SECONDS: Final = 2.0
_RECYCLES: Final = "max_requests_before_restart"


def workers_of(pid: int) -> tuple[Worker, ...]:
    """The descendants that serve requests, the oldest first; empty for a single process.

    uvicorn spawns its workers by multiprocessing, gunicorn forks them: they have the command line of their parent.
    """
    lines: set[tuple[str, ...]] = set()
    found, now = [], time.time()
    for member in proc.family(pid):
        line = tuple(proc.command_line(member))
        spawned = any(_SPAWNED in word for word in line)
        if line and member != pid and (spawned or line in lines):
            stat = proc.stat(member)
            if stat is not None and not stat.gone and now - stat.started_at >= YOUNGEST_SECONDS:
                found.append(Worker(member, stat.memory, stat.started_at))
        lines.add(line)
    return tuple(sorted(found, key=lambda worker: (worker.started_at, worker.pid)))


def does_recycle(pid: int) -> bool:
    """Whether the gateway ends its workers itself after so many requests (litellm/proxy/proxy_cli.py)."""
    words = any(_RECYCLES in word for member in proc.family(pid) for word in proc.command_line(member))
    return words or _RECYCLES.upper() in proc.environment(pid)
