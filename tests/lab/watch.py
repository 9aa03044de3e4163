"""What the console would say, as JSON lines: ``python -m tests.lab.watch [litellm-tui's options]``.

Runs the console's own discovery, monitor and diagnosis without its screen, inside the lab as the ordinary user, and
prints a line whenever a word of the diagnosis has changed. `Watch` is the other end: it starts the program and waits
for what it says.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from litellm_tui.analysis.failures.incidents import find_incidents
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.target.profile import Options
from litellm_tui.target.resolution import resolve
from litellm_tui.target.settings import load_settings
from tests.lab.core import Lab
from tests.starved import Starved

REPOSITORY = Path(__file__).resolve().parents[2]
PACE = 0.25
# what a busy machine may add to a bound, in times the bound: what never comes is not waited for for ever
MOST_STARVED = 4
# What a deployment's row needs here; the rest of it repeats the file and /v1/model/info.
ROW = ("key", "group", "model", "verdict", "listed", "ok", "failed")
# Times and ages change with every look, and nothing is said anew by them.
UNSTEADY = frozenset(
    {
        *("time", "since", "seen_at", "evidence", "reason", "hit", "new", "ok", "failed"),
        *("parts", "advice", "looked", "blind_spots"),
    }
)

Said = dict[str, Any]


def said(snapshot: Snapshot, now: float) -> Said:
    """The diagnosis in plain values: whatever parts it has, the deployments' rows cut down."""
    found = diagnose(snapshot, now)
    value: Said = msgspec.to_builtins(
        {name: getattr(found, name) for name in found.__struct_fields__ if name not in ("deployments", "chains")},
        str_keys=True,
    )
    rows = msgspec.to_builtins([{name: getattr(row, name, None) for name in ROW} for row in found.deployments])
    return {"time": now, **value, "deployments": rows, "incidents": incidents(snapshot, found, now)}


def incidents(snapshot: Snapshot, found: Diagnosis, now: float) -> list[dict[str, str]]:
    """What goes on in the log since the start: whose failure, its cause, at which subject."""
    service = snapshot.service.value
    since = (service.started_at if service else None) or 0.0
    return [
        {"failure_of": one.failure_of, "cause": one.cause, "subject": one.subject}
        for one in find_incidents(snapshot.failures, found, now, since, traffic=snapshot.traffic)
        if one.going_on
    ]


def steady(value: Any) -> Any:
    """The part of a line that makes it another one."""
    if isinstance(value, dict):
        return {name: steady(item) for name, item in value.items() if name not in UNSTEADY}
    if isinstance(value, list):
        return [steady(item) for item in value]
    return value


async def watch(options: Options) -> None:
    monitor = Monitor(resolve(options, load_settings()))
    looking = asyncio.create_task(monitor.run())
    before: Any = None
    while not looking.done():
        line = said(monitor.snapshot(), time.time())
        if (now := steady(line)) != before:
            before = now
            print(json.dumps(line), flush=True)
        await asyncio.sleep(PACE)
    await looking


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--key-file")
    given = parser.parse_args()
    asyncio.run(watch(Options(url=given.url, key_file=given.key_file)))


class Watch:
    """The program at work in a lab, and all that it has said. Times are seconds since the epoch."""

    def __init__(self, process: subprocess.Popen[str], *beside: int) -> None:
        self.lines: list[Said] = []
        self._starved = Starved(process.pid, *beside)
        # for how long in all its processes and those of the lab had got no processor by then
        self._waits: list[tuple[float, float]] = [(time.time(), 0.0)]
        self._process = process
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            with self._news:
                self.lines.append(json.loads(text))
                self._waits.append((time.time(), self._starved.seconds))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def last(self) -> Said:
        return self.lines[-1] if self.lines else {}

    def wait_for(self, predicate: Callable[[Said], Any], timeout: float, since: float | None = None) -> float | None:
        """Seconds from `since` (default: now) until a line of which the predicate holds; None when none came.

        Begins with what is being said at `since`: a thing that shows already has taken no time. `timeout` does not
        count the time in which the watch and the lab got no processor.
        """
        begun = time.time() if since is None else since
        deadline, most = begun + timeout, timeout * MOST_STARVED
        looked = 0
        with self._news:
            while True:
                # What was said last before `since` is still being said then.
                earlier = sum(line["time"] <= begun for line in self.lines)
                looked = max(looked, earlier - 1, 0)
                for line in self.lines[looked:]:
                    if line["time"] <= deadline + self._starved_between(begun, line["time"], most) and predicate(line):
                        return max(0.0, float(line["time"]) - begun)
                looked = max(looked, len(self.lines) - 1, 0)
                left = deadline + self._starved_between(begun, time.time(), most) - time.time()
                if left <= 0 or not self._reader.is_alive():
                    return None
                self._news.wait(min(left, 1.0))

    def starved_between(self, begun: float, end: float) -> float:
        """For how many seconds in that time its processes and those of the lab got no processor."""
        with self._news:
            return self._starved_between(begun, end, end - begun)

    def _starved_between(self, begun: float, end: float, most: float) -> float:
        self._waits.append((time.time(), self._starved.seconds))
        before = max((waited for at, waited in self._waits if at <= begun), default=0.0)
        after = min((waited for at, waited in self._waits if at >= end), default=self._waits[-1][1])
        return min(max(0.0, after - before), most)

    def since(self, moment: float) -> list[Said]:
        """What was being said at that moment and everything after it."""
        with self._news:
            earlier = sum(line["time"] <= moment for line in self.lines)
            return self.lines[max(earlier - 1, 0) :]


@contextmanager
def watching(lab: Lab, *options: str, env: dict[str, str] | None = None) -> Iterator[Watch]:
    """A watch as the lab's ordinary user; it must still be running at the end."""
    command = [sys.executable, "-m", "tests.lab.watch", *options]
    process = subprocess.Popen(
        lab.argv(command, env={"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Watch(process, lab.pid)
        assert process.poll() is None, f"the watch ended by itself with {process.returncode}"
    finally:
        # nsenter forks: the group, not the process.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    main()
