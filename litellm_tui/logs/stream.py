"""The sources that a thread reads a log from: the two outputs of a command, or a similar source of lines."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Protocol

from litellm_tui.host.command import end, pipe, start_on
from litellm_tui.logs.pump import Pump
from litellm_tui.model.failures import Failure

# which output (0 or 1), whole lines, and whether a too long line was left out after them
OnLines = Callable[[int, bytes, bool], None]


class Stream(Protocol):
    """One opened source of lines."""

    def read(self, pump: Pump, take: OnLines) -> None:
        """Read to the end, in the thread that `pump` runs. Raises `Stopped`."""
        ...

    async def status(self) -> int | None:
        """The exit status of the source after its end: 0 means success."""
        ...

    async def close(self) -> None:
        """End the source, at any time."""
        ...


class CommandStream:
    """The outputs of a command that is run: stdout is 0, stderr is 1."""

    def __init__(self, child: asyncio.subprocess.Process, outputs: Sequence[int]) -> None:
        self._child = child
        self._outputs = outputs

    @classmethod
    async def open(cls, command: Sequence[str]) -> CommandStream | Failure:
        """Run it; a command that is missing is a `Failure`."""
        pipes = [pipe(), pipe()]
        readers = [reader for reader, _ in pipes]
        try:
            child = await start_on(command, *(writer for _, writer in pipes))
        except BaseException:
            _close(readers)
            raise
        if isinstance(child, Failure):
            _close(readers)
            return child
        return cls(child, readers)

    def read(self, pump: Pump, take: OnLines, on_quiet: Callable[[], None] | None = None) -> None:
        pump.read(self._outputs, take, on_quiet)

    async def status(self) -> int | None:
        return await self._child.wait()

    async def close(self) -> None:
        try:
            await end(self._child)
        finally:
            _close(self._outputs)


async def read_to_end(stream: Stream, take: OnLines) -> int | None:
    """Give all lines to `take`, in a thread; returns the exit status."""
    pump = Pump(lambda _: None)
    try:
        await pump.run(lambda: stream.read(pump, take))
        return await stream.status()
    finally:
        await stream.close()


def _close(files: Sequence[int]) -> None:
    for file in files:
        os.close(file)
