"""The log that a command prints, followed: `docker logs -f`, or one of the profile; run again after its own death."""

from __future__ import annotations

import asyncio
import random
import time
from asyncio import StreamReader
from collections.abc import Callable
from typing import Final, Protocol

from litellm_tui.collectors import docker
from litellm_tui.collectors.command import Done, end, start
from litellm_tui.collectors.compose import find
from litellm_tui.collectors.journal import HISTORY, LONGEST_LINE, READ_SIZE, Entry
from litellm_tui.collectors.kinds import Compose, Custom, words
from litellm_tui.snapshot import Failure, NotAvailable

Entries = Callable[[list[Entry]], None]
States = Callable[[str, Failure | None, str | None], None]
# a command that lives for so long without a line has not failed: there is nothing to be shown yet
SILENT_SECONDS: Final = 0.3
LONGEST_PAUSE: Final = 30.0


class Lines(Protocol):
    """Where the lines come from. `pause` is the longest wait, in seconds, before it is asked again."""

    pause: float

    async def command(self) -> list[str] | Failure:
        """The command line that is run next."""
        ...

    def entry(self, line: str, error: bool) -> Entry | str | None:
        """The line as an entry of the log, or the words of the tool itself; None for what was seen before."""
        ...

    def ended(self, code: int | None, said: list[str]) -> Failure:
        """Why there is no more; `said` is what the tool itself said last."""
        ...


class CommandTail:
    """Follows a command's lines. It tells what a `JournalTail` tells, and takes its child with it when cancelled."""

    def __init__(self, lines: Lines, on_entries: Entries, on_state: States) -> None:
        self._lines = lines
        self._on_entries = on_entries
        self._on_state = on_state
        self._state = ""

    async def run(self) -> None:
        """Follow for ever."""
        attempts = 0
        while True:
            lived = asyncio.get_running_loop().time()
            failure = await self._follow_once()
            attempts = 0 if asyncio.get_running_loop().time() - lived > 10 else attempts + 1
            self._tell("ended", failure)
            pause = min(self._lines.pause, 0.25 * 2 ** min(attempts, 8))
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))

    def _tell(self, state: str, failure: Failure | None = None) -> None:
        # a stopped container is asked every few seconds: each of these is no ending of its own
        if (told := f"{state} {failure}") != self._state:
            self._state = told
            self._on_state(state, failure, None)

    async def _follow_once(self) -> Failure:
        command = await self._lines.command()
        if isinstance(command, Failure):
            return command
        child = await start(command, limit=READ_SIZE)
        if isinstance(child, Failure):
            return child
        assert child.stdout is not None
        assert child.stderr is not None
        said: list[str] = []
        silent = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._tell, "following")
        readers = [
            asyncio.create_task(self._read(child.stdout, said, error=False)),
            asyncio.create_task(self._read(child.stderr, said, error=True)),
        ]
        try:
            await asyncio.gather(*readers)
            await child.wait()
        finally:
            silent.cancel()
            for reader in readers:
                reader.cancel()
            await end(child)
        return self._lines.ended(child.returncode, said)

    async def _read(self, stream: StreamReader, said: list[str], *, error: bool) -> None:
        rest = b""
        while chunk := await stream.read(READ_SIZE):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                rest = b""
            self._take(lines, said, error)
        if rest:
            self._take([rest], said, error)

    def _take(self, lines: list[bytes], said: list[str], error: bool) -> None:
        entries = []
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            entry = self._lines.entry(text, error)
            if isinstance(entry, Entry):
                entries.append(entry)
            elif entry and entry.strip():
                said.append(entry.strip())
                del said[:-10]
        if entries:
            self._tell("following")
            self._on_entries(entries)


class DockerLines:
    """`docker logs -f` of a service's container, in both of its streams, from the last line that was seen."""

    # a container that is stopped ends the command at once, and its first lines after a start are wanted soon
    pause = 2.0

    def __init__(self, compose: Compose, history: int = HISTORY) -> None:
        self._compose = compose
        self._history = history
        self._container = ""
        self._last = ""
        self._seen = ""

    async def command(self) -> list[str] | Failure:
        if not self._container:
            container = await find(self._compose)
            if isinstance(container, Failure):
                return container
            if not container:
                return NotAvailable(f"{self._compose.service} has no container yet, and so no log")
            self._container = container
        # `--since` gives the lines of that very moment again
        self._seen = self._last
        since = ["--since", self._last] if self._last else ["--tail", str(self._history)]
        return [self._compose.docker, "logs", "--follow", "--timestamps", *since, self._container]

    def entry(self, line: str, error: bool) -> Entry | str | None:
        stamp, _, text = line.partition(" ")
        moment = docker.moment(stamp) if len(stamp) > 20 and stamp.endswith("Z") else None
        if moment is None:
            return line
        # the engine writes them in UTC with nine digits: they sort as text
        self._last = max(self._last, stamp)
        return Entry(moment, text, 6, 0, "") if stamp > self._seen else None

    def ended(self, code: int | None, said: list[str]) -> Failure:
        if code:
            # it may have been replaced by another container
            self._container = ""
            return docker.refusal(Done(code, "", "\n".join(said)), self._compose.docker)
        return NotAvailable(
            f"the container of {self._compose.service} does not run: its log goes on when it is started"
        )


class CommandLines:
    """What a command of the profile prints. When a line came is when it was read: more is not known."""

    pause = LONGEST_PAUSE

    def __init__(self, custom: Custom) -> None:
        self._command = words(custom.log or ("true",))

    async def command(self) -> list[str] | Failure:
        return self._command

    def entry(self, line: str, error: bool) -> Entry | str | None:
        return line if error else Entry(time.time(), line, 6, 0, "")

    def ended(self, code: int | None, said: list[str]) -> Failure:
        how = f"by signal {-code}" if code and code < 0 else f"({code})"
        return NotAvailable(said[-1] if said else f"{self._command[0]} ended {how}: custom.log should follow for ever")
