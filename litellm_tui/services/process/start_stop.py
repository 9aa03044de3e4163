"""A plain process: started so that it outlives the console, and stopped by a signal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from litellm_tui.host import atomic, proc
from litellm_tui.host.command import argument_vector
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.process import pid_file
from litellm_tui.services.process.locate import began, locate, recipe, stopped

# after SIGKILL only the kernel's own cleaning up is left
_KILLED_SECONDS: Final = 5.0
# how long a script that lives on may take to begin its gateway again, and how often that is looked for
_AGAIN_SECONDS: Final = 30.0
_AGAIN_PAUSE: Final = 0.5
# children of the console; those that have ended are reaped when the next order is given
_children: list[subprocess.Popen[bytes]] = []


class Plan(NamedTuple):
    """How the process is started: an argument vector, its folder, its whole environment, and the file of its log."""

    command: list[str]
    folder: str | None
    environment: dict[str, str]
    log: str


def cannot_start(settings: Process) -> Failure | None:
    """Why the process cannot be started; None when no reason is known. Changes nothing."""
    made = plan(settings)
    return made if isinstance(made, Failure) else None


def plan(settings: Process) -> Plan | Failure:
    """How the process would be started, or why it cannot be. Changes nothing."""
    if settings.start is None:
        return _plan_again(settings)
    command = argument_vector(settings.start)
    program = pid_file.program(settings)
    if program is None:
        return NotAvailable(f"{command[0]} is not there, or may not be run: mend process.start in the profile")
    folder = os.path.expanduser(settings.folder or "")
    if folder and not os.path.isdir(folder):
        return NotAvailable(f"there is no folder {folder}: mend process.folder in the profile")
    environment: dict[str, tuple[str, str]] = {}
    if settings.environment_file:
        environment, unread = read_environment_files([os.path.expanduser(settings.environment_file)])
        for path, why in unread:
            return NotAvailable(f"{path}: {why}: mend process.environment_file in the profile")
    if settings.pid_file is not None:
        beside = Path(settings.pid_file).expanduser().parent
        if not os.access(beside, os.W_OK | os.X_OK):
            what = "may not be written to" if beside.is_dir() else "is not there"
            return Denied(f"the folder {beside} of the PID file {what}: nothing was changed")
    variables = {**os.environ, **{name: value for name, (value, _) in environment.items()}}
    return Plan([program, *command[1:]], folder or None, variables, os.path.expanduser(settings.log_file or os.devnull))


def _plan_again(settings: Process) -> Plan | Failure:
    """As the process was seen running; not where that would take it out of the hands of another."""
    known = recipe(settings)
    if known is None:
        return NotAvailable(
            f"what starts the LiteLLM of port {settings.port} is not known, as it was not seen running: start it as "
            "before, or name process.start in the profile"
        )
    log = os.path.expanduser(settings.log_file or known.log_file)
    if known.origin.kind == "supervisor":
        return NotAvailable(
            f"it is {known.origin.words}: {known.origin.order}; with its commands as custom.restart, custom.start "
            "and custom.stop in a profile it can be operated from here"
        )
    if known.environment is None:
        return Denied("its environment may not be read, and so it is not started again from here: run the console as "
                      "the user who runs LiteLLM, or as root")  # fmt: skip
    if not log:
        return NotAvailable(
            f"it is {known.origin.words or 'not known how it was started'}, and its output goes to no file: restart it "
            "there, or name process.start and process.log_file in a profile (litellm-tui where --write NAME begins one)"
        )
    program = pid_file.program_of(known.command[0], known.folder)
    if program is None:
        return NotAvailable(f"{known.command[0]} is not there any more, or may not be run")
    if known.folder and not os.path.isdir(known.folder):
        return NotAvailable(f"its folder {known.folder} is not there any more")
    return Plan([program, *known.command[1:]], known.folder, known.environment, log)


def start(settings: Process) -> Failure | None:
    """Start the process in its own session, with its output appended to the log file, and write its PID file.

    A process that already runs is left as it is.
    """
    _reap_children()
    seen = locate(settings)
    if isinstance(seen, Failure):
        return seen
    if seen.pid:
        return None
    made = plan(settings)
    if isinstance(made, Failure):
        return made
    try:
        # LiteLLM writes its users' requests there: only the owner may read it
        output = os.open(made.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return _refused(made.log, error)
    try:
        child = subprocess.Popen(
            made.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=made.folder,
            env=made.environment,
            start_new_session=True,
        )
    except OSError as error:
        return _refused(made.command[0], error)
    finally:
        os.close(output)
    _children.append(child)
    if settings.port is not None:
        began(settings.port, child.pid, tuple(made.command), made.folder, made.environment, made.log)
    if settings.pid_file is None:
        return None
    try:
        path = Path(settings.pid_file).expanduser()
        atomic.replace(path, f"{child.pid}\n".encode("ascii"), mode=0o644, durable=False)
    except OSError as error:
        # without the file nobody could find it again
        child.kill()
        return _refused(settings.pid_file, error)
    return None


async def stop(settings: Process) -> Failure | None:
    """Send the stop signal, wait, and kill the process with its children where it stays; then remove its PID file."""
    seen = await asyncio.to_thread(locate, settings)
    if isinstance(seen, Failure):
        return seen
    known = recipe(settings)
    if seen.pid and known is not None and known.origin.kind == "supervisor":
        return NotAvailable(f"it is {known.origin.words}, which would start it again: use its own commands "
                            f"({known.origin.order.rpartition(' ')[0].replace('restart', 'stop')} …)")  # fmt: skip
    if seen.pid:
        try:
            # the kernel may give a PID to another process at any moment; a handle stays with its process
            handle = os.pidfd_open(seen.pid)
        except ProcessLookupError:
            handle = -1
        try:
            failure = await _end(handle, seen.pid, settings) if handle >= 0 else None
        finally:
            if handle >= 0:
                os.close(handle)
        if failure is not None:
            return failure
    if settings.port is not None:
        stopped(settings.port)
    _reap_children()
    return _remove(settings)


async def restart(settings: Process) -> Failure | None:
    """Stop the process and start it. A script that begins it again by itself is waited for."""
    if lacking := await asyncio.to_thread(_lacking, settings):
        # a stop nearly always works: without this check the gateway would stay down
        return lacking
    if failure := await stop(settings):
        return failure
    known = recipe(settings)
    if known is not None and known.origin.kind == "script" and settings.start is None:
        for _ in range(round(_AGAIN_SECONDS / _AGAIN_PAUSE)):
            if not _lives(known.origin.pid):
                break
            seen = await asyncio.to_thread(locate, settings)
            if isinstance(seen, Failure) or seen.pid:
                return seen if isinstance(seen, Failure) else None
            await asyncio.sleep(_AGAIN_PAUSE)
    return start(settings)


async def stay_stopped(settings: Process) -> Failure | None:
    """Stop the process, and the script that would begin it again."""
    known = recipe(settings)
    if failure := await stop(settings):
        return failure
    if known is None or known.origin.kind != "script" or not _lives(known.origin.pid):
        return None
    await asyncio.sleep(_AGAIN_PAUSE)
    if _lives(known.origin.pid):
        try:
            os.kill(known.origin.pid, signal.SIGTERM)
        except ProcessLookupError:
            return None
        except PermissionError:
            return Denied("it is stopped, and the script that began it belongs to another user and may "
                          "start it again")  # fmt: skip
        return await stop(settings)
    return None


def _lacking(settings: Process) -> Failure | None:
    # what is remembered is what runs now
    seen = locate(settings)
    return seen if isinstance(seen, Failure) else cannot_start(settings)


def _lives(pid: int) -> bool:
    stat = proc.stat(pid) if pid else None
    return stat is not None and not stat.gone


async def _end(handle: int, pid: int, settings: Process) -> Failure | None:
    children = proc.family(pid)[1:]
    try:
        signal.pidfd_send_signal(handle, signal.Signals[settings.stop_signal])
        if await _gone(handle, settings.stop_seconds):
            return None
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return None
    except PermissionError:
        return Denied(f"process {pid} belongs to another user: run the console as that user, or as root")
    for child in children:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)
    if await _gone(handle, _KILLED_SECONDS):
        return None
    return NotAvailable(f"process {pid} does not end, not even by SIGKILL: the kernel holds it (see ps -o stat,wchan)")


async def _gone(handle: int, seconds: float) -> bool:
    """Whether the process ended in time: its handle can be read from then on."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(seconds):
            await ended.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(handle)
    return True


def _remove(settings: Process) -> Failure | None:
    if settings.pid_file is None:
        return None
    try:
        Path(settings.pid_file).expanduser().unlink(missing_ok=True)
    except OSError as error:
        why = f"it is stopped, and its PID file stays: {settings.pid_file}: {error.strerror}"
        return Denied(why) if isinstance(error, PermissionError) else NotAvailable(why)
    return None


def _reap_children() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def _refused(what: str, error: OSError) -> Failure:
    why = f"{what}: {error.strerror}: nothing was started"
    return Denied(why) if isinstance(error, PermissionError) else NotAvailable(why)
