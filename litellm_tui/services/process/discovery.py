"""Finding a plain process by its PID file, and its configuration and address by its command line."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from litellm_tui.host import proc
from litellm_tui.host.command import argument_vector
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.litellm_command import PROCESS_SOURCE, interpreter_of, is_litellm, unit_from_command
from litellm_tui.services.own_dotenv import own_dotenv, withheld_secrets
from litellm_tui.services.process import pid_file


def process_unit(settings: Process, name: str, environ: Mapping[str, str]) -> Unit:
    """A `Unit` from the start command of a plain process, and from the process itself where it runs and is readable.

    `environ` is the console's environment: a process that the console starts gets it beside its own file.
    """
    start = argument_vector(settings.start)
    files = [os.path.expanduser(settings.environment_file)] if settings.environment_file else []
    from_files, unread = read_environment_files(files)
    environment = {key: Variable(value, path) for key, (value, path) in from_files.items()}
    seen = pid_file.find(settings.pid_file, start)
    pid = 0 if isinstance(seen, Failure) else seen.pid
    running = proc.environment(pid) if pid else {}
    source = f"{PROCESS_SOURCE} {pid}" if running else "the console's environment"
    for key, value in (running or environ).items():
        environment.setdefault(key, Variable(value, source))
    line = proc.command_line(pid) if pid else []
    arguments = line if any(is_litellm(word) for word in line) else [pid_file.program(settings) or start[0], *start[1:]]
    folder = os.path.abspath(os.path.expanduser(settings.folder or ""))
    interpreter = interpreter_of(arguments)
    own, unread_own = own_dotenv(interpreter, environment)
    for key, variable in own.items():
        environment.setdefault(key, variable)
    return msgspec.structs.replace(
        unit_from_command(name, "process", arguments, folder, environment),
        active=bool(pid),
        interpreter=interpreter,
        environment_files=tuple(files),
        unread=(*unread, *unread_own),
        withheld=withheld_secrets([*files, *(variable.source for variable in own.values())]),
        stop_seconds=settings.stop_seconds,
    )
