"""Finding a plain process by its PID file or its port, and its configuration and address by its command line."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator, Mapping

import msgspec

from litellm_tui.host import proc
from litellm_tui.host.command import argument_vector
from litellm_tui.host.process_table import ProcessTable
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.model.discovered import DiscoveredGateway
from litellm_tui.model.failures import Failure
from litellm_tui.model.found import Missing
from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.litellm_command import PROCESS_SOURCE, interpreter_of, is_litellm, unit_from_command
from litellm_tui.services.own_dotenv import own_dotenv, withheld_secrets
from litellm_tui.services.process import pid_file
from litellm_tui.services.process.running import RunningGateway, find_running


def process_unit(settings: Process, name: str, environ: Mapping[str, str]) -> Unit:
    """A `Unit` from the start command of a plain process, and from the process itself where it runs and is readable.

    `environ` is the console's environment: a process that the console starts gets it beside its own file.
    """
    start = argument_vector(settings.start or ())
    files = [os.path.expanduser(settings.environment_file)] if settings.environment_file else []
    from_files, unread = read_environment_files(files)
    environment = {key: Variable(value, path) for key, (value, path) in from_files.items()}
    seen = pid_file.find(settings.pid_file, start) if settings.pid_file else pid_file.FoundProcess()
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


def running_on(settings: Process, root: str = "/proc") -> DiscoveredGateway | None:
    """The gateway that listens on the port of the settings, with what they leave open filled in."""
    for found in find_running(ProcessTable(root))[0]:
        if settings.port in (found.port, *(one.port for one in found.listeners)):
            return discovered(found, settings)
    return None


def discovered(found: RunningGateway, settings: Process | None = None) -> DiscoveredGateway:
    """A running gateway with all that its process says of it."""
    name = f"litellm:{found.port}"
    source = f"{PROCESS_SOURCE} {found.pid}"
    environment = {key: Variable(value, source) for key, value in (found.environment or {}).items()}
    words = list(found.words)
    interpreter = _interpreter(words, environment)
    own, unread = own_dotenv(interpreter, environment)
    for key, variable in own.items():
        environment.setdefault(key, variable)
    unit = unit_from_command(name, "process", words, found.folder, environment)
    config = unit.config
    if config and found.folder is None and not _is_absolute(words, environment):
        config = None
    unit = msgspec.structs.replace(
        unit,
        active=True,
        config=config,
        url=_address(found, unit.url),
        interpreter=interpreter,
        unread=tuple(unread),
        withheld=withheld_secrets([variable.source for variable in own.values()]),
    )
    settings = settings or Process(port=found.port)
    if settings.log_file is None and found.log_file:
        settings = msgspec.structs.replace(settings, log_file=found.log_file)
    if found.listener is not None:
        how = f"process {found.pid} is LiteLLM and listens on port {found.port}"
    else:
        how = f"process {found.pid} is LiteLLM, and is not seen to listen on its port {found.port}"
    how = f"{how}; {found.origin.words}" if found.origin.words else how
    return DiscoveredGateway("process", "process", unit, how, f"process {found.port}", settings=settings,
                             missing=tuple(_unreadable(found)))  # fmt: skip


def _interpreter(words: list[str], environment: Mapping[str, Variable]) -> str | None:
    """As for a unit; a program without a folder is looked for on the PATH of the process."""
    found = interpreter_of(words)
    if found is None and words and os.sep not in words[0]:
        path = environment["PATH"].value if "PATH" in environment else None
        found = interpreter_of([shutil.which(words[0], path=path) or "", *words[1:]])
    return found


def _is_absolute(words: list[str], environment: Mapping[str, Variable]) -> bool:
    """Whether the configuration is named by its whole path: it then needs no working directory."""
    return (
        unit_from_command("", "process", words, "/one", dict(environment)).config
        == unit_from_command("", "process", words, "/other", dict(environment)).config
    )


def _address(found: RunningGateway, told: str) -> str:
    """The address of the socket that was seen; what the command line says where none was."""
    scheme, _, rest = told.partition("://")
    path = rest.partition("/")[2]
    if found.listener is None:
        host = rest.partition("/")[0].rpartition(":")[0]
        return f"{scheme}://{host}:{found.port}{f'/{path}' if path else ''}"
    return f"{scheme}://{found.listener.address}:{found.port}{f'/{path}' if path else ''}"


def _unreadable(found: RunningGateway) -> Iterator[Missing]:
    if found.environment is None or found.folder is None:
        owner = f"user {_user(found.user)}" if found.user is not None else "another user"
        what = "environment" if found.folder else "environment and folder"
        yield Missing(
            f"{what} of process {found.pid}", f"it belongs to {owner}", f"run the console as {owner}, or as root"
        )
    if not found.log_file:
        how = f"it is {found.origin.words}, and " if found.origin.words else ""
        yield Missing(
            f"log of process {found.pid}",
            f"{how}its output goes to no file that is seen from here",
            "name the file that the supervisor writes (its stdout_logfile) as process.log_file in a profile"
            if found.origin.kind == "supervisor"
            else "start it with its output in a file, or name one as process.log_file in a profile",
        )


def _user(number: int | None) -> str:
    try:
        return pwd.getpwuid(number).pw_name if number is not None else ""
    except KeyError:
        return str(number)
