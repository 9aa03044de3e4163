"""Notes what was done to a gateway for its record, which another process may be writing; without a record, nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from litellm_tui.actions.transaction.events import Event, Outcome, Result
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.model import history
from litellm_tui.model.diagnosis import Severity
from litellm_tui.model.rehearsal import Rehearsal
from litellm_tui.monitor.supervisor import guarded
from litellm_tui.target.profile import Profile

_SEVERITY: Final[dict[Result, Severity]] = {
    "applied": "quiet", "refused": "quiet", "rolled back": "warn", "failed": "bad",
}  # fmt: skip


async def noted(
    profile: Profile, events: AsyncGenerator[Event, None], *, upgrade: bool = False
) -> AsyncGenerator[Event, None]:
    """The events of a transaction, whose outcome is noted when it is known."""
    began = time.time()
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Outcome):
                await asyncio.to_thread(note, profile, transaction_event(event, began, upgrade=upgrade))
            yield event


def transaction_event(outcome: Outcome, began: float, *, upgrade: bool) -> history.Event:
    """A transaction that began at `began`, in seconds since the epoch, and what came of it."""
    what = "upgrade" if upgrade else "restart"
    down = f"{outcome.downtime:.1f} s without an answer" if outcome.downtime is not None else ""
    return history.Event(
        0, began, "upgrade" if upgrade else "applied", f"{what} {began:.3f}", "", _SEVERITY[outcome.result],
        f"{what}: {outcome.result}", outcome.cause, hit=down, until=began + outcome.took, text=outcome.text,
    )  # fmt: skip


def rehearsal_event(done: Rehearsal, began: float) -> history.Event:
    """A rehearsal that began at `began`, in seconds since the epoch, and what it has shown."""
    return history.Event(
        0, began, "rehearsal", f"rehearsal {began:.3f}", "", "warn" if done.refused else "quiet",
        f"rehearsal: {done.outcome}", done.cause, until=began + done.took,
        text=f"LiteLLM {done.version}" if done.version else "",
    )  # fmt: skip


def note(profile: Profile, event: history.Event) -> None:
    """Leave the event for the record; what was done does not depend on whether that is possible."""
    redact = Redactor(profile.secrets)
    # only where something is to be noted: it loads SQLite
    from litellm_tui.storage.history import notes
    from litellm_tui.storage.history.paths import history_path_of

    masked = history.masked(event, redact)
    guarded(lambda: notes.note(history_path_of(profile), masked))
