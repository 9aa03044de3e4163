"""Lines of the journal from before those that were followed, or from around a moment: read when they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from litellm_tui.host.command import Done, run
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.journal_line import FIELDS, Pieces, decode_lines
from litellm_tui.model.failures import Failure, NotAvailable

# a journal on a slow disk takes its time to be searched
SECONDS: Final = 30.0
# journald gives the lines that it reads at once the same time: so many of them, mostly
_TIES: Final = 100


async def lines_before(journalctl: Sequence[str], before: Entry, count: int) -> list[Entry] | Failure:
    """At most `count` lines older than `before` (by time, then place), oldest first.

    `journalctl` is the command with what chooses the lines. journalctl counts back from a time, and several lines have
    the same: those that are not older are left out here.
    """
    asked = count + _TIES
    moment = round(before.time * 1e6)
    while True:
        command = [
            *journalctl, "-o", "json", "--all", f"--output-fields={FIELDS}", "--no-pager", "-r", "-n", str(asked),
            f"--until=@{moment // 1_000_000}.{moment % 1_000_000:06}",
        ]  # fmt: skip
        done = await run(command, SECONDS)
        if isinstance(done, Failure):
            return done
        if done.status and not done.output:
            return NotAvailable(done.first_error or f"journalctl ended with {done.status}")
        found, read = await asyncio.to_thread(_entries, done)
        older = [entry for entry in found if (entry.time, entry.place) < (before.time, before.place)]
        if older or read < asked:
            return older[-count:]
        asked *= 8


def _entries(done: Done) -> tuple[list[Entry], int]:
    """The lines, oldest first, and from how many entries of the journal they were made."""
    found = decode_lines(done.output.encode(errors="replace"))[0]
    read = len(found)
    found.reverse()
    return Pieces().join(found), read
