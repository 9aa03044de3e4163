"""Runs a command that is given something on its standard input: as words, never through a shell, for a bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence

from litellm_tui.host.systemd_tools import runtime_environment
from litellm_tui.model.failures import Failure, NotAvailable, Unreachable


async def feed(command: Sequence[str], content: bytes, timeout: float) -> int | Failure:
    """The exit status of the command, a signal as a negative number; what it prints goes nowhere.

    It is in a session of its own, and is killed with its children when it takes longer.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, env=runtime_environment(), start_new_session=True
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return NotAvailable(f"{os.path.basename(command[0])}: {why}")
    try:
        async with asyncio.timeout(timeout):
            # a command may end without reading what it is given
            await child.communicate(content)
    except TimeoutError:
        return Unreachable(f"{os.path.basename(command[0])} did not end in {timeout:g} s", kind="timeout")
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
    return child.returncode if child.returncode is not None else 0
