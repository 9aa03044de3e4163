"""Running the tools of the system: never through a shell, never asking for input, never outliving the caller."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from typing import NamedTuple

from litellm_tui.collectors.systemd import runtime_environment
from litellm_tui.snapshot import Failure, NotAvailable, Unreachable


class Done(NamedTuple):
    """How a command ended and what it said."""

    status: int
    output: str
    error: str

    @property
    def first_error(self) -> str:
        """The first line of what it said on stderr; empty when it said nothing."""
        return next((line.strip() for line in self.error.splitlines() if line.strip()), "")


async def start(command: Sequence[str], *, limit: int = 1 << 16) -> Process | NotAvailable:
    """Start a command with its output piped, for a caller that reads it as it comes and ends it with `end`."""
    try:
        return await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=runtime_environment(), limit=limit
        )
    except OSError as error:
        return NotAvailable(f"{command[0]}: {error.strerror}")


# more in the pipe means fewer wake-ups of both ends; what an ordinary user may ask for (pipe(7))
_PIPE_SIZE = 1 << 20


async def start_on(command: Sequence[str], stdout: int, stderr: int = PIPE) -> Process | NotAvailable:
    """Start a command that writes to these pipes (see `pipe`); their writing ends are closed here."""
    try:
        return await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=stdout, stderr=stderr, env=runtime_environment()
        )
    except OSError as error:
        return NotAvailable(f"{command[0]}: {error.strerror}")
    finally:
        for file in (stdout, stderr):
            if file != PIPE:
                os.close(file)


def pipe() -> tuple[int, int]:
    """A large pipe for a thread to read from: `(reading end, writing end)`."""
    reader, writer = os.pipe()
    with contextlib.suppress(OSError):
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    return reader, writer


async def end(child: Process) -> None:
    """Kill the child, if it is still there, and wait until it is gone."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def run(command: Sequence[str], timeout: float | None = None) -> Done | Failure:
    """Run a command to its end; a command that is missing or takes longer than `timeout` seconds is a `Failure`."""
    child = await start(command)
    if isinstance(child, Failure):
        return child
    try:
        async with asyncio.timeout(timeout):
            output, error = await child.communicate()
    except TimeoutError:
        return Unreachable(f"{command[0]} did not answer in {timeout:g} s", kind="timeout")
    finally:
        await end(child)
    return Done(child.returncode or 0, output.decode(errors="replace"), error.decode(errors="replace"))
