"""Follows the journal of a unit: `journalctl -o json -f`, started again at its last cursor when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time

from litellm_tui.host.command import end, pipe, run, start_on
from litellm_tui.logs.entry import CUT, HISTORY, Entries, Entry, Prepare, States, gap, read_each, unprepared
from litellm_tui.logs.journal_line import FIELDS, Pieces, decode, decode_lines, parse_cursor
from litellm_tui.logs.journal_past import lines_before
from litellm_tui.logs.pump import Pump
from litellm_tui.model.failures import Denied, Failure, NotAvailable
from litellm_tui.model.service_kinds import Scope, Tools

# a tail without lines for this long may have a reason that it does not print
SILENT_SECONDS = 1.0
# where the unit had no line yet, lines up to this age are new: journald writes them with some delay
EMPTY_SECONDS = 60.0


class JournalTail:
    """Follows one unit. `on_entries` gets the lines, `on_state` the states of the tail.

    The states are those of `model.log.Log`; a `Failure` comes with `ended` and `off`, a hint of journalctl at any time.
    An entry marks a place where lines are missing. The reading thread calls `prepare` on the lines before `on_entries`
    gets them on the event loop.
    """

    def __init__(
        self,
        tools: Tools,
        unit: str,
        scope: Scope,
        on_entries: Entries,
        on_state: States,
        *,
        prepare: Prepare = unprepared,
        history: int = HISTORY,
    ) -> None:
        self._tools = tools
        self._unit = unit
        self._scope: Scope = scope
        self._on_entries = on_entries
        self._on_state = on_state
        self._prepare = prepare
        self._history = history
        self._cursor = ""
        self._last_time = 0.0
        self._resuming = False
        self._pieces = Pieces()
        self._began = 0.0
        self._since = 0.0
        self._volatile = False
        # the tail was ended on purpose, to follow the unit with other options
        self._restart_at_once = False
        self._hint: str | None = None

    async def run(self) -> None:
        """Follow until cancelled: a tail that ends is started again, with growing pauses when it fails at once."""
        attempts = 0
        while True:
            started = asyncio.get_running_loop().time()
            failure = await self._follow_once()
            if self._restart_at_once:
                # ended on purpose
                self._restart_at_once = False
                continue
            attempts = 0 if asyncio.get_running_loop().time() - started > 10 else attempts + 1
            self._on_state("ended", failure, self._hint)
            await asyncio.sleep(min(30.0, 0.5 * 2**attempts) * random.uniform(0.8, 1.2))

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """At most `count` lines older than this one, oldest first."""
        chosen = match(self._unit, self._scope, volatile=self._volatile)
        return await lines_before([*self._tools.journalctl, *chosen], entry, count)

    def command(self) -> list[str]:
        """The command line that is run next.

        It begins at the last line read, not after it: when that line is gone, others may be gone too.
        """
        since = [f"--since=@{self._since:.0f}"] if self._since else []
        start = [f"--cursor={self._cursor}"] if self._cursor else since
        count = "all" if start else str(self._history)
        return [
            *self._tools.journalctl, *match(self._unit, self._scope, volatile=self._volatile), "-o", "json", "--all",
            f"--output-fields={FIELDS}", "--no-pager", "-f", "-n", count, *start,
        ]  # fmt: skip

    async def _follow_once(self) -> Failure | None:
        stdout, writer = pipe()
        try:
            child = await start_on(self.command(), writer)
            if isinstance(child, Failure):
                return child
            return await self._follow(child, stdout)
        finally:
            os.close(stdout)

    async def _follow(self, child: asyncio.subprocess.Process, stdout: int) -> Failure:
        assert child.stderr is not None
        said: list[str] = []
        listener = asyncio.create_task(self._listen(child, child.stderr, said))
        asker = asyncio.create_task(self._ask_why_silent(child))
        self._resuming = bool(self._cursor)
        self._began = time.time()
        self._on_state("following", None, self._hint)
        pump = Pump(self._on_entries)
        try:
            await pump.run(lambda: pump.read([stdout], lambda _, lines, cut: self._read_lines(pump, child, lines, cut)))
            await child.wait()
            await listener
        finally:
            listener.cancel()
            asker.cancel()
            await end(child)
            # the asker has a child of its own, which ends with it
            await asyncio.wait([asker])
        return _why_ended(child.returncode, said)

    def _read_lines(self, pump: Pump, child: asyncio.subprocess.Process, lines: bytes, cut: bool) -> None:
        """In the reading thread."""
        entries, cursor = decode_lines(lines)
        if entries and not self._cursor and not self._since and entries[0].time >= self._began:
            # for a unit without lines, `journalctl -f` shows only the last of its first lines (systemd 252)
            self._since, self._restart_at_once = self._began - EMPTY_SECONDS, True
            pump.call(lambda: _terminate(child))
        if self._restart_at_once:
            return
        if entries and self._resuming:
            self._resuming = False
            entries[:1] = self._joined(entries[0], lines)
        entries = self._pieces.join(entries)
        if cut:
            entries.append(gap(entries[-1].time if entries else self._last_time, CUT))
        if entries:
            self._last_time = entries[-1].time
            pump.put(self._prepare(entries))
        # after the hand-over: lines that were not handed over must be read again
        self._cursor = cursor or self._cursor

    def _joined(self, first: Entry, lines: bytes) -> list[Entry]:
        """The first line after a restart: none where it was read before, with a gap before it where lines are gone."""
        found = read_each(decode, lines.split(b"\n"), lambda _: None)
        cursor = next((decoded[1] for decoded in found if decoded), "")
        if not cursor:
            # without a cursor nothing tells whether it was read before
            return [first]
        before, now = parse_cursor(self._cursor), parse_cursor(cursor)
        if before.entry == now.entry:
            return []
        same = before.numbering == now.numbering
        if same and now.number == before.number + 1:
            return [first]
        size = (
            f", at most {now.number - before.number - 1:,} of all units" if same and now.number > before.number else ""
        )
        words = (
            f"lines are missing here: the journal was rotated away beyond the last one that was read, "
            f"{max(0.0, first.time - self._last_time):.0f} s before the next{size}"
        )
        return [gap(first.time, words, first.place), first]

    async def _listen(self, child: asyncio.subprocess.Process, stderr: asyncio.StreamReader, said: list[str]) -> None:
        while True:
            try:
                line = await stderr.readline()
            except ValueError:
                # a line beyond the reader's limit, which the reader has dropped
                continue
            if not line:
                return
            said.append(line.decode(errors="replace").strip())
            del said[:-10]
            self._read_messages(child, said)

    async def _ask_why_silent(self, child: asyncio.subprocess.Process) -> None:
        """Ask for hints where the tail shows nothing: `-o json` implies `--quiet`, which suppresses them."""
        await asyncio.sleep(SILENT_SECONDS)
        if not self._cursor:
            asked = [*self._tools.journalctl, *match(self._unit, self._scope, volatile=self._volatile)]
            done = await run([*asked, "-n", "0", "--no-pager"], SILENT_SECONDS * 5)
            if not isinstance(done, Failure) and child.returncode is None:
                self._read_messages(child, [line.strip() for line in done.error.splitlines()])

    def _read_messages(self, child: asyncio.subprocess.Process, said: list[str]) -> None:
        if "No journal files were found" in " ".join(said) and self._scope == "user" and not self._volatile:
            # journalctl -f would wait for ever: without persistent storage users have no journals of their own
            self._volatile = self._restart_at_once = True
            self._hint = "journald keeps no journal per user here (Storage=volatile): reading the system's instead"
            _terminate(child)
        elif any(line.startswith("Hint:") for line in said):
            self._hint = _hint(said)
            self._on_state("following", None, self._hint)


def match(unit: str, scope: Scope, *, volatile: bool = False) -> list[str]:
    """The arguments with which journalctl chooses the unit's lines; `volatile` where users have no journals.

    `-u` also chooses the messages of systemd about the unit, and of journald about suppressed lines.
    """
    if volatile:
        return [f"_SYSTEMD_USER_UNIT={unit}", f"_UID={os.getuid()}"]
    return ["--user", "-u", unit] if scope == "user" else ["-u", unit]


def _terminate(child: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.terminate()


def _hint(said: list[str]) -> str:
    """journalctl's hint, which has several lines, without the advice to silence it."""
    start = next(number for number, line in enumerate(said) if line.startswith("Hint:"))
    return " ".join(said[start:]).removeprefix("Hint: ").split(" Pass -q")[0]


def _why_ended(code: int | None, said: list[str]) -> Failure:
    text = next((line for line in reversed(said) if line and not line.startswith("Hint:")), "")
    if "No journal files were opened due to insufficient permissions" in text or "ermission denied" in text:
        return Denied(text)
    if text:
        return NotAvailable(text)
    return NotAvailable(f"journalctl ended by signal {-code}" if code and code < 0 else f"journalctl ended ({code})")
