"""The runs under conditions that must not matter: they are what they are called, and their table tells what came."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests import stress
from tests.conftest import zone_with_midnight_in
from tests.waiting import DEADLINE

SIGNALS = """\
import signal, subprocess, sys
names = ("SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM")
if sys.argv[1:]:
    print(*(signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN for name in names))
else:
    for name in names:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    import tests.conftest
    subprocess.run([sys.executable, __file__, "child"])
    print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_behind_nohup_what_the_tests_start_takes_signals(tmp_path: Path) -> None:
    (tmp_path / "signals.py").write_text(SIGNALS, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "signals.py")]
    environment = {**os.environ, "PYTHONPATH": str(stress.ROOT), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines() == ["True True True True", "True"]


@pytest.mark.parametrize("now", [0.0, 1_800_000_000.0, 1_800_000_000.99, 1_795_974_159.5, 1_795_996_799.25])
@pytest.mark.parametrize("seconds", [0.0, 1.0, 90.5])
def test_a_zone_in_which_midnight_comes(now: float, seconds: float) -> None:
    program = f"import time; then = time.localtime({now + seconds}); print(time.strftime('%H:%M:%S', then))"
    zone = {"TZ": zone_with_midnight_in(seconds, now)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=zone, check=True)
    assert done.stdout.strip() == "00:00:00"


def test_the_conditions_are_those_that_were_asked_for() -> None:
    none: dict[str, bool] = dict.fromkeys(("busy", "fresh_boot", "zones", "midnight", "all"), False)
    plain = stress.conditions(argparse.Namespace(**none, times=0))
    assert [condition.name for condition in plain] == ["plain 1"]
    chosen = stress.conditions(argparse.Namespace(**{**none, "zones": True}, times=2))
    assert [condition.name for condition in chosen] == [
        "plain 1", "plain 2", "TZ=Pacific/Auckland", "TZ=America/St_Johns",
    ]  # fmt: skip
    every = stress.conditions(argparse.Namespace(**{**none, "all": True}, times=5))
    assert len(every) == len({condition.name for condition in every}) == 5 + 2 + 2 + 2


def test_a_run_is_told_by_its_status_and_pytests_own_words(tmp_path: Path) -> None:
    words = (
        "FAILED tests/test_x.py::test_it - assert 0\n1 failed, 12 passed, 3 skipped in 61.20s (0:01:01)\ntypes are fine"
    )
    command = ["sh", "-c", 'printf "%s\\n" "$1" "$TZ" "$2"; exit 1', "sh", words]
    found = stress.run(
        stress.Condition("a zone", environment={"TZ": "Pacific/Auckland"}, arguments=("--more",)),
        command,
        tmp_path / "log",
    )
    assert (found.status, found.summary) == (1, "1 failed, 12 passed, 3 skipped")
    assert (tmp_path / "log").read_text().splitlines()[-2:] == ["Pacific/Auckland", "--more"]
    lines = stress.table([found]).splitlines()
    assert lines[2].startswith("| a zone | 1 failed, 12 passed, 3 skipped | 1 | ")
    assert lines[3] == "a zone: FAILED tests/test_x.py::test_it - assert 0"
    broken = stress.run(stress.Condition("broken"), ["sh", "-c", "exit 7"], tmp_path / "log")
    assert (broken.status, broken.summary) == (7, "no result, status 7")


def _loops() -> int:
    """The busy loops of this process."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().split(b"\0")
            found += words[2:4] == [stress._BUSY.encode(), str(os.getpid()).encode()]
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_beside_busy_loops_that_end_with_it() -> None:
    with stress.busy_loops():
        # a program that has just begun has no command line for a moment
        ends = time.monotonic() + DEADLINE
        while _loops() != os.cpu_count() and time.monotonic() < ends:
            time.sleep(0.01)
        assert _loops() == os.cpu_count()
    assert _loops() == 0


def test_a_machine_that_was_started_a_minute_ago() -> None:
    begun = time.monotonic()
    prefix = stress.just_started()
    if os.geteuid() != 0 or subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("no time namespace can be made here")
    program = "import time; print(*map(time.clock_gettime, (time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME)), sep='\\n')"
    done = subprocess.run([*prefix, sys.executable, "-c", program], capture_output=True, text=True, check=True)
    passed = time.monotonic() - begun
    for uptime in map(float, done.stdout.split()):
        # whole seconds are subtracted
        assert stress.UPTIME - 1 <= uptime <= stress.UPTIME + 1 + passed
