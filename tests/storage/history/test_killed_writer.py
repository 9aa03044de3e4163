"""A recorder that is killed at any moment: the file opens, and everything that was written is there."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from litellm_tui.storage.history.reader import HistoryReader
from litellm_tui.storage.history.writer import HistoryWriter
from tests.storage.history import killed_writer
from tests.storage.history.killed_writer import BEGIN, STEP, SUBJECTS


def _killed(path: Path, after: int, pause: float) -> int:
    """Kill a writer some time after so many writes; returns the number of the last write that it told of."""
    command = [sys.executable, "-m", killed_writer.__name__, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = -1
        for _ in range(after):
            told = int(child.stdout.readline())
        time.sleep(pause)
        child.kill()
        rest = child.stdout.read().splitlines(keepends=True)
    # the last line may be cut off
    return max([told, *(int(line) for line in rest if line.endswith("\n"))])


def test_a_kill_loses_nothing_that_was_written(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = tmp_path / "gateway" / "history.sqlite"
    chance = random.Random(19)
    for _ in range(100 if request.config.getoption("--long") else 4):
        told = _killed(path, chance.randrange(1, 60), chance.random() * 0.05)
        reader = HistoryReader(path)
        events = {int(event.key) for event in reader.events(0, kinds=["saved"], limit=1_000_000)}
        assert reader.failure == ""
        assert events >= set(range(told + 1))
        assert max(events) <= told + 1, "what was not written yet is not there"
        for subject in range(SUBJECTS):
            end = BEGIN + (max(events) + 1) * STEP
            points = reader.series(f"deployment:{subject}", "requests", BEGIN, end, most=1_000_000).points
            assert sum(value or 0.0 for _, value in points) == len(events), "none is lost, and none is counted twice"
    writer = HistoryWriter.open(path)
    assert isinstance(writer, HistoryWriter), "the lock ends with its process"
    assert writer.damage == ""
    writer.close(BEGIN)


@pytest.mark.parametrize("writers", [3])
def test_of_several_writers_one_writes(tmp_path: Path, writers: int) -> None:
    path = tmp_path / "gateway" / "history.sqlite"
    command = [sys.executable, "-m", killed_writer.__name__, str(path)]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(writers)
    ]
    try:
        # those that find the lock taken end by their assertion
        while sum(child.poll() is None for child in children) > 1:
            time.sleep(0.02)
        (left,) = [child for child in children if child.poll() is None]
        assert left.stdout is not None
        assert left.stdout.readline() == "0\n"
    finally:
        for child in children:
            child.kill()
            child.communicate()
