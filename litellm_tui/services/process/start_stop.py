"""A plain process: started so that it outlives the console, and stopped by a signal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Final

from litellm_tui.host import atomic, proc
from litellm_tui.host.command import argument_vector
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.service_kinds import Process
from litellm_tui.services.process import pid_file

# after SIGKILL only the kernel's own cleaning up is left
_KILLED_SECONDS: Final = 5.0
# children of the console; those that have ended are reaped when the next order is given
_children: list[subprocess.Popen[bytes]] = []


def cannot_start(settings: Process) -> Failure | None:
    """Why the process cannot be started; None when no reason is known. Changes nothing."""
    name = argument_vector(settings.start)[0]
    if pid_file.program(settings) is None:
        return NotAvailable(f"{name} is not there, or may not be run: mend process.start in the profile")
    folder = os.path.expanduser(settings.folder or "")
    if folder and not os.path.isdir(folder):
        return NotAvailable(f"there is no folder {folder}: mend process.folder in the profile")
    if settings.environment_file:
        _, unread = read_environment_files([os.path.expanduser(settings.environment_file)])
        for path, why in unread:
            return NotAvailable(f"{path}: {why}: mend process.environment_file in the profile")
    beside = Path(settings.pid_file).expanduser().parent
    if not os.access(beside, os.W_OK | os.X_OK):
        what = "may not be written to" if beside.is_dir() else "is not there"
        return Denied(f"the folder {beside} of the PID file {what}: nothing was changed")
    return None


def start(settings: Process) -> Failure | None:
    """Start the process in its own session, with its output appended to the log file, and write its PID file.

    A process that already runs is left as it is.
    """
    _reap_children()
    command = argument_vector(settings.start)
    seen = pid_file.find(settings.pid_file, command)
    if isinstance(seen, Failure):
        return seen
    if seen.pid:
        return None
    if lacking := cannot_start(settings):
        return lacking
    environment, _ = read_environment_files([os.path.expanduser(settings.environment_file or os.devnull)])
    log = settings.log_file or os.devnull
    try:
        # LiteLLM writes its users' requests there: only the owner may read it
        output = os.open(os.path.expanduser(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return _refused(log, error)
    try:
        child = subprocess.Popen(
            [pid_file.program(settings) or command[0], *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=os.path.expanduser(settings.folder) if settings.folder else None,
            env={**os.environ, **{name: value for name, (value, _) in environment.items()}},
            start_new_session=True,
        )
    except OSError as error:
        return _refused(command[0], error)
    finally:
        os.close(output)
    _children.append(child)
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
    seen = pid_file.find(settings.pid_file, argument_vector(settings.start))
    if isinstance(seen, Failure):
        return seen
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
    _reap_children()
    return _remove(settings)


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
