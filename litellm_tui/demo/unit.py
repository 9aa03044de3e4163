"""The simulated unit: systemd's states, from the words of `systemctl` to the process that LiteLLM would be."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from litellm_tui.demo import messages
from litellm_tui.demo.files import DESCRIPTION, ENVIRONMENT_NAME, UNIT, UNIT_ENVIRONMENT, write_atomically
from litellm_tui.demo.journal import INFO, NOTICE, WARNING, Journal
from litellm_tui.demo.running import StartError

# above PID_MAX_LIMIT of Linux: /proc of this number can never be another process's
FIRST_PID = 1 << 22
# how long the real one takes is 10 s; long enough here for every phase to be seen
STOPPING, BOOTING, OPENING, RESTART_PAUSE = 0.5, 1.0, 0.4, 2.0
START_LIMIT = 5

Later = Callable[[float, Callable[[], None]], None]


class Unit:
    """`litellm.service`. `boot` loads the configuration or raises, `listen` and `close` are what the port does.

    Every method is called with the simulation's lock held; `later(seconds, function)` comes back the same way.
    """

    def __init__(
        self,
        folder: Path,
        command: str,
        journal: Journal,
        clock: Callable[[], float],
        later: Later,
        randomness: random.Random,
        booted_at: float,
    ) -> None:
        self._folder = folder
        self._command = command
        self._journal = journal
        self._clock = clock
        self._later = later
        self._random = randomness
        self._booted_at = booted_at
        # handed over by the simulation, which owns both sides
        self.boot: Callable[[], None] = lambda: None
        self.opened: Callable[[], None] = lambda: None
        self.loaded: Callable[[], None] = lambda: None
        self.closed: Callable[[], None] = lambda: None
        self.active, self.sub, self.result = "inactive", "dead", "success"
        self.pid = 0
        self.restarts = 0
        self.invocation = ""
        self.memory = 412 << 20
        self.cpu_seconds = 0.0
        self._next_pid = FIRST_PID + randomness.randrange(1000, 9000)
        self._started_at = self._changed_at = clock()
        self._exit = (0, 0)
        self._failures = 0
        self._generation = 0

    def begin_running(self, started_at: float) -> None:
        """Be up since `started_at`, without a start being seen."""
        self._fork()
        self.active, self.sub = "active", "running"
        self._started_at = self._changed_at = started_at
        self.cpu_seconds = (self._clock() - started_at) * 0.02
        self.write_state()

    def start(self, done: Callable[[], None]) -> None:
        """`systemctl start`: done as soon as the process is there, as with Type=simple."""
        if self.active not in ("active", "deactivating"):
            self._generation += 1
            self._failures = 0
            self._launch()
        done()

    def stop(self, done: Callable[[], None]) -> None:
        """`systemctl stop`: done when the process has ended."""
        self._end(done, then=None)

    def restart(self, done: Callable[[], None]) -> None:
        """`systemctl restart`."""
        self._failures = 0
        self._end(done, then=self._launch)

    def kill(self, *, for_good: bool) -> None:
        """SIGKILL to the main process; `for_good` as if it had been killed until systemd gave up."""
        if not self.pid:
            return
        self._generation += 1
        self.closed()
        self._died(2, 9, for_good=for_good)

    def write_state(self) -> None:
        """Renew what `systemctl show` prints."""
        write_atomically(self._folder / "state", "".join(f"{k}={v}\n" for k, v in self._properties().items()))

    # --- the life of the process --------------------------------------------------------------------------------

    def _end(self, done: Callable[[], None], then: Callable[[], None] | None) -> None:
        self._generation += 1

        def ended() -> None:
            if self.pid:
                self._say(self._words().stopping(self.pid))
                self._systemd(messages.DEACTIVATED, messages.STOPPED)
            elif self.active == "activating":
                self._systemd(messages.STOPPED)
            self.pid, self.result, self._exit = 0, "success", (1, 0)
            self._become("inactive", "dead")
            if then is not None:
                then()
            done()

        if not self.pid:
            ended()
            return
        self._systemd(messages.STOPPING)
        self._become("deactivating", "stop-sigterm")
        self.closed()
        self._later(STOPPING, self._unless_overtaken(ended, otherwise=done))

    def _launch(self) -> None:
        self._fork()
        self.result, self._exit = "success", (0, 0)
        self._started_at = self._clock()
        self.cpu_seconds, self.memory = 0.4, 96 << 20
        self._become("active", "running")
        self._systemd(messages.STARTED)
        self._later(BOOTING, self._unless_overtaken(self._booted))

    def _booted(self) -> None:
        try:
            self.boot()
        except StartError as error:
            self._say(self._words().died_starting(error, self.pid))
            self._died(1, error.status, for_good=False)
            return
        self.memory, self.cpu_seconds = 398 << 20, 6.5
        self.opened()
        self.write_state()
        self._later(OPENING, self._unless_overtaken(self.loaded))

    def _died(self, code: int, status: int, *, for_good: bool) -> None:
        self.pid, self._exit = 0, (code, status)
        self.result = "signal" if code == 2 else "exit-code"
        self._systemd(messages.main_exited("killed" if code == 2 else "exited", status), priority=NOTICE)
        self._systemd(messages.failed_with(self.result), priority=WARNING)
        self._failures += 1
        if for_good or self._failures >= START_LIMIT:
            if not for_good:
                self._systemd(*messages.GIVEN_UP, priority=WARNING)
            self._become("failed", "failed")
            return
        self._become("activating", "auto-restart")

        def again() -> None:
            self.restarts += 1
            self._systemd(messages.restart_scheduled(self.restarts), messages.STOPPED)
            self._launch()

        self._later(RESTART_PAUSE, self._unless_overtaken(again))

    def _unless_overtaken(
        self, function: Callable[[], None], otherwise: Callable[[], None] | None = None
    ) -> Callable[[], None]:
        """A step is dropped when another command came in between; its caller is told all the same."""
        generation = self._generation

        def step() -> None:
            if generation == self._generation:
                function()
            elif otherwise is not None:
                otherwise()

        return step

    # --- words and files ----------------------------------------------------------------------------------------

    def _fork(self) -> None:
        self.pid = self._next_pid
        self._next_pid += self._random.randrange(3, 400)
        self.invocation = f"{self._random.getrandbits(128):032x}"

    def _become(self, active: str, sub: str) -> None:
        if (active, sub) != (self.active, self.sub):
            self.active, self.sub = active, sub
            self._changed_at = self._clock()
        self.write_state()

    def _words(self) -> messages.Words:
        return messages.Words(self._clock())

    def _say(self, lines: list[str]) -> None:
        self._journal.write(lines, pid=self.pid)

    def _systemd(self, *lines: str, priority: int = INFO) -> None:
        self._journal.write(lines, pid=1, identifier="systemd", priority=priority)

    def _properties(self) -> dict[str, str]:
        code, status = self._exit
        started = datetime.fromtimestamp(self._started_at, UTC)
        return {
            "Id": UNIT,
            "LoadState": "loaded",
            "ActiveState": self.active,
            "SubState": self.sub,
            "Result": self.result,
            "MainPID": str(self.pid),
            "NRestarts": str(self.restarts),
            "ExecMainCode": str(code),
            "ExecMainStatus": str(status),
            "ExecMainStartTimestamp": f"{started:%a %Y-%m-%d %H:%M:%S} UTC",
            "ExecMainStartTimestampMonotonic": str(self._monotonic(self._started_at)),
            "StateChangeTimestampMonotonic": str(self._monotonic(self._changed_at)),
            "MemoryCurrent": str(self.memory) if self.pid else "[not set]",
            "CPUUsageNSec": str(int(self.cpu_seconds * 1e9)) if self.pid else "[not set]",
            "FragmentPath": str(self._folder / UNIT),
            "ExecReload": "",
            "TimeoutStopUSec": "1min 30s",
            "ExecStart": (
                f"{{ path={self._command.split()[0]} ; argv[]={self._command} ; ignore_errors=no ; "
                f"start_time=[{started:%a %Y-%m-%d %H:%M:%S} UTC] ; stop_time=[n/a] ; pid={self.pid} ; "
                "code=(null) ; status=0/0 }"
            ),
            "Environment": " ".join(f"{name}={value}" for name, value in UNIT_ENVIRONMENT.items()),
            "EnvironmentFiles": f"{self._folder / ENVIRONMENT_NAME} (ignore_errors=no)",
            "WorkingDirectory": str(self._folder),
            "DropInPaths": "",
            "NeedDaemonReload": "no",
            "InvocationID": self.invocation,
            "ControlGroup": f"/user.slice/demo.slice/{UNIT}" if self.pid else "",
            "UnitFileState": "enabled",
            "User": "",
            "Group": "",
            "DynamicUser": "no",
            "RootDirectory": "",
            "RootImage": "",
            "Description": DESCRIPTION,
        }

    def _monotonic(self, at: float) -> int:
        """Microseconds since the simulated machine was started."""
        return int((at - self._booted_at) * 1e6)


class Control:
    """Reads the requests of the stand-in `systemctl` from a FIFO; the reply is a file that it waits for."""

    def __init__(self, folder: Path, handle: Callable[[str, Callable[[], None]], None]) -> None:
        self._fifo = folder / "control"
        self._replies = folder / "replies"
        self._handle = handle
        self._closed = False
        self._thread = threading.Thread(target=self._read, name="demo-control", daemon=True)

    def start(self) -> None:
        """Make the FIFO and listen to it."""
        self._replies.mkdir(mode=0o700)
        os.mkfifo(self._fifo, 0o600)
        # open for both: it neither waits for a first writer nor ends with the last one
        self._file = os.fdopen(os.open(self._fifo, os.O_RDWR), "rb+", buffering=0)
        self._thread.start()

    def stop(self) -> None:
        """Let the reading thread go."""
        self._closed = True
        self._file.write(b"\n")
        self._thread.join(2)
        self._file.close()

    def _read(self) -> None:
        rest = b""
        while not self._closed:
            *lines, rest = (rest + (self._file.read(4096) or b"")).split(b"\n")
            for line in lines:
                verb, _, asker = line.decode("ascii", "replace").partition(" ")
                if asker.isdigit():
                    self._handle(verb, lambda name=asker: write_atomically(self._replies / name, "0\n"))  # type: ignore[misc]  # bound now
