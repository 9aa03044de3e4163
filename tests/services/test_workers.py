"""Workers of a gateway, as real processes: spawned as by uvicorn, forked as by gunicorn; and what the kernel says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from litellm_tui.host import proc
from litellm_tui.services import workers
from litellm_tui.services.systemd.kernel_log import newest
from litellm_tui.services.workers import workers_of
from tests.waiting import eventually

FORKS = "import os, time\nfor _ in range(2):\n    if not os.fork():\n        break\ntime.sleep(600)\n"
SPAWNS = (
    "import multiprocessing, time\n"
    "if __name__ == '__main__':\n"
    "    made = multiprocessing.get_context('spawn')\n"
    "    for _ in range(2):\n"
    "        made.Process(target=time.sleep, args=(600,), daemon=True).start()\n"
    "    time.sleep(600)\n"
)


@contextmanager
def _running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("code", [FORKS, SPAWNS], ids=["forked", "spawned"])
async def test_each_worker_is_a_process_with_memory_of_its_own(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "YOUNGEST_SECONDS", 0.0)
    with _running(sys.executable, "-c", code) as process:
        await eventually(lambda: len(workers_of(process.pid)) == 2)
        found = workers_of(process.pid)
        assert process.pid not in {worker.pid for worker in found}
        assert all(worker.memory > 0 and worker.started_at > 0 for worker in found)
        os.kill(found[0].pid, signal.SIGKILL)
        await eventually(lambda: [worker.pid for worker in workers_of(process.pid)] == [found[1].pid])


async def test_helpers_are_no_workers() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    with _running(sys.executable, "-c", code) as process:
        await eventually(lambda: len(proc.family(process.pid)) == 2)
        assert workers_of(process.pid) == ()


def test_the_kernels_word_about_litellm_is_found_among_others() -> None:
    lines = [
        "Out of memory: Killed process 700 (postgres) total-vm:1kB, anon-rss:1kB",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task=litellm,pid=812,uid=998",
        "Memory cgroup out of memory: Killed process 812 (litellm) total-vm:3100000kB, anon-rss:1945600kB",
        "eth0: link up",
    ]
    assert newest(lines) == "Memory cgroup out of memory: Killed process 812 (litellm), 1900 MB resident"
    assert newest(lines[:2]) == ""
    assert newest(["Out of memory: Killed process 9 (python3.11) total-vm:1kB"]).endswith("(python3.11)")
