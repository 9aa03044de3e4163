"""Runs the tools of the system: never through a shell, never with input, never longer than the caller lives."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from litellm_tui.host import debug_log, proc
from litellm_tui.host.bounded import TooLarge, size
from litellm_tui.host.systemd_tools import runtime_environment
from litellm_tui.model.failures import Denied, Failure, Malformed, NotAvailable, Unreachable
from litellm_tui.model.service_kinds import Command

# a page of journalctl with the longest lines; every other command prints far less
MOST_OUTPUT: Final = 64 << 20
_MOST_ERRORS: Final = 1 << 16
_PART: Final = 1 << 16


_ORDER: Final = re.compile(r"[a-z][a-z-]{1,30}")

# systemd's own default is 90 s for stopping and 90 s for starting, and a unit may say more
ORDER_SECONDS: Final = 300.0
# of polkit through systemctl, of the kernel, of sudo without a terminal
_DENIED: Final = re.compile(
    r"interactive authentication required|access denied|permission denied|not permitted|a password is required|"
    r"a terminal is required",
    re.IGNORECASE,
)


class Done(NamedTuple):
    """The exit status and the output of a command."""

    status: int
    output: str
    error: str

    @property
    def first_error(self) -> str:
        """The first line of stderr that is not blank; empty where there is none."""
        return next((line.strip() for line in self.error.splitlines() if line.strip()), "")


# the tools' English messages are matched, and their output may hold any character
LOCALE: Final = "C.UTF-8"
# the children that the console runs to read something: PID and start in ticks, which together are unique
_helpers: dict[int, int] = {}


def helper_environment() -> dict[str, str]:
    """The environment of a command whose output is parsed: `runtime_environment` in the locale `C.UTF-8`."""
    environment = {**runtime_environment(), "LC_ALL": LOCALE}
    # gettext prefers it to the locale
    environment.pop("LANGUAGE", None)
    return environment


@contextlib.contextmanager
def helper(pid: int) -> Iterator[None]:
    """Within this context the child is a helper of the console: `kill_helpers` may kill it."""
    _enlist(pid)
    try:
        yield
    finally:
        _helpers.pop(pid, None)


def kill_helpers() -> None:
    """Kill the helpers that still run, with their own children. Does not wait; any thread may call it.

    A process that the console has started for the user (a gateway, an editor, sudo, an order) is no helper.
    """
    running = [pid for pid, began in list(_helpers.items()) if (found := proc.stat(pid)) and found.ticks == began]
    for member in [member for pid in running for member in proc.family(pid)]:
        with contextlib.suppress(OSError):
            os.kill(member, signal.SIGKILL)


def _enlist(pid: int) -> None:
    if found := proc.stat(pid):
        _helpers[pid] = found.ticks


async def start(command: Sequence[str], *, limit: int = 1 << 16) -> Process | NotAvailable:
    """Start a command with its output piped; the caller reads it and ends the command with `end`."""
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=helper_environment(), limit=limit
        )
    except OSError as error:
        return NotAvailable(f"{command[0]}: {error.strerror}")
    _enlist(child.pid)
    return child


# a larger pipe wakes both ends less often; this is the most that an ordinary user may ask for (pipe(7))
_PIPE_SIZE = 1 << 20


async def start_on(
    command: Sequence[str], stdout: int, stderr: int = PIPE, stdin: int = DEVNULL
) -> Process | NotAvailable:
    """Start a command that writes to these pipes (see `pipe`); their writing ends are closed here."""
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=stdin, stdout=stdout, stderr=stderr, env=helper_environment()
        )
    except OSError as error:
        return NotAvailable(f"{command[0]}: {error.strerror}")
    finally:
        for file in (stdout, stderr):
            if file != PIPE:
                os.close(file)
    _enlist(child.pid)
    return child


def pipe() -> tuple[int, int]:
    """A large pipe for a thread to read from: `(reading end, writing end)`."""
    reader, writer = os.pipe()
    with contextlib.suppress(OSError):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    return reader, writer


async def end(child: Process) -> None:
    """Kill the child, if it still runs, and wait until it has ended."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    _helpers.pop(child.pid, None)


async def _output(child: Process, limit: int) -> bytes | None:
    """The child's whole output; None when that is more than `limit` bytes."""
    assert child.stdout is not None
    output = bytearray()
    while part := await child.stdout.read(_PART):
        output += part
        if len(output) > limit:
            return None
    return bytes(output)


async def _errors(child: Process) -> bytes:
    """The beginning of the child's stderr; the rest is read too, so that the child never blocks on it."""
    assert child.stderr is not None
    error = bytearray()
    while part := await child.stderr.read(_PART):
        error += part[: max(0, _MOST_ERRORS - len(error))]
    return bytes(error)


def _name(command: Sequence[str]) -> str:
    """Program and order; other words are not told: those of a command of the profile may hold anything."""
    order = next((word for word in command[1:] if not word.startswith("-")), "")
    return f"{os.path.basename(command[0])} {order}" if _ORDER.fullmatch(order) else os.path.basename(command[0])


async def run(command: Sequence[str], timeout: float | None = None, limit: int = MOST_OUTPUT) -> Done | Failure:
    """Run a command to its end.

    A command that is missing, takes longer than `timeout` seconds or prints more than `limit` bytes is a `Failure`. The
    first 64 kB of stderr are kept.
    """
    began = time.perf_counter()
    child = await start(command)
    if isinstance(child, Failure):
        return child
    errors = asyncio.create_task(_errors(child))
    try:
        async with asyncio.timeout(timeout):
            output = await _output(child, limit)
            if output is None:
                return Malformed(f"{command[0]} printed more than {size(limit)}: not read")
            error = await errors
            await child.wait()
    except TimeoutError:
        return Unreachable(f"{command[0]} did not answer in {timeout:g} s", kind="timeout")
    finally:
        errors.cancel()
        await end(child)
        debug_log.took(_name(command), time.perf_counter() - began, f"{child.returncode}")
    return Done(child.returncode or 0, output.decode(errors="replace"), error.decode(errors="replace"))


def run_now(command: Sequence[str], timeout: float, limit: int = MOST_OUTPUT, errors: str = "replace") -> Done:
    """As `run`, but blocks. Raises OSError, `TooLarge` among them, and `subprocess.TimeoutExpired`.

    `errors` says how bytes that are no UTF-8 are decoded.
    """
    deadline = time.monotonic() + timeout
    output, error = bytearray(), bytearray()
    with (
        subprocess.Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=helper_environment()) as child,
        helper(child.pid),
        selectors.DefaultSelector() as ready,
    ):
        try:
            for file, kept in ((child.stdout, output), (child.stderr, error)):
                assert file is not None
                ready.register(file, selectors.EVENT_READ, kept)
            while ready.get_map():
                events = ready.select(deadline - time.monotonic())
                if time.monotonic() >= deadline:
                    raise subprocess.TimeoutExpired(command, timeout)
                for key, _ in events:
                    part = os.read(key.fd, _PART)
                    if not part:
                        ready.unregister(key.fileobj)
                    elif key.data is output:
                        output += part
                    else:
                        error += part[: max(0, _MOST_ERRORS - len(error))]
                if len(output) > limit:
                    raise TooLarge(errno.EFBIG, f"printed more than {size(limit)}: not read", command[0])
            status = child.wait(max(0.0, deadline - time.monotonic()))
        except BaseException:
            # the block's end waits for it
            child.kill()
            raise
    return Done(status, output.decode(errors=errors), error.decode(errors="replace"))


def denied(said: str) -> bool:
    """Whether this message of a tool means that a right is missing."""
    return _DENIED.search(said) is not None


async def carry_out(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Done | Failure:
    """Run a command that may start a daemon: it gets no pipe that the daemon could hold open, and no terminal.

    Its output goes to a file and is read at its end. It is in English unless an `environment` is given.
    """
    variables = helper_environment() if environment is None else environment
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as error:
        try:
            child = await asyncio.create_subprocess_exec(
                *command, stdin=DEVNULL, stdout=output, stderr=error, env=variables, start_new_session=True
            )
        except PermissionError as refused:
            return Denied(f"{command[0]}: {refused.strerror}")
        except OSError as refused:
            return NotAvailable(f"{command[0]}: {refused.strerror}")
        try:
            async with asyncio.timeout(ORDER_SECONDS):
                await child.wait()
        except TimeoutError:
            return Unreachable(f"{command[0]} did not end in {ORDER_SECONDS:g} s", kind="timeout")
        finally:
            await end(child)
        output.seek(0)
        error.seek(0)
        said = output.read(1 << 16).decode(errors="replace"), error.read(1 << 16).decode(errors="replace")
        return Done(child.returncode or 0, *said)


def refusal(done: Done | Failure, tool: str) -> Failure | None:
    """Why an order was not carried out, as the tool says it; None when it was."""
    if isinstance(done, Failure) or done.status == 0:
        return done if isinstance(done, Failure) else None
    said = done.first_error or next((line.strip() for line in done.output.splitlines() if line.strip()), "")
    why = said or f"{tool} ended with {done.status}"
    return Denied(why) if denied(done.error) or denied(why) else NotAvailable(why)


def argument_vector(given: Command) -> list[str]:
    """A command of the settings as an argument vector; `~/` at the beginning of a word is the home folder."""
    return [os.path.expanduser(word) if isinstance(word, str) else str(word) for word in given]
