"""The unit's journal, followed: `journalctl -o json -f`, restarted from its last cursor after its own death."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from litellm_tui.collectors.command import end, run, start
from litellm_tui.collectors.systemd import Scope, Tools
from litellm_tui.snapshot import Denied, Failure, NotAvailable

FIELDS = "MESSAGE,PRIORITY,_PID,SYSLOG_IDENTIFIER"
# half an hour of a quiet proxy: the console's own polling leaves about 60 access lines a minute in it
HISTORY = 2000
READ_SIZE = 1 << 18
# a tail that has shown no line for so long may have a reason that it does not tell
SILENT_SECONDS = 1.0
# journald splits at 48 KiB by default, and JSON may double that; a longer line is cut here rather than held forever
LONGEST_LINE = 1 << 22


class Entry(NamedTuple):
    """One line of the journal. `time` is seconds since the epoch."""

    time: float
    message: str
    priority: int
    pid: int
    identifier: str


class _Line(msgspec.Struct):
    cursor: str = msgspec.field(default="", name="__CURSOR")
    microseconds: str = msgspec.field(default="0", name="__REALTIME_TIMESTAMP")
    message: str | list[Any] | None = msgspec.field(default=None, name="MESSAGE")
    priority: Any = msgspec.field(default="6", name="PRIORITY")
    pid: Any = msgspec.field(default="0", name="_PID")
    identifier: Any = msgspec.field(default="", name="SYSLOG_IDENTIFIER")


_decode = msgspec.json.Decoder(_Line).decode


def decode(line: bytes) -> tuple[Entry, str] | None:
    """`(entry, cursor)` of one line of `journalctl -o json`, None for one that is not.

    MESSAGE is a string, an array of byte values (escapes, broken UTF-8), an array of strings (the field occurs
    twice), or null (longer than journalctl prints).
    """
    try:
        raw = _decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    message = raw.message
    if isinstance(message, list):
        if all(isinstance(item, int) for item in message):
            message = bytes(item & 255 for item in message).decode(errors="replace")
        else:
            message = "\n".join(_text(item) for item in message)
    elif message is None:
        message = "(a line longer than journalctl prints)"
    entry = Entry(
        time=_whole(raw.microseconds) / 1e6,
        message=message,
        priority=_whole(raw.priority, 6),
        pid=_whole(raw.pid),
        identifier=_text(raw.identifier),
    )
    return entry, raw.cursor


class JournalTail:
    """Follows one unit. `on_entries` gets the lines as they come, `on_state` what the tail itself has to say.

    The states are those of `snapshot.Log`; a `Failure` comes with `ended` and `off`, a hint of journalctl's at any
    time. Runs until cancelled, and takes its child with it.
    """

    def __init__(
        self,
        tools: Tools,
        unit: str,
        scope: Scope,
        on_entries: Callable[[list[Entry]], None],
        on_state: Callable[[str, Failure | None, str | None], None],
        *,
        history: int = HISTORY,
    ) -> None:
        self._tools = tools
        self._unit = unit
        self._scope: Scope = scope
        self._on_entries = on_entries
        self._on_state = on_state
        self._history = history
        self._cursor = ""
        self._volatile = False
        self._told = False
        self._hint: str | None = None

    async def run(self) -> None:
        """Follow for ever: a tail that dies is started again, sooner when it had lived, later when it fails at once."""
        attempts = 0
        while True:
            started = asyncio.get_running_loop().time()
            failure = await self._follow_once()
            if self._volatile and not self._told:
                # not a death: the same unit is asked for in the other way, at once
                self._told = True
                continue
            attempts = 0 if asyncio.get_running_loop().time() - started > 10 else attempts + 1
            self._on_state("ended", failure, self._hint)
            await asyncio.sleep(min(30.0, 0.5 * 2**attempts) * random.uniform(0.8, 1.2))

    def command(self) -> list[str]:
        """The command line that is run next."""
        start = [f"--after-cursor={self._cursor}"] if self._cursor else []
        count = "all" if self._cursor else str(self._history)
        return [
            *self._tools.journalctl, *self._match(), "-o", "json", "--all", f"--output-fields={FIELDS}",
            "--no-pager", "-f", "-n", count, *start,
        ]  # fmt: skip

    def _match(self) -> list[str]:
        if self._volatile:
            return [f"_SYSTEMD_USER_UNIT={self._unit}", f"_UID={os.getuid()}"]
        return ["--user", "-u", self._unit] if self._scope == "user" else ["-u", self._unit]

    async def _follow_once(self) -> Failure | None:
        child = await start(self.command(), limit=READ_SIZE)
        if isinstance(child, Failure):
            return child
        assert child.stdout is not None
        assert child.stderr is not None
        said: list[str] = []
        listener = asyncio.create_task(self._listen(child, child.stderr, said))
        asker = asyncio.create_task(self._ask_why_silent(child))
        self._on_state("following", None, self._hint)
        try:
            await self._read(child.stdout)
            await child.wait()
            await listener
        finally:
            listener.cancel()
            asker.cancel()
            await end(child)
            # its own child is gone only when it has ended too
            await asyncio.wait([asker])
        return _why_ended(child.returncode, said)

    async def _read(self, stdout: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stdout.read(READ_SIZE):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                rest = b""
            self._take(lines)
        if rest:
            self._take([rest])

    def _take(self, lines: Sequence[bytes]) -> None:
        entries = []
        for line in lines:
            if decoded := decode(line):
                entries.append(decoded[0])
                self._cursor = decoded[1] or self._cursor
        if entries:
            self._on_entries(entries)

    async def _listen(self, child: asyncio.subprocess.Process, stderr: asyncio.StreamReader, said: list[str]) -> None:
        while line := await stderr.readline():
            said.append(line.decode(errors="replace").strip())
            del said[:-10]
            self._heed(child, said)

    async def _ask_why_silent(self, child: asyncio.subprocess.Process) -> None:
        """`-o json` implies `--quiet`, which keeps hints back: a tail that shows nothing is asked for them without."""
        await asyncio.sleep(SILENT_SECONDS)
        if not self._cursor:
            done = await run([*self._tools.journalctl, *self._match(), "-n", "0", "--no-pager"], SILENT_SECONDS * 5)
            if not isinstance(done, Failure) and child.returncode is None:
                self._heed(child, [line.strip() for line in done.error.splitlines()])

    def _heed(self, child: asyncio.subprocess.Process, said: list[str]) -> None:
        if "No journal files were found" in " ".join(said) and self._scope == "user" and not self._volatile:
            # journalctl -f would wait for ever: without persistent storage no user has a journal of his own
            self._volatile = True
            self._hint = "journald keeps no journal per user here (Storage=volatile): reading the system's instead"
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        elif any(line.startswith("Hint:") for line in said):
            self._hint = _hint(said)
            self._on_state("following", None, self._hint)


def _hint(said: list[str]) -> str:
    """journalctl's hint, which it prints over several lines, without its advice to silence it."""
    start = next(number for number, line in enumerate(said) if line.startswith("Hint:"))
    return " ".join(said[start:]).removeprefix("Hint: ").split(" Pass -q")[0]


def _why_ended(code: int | None, said: list[str]) -> Failure:
    text = next((line for line in reversed(said) if line and not line.startswith("Hint:")), "")
    if "No journal files were opened due to insufficient permissions" in text or "ermission denied" in text:
        return Denied(text)
    if text:
        return NotAvailable(text)
    return NotAvailable(f"journalctl ended by signal {-code}" if code and code < 0 else f"journalctl ended ({code})")


def _text(value: Any) -> str:
    if isinstance(value, list):
        if value and all(isinstance(item, int) for item in value):
            return bytes(item & 255 for item in value).decode(errors="replace")
        return _text(value[0]) if value else ""
    return "" if value is None else str(value)


def _whole(value: Any, otherwise: int = 0) -> int:
    text = _text(value)
    return int(text) if text.isdecimal() and len(text) < 20 else otherwise
