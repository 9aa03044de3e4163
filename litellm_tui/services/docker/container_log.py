"""The log that Docker keeps of a service's container: follows both of its streams, and reads older lines.

The engine's socket is read where it can be opened; else `docker logs`, whose output is repaired.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from urllib.parse import urlencode

from litellm_tui.host.command import Done
from litellm_tui.logs.entry import HISTORY, Entry, gap, read_each
from litellm_tui.logs.pump import Pump
from litellm_tui.logs.stream import CommandStream, OnLines, Stream, read_to_end
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.services.docker import docker_cli
from litellm_tui.services.docker.engine import EngineLog, find_socket
from litellm_tui.services.docker.frames import without_seams
from litellm_tui.services.docker.stream_order import StampOrder

# windows in which older lines are searched, in seconds before a line; 0 is the whole log
PAST_SECONDS: Final = (300.0, 3600.0, 86400.0, 0.0)
# records that are asked for beyond the history, since a long line has several
SPARE: Final = 1000
ROTATED: Final = "lines are missing here: the engine has rotated the container's log beyond the last line that was read"


class LogOf(NamedTuple):
    """Whose log is read. `find` gives the id of the container of today; empty where there is none."""

    client: str
    name: str
    find: Callable[[], Awaitable[str | Failure]]


class LogRequest(NamedTuple):
    """One request to a log, with the engine's stamps; `tail` counts records, of which a long line has several."""

    since: str = ""
    until: str = ""
    tail: int | None = None
    follow: bool = False

    def options(self) -> list[str]:
        """The options of `docker logs`. Podman leaves out the line of the very stamp, Docker does not."""
        given = (("--since", _just_before(self.since)), ("--until", self.until), ("--tail", self.tail))
        options = [word for name, value in given if value not in ("", None) for word in (name, str(value))]
        return [*(["--follow"] if self.follow else []), "--timestamps", *options]

    def query(self) -> str:
        """The query of `GET /containers/ID/logs`, which takes seconds since the epoch."""
        given = {
            "stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(self.follow), "since": _seconds(self.since),
            "until": _seconds(self.until), "tail": self.tail,
        }  # fmt: skip
        return urlencode({name: value for name, value in given.items() if value not in ("", None)})


class ClientLog:
    """`docker logs`: it prints the engine's records without telling which are pieces of one line."""

    def __init__(self, printed: CommandStream) -> None:
        self._printed = printed

    def read(self, pump: Pump, take: OnLines) -> None:
        order = StampOrder(take)
        self._printed.read(pump, lambda output, lines, cut: order.add(output, without_seams(lines), cut), order.flush)
        order.flush()

    async def status(self) -> int | None:
        return await self._printed.status()

    async def close(self) -> None:
        await self._printed.close()


class DockerLines:
    """The log of a service's container, in both of its streams, from the last line that was read."""

    # the log of a stopped container ends at once, and its first lines after a start must come soon
    pause = 2.0

    def __init__(self, of: LogOf, history: int = HISTORY) -> None:
        self._of = of
        self._history = history
        self._container = ""
        self._socket: str | None = None
        self._last = ""
        self._last_in_error = False
        self._seen = ""
        self._joining = False

    async def open(self) -> Stream | Failure:
        # only the log of the same container can be joined to what was read before
        self._joining = bool(self._container and self._last)
        if not self._container:
            container = await self._of.find()
            if isinstance(container, Failure):
                return container
            if not container:
                return NotAvailable(f"{self._of.name} has no container yet, and so no log")
            self._container = container
        # `since` includes the lines with exactly that stamp
        self._seen = self._last
        if self._last:
            return await self._ask(LogRequest(since=self._last, follow=True))
        first = await self._first_stamp() if self._history else ""
        if isinstance(first, Failure):
            return first
        tail = 2 * self._history + SPARE if first else self._history
        return await self._ask(LogRequest(since=first, tail=tail, follow=True))

    async def _first_stamp(self) -> str | Failure:
        """The stamp with which the opening page begins; empty where there is none.

        The engine counts records and may begin with the second half of a line, and of a secret in it. All pieces of a
        line have the same stamp: read from that stamp on, the line is whole.
        """
        stream = await self._ask(LogRequest(tail=self._history))
        if isinstance(stream, Failure):
            return stream
        first = ""

        def note(_: int, lines: bytes, __: bool) -> None:
            nonlocal first
            stamps = [line[:30].decode(errors="replace") for line in lines.split(b"\n")]
            first = min(
                [*filter(None, [first]), *(stamp for stamp in stamps if docker_cli.parse_time(stamp))], default=""
            )

        code = await read_to_end(stream, note)
        # the request that follows the log reports the failure
        return "" if code else first

    async def _ask(self, request: LogRequest) -> Stream | Failure:
        if self._socket is None:
            self._socket = await find_socket(self._of.client)
        if self._socket:
            return EngineLog(self._socket, self._container, request.query())
        printed = await CommandStream.open([self._of.client, "logs", *request.options(), self._container])
        return printed if isinstance(printed, Failure) else ClientLog(printed)

    def entries(self, line: str, error: bool) -> list[Entry] | str:
        stamp, _, _ = line.partition(" ")
        if (entry := _stamped(line)) is None:
            return line
        entries = [entry] if stamp > self._seen else []
        if self._joining and error == self._last_in_error:
            # the first line of the stream that was read last repeats its last line, if the engine still has that line
            self._joining = False
            if entries:
                entries.insert(0, gap(entry.time, ROTATED, entry.place))
        # the engine writes stamps in UTC with nine digits: they sort as text
        if stamp >= self._last:
            self._last, self._last_in_error = stamp, error
        return entries

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """Reads growing windows: the engine counts `--tail` from the end of the log, even with `--until`."""
        if not self._container:
            return NotAvailable(f"{self._of.name} has no container, and so no log")
        older: list[Entry] = []
        for seconds in PAST_SECONDS:
            since = docker_cli.format_stamp(max(0.0, entry.time - seconds)) if seconds else ""
            until = docker_cli.format_stamp(entry.time, entry.place + 1)
            found = await self._read_past(LogRequest(since, until), entry, count)
            if isinstance(found, Failure):
                return found
            older = found
            if len(older) == count:
                break
        return older

    async def _read_past(self, window: LogRequest, entry: Entry, count: int) -> list[Entry] | Failure:
        """The last `count` entries of a window that are older than this one; no more are ever held in memory."""
        stream = await self._ask(window)
        if isinstance(stream, Failure):
            return stream
        kept: tuple[deque[Entry], deque[Entry]] = (deque(maxlen=count), deque(maxlen=count))
        said: list[str] = []

        def take(output: int, lines: bytes, _: bool) -> None:
            texts = [line.rstrip("\r") for line in lines.decode(errors="replace").split("\n")]
            for line, found in zip(texts, read_each(_stamped, texts, lambda _: None), strict=True):
                if found is None:
                    said.append(line)
                    del said[:-10]
                elif _order(found) < _order(entry):
                    kept[output].append(found)

        code = await read_to_end(stream, take)
        if code:
            return docker_cli.refusal(Done(code, "", "\n".join(said)), self._of.client)
        return sorted([*kept[0], *kept[1]], key=_order)[-count:]

    def ended(self, code: int | None, said: list[str]) -> Failure:
        if code:
            # another container may have replaced it
            self._container, self._socket = "", None
            return docker_cli.refusal(Done(code, "", "\n".join(said)), self._of.client)
        return NotAvailable(f"the container of {self._of.name} does not run: its log goes on when it is started")


def _stamped(line: str) -> Entry | None:
    """The entry of a line that begins with the engine's stamp."""
    stamp, _, text = line.partition(" ")
    moment = docker_cli.parse_time(stamp) if len(stamp) > 20 and stamp.endswith("Z") else None
    return None if moment is None else Entry(moment, text, 6, 0, "", docker_cli.nanoseconds(stamp))


def _order(entry: Entry) -> tuple[int, int]:
    return int(entry.time), entry.place


def _just_before(stamp: str) -> str:
    """The stamp a nanosecond earlier."""
    moment = docker_cli.parse_time(stamp)
    if moment is None:
        return stamp
    below = docker_cli.nanoseconds(stamp)
    return docker_cli.format_stamp(int(moment) - (below == 0), (below - 1) % 1_000_000_000)


def _seconds(stamp: str) -> str:
    """A stamp as the API takes it."""
    moment = docker_cli.parse_time(stamp)
    return "" if moment is None else f"{int(moment)}.{docker_cli.nanoseconds(stamp):09}"
