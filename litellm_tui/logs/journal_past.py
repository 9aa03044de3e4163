"""Reads older lines of the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from litellm_tui.host.command import Done, run
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.journal_line import FIELDS, Pieces, decode_lines
from litellm_tui.model.failures import Failure, NotAvailable

# searching a journal on a slow disk takes seconds
SECONDS: Final = 30.0
# journald gives lines that it reads together the same time: rarely more than this many
_TIES: Final = 100


async def lines_before(journalctl: Sequence[str], before: Entry, count: int) -> list[Entry] | Failure:
    """At most `count` lines older than `before` (by time, then place), oldest first.

    `journalctl` is the command with the arguments that choose the lines. journalctl counts back from a time, which
    several lines may have: those that are not older are left out here.
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
    """The lines, oldest first, and the number of journal entries that they come from."""
    found = decode_lines(done.output.encode(errors="replace"))[0]
    read = len(found)
    found.reverse()
    return Pieces().join(found), read
