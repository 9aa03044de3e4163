"""Records that are older than what was read of the log."""

from __future__ import annotations

import asyncio

from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LogIntake
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.log import LogRecord
from litellm_tui.services.driver import Tail


async def older_records(
    tail: Tail | None, intake: LogIntake, before: LogRecord | float, count: int
) -> tuple[LogRecord, ...] | Failure:
    """Records from before this one, or before a time in seconds since the epoch: masked, oldest first.

    They come from some `count` lines; () means that the log has nothing older. The store and the counts do not change:
    `Monitor.read_back` adds them to the store, and a jump to a distant time keeps them in a `LogStore` of the view
    (`store.append`, then `store.prepend`). Cancelling ends the commands that run.
    """
    if tail is None:
        return NotAvailable("no log is followed")
    at, place = (before, 0) if isinstance(before, float) else (before.time, before.place)
    found = await tail.before(Entry(at, "", 6, 0, "", place), count)
    return found if isinstance(found, Failure) else await asyncio.to_thread(intake.older_records, found)
