"""One look at the gateway, without a screen: the console's monitor runs until every source was asked once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from litellm_tui.analysis.change.changes import LookSummary, carried_over, changes_since, summarize_look
from litellm_tui.analysis.health import half_written
from litellm_tui.analysis.health.asked import all_asked
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.left_open import with_left_open
from litellm_tui.analysis.health.memory import mark_seen, recall, remember
from litellm_tui.analysis.health.problems import in_order
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.collectors.config.saved import changed_at
from litellm_tui.collectors.config.watcher import WRITER_SECONDS
from litellm_tui.logs.entry import HISTORY
from litellm_tui.logs.store import LogStore
from litellm_tui.model.audit import Audit
from litellm_tui.model.configuration import Configuration
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import Crash, Crashed, Failure
from litellm_tui.model.log import Log
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.monitor.supervisor import guarded
from litellm_tui.storage.backups import Backups
from litellm_tui.storage.starts import StartHistory
from litellm_tui.storage.state import state_of
from litellm_tui.target.profile import Profile

# a source that has not answered by then is shown as it is
PATIENCE_SECONDS: Final = 6.0
# what is said of a log that was read in part is wrong, and not only less
LOG_PATIENCE_SECONDS: Final = 20.0
# the log is read when it has brought nothing new for so long, and its newest line has come: on a busy machine what
# reads it pauses longer in the middle
LOG_QUIET_SECONDS: Final = 0.15
# the last of its lines may be blank, which no record has
_NEWEST_LINES: Final = 20
_LOOK_SECONDS: Final = 0.03
# a file is judged when nothing has been written to it for so long; one with an error, when its writer had time
SAVED_SECONDS: Final = 0.3
ERROR_SECONDS: Final = 1.0


class Look(NamedTuple):
    """What was seen at `now`, what is thought of it, and what is different from the look before."""

    profile: Profile
    snapshot: Snapshot
    diagnosis: Diagnosis
    now: float
    changes: tuple[str, ...]
    before: LookSummary | None
    store: LogStore
    redact: Redactor


def look(profile: Profile, *, remembers: bool = True, lines: int = HISTORY) -> Look:
    """Look once. With `remembers` the problems found are not new to the next look any more; `lines` of the log are
    read back.
    """
    state = state_of(profile)
    kept = state.load()
    history = history_of(profile)
    history.load()
    monitor = Monitor(profile, history=history, lines=lines)
    monitor.expect_down(kept.expected_down)
    monitor.take_probes(kept.probes.values())
    snapshot, audit = asyncio.run(_settled(monitor))
    now = time.time()
    damaged = guarded(lambda: tuple(_half_written(profile)))
    if isinstance(damaged, Crashed):
        snapshot = replace(snapshot, crashes=(*snapshot.crashes, Crash("configuration", damaged, now, now)))
    diagnosis = diagnose(snapshot, now, kept.memory, audit)
    if not isinstance(damaged, Crashed):
        diagnosis = replace(diagnosis, problems=in_order((*diagnosis.problems, *half_written.problems_of(damaged))))
    diagnosis = _with_transaction(profile, diagnosis)
    found = summarize_look(snapshot, diagnosis, now)
    known = diagnosis.gateway.state == "answering" and snapshot.gateway.deployments.value is not None
    memory = remember(kept.memory, diagnosis.problems, now, known)
    # there is no second look in which that would show what this one found ended
    lasting = [problem for problem in diagnosis.problems if problem.solved_at is None]
    diagnosis = replace(diagnosis, problems=recall(memory, lasting, now))
    if remembers:
        state.save(mark_seen(memory), kept.expected_down, carried_over(kept.last, found))
        # what was seen is told all the same
        if isinstance(failed := guarded(lambda: history.record_snapshot(snapshot)), Crashed):
            snapshot = replace(snapshot, crashes=(*snapshot.crashes, Crash("history", failed, now, now)))
    different = changes_since(kept.last, found)
    return Look(profile, snapshot, diagnosis, now, different, kept.last, monitor.store, monitor.redact)


def is_saved(configuration: Configuration, now: float) -> bool:
    """Whether the file that was read is whole, as far as its times tell: half a file may parse, and may not.

    The last change has to be older than `SAVED_SECONDS`, and to have been read; an error has to outlast the moment in
    which an editor has taken the old file away, and one in a file that was just written the time of a slow writer.
    """
    error, file = configuration.error, configuration.current
    if configuration.checked_at is None:
        return True
    paths = file.files if file and not error else (configuration.path,) if configuration.path else ()
    changed = max((changed_at(path) for path in paths), default=0.0)
    if changed > now:
        # a clock that was set back tells nothing
        return True
    if error is not None and error.since and now - error.since < ERROR_SECONDS:
        return False
    quiet = WRITER_SECONDS if error else SAVED_SECONDS
    return now - changed >= quiet and configuration.checked_at >= changed


def history_of(profile: Profile) -> StartHistory:
    """What this gateway was started with before."""
    unit = profile.unit.value if profile.unit else ""
    return StartHistory(profile.url.value, unit, environment_files=profile.kept_files)


def with_what_was_left(
    profile: Profile, snapshot: Snapshot, diagnosis: Diagnosis, now: float
) -> tuple[Snapshot, Diagnosis]:
    """Both with the files and the restart that somebody has left in the middle; reads the state folder."""
    damaged = guarded(lambda: tuple(_half_written(profile)))
    if isinstance(damaged, Crashed):
        snapshot = replace(snapshot, crashes=(*snapshot.crashes, Crash("configuration", damaged, now, now)))
    elif damaged:
        diagnosis = replace(diagnosis, problems=in_order((*diagnosis.problems, *half_written.problems_of(damaged))))
    return snapshot, _with_transaction(profile, diagnosis)


def _with_transaction(profile: Profile, diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis with a restart that its console has not ended, before everything else."""
    from litellm_tui.actions.transaction.messages import told
    from litellm_tui.actions.transaction.record import RestartLock, under_way

    lock = RestartLock.of(profile)
    record = lock.unfinished()
    if record is None:
        return diagnosis
    if holder := lock.held():
        return with_left_open(diagnosis, "", under_way(holder))
    return with_left_open(diagnosis, record.why if isinstance(record, Failure) else told(record))


def _half_written(profile: Profile) -> Iterator[tuple[str, str]]:
    """The files of this gateway whose writers were killed, and what to say of each; none of them is changed."""
    # of all that changes the world only what looks for what was left in the middle
    from litellm_tui.actions.in_place import recover

    folder = Backups(profile.url.value, profile.unit.value if profile.unit else "").folder
    yield from ((found.path, found.text) for found in recover(folder, change=False))


async def _settled(monitor: Monitor) -> tuple[Snapshot, Audit | None]:
    running = asyncio.create_task(monitor.run())
    newest, quiet_since = -1, time.monotonic()
    late = quiet_since + PATIENCE_SECONDS
    asked: asyncio.Task[float] | None = None
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(PATIENCE_SECONDS, LOG_PATIENCE_SECONDS)):
                while not running.done():
                    await asyncio.sleep(_LOOK_SECONDS)
                    snapshot = monitor.snapshot()
                    if snapshot.log.last != newest:
                        newest, quiet_since = snapshot.log.last, time.monotonic()
                    if asked is None and snapshot.log.state == "following":
                        asked = asyncio.create_task(_newest_line(monitor))
                    if time.monotonic() >= late and _is_read(snapshot.log, asked):
                        break
                    if not await asyncio.to_thread(is_saved, snapshot.configuration, time.time()):
                        # a file that is being saved is not judged: it is read again when that has ended
                        continue
                    audited = monitor.audits.settled or snapshot.configuration.checked_at is None
                    quiet = time.monotonic() - quiet_since >= LOG_QUIET_SECONDS
                    if audited and all_asked(snapshot) and quiet and _is_read(snapshot.log, asked):
                        break
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        if asked is not None:
            asked.cancel()
            # whatever it met: the tail shows why a log cannot be read
            await asyncio.wait([asked])
    return monitor.last_snapshot(), monitor.audits.audit


async def _newest_line(monitor: Monitor) -> float:
    """When the newest line of the log was written, in seconds since the epoch; 0.0 where that cannot be asked."""
    found = await monitor.older(time.time(), _NEWEST_LINES)
    return 0.0 if isinstance(found, Failure) else max((record.time for record in found), default=0.0)


def _is_read(log: Log, asked: asyncio.Task[float] | None) -> bool:
    """Whether the log has come as far as its newest line; what has ended, or is off, brings no more."""
    if asked is None or log.state != "following":
        return True
    # what fails at asking is shown by the tail itself
    return asked.done() and (asked.exception() is not None or (log.last_at or 0.0) >= asked.result())
