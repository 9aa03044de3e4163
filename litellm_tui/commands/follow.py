"""`litellm-tui status --follow --json`: a document a line at each change and at least every 30 s, for other programs.

docs/status.md describes it. It ends with 0 when its reader is gone, and on SIGTERM, SIGHUP and SIGINT.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from litellm_tui.analysis.health.asked import all_asked
from litellm_tui.commands.look import Look, with_what_was_left
from litellm_tui.commands.status_document import document
from litellm_tui.commands.until_ended import ended_by_signals, until_ended
from litellm_tui.target.profile import Profile
from litellm_tui.ui.session import Session
from litellm_tui.ui.view import Notation, View

# at least so often a document is written: a reader takes a longer silence for a lost one
HEARTBEAT_SECONDS: Final = 30.0
# at most so often
PACE_SECONDS: Final = 1.0
# the first one waits so long for what has not been asked yet
PATIENCE_SECONDS: Final = 6.0
_LOOK_SECONDS: Final = 0.05


def follow_status(profile: Profile) -> int:
    """Write one document after another until nobody reads them; 0."""
    sys.stdout.flush()
    return asyncio.run(_follow(profile, sys.stdout.fileno()))


async def _follow(profile: Profile, file: int) -> int:
    ended = ended_by_signals()
    lines = await open_lines(file, ended.set)
    session = Session(profile, Notation())
    for failure in await session.open():
        print(f"litellm-tui: {failure}", file=sys.stderr)
    follower = Follower(session, lines)
    try:
        await until_ended(session, ended, session.run(follower.take), follower.run())
    finally:
        lines.close()
    return 0


class Lines:
    """Writes whole lines; `busy` while the reader has not taken the last one, so that at most one waits."""

    busy = False

    def __init__(self, file: int) -> None:
        self._file = file

    def write(self, line: bytes) -> None:
        """Blocks: for a file or a terminal, which take what they are given. Raises OSError."""
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        """What is still to be written is left out."""


class PipedLines(Lines):
    """The same to a pipe or socket, without waiting for who reads it; `gone` is called when nobody does any more."""

    def __init__(self, file: int) -> None:
        super().__init__(file)
        self._transport: asyncio.WriteTransport | None = None
        # shared with whoever else has this end of the pipe
        self._blocking = os.get_blocking(file)

    async def open(self, gone: Callable[[], None]) -> PipedLines:
        """Watch the other end; raises OSError and ValueError for a file that cannot be watched."""
        pipe = os.fdopen(os.dup(self._file), "wb", buffering=0)
        try:
            self._transport, _ = await asyncio.get_running_loop().connect_write_pipe(lambda: _Gone(gone), pipe)
        except BaseException:
            pipe.close()
            raise
        return self

    @property
    def busy(self) -> bool:  # type: ignore[override]  # what never waits is never busy
        """Whether something of the last line still waits."""
        return self._transport is not None and self._transport.get_write_buffer_size() > 0

    def write(self, line: bytes) -> None:
        """To be called while it is not `busy`."""
        assert self._transport is not None
        self._transport.write(line)

    def close(self) -> None:
        """What is still to be written is left out."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()
        with contextlib.suppress(OSError):
            os.set_blocking(self._file, self._blocking)


class _Gone(asyncio.BaseProtocol):
    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone()


async def open_lines(file: int, gone: Callable[[], None]) -> Lines:
    """The lines to this file descriptor, by what it is."""
    mode = os.fstat(file).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        return await PipedLines(file).open(gone)
    return Lines(file)


class Follower:
    """Writes the newest view of a session to `lines` when it tells something else, and as a heartbeat."""

    def __init__(self, session: Session, lines: Lines, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self._session, self._lines, self._heartbeat = session, lines, heartbeat
        self._view: View | None = None
        self._came = asyncio.Event()
        self._told: bytes | None = None

    def take(self, view: View) -> None:
        """This is the newest view."""
        self._view = view
        self._came.set()

    async def run(self) -> None:
        """Write until cancelled. Raises OSError where a file takes nothing more."""
        began = time.monotonic()
        written = began - self._heartbeat
        while True:
            await self._next(written)
            view = self._view
            if view is None or self._lines.busy:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            if self._told is None and not all_asked(view.snapshot) and time.monotonic() - began < PATIENCE_SECONDS:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            told = msgspec.json.encode(significant(view))
            beats = time.monotonic() - written >= self._heartbeat
            if told != self._told or beats:
                found = await asyncio.to_thread(_line, view)
                self._lines.write(found)
                self._told, written = told, time.monotonic()
            await asyncio.sleep(PACE_SECONDS)

    async def _next(self, written: float) -> None:
        """Until there is another view, or the next heartbeat is due."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, written + self._heartbeat - time.monotonic())):
                await self._came.wait()
        self._came.clear()


def _line(view: View) -> bytes:
    now = time.time()
    snapshot, diagnosis = with_what_was_left(view.profile, view.snapshot, view.diagnosis, now)
    # a view has its masking as a function alone, which is all that a document needs
    seen = Look(view.profile, snapshot, diagnosis, now, (), None, view.store, view.redact)  # type: ignore[arg-type]
    return msgspec.json.encode(document(seen)) + b"\n"


def significant(view: View) -> dict[str, Any]:
    """What is a change when it is another: states and what is wrong. Times, counts and rates alone are none."""
    diagnosis, snapshot = view.diagnosis, view.snapshot
    parts = diagnosis.service, diagnosis.cache, diagnosis.database
    readiness, service, file = snapshot.gateway.readiness.value, snapshot.service.value, snapshot.configuration.current
    return {
        "word": diagnosis.headline.word,
        "gateway": diagnosis.gateway.state,
        "version": readiness.version if readiness else None,
        "unit": (service.unit, service.active_state, service.main_pid) if service else None,
        "parts": [(part.state, part.severity) for part in parts],
        "problems": [(one.key, one.severity, one.cause, one.solved_at) for one in diagnosis.problems],
        "deployments": sorted((one.key, one.verdict.state) for one in diagnosis.deployments),
        "configuration": file.digest if file else None,
        "not_applied": diagnosis.drift,
        "crashes": [one.source for one in snapshot.crashes],
    }
