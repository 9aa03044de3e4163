"""A plain process against the command, the script and the file of variables that start it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from litellm_tui.collectors.config.file_times import changed_at
from litellm_tui.host import proc
from litellm_tui.host.command import argument_vector
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.model.service import Service
from litellm_tui.model.service_drift import Difference, ServiceDrift
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.drifted_variables import changed_variables
from litellm_tui.services.litellm_command import is_litellm
from litellm_tui.services.process import pid_file


def written_in(settings: Process) -> tuple[str, ...]:
    """The files that say how the process is started."""
    file = os.path.expanduser(settings.environment_file) if settings.environment_file else ""
    return tuple(filter(None, (_script(settings), file)))


def compare_process(settings: Process, service: Service) -> ServiceDrift:
    """What the next start would do in another way. Reads files and /proc."""
    # one that has ended meanwhile is looked at again
    if not service.main_pid or proc.stat(service.main_pid) is None:
        return ServiceDrift()
    unknown: list[str] = []
    found = [*_command(settings, service), *_variables(settings, service, unknown)]
    if (script := _script(settings)) and service.started_at and changed_at([script]) > service.started_at:
        found.append(Difference("script", script, note="changed since the process was started", source=script))
    return ServiceDrift(tuple(found), tuple(unknown), "restart", "a restart")


def _script(settings: Process) -> str:
    """The start command's program where it is a script of its own, and not LiteLLM itself."""
    program = pid_file.program(settings) if settings.start else None
    if program is None or is_litellm(program):
        return ""
    try:
        with open(program, "rb") as file:
            return program if file.read(2) == b"#!" else ""
    except OSError:
        return ""


def _command(settings: Process, service: Service) -> Iterator[Difference]:
    start = list(argument_vector(settings.start)) if settings.start else []
    line = proc.command_line(service.main_pid)
    if not any(map(is_litellm, start)) or not any(map(is_litellm, line)):
        return
    wanted, runs = _from_litellm(start), _from_litellm(line)
    if wanted[1:] != runs[1:] or os.path.basename(wanted[0]) != os.path.basename(runs[0]):
        yield Difference("command", "", shlex.join(runs)[:300], shlex.join(wanted)[:300], "process.start")


def _from_litellm(words: list[str]) -> list[str]:
    return words[next(place for place, word in enumerate(words) if is_litellm(word)) :]


def _variables(settings: Process, service: Service, unknown: list[str]) -> Iterator[Difference]:
    if not settings.environment_file:
        return
    written, unread = read_environment_files([os.path.expanduser(settings.environment_file)])
    unknown += [f"{path}: {why}" for path, why in unread]
    running = proc.environment(service.main_pid)
    if not running:
        unknown.append(f"the environment of process {service.main_pid}: it may not be read by this user")
    else:
        yield from changed_variables(written, running)
