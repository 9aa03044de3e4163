"""Another configuration in place of the present one: audited and rehearsed first, then written, restarted and proved.

Nothing is written before it was found to start. What does not prove itself goes back to what was on the disk before.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.actions.in_place import recover
from litellm_tui.actions.rewrite import Written, rewrite
from litellm_tui.actions.rollback import restore
from litellm_tui.actions.transaction.events import (
    STATUS,
    Event,
    GatewayObserver,
    Order,
    Outcome,
    Result,
    Seen,
    Step,
)
from litellm_tui.actions.transaction.messages import told
from litellm_tui.actions.transaction.record import Record, RestartLock, under_way
from litellm_tui.actions.transaction.rehearsal import RehearsalStep, Rehearse
from litellm_tui.actions.transaction.run import Transaction
from litellm_tui.actions.transaction.steps import StepClock
from litellm_tui.analysis.phrases import count
from litellm_tui.collectors.config import config_file
from litellm_tui.host.atomic import create
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.audit import Audit
from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.failures import Failure
from litellm_tui.model.rehearsal import Rehearsal
from litellm_tui.monitor.auditor import Auditor, environment_of
from litellm_tui.storage.backups import Backups, FileSet, copy_current
from litellm_tui.storage.state import state_folder
from litellm_tui.target.profile import Profile

MOST_BYTES: Final = 8 << 20
_UNCHANGED: Final = "nothing was changed"
_MOST_FINDINGS: Final = 5
_CANDIDATE: Final = ".candidate-"
# no rehearsal takes so long
_OLD_SECONDS: Final = 3600.0

Rehearsing = Callable[[str], Rehearse]
"""What rehearses the configuration of this path beside the gateway that serves."""


class FileChange:
    """One change of one gateway's configuration file. `apply` or `try_out` is called once.

    Without `rehearsing` nothing is rehearsed; with `force` it goes on where the audit, the rehearsal or the preflight
    refuses. `silenced` are rules of the audit that are ignored, with the reason.
    """

    def __init__(
        self,
        profile: Profile,
        content: bytes,
        observer: GatewayObserver,
        order: Order,
        lock: RestartLock,
        backups: Backups,
        *,
        rehearsing: Rehearsing | None = None,
        force: bool = False,
        silenced: dict[str, str] | None = None,
    ) -> None:
        assert profile.config is not None
        self._profile, self._content, self._observer = profile, content, observer
        self._order, self._lock, self._backups = order, lock, backups
        self._rehearsing, self._force, self._silenced = rehearsing, force, silenced or {}
        self._path = profile.config.value
        self._began = time.monotonic()
        self.rehearsal = RehearsalStep(None)
        """The step of the rehearsal, with its result once there is one."""

    async def try_out(self) -> AsyncGenerator[Event, None]:
        """Audit and rehearse it; an `Outcome` comes only where it is refused."""
        step = StepClock("audit")
        yield Step("audit")
        seen = self._observer.seen()
        readiness = seen.snapshot.gateway.readiness.value if seen else None
        refusal, notes = await asyncio.to_thread(self._audited, (readiness.version or "") if readiness else "")
        yield msgspec.structs.replace(step(refusal or "nothing in it ends the start", ok=not refusal), notes=notes)
        if refusal and not self._force:
            yield self._outcome("refused", f"{_UNCHANGED}: {refusal}", refusal)
            return
        if self._rehearsing is None:
            return
        if seen is None:
            yield self._outcome("refused", f"{_UNCHANGED}: nothing was seen of the gateway")
            return
        with self._candidate() as path:
            if isinstance(path, Failure):
                yield self._outcome("refused", f"{_UNCHANGED}: {path.why}", path.why)
                return
            self.rehearsal = RehearsalStep(self._as_of_the_file(self._rehearsing(path), path))
            async with aclosing(self.rehearsal.events(seen, self._observer.seen)) as steps:
                async for event in steps:
                    yield event
        if (refusal := self.rehearsal.refusal) and not self._force:
            yield self._outcome("refused", f"{_UNCHANGED}: {refusal}", refusal)

    async def apply(self) -> AsyncGenerator[Event, None]:
        """Try it out, write it, restart and prove; what fails is taken back."""
        async with aclosing(self.try_out()) as events:
            async for event in events:
                yield event
                if isinstance(event, Outcome):
                    return
        step = StepClock("write")
        yield Step("write")
        written = await asyncio.to_thread(self._write)
        if isinstance(written, Failure):
            yield step(written.why, ok=False)
            yield self._outcome("refused", f"{_UNCHANGED}: {written.why}", written.why)
            return
        before, how = written
        yield step(how)
        transaction = Transaction(
            self._profile, self._observer, self._order, self._lock, self._backups, force=self._force, back_to=before
        )
        async with aclosing(transaction.apply()) as events:
            async for event in events:
                if isinstance(event, Outcome):
                    event = msgspec.structs.replace(event, rehearsal=self.rehearsal.done)
                    if event.result == "refused" and before is not None:
                        event = await asyncio.to_thread(self._put_back, before, event)
                yield event

    def _audited(self, reported: str) -> tuple[str, tuple[str, ...]]:
        """Why it would not start, by the audit; and what else is wrong in it."""
        profile = self._profile
        known = environment_of(profile)
        loaded = config_file.load(self._path, known or {}, {self._path: self._content})
        if isinstance(loaded, ConfigError):
            return f"it cannot be used: {loaded}", ()
        # the installed LiteLLM is read by whoever looks for longer; the shipped catalogue knows what ends a start
        auditor = Auditor(profile.found_unit, self._silenced)
        audit = auditor.audit(loaded, known, reported)
        ends = [f"{finding.text} ({finding.mark})" for finding in audit.findings if finding.severity == "fatal"]
        return "; ".join(ends[:_MOST_FINDINGS]), _notes(audit)

    def _as_of_the_file(self, rehearse: Rehearse, candidate: str) -> Rehearse:
        """The rehearsal tells of the file as it will be called."""

        async def told(seen: Callable[[], Seen], tell: Callable[[str], None]) -> Rehearsal:
            done = await rehearse(seen, tell)
            mark = done.mark
            if mark is not None and mark.file == candidate:
                mark = msgspec.structs.replace(mark, file=self._path)
            return msgspec.structs.replace(done, cause=done.cause.replace(candidate, self._path), mark=mark)

        return told

    @contextmanager
    def _candidate(self) -> Iterator[str | Failure]:
        """A file with the content, beside the present one where that can be: its includes are found from there."""
        made: Path | None = None
        error = ""
        target = Path(self._path)
        for folder in (target.parent, state_folder() / "candidates"):
            # LiteLLM reads no configuration whose name does not end as the present one's does
            path = folder / f".{target.stem[:100]}{_CANDIDATE}{secrets.token_hex(6)}{target.suffix}"
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sweep(folder)
                create(path, self._content, durable=False)
                made = path
                break
            except OSError as refused:
                error = f"{folder}: {refused.strerror}"
        try:
            yield str(made) if made is not None else Failure(error)
        finally:
            if made is not None:
                with contextlib.suppress(OSError):
                    made.unlink()

    def _write(self) -> tuple[int | None, str] | Failure:
        """Keep what is there and put the content in its place: the number of the set, None where it was the same."""
        taken = self._lock.take()
        if taken is not None:
            return Failure(taken.why if isinstance(taken, Failure) else under_way(taken))
        try:
            if (unfinished := self._lock.unfinished()) is not None:
                return Failure(f"{told(unfinished) if isinstance(unfinished, Record) else unfinished.why}; "
                               "finish it (restart --finish) or take it back (--undo) first")  # fmt: skip
            recover(self._backups.folder)
            self._backups.load()
            now = read_bytes(self._path, MOST_BYTES)
            if now == self._content:
                return None, "the file holds it already"
            held = copy_current(self._path, self._profile.kept_files)
            if not isinstance(held, FileSet):
                return held
            kept = self._backups.keep(held, "before an apply")
            if isinstance(kept, Failure):
                return kept
            copy = self._backups.copy(kept, self._path)
            if copy is None:
                return Failure(f"{self._path} could not be kept")
            done = rewrite(self._path, now, self._content, copy)
            return (kept.id, f"{done.how}; backup {kept.id}") if isinstance(done, Written) else done
        except OSError as error:
            return Failure(f"{self._path}: {error.strerror}")
        finally:
            self._lock.release()

    def _put_back(self, before: int, event: Outcome) -> Outcome:
        """The file again as it was, where what was to apply it was refused."""
        done = restore(self._backups, before, config=self._path, environment_files=self._profile.kept_files)
        if isinstance(done, Failure):
            text = f"{event.text}; the new file is on the disk, and not applied: {done.why}"
            return msgspec.structs.replace(event, result="failed", text=text)
        return msgspec.structs.replace(event, text=f"{event.text}; the file is again as it was")

    def _outcome(self, result: Result, text: str, why: str = "") -> Outcome:
        assert result in STATUS
        return Outcome(result, text, time.monotonic() - self._began, why, rehearsal=self.rehearsal.done)


def _sweep(folder: Path) -> None:
    """Remove what a writer that was killed has left: it holds secrets."""
    for path in folder.glob(f".*{_CANDIDATE}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > _OLD_SECONDS:
                path.unlink()


def _notes(audit: Audit) -> tuple[str, ...]:
    errors = [finding for finding in audit.findings if finding.severity == "error"]
    shown = tuple(f"{finding.text} ({finding.mark})" for finding in errors[:_MOST_FINDINGS])
    rest = (f"and {count(len(errors) - _MOST_FINDINGS, 'more error')}",) if len(errors) > _MOST_FINDINGS else ()
    return (*shown, *rest)


def candidate(profile: Profile, content: bytes) -> ConfigFile | ConfigError:
    """The candidate as it would be read in the place of the present file."""
    assert profile.config is not None
    return config_file.load(profile.config.value, environment_of(profile) or {}, {profile.config.value: content})
