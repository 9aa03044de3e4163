"""The process of the settings: the one that its PID file names, or the gateway that listens on its port.

What was seen running on a port is remembered for as long as the console runs, with all that starts it again: its
command line, its folder and its environment. The environment is never written to a disk.
"""

from __future__ import annotations

import msgspec

from litellm_tui.host import proc
from litellm_tui.host.command import argument_vector
from litellm_tui.host.process_table import ProcessTable
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.process import pid_file
from litellm_tui.services.process.origin import Origin
from litellm_tui.services.process.pid_file import FoundProcess
from litellm_tui.services.process.running import RunningGateway, find_running


class Recipe(msgspec.Struct, frozen=True):
    """What was seen running. `environment` is None where it could not be read, `command` is what starts it again."""

    pid: int
    ticks: int
    command: tuple[str, ...]
    folder: str | None
    environment: dict[str, str] | None
    log_file: str
    origin: Origin
    # the script that the console has started, and its start in ticks
    starter: tuple[int, int] = (0, 0)

    def __repr__(self) -> str:
        return f"Recipe(pid={self.pid})"


# by port
_recipes: dict[int, Recipe] = {}
_stopped: set[int] = set()


def locate(settings: Process) -> FoundProcess | Failure:
    """The process, where it runs. Blocks: reads a file, or all of /proc."""
    if settings.pid_file is not None:
        return pid_file.find(settings.pid_file, argument_vector(settings.start or ()))
    assert settings.port is not None
    known = _recipes.get(settings.port)
    if known is not None and (stat := _same(known.pid, known.ticks)):
        return FoundProcess(known.pid, stat)
    for found in find_running(ProcessTable())[0]:
        if settings.port in (found.port, *(one.port for one in found.listeners)):
            stat = proc.stat(found.pid)
            if stat is not None and not stat.gone:
                remember(settings.port, found)
                return FoundProcess(found.pid, stat)
    if known is not None and (stat := _same(*known.starter)):
        # it has not come as far as the gateway
        return FoundProcess(known.starter[0], stat)
    return FoundProcess(why=f"no LiteLLM process listens on port {settings.port}", left=_has_failed(settings.port))


def _same(pid: int, ticks: int) -> proc.Stat | None:
    """The process of this number, if it is the one that began then and lives."""
    stat = proc.stat(pid) if pid else None
    return stat if stat is not None and not stat.gone and stat.ticks == ticks else None


def remember(port: int, found: RunningGateway) -> None:
    """Keep what starts this process again, for the time when it does not run."""
    stat = proc.stat(found.pid)
    if stat is None:
        return
    command, folder, environment = found.words, found.folder, found.environment
    if found.origin.script:
        # what the script sets is set anew by the script
        command, folder = found.origin.script, found.origin.folder
        environment = ProcessTable().environment(found.origin.pid)
    _recipes[port] = Recipe(found.pid, stat.ticks, command, folder, environment, found.log_file, found.origin)
    _stopped.discard(port)


def began(
    port: int, pid: int, command: tuple[str, ...], folder: str | None, environment: dict[str, str], log: str
) -> None:
    """The console itself has started it with this command: the gateway, or the script that begins it."""
    stat, known = proc.stat(pid), _recipes.get(port)
    _stopped.discard(port)
    ticks = stat.ticks if stat is not None else 0
    if known is not None and known.origin.kind == "script":
        _recipes[port] = msgspec.structs.replace(known, pid=0, ticks=0, starter=(pid, ticks))
        return
    origin = Origin("nobody", "started from here: nothing starts it again")
    _recipes[port] = Recipe(pid, ticks, command, folder, environment, log, origin)


def stopped(port: int) -> None:
    """It was stopped by an order from here, and has not failed."""
    _stopped.add(port)


def recipe(settings: Process) -> Recipe | None:
    """What is remembered of the settings' port."""
    return _recipes.get(settings.port) if settings.port is not None else None


def look(settings: Process, name: str) -> Service | Failure:
    """One look at the process."""
    if settings.pid_file is not None:
        return pid_file.look(settings, name)
    seen = locate(settings)
    if isinstance(seen, Failure):
        return seen
    known = recipe(settings)
    if seen.pid:
        found = pid_file.running(name, "process", seen, "")
        return msgspec.structs.replace(found, note=known.origin.words if known else "")
    state = ("failed", "failed") if seen.left else ("inactive", "dead")
    startable = pid_file.program(settings) is not None if settings.start else known is not None
    return Service(name, "process", "loaded" if startable else "not-found", *state, note=seen.why)


def _has_failed(port: int) -> bool:
    return port in _recipes and port not in _stopped
