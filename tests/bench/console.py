"""The console in a pty on the simulated gateway, with a log of our own making."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from litellm_tui.demo import Simulation
from tests.bench import flood
from tests.terminal import CONSOLE, Terminal

# a deployment's row: the file is on the screen
USEFUL = "ollama_chat"


class Console:
    """The console's own command on a simulated gateway in which nothing happens.

    The simulation runs in this process. The command finds it as it finds a real unit, by the `systemctl` on its PATH.
    The unit is named, as there may be other gateways on the machine. `journalctl` is the command that takes the place
    of the simulation's.
    """

    def __init__(self, simulation: Simulation, folder: Path, journalctl: list[str] | None = None) -> None:
        commands = {"systemctl": simulation.tools.systemctl, "journalctl": journalctl or simulation.tools.journalctl}
        for name, command in commands.items():
            stand_in = folder / name
            stand_in.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
            stand_in.chmod(0o700)
        self.simulation = simulation
        self.folder = folder
        self.argv = [*CONSOLE, "--unit", simulation.unit, "--user"]
        self.environment = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }

    def open(self, link: float = 0.0, buffered: bool = False) -> Terminal:
        """Start it, and wait until it is of use; the terminal takes `link` bytes a second, all at once for 0."""
        terminal = Terminal(self.argv, (120, 40), environment=self.environment, link=link, buffered=buffered)
        terminal.wait_for(USEFUL, timeout=60)
        return terminal

    @property
    def emitted(self) -> int:
        """Lines that the flood has written so far."""
        try:
            return int((self.folder / "emitted").read_text() or 0)
        except (OSError, ValueError):
            return 0


@contextmanager
def flooded(rate: float) -> Iterator[Console]:
    """A console whose log brings so many lines a second; all that it takes for a negative rate."""
    with Simulation(scripted=False) as simulation, TemporaryDirectory() as name:
        folder = Path(name)
        yield Console(simulation, folder, [sys.executable, flood.__file__, str(rate), name])


@contextmanager
def written_by_hand() -> Iterator[tuple[Console, Callable[[str], None]]]:
    """A console whose log is a file that is followed, and what writes a line to it."""
    with Simulation(scripted=False) as simulation, TemporaryDirectory() as name:
        lines = Path(name, "lines")
        lines.touch()
        follow = f'case " $* " in *" -f "*) exec tail -n +1 -F {shlex.quote(str(lines))} ;; esac'

        def write(message: str) -> None:
            moment = int(time.time() * 1e6)
            cursor = f"s=5e;i={moment:x};b=b;m=1;t={moment:x};x=1"
            fields = {"__CURSOR": cursor, "__REALTIME_TIMESTAMP": str(moment), "MESSAGE": message, "_PID": "77"}
            with lines.open("a", encoding="utf-8") as file:
                file.write(json.dumps(fields) + "\n")

        # a log that is not empty: the first lines of all are read twice
        write("the first line")
        yield Console(simulation, Path(name), ["/bin/sh", "-c", follow, "journalctl"]), write


@contextmanager
def opened(console: Console, link: float = 0.0, buffered: bool = False) -> Iterator[Terminal]:
    """It, until the end of the block."""
    terminal = console.open(link, buffered)
    try:
        yield terminal
    finally:
        terminal.kill()


def console_pid(terminal: Terminal) -> int:
    """The console's own process, without those that it has started."""
    return terminal.program("litellm-tui")


def let_run(terminal: Terminal, seconds: float) -> None:
    """Let time pass; the terminal is read meanwhile."""
    assert terminal.running
    time.sleep(seconds)


def cpu_seconds(pid: int) -> float:
    """CPU time of one process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Memory of one process."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
