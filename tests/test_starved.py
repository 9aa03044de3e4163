"""The time that processes wait for a processor."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.starved import Starved, family

COUNTS = Path("/proc/self/schedstat")
_SPIN = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nprint(flush=True)\nwhile True: pass"


def _spinning(processor: int) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", _SPIN, str(processor)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    return child


@pytest.mark.skipif(not COUNTS.exists(), reason="needs a kernel that counts (CONFIG_SCHED_INFO)")
def test_two_that_share_a_processor_wait_for_each_other() -> None:
    processor = min(os.sched_getaffinity(0))
    children = [_spinning(processor) for _ in range(2)]
    try:
        starved = Starved(os.getpid())
        begun = time.monotonic()
        while starved.seconds < 0.2:
            assert time.monotonic() - begun < 60
            time.sleep(0.05)
    finally:
        for child in children:
            child.kill()
            child.wait()
            assert child.stdout is not None
            child.stdout.close()


def test_one_that_sleeps_does_not_wait() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        starved = Starved(child.pid)
        time.sleep(0.6)
        # what it may have waited for is its own start
        assert starved.seconds < 0.5
        child.kill()


def test_descendants_belong_to_it() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & wait"]) as child:
        try:
            deadline = time.monotonic() + 60
            while len(found := set(family({child.pid}))) < 2:
                assert time.monotonic() < deadline
            assert child.pid in found
            assert os.getpid() not in found
        finally:
            for pid in found - {child.pid}:
                os.kill(pid, 9)
