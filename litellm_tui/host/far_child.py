"""litellm-tui on another host, or another one on this machine, as a child whose output is read.

Whatever keeps its stderr open (a shared connection, a jump host) keeps nobody waiting for its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from litellm_tui.analysis.fleet.link_states import failure, link_failure
from litellm_tui.host.command import Done, end, pipe, start_on
from litellm_tui.host.ssh import ANSWER_SECONDS, BEGUN, far_line, own_command, ssh_command
from litellm_tui.model.failures import Failure
from litellm_tui.model.fleet import LinkFailure

# a document of some thousand deployments; what is longer is no document
MOST_BYTES: Final = 8 << 20
_MOST_ERRORS: Final = 1 << 16
# what login scripts print before the program begins
_MOST_NOISE: Final = 1 << 16
_PART: Final = 1 << 16
_END_SECONDS: Final = 2.0
_THIS_MACHINE: Final = "this machine"


class FarChild:
    """Runs from `async with` on, and is ended there. `host` is where it is, empty for this machine."""

    def __init__(self, host: str, words: Sequence[str] = (), line: str = "", given: bytes | None = None) -> None:
        """With these `words` for litellm-tui, or this `line` for the shell of the other side; `given` on its stdin."""
        self._host = host
        self._given = given
        self._started_at = 0.0
        self.round_trip = 0.0
        """Seconds from the start until the other side had begun: the link's round trip takes no longer."""
        self._command = ssh_command(host, line or far_line(words)) if host else own_command(words)
        self._child: Process | None = None
        self._output = bytearray()
        self._errors = bytearray()
        self._reader = -1
        self._failed: LinkFailure | None = None
        self._begun = not host

    async def __aenter__(self) -> Self:
        self._reader, writer = pipe()
        os.set_blocking(self._reader, False)
        asyncio.get_running_loop().add_reader(self._reader, self._read_errors)
        self._started_at = time.monotonic()
        started = await start_on(self._command, PIPE, writer, DEVNULL if self._given is None else PIPE)
        if isinstance(started, Failure):
            self._failed = failure(
                "no ssh" if self._host else "program failed", self.where, "" if self._host else started.why
            )
        else:
            self._child = started
            if self._given is not None and started.stdin is not None:
                # what is still to be written then is written before it is closed
                started.stdin.write(self._given)
                started.stdin.close()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()
        self._close_errors()

    @property
    def where(self) -> str:
        """The host in words."""
        return self._host or _THIS_MACHINE

    @property
    def is_far(self) -> bool:
        """Whether it runs on another host."""
        return bool(self._host)

    @property
    def said(self) -> str:
        """The beginning of what it has said on stderr."""
        return self._errors.decode(errors="replace")

    async def begun(self, seconds: float = ANSWER_SECONDS) -> LinkFailure | None:
        """Wait until the other side has begun; why it has not in so many seconds. It may be asked again after that."""
        if self._failed is not None or self._begun:
            return self._failed
        try:
            async with asyncio.timeout(seconds):
                while BEGUN not in self._output:
                    if len(self._output) > _MOST_NOISE:
                        return failure("link failed", self.where, "what its login scripts print has no end")
                    if not await self._more():
                        break
        except TimeoutError:
            return failure("slow link", self.where)
        if BEGUN not in self._output:
            return await self.ended()
        del self._output[: self._output.index(BEGUN) + len(BEGUN)]
        self._begun = True
        self.round_trip = time.monotonic() - self._started_at
        return None

    async def line(self) -> bytes | None:
        """The next line; None after the last one, and for one that is too long."""
        while (at := self._output.find(b"\n")) < 0:
            if len(self._output) > MOST_BYTES or not await self._more():
                return None
        found = bytes(self._output[:at])
        del self._output[: at + 1]
        return found

    async def part(self) -> bytes:
        """What comes next of its output, as it comes; empty at its end."""
        if not self._output:
            await self._more()
        found = bytes(self._output)
        self._output.clear()
        return found

    async def rest(self) -> bytes | None:
        """Everything up to the end; None for more than a document can be."""
        while await self._more():
            if len(self._output) > MOST_BYTES:
                return None
        return bytes(self._output)

    async def status(self) -> int:
        """The exit status; what does not end after it has closed its output is ended."""
        assert self._child is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._child.wait()
        await self._end()
        self._read_errors()
        return self._child.returncode or 0

    async def _end(self) -> None:
        child = self._child
        if child is None:
            return
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
        # asyncio takes it for ended when its output has: the rest of it, and whoever else holds it, is not waited for
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                while child.stdout is not None and await child.stdout.read(_PART):
                    pass
                await end(child)

    async def ended(self) -> LinkFailure:
        """Why it has ended, where it should not have."""
        if self._failed is not None:
            return self._failed
        status = await self.status()
        return link_failure(self.where, status, self.said, connected=self._begun and bool(self._host))

    async def _more(self) -> bool:
        if self._child is None or self._child.stdout is None:
            return False
        part = await self._child.stdout.read(_PART)
        self._output += part
        return bool(part)

    def _read_errors(self) -> None:
        while self._reader >= 0:
            try:
                part = os.read(self._reader, _PART)
            except BlockingIOError:
                return
            self._errors += part[: max(0, _MOST_ERRORS - len(self._errors))]
            if not part:
                self._close_errors()

    def _close_errors(self) -> None:
        if self._reader >= 0:
            asyncio.get_running_loop().remove_reader(self._reader)
            os.close(self._reader)
            self._reader = -1


async def ask(
    host: str, words: Sequence[str] = (), seconds: float = 30.0, line: str = "", given: bytes | None = None
) -> Done | LinkFailure:
    """Run it to its end there; what the link or the absence of the program is to blame for is a failure.

    The link has `ANSWER_SECONDS`, the program itself so many `seconds`. `given` is on its stdin.
    """
    async with FarChild(host, words, line, given) as child:
        return await answer(child, seconds)


async def answer(child: FarChild, seconds: float) -> Done | LinkFailure:
    """As `ask`, of a child that has been started."""
    if failed := await child.begun():
        return failed
    try:
        async with asyncio.timeout(seconds):
            output = await child.rest()
    except TimeoutError:
        return failure("program failed", child.where, f"it has not answered in {seconds:g} s")
    if output is None:
        return failure("program failed", child.where, "it printed more than a document can be")
    status = await child.status()
    found = link_failure(child.where, status, child.said, connected=child.is_far) if status else None
    if found is not None and found.state in ("link lost", "missing program", "program too old"):
        return found
    return Done(status, output.decode(errors="replace"), child.said)
