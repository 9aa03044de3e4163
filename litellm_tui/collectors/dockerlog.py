"""Docker's log of a service's container: followed in both of its streams, and read back."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from litellm_tui.collectors import docker
from litellm_tui.collectors.command import Done, end, pipe, start_on
from litellm_tui.collectors.compose import find
from litellm_tui.collectors.entry import HISTORY, Entry, each, gap
from litellm_tui.collectors.kinds import Compose
from litellm_tui.collectors.pump import Pump
from litellm_tui.snapshot import Failure, NotAvailable

# how far back docker's log is read for older lines, in windows of so many seconds; 0 is all of it
PAST_SECONDS: Final = (300.0, 3600.0, 86400.0, 0.0)
ROTATED: Final = "lines are missing here: the engine has rotated the container's log beyond the last line that was read"


class DockerLines:
    """`docker logs -f` of a service's container, in both of its streams, from the last line that was seen."""

    # a container that is stopped ends the command at once, and its first lines after a start are wanted soon
    pause = 2.0

    def __init__(self, compose: Compose, history: int = HISTORY) -> None:
        self._compose = compose
        self._history = history
        self._container = ""
        self._last = ""
        self._last_in_error = False
        self._seen = ""
        self._joining = False

    async def command(self) -> list[str] | Failure:
        # whether the log still begins where it was left can be asked of the same container only
        self._joining = bool(self._container and self._last)
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

    def entries(self, line: str, error: bool) -> list[Entry] | str:
        stamp, _, _ = line.partition(" ")
        if (entry := _stamped(line)) is None:
            return line
        entries = [entry] if stamp > self._seen else []
        if self._joining and error == self._last_in_error:
            # of the stream that was read last, the first line is the last one again, while the engine still has it
            self._joining = False
            if entries:
                entries.insert(0, gap(entry.time, ROTATED, entry.place))
        # the engine writes them in UTC with nine digits: they sort as text
        if stamp >= self._last:
            self._last, self._last_in_error = stamp, error
        return entries

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """Read in windows that grow: the engine counts `--tail` from the end of the log, whatever `--until` says."""
        if not self._container:
            return NotAvailable(f"{self._compose.service} has no container, and so no log")
        older: list[Entry] = []
        for seconds in PAST_SECONDS:
            since = ["--since", docker.stamp(max(0.0, entry.time - seconds))] if seconds else []
            until = ["--until", docker.stamp(entry.time, entry.place + 1)]
            found = await self._read_past([*since, *until], entry, count)
            if isinstance(found, Failure):
                return found
            older = found
            if len(older) == count:
                break
        return older

    async def _read_past(self, window: list[str], entry: Entry, count: int) -> list[Entry] | Failure:
        """The last `count` entries of a window that are older than this one; however long it is, no more are held."""
        command = [self._compose.docker, "logs", "--timestamps", *window, self._container]
        kept: tuple[deque[Entry], deque[Entry]] = (deque(maxlen=count), deque(maxlen=count))
        said: list[str] = []

        def take(output: int, lines: bytes, _: bool) -> None:
            texts = [line.rstrip("\r") for line in lines.decode(errors="replace").split("\n")]
            for line, found in zip(texts, each(_stamped, texts, lambda _: None), strict=True):
                if found is None:
                    said.append(line)
                    del said[:-10]
                elif _order(found) < _order(entry):
                    kept[output].append(found)

        code = await read_to_end(command, take)
        if isinstance(code, Failure):
            return code
        if code:
            return docker.refusal(Done(code, "", "\n".join(said)), self._compose.docker)
        return sorted([*kept[0], *kept[1]], key=_order)[-count:]

    def ended(self, code: int | None, said: list[str]) -> Failure:
        if code:
            # it may have been replaced by another container
            self._container = ""
            return docker.refusal(Done(code, "", "\n".join(said)), self._compose.docker)
        return NotAvailable(
            f"the container of {self._compose.service} does not run: its log goes on when it is started"
        )


def _stamped(line: str) -> Entry | None:
    """The entry of a line that begins with the engine's stamp."""
    stamp, _, text = line.partition(" ")
    moment = docker.moment(stamp) if len(stamp) > 20 and stamp.endswith("Z") else None
    return None if moment is None else Entry(moment, text, 6, 0, "", docker.nanoseconds(stamp))


def _order(entry: Entry) -> tuple[int, int]:
    return int(entry.time), entry.place


async def read_to_end(command: Sequence[str], take: Callable[[int, bytes, bool], None]) -> int | Failure:
    """Run a command and give the lines of its two outputs to `take`, in a thread; returns its exit status."""
    pipes = [pipe(), pipe()]
    try:
        child = await start_on(command, *(writer for _, writer in pipes))
        if isinstance(child, Failure):
            return child
        pump = Pump(lambda _: None)
        try:
            await pump.run(lambda: pump.read([reader for reader, _ in pipes], take))
            return await child.wait()
        finally:
            await end(child)
    finally:
        for reader, _ in pipes:
            os.close(reader)
