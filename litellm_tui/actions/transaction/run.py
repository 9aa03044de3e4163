"""The transaction: preflight, rehearsal, backup, restart, proof; where that fails, the good configuration again.

Each step is on the disk before it is begun (`record`), so that whoever finds it later can finish it or take it back.
It is over 400 lines, because the ways forth, back and on share one record and one order of steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from functools import partial
from typing import Final

import msgspec

from litellm_tui.actions.in_place import recover
from litellm_tui.actions.noted import noted
from litellm_tui.actions.rollback import missing
from litellm_tui.actions.transaction import replacement
from litellm_tui.actions.transaction.downtime import Downtime
from litellm_tui.actions.transaction.events import Event, GatewayObserver, Order, Outcome, Result, Step
from litellm_tui.actions.transaction.messages import (
    NOT_ENDED,
    kept_as,
    last_words,
    sentence,
    told,
    told_checks,
    weighed,
)
from litellm_tui.actions.transaction.preflight import inspect, refusals
from litellm_tui.actions.transaction.record import Holder, Record, RestartLock, Stage, here, under_way
from litellm_tui.actions.transaction.recreation import Recreation, compared_anew, is_due
from litellm_tui.actions.transaction.rehearsal import RehearsalStep, Rehearse
from litellm_tui.actions.transaction.steps import StepClock, whole
from litellm_tui.actions.transaction.watch import Watch
from litellm_tui.actions.transaction.way_back import WayBack
from litellm_tui.analysis.change.proof import ExpectedProcess, ProofCheck, is_new_process, why_unproved
from litellm_tui.model.failures import Begun, Crashed, Denied, Failure
from litellm_tui.model.upgrade import Exchange
from litellm_tui.monitor.supervisor import guarded_async
from litellm_tui.storage.backups import Backup, Backups, Why
from litellm_tui.target.profile import Profile

_LOG_RECORDS: Final = 12


class Transaction:
    """One restart of one service. `apply`, `finish` or `undo` is called once; leaving it early ends only the watching.

    `observer` looks at the gateway, `order` restarts it, `lock` keeps the record, `backups` the configurations. With
    `rollback` off, a configuration that fails stays. With an `exchange` another release is put in its place before the
    restart, and taken back where the proof fails. Without `rehearse` nothing is rehearsed. `back_to` is the set that
    was on the disk before what is applied, where that is known: it comes back in place of the last that ran.
    """

    def __init__(
        self,
        profile: Profile,
        observer: GatewayObserver,
        order: Order,
        lock: RestartLock,
        backups: Backups,
        *,
        force: bool = False,
        rollback: bool = True,
        exchange: Exchange | None = None,
        rehearse: Rehearse | None = None,
        back_to: int | None = None,
    ) -> None:
        self._rehearsal = RehearsalStep(rehearse)
        self._back_to = back_to
        self._profile = profile
        self._order = order
        self._lock = lock
        self._backups = backups
        self._force = force
        self._way_back = WayBack(profile, backups, wanted=rollback)
        self._watch = Watch(profile, observer)
        self._recreation = Recreation(profile, lock.container)
        self._began = time.monotonic()
        self._record = Record(profile.unit.value if profile.unit else "", here(), "backup", exchange=exchange)
        self._downtime = Downtime(profile, lambda: self._watch.address)
        self._unrecorded = ""
        self._recovered = ""
        self._cause = ""

    # --- the three ways -------------------------------------------------------------------------------------------

    async def apply(self) -> AsyncGenerator[Event, None]:
        """Restart with the configuration that is on the disk."""
        if (refusal := await asyncio.to_thread(self._take, resuming=False)) is not None:
            yield self._outcome("refused", refusal)
            return
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._lock.release)
            await stack.enter_async_context(self._downtime)
            events = whole(self._forth(), self._fell)
            async for event in noted(self._profile, events, upgrade=self._record.exchange is not None):
                yield event

    async def finish(self) -> AsyncGenerator[Event, None]:
        """Go on where one that was interrupted stood: prove what runs, and roll back when that fails."""
        async for event in self._resumed(undo=False):
            yield event

    async def undo(self) -> AsyncGenerator[Event, None]:
        """Go back to the good configuration that one that was interrupted had noted."""
        async for event in self._resumed(undo=True):
            yield event

    async def _resumed(self, *, undo: bool) -> AsyncGenerator[Event, None]:
        if (refusal := await asyncio.to_thread(self._take, resuming=True)) is not None:
            yield self._outcome("refused", refusal)
            return
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._lock.release)
            await stack.enter_async_context(self._downtime)
            events = whole(self._went_on(undo=undo), self._fell)
            async for event in noted(self._profile, events, upgrade=self._record.exchange is not None):
                yield event

    async def _went_on(self, *, undo: bool) -> AsyncGenerator[Event, None]:
        record = self._record
        if record.stage == "backup":
            await self._end()
            yield self._outcome("refused", "nothing had been changed: it was interrupted before the restart")
            return
        await asyncio.to_thread(self._backups.load)
        backup = self._backups.get(record.backup) if record.backup is not None else None
        if undo and backup is not None and record.exchange is None and record.stage in ("restart", "proof"):
            # it may have run before as well, and is to be taken back all the same
            other = self._backups.known_good(backup, backup.root)
            record = self._record = msgspec.structs.replace(record, good=other.id if other else None)
        if undo and record.good is None and not self._returns:
            why = "there is nothing to go back to: no other configuration is known that ran; finish it (--finish)"
            yield self._outcome("refused", why)
            return
        if undo or record.stage in ("restore", "restart again", "proof again"):
            self._cause = record.cause or "it was taken back"
            async for event in self._back():
                yield event
            return
        expected = record.expected or self._watch.expected(record.holder.since)
        seen = await self._watch.look()
        if record.stage in ("exchange", "restart") and not (
            seen and is_new_process(seen.snapshot.service.value, expected)
        ):
            # the order was not given any more, or is still being carried out: a second one does no harm
            way = self._restarted(backup, msgspec.structs.replace(expected, ordered_at=time.time()))
        else:
            way = self._proved(backup, expected)
        async for event in way:
            yield event

    async def _fell(self, crash: Crashed) -> Outcome:
        if self._record.stage == "backup":
            await self._end()
            return self._outcome("refused", f"nothing was changed: {crash.why}", crash.why)
        text = f"{crash.why}; {NOT_ENDED}"
        return self._outcome("failed", text, crash.why)

    def _take(self, *, resuming: bool) -> str | None:
        """Take the lock; why that, or beginning anew, is not possible."""
        taken = self._lock.take()
        if isinstance(taken, Holder):
            return under_way(taken)
        if taken is not None:
            return taken.why
        unfinished = self._lock.unfinished()
        if isinstance(unfinished, Failure):
            self._lock.release()
            return unfinished.why
        # what a writer that was killed has left is no configuration, neither to apply nor to keep
        if resuming == (unfinished is not None):
            self._recovered = "; ".join(found.text for found in recover(self._backups.folder))
        if resuming:
            if unfinished is None:
                self._lock.release()
                return "no restart was interrupted here: there is nothing to finish or to undo"
            self._record = msgspec.structs.replace(unfinished, holder=here())
        elif unfinished is not None:
            self._lock.release()
            return f"{told(unfinished)}; finish it (--finish) or take it back (--undo) first"
        return None

    # --- forth -----------------------------------------------------------------------------------------------------

    async def _forth(self) -> AsyncGenerator[Event, None]:
        seen = await self._watch.look()
        if seen is None:
            yield self._outcome("refused", "nothing was seen of the gateway: what runs now is not known")
            return
        step = StepClock("preflight")
        yield Step("preflight")
        compared = await guarded_async(compared_anew(self._profile, seen.snapshot))
        seen = seen if isinstance(compared, Crashed) else seen._replace(snapshot=compared)
        found = await guarded_async(inspect(self._profile, seen.snapshot, seen.diagnosis, self._backups.folder))
        if isinstance(found, Crashed):
            yield step(found.why, ok=False)
            yield self._outcome("refused", f"nothing was changed: {found.why}", found.why)
            return
        refusal = refusals(found)
        notes = (*self._lock.notes, *(check.text for check in found if check.state != "ok"))
        yield msgspec.structs.replace(step(weighed(found, force=self._force), ok=not refusal), notes=notes)
        if refusal and not self._force:
            yield self._outcome("refused", f"nothing was changed: {refusal}", refusal)
            return
        async with contextlib.aclosing(self._rehearsal.events(seen, self._watch.seen)) as steps:
            async for rehearsed in steps:
                yield rehearsed
        if (refusal := self._rehearsal.refusal) and not self._force:
            yield self._outcome("refused", f"nothing was changed: {refusal}", refusal)
            return
        step = StepClock("backup")
        yield Step("backup")
        backup = await asyncio.to_thread(self._way_back.keep, seen)
        if isinstance(backup, Failure):
            yield step(backup.why, ok=False)
            yield self._outcome("refused", f"nothing was changed: {backup.why}", backup.why)
            return
        if backup is not None and self._rehearsal.changed_since(backup.digest):
            yield step("the configuration was changed after it was rehearsed", ok=False)
            yield self._outcome("refused", "nothing was changed: the file was changed after it was rehearsed")
            return
        exchange = self._record.exchange
        # another release is not the configuration's fault: that one stays
        good = None if exchange is not None else self._way_back.good(backup, self._back_to)
        recreates = self._recreation.always or is_due(seen.snapshot) or replacement.recreates(exchange)
        unkept = await self._recreation.keep() if recreates else None
        self._record = msgspec.structs.replace(
            self._record, backup=backup.id if backup else None, good=good.id if good else None, recreates=recreates
        )
        if (failure := await self._reach("backup")) is not None:
            yield step(failure.why, ok=False)
            yield self._outcome("refused", f"nothing was changed: {failure.why}", failure.why)
            return
        blocked = None if self._force else await asyncio.to_thread(self._way_back.blocked, seen, backup, good)
        if blocked is not None:
            await self._end()
            why = f"{blocked.why}; --force or --no-rollback goes on without a way back"
            yield step(why, ok=False)
            yield self._outcome("refused", f"nothing was changed: it could not be rolled back: {why}", blocked.why)
            return
        called = self._recreation.called
        container = f"; {unkept.why}" if unkept else f"; and the {called}, as it is now" if recreates else ""
        yield step(kept_as(backup, good) + container)
        async for event in self._restarted(backup, self._watch.expected(time.time(), seen)):
            yield event

    async def _restarted(self, backup: Backup | None, expected: ExpectedProcess) -> AsyncGenerator[Event, None]:
        first: Stage = "restart" if self._record.exchange is None else "exchange"
        if (failure := await self._reach(first, expected)) is not None:
            yield self._outcome("refused", f"nothing was changed: {failure.why}", failure.why)
            return
        if (exchange := self._record.exchange) is not None:
            step = StepClock("exchange")
            yield Step("exchange")
            refused = await asyncio.to_thread(replacement.bring_in, exchange, self._lock.folder)
            yield step(refused.why if refused else replacement.brought_in(exchange), ok=refused is None)
            if refused is not None:
                await self._end()
                yield self._outcome("refused", f"nothing was changed: {refused.why}", refused.why)
                return
            await self._reach("restart")
        step = StepClock("restart")
        yield Step("restart")
        refused = await self._recreation.forth() if self._record.recreates else await self._order()
        begun = refused is None or isinstance(refused, Begun)
        if isinstance(refused, Denied) or (not begun and await self._watch.unmoved(expected)):
            assert refused is not None
            yield step(refused.why, ok=False)
            if exchange is not None and (left := await asyncio.to_thread(self._taken_out, exchange)) is not None:
                await self._leave(text := f"{refused.why}; {left.why}")
                yield self._outcome("failed", text, refused.why)
                return
            await self._end()
            denied = isinstance(refused, Denied)
            yield self._outcome("refused", f"nothing was changed: {refused.why}", refused.why, needs_rights=denied)
            return
        yield step(refused.why if refused else "", ok=refused is None)
        expected = msgspec.structs.replace(expected, carried_out_at=time.time())
        await self._reach("proof", expected)
        # a container that could not be made or started is not waited for
        async for event in self._proved(backup, expected, refused.why if refused and self._record.recreates else ""):
            yield event

    async def _proved(
        self, backup: Backup | None, expected: ExpectedProcess, refused: str = ""
    ) -> AsyncGenerator[Event, None]:
        step = StepClock("proof")
        checks: tuple[ProofCheck, ...] = ()
        if not refused:
            async for checks in self._watch.proof(expected):
                yield Step("proof", None, told_checks(checks), checks=checks)
        failed = refused or why_unproved(checks)
        yield msgspec.structs.replace(step(failed or told_checks(checks), ok=not failed), checks=checks)
        seen = self._watch.seen()
        readiness = seen.snapshot.gateway.readiness.value if seen else None
        version = readiness.version or "" if readiness else ""
        if not failed:
            text = sentence(checks, "applied and proved")
            if backup is not None:
                note = partial(self._backups.note, backup.id, "applied", good=True, litellm_version=version)
                lost = await asyncio.to_thread(note)
                text = f"{text}; not noted as good: {lost.why}" if lost else text
            await self._end()
            yield self._outcome("applied", text)
            return
        log = await self._watch.log_since(expected.ordered_at)
        self._cause = failed = "; ".join(filter(None, (failed, last_words(log, failed))))
        kept = await asyncio.to_thread(
            partial(self._way_back.why_not, backup, self._record.good, container=self._returns)
        )
        # what was changed under the restart has failed, and not what was kept before it
        own = backup is not None and self._record.exchange is None
        if own and backup is not None and await asyncio.to_thread(missing, self._backups, backup.id) == ():
            result = f"rejected: {failed}" if kept is None else f"failed: {failed}"
            why: Why | None = "rejected" if kept is None else None
            await asyncio.to_thread(partial(self._backups.note, backup.id, result, why=why, litellm_version=version))
        if kept is not None:
            await self._end()
            yield self._outcome("failed", f"{failed}; {kept}", failed, log=log)
            return
        async for event in self._back(log):
            yield event

    # --- back ------------------------------------------------------------------------------------------------------

    async def _back(self, log: tuple[str, ...] = ()) -> AsyncGenerator[Event, None]:
        await asyncio.to_thread(self._backups.load)
        good, exchange = self._record.good, self._record.exchange
        container = self._record.recreates and self._recreation.is_kept
        if good is None and not self._returns:
            await self._end()
            yield self._outcome(
                "failed", f"{self._cause}; no configuration is known that ran before", self._cause, log=log
            )
            return
        # what an interrupted restore has left is a mixture, and not what was rejected
        mixed = self._record.stage == "restore"
        self._record = msgspec.structs.replace(self._record, cause=self._cause)
        await self._reach("restore")
        step = StepClock("restore")
        yield Step("restore")
        restored = await asyncio.to_thread(self._way_back.go, good) if good is not None else None
        restored = (await asyncio.to_thread(self._taken_out, exchange) if exchange else None) or restored
        if isinstance(restored, Failure):
            yield step(restored.why, ok=False)
            text = f"{self._cause}; not rolled back: {restored.why}"
            await self._leave(text)
            yield self._outcome("failed", text, self._cause, log=log)
            return
        before, written = (restored.before, restored.written) if restored else (None, ())
        rejected = self._record.backup if mixed or before is None else before.id
        if before is not None:
            note = partial(self._backups.note, before.id, f"rejected: {self._cause}", good=False)
            await asyncio.to_thread(note)
        self._record = msgspec.structs.replace(self._record, backup=rejected)
        files = ", ".join(written) or ("the disk held it already" if restored else "the files stay as they are")
        yield step(replacement.taken_out(exchange) if exchange else files)
        seen = await self._watch.look()
        expected = self._watch.expected(time.time(), seen)
        await self._reach("restart again", expected)
        step = StepClock("restart again")
        yield Step("restart again")
        refused = await self._recreation.back() if self._record.recreates else await self._order()
        before_it = f"the {self._recreation.called} that ran before" if container else ""
        yield step(refused.why if refused else before_it, ok=refused is None)
        expected = msgspec.structs.replace(expected, carried_out_at=time.time())
        await self._reach("proof again", expected)
        step = StepClock("proof again")
        checks: tuple[ProofCheck, ...] = ()
        if not isinstance(refused, Denied):
            async for checks in self._watch.proof(expected):
                yield Step("proof again", None, told_checks(checks), checks=checks)
        failed = refused.why if isinstance(refused, Denied) else why_unproved(checks)
        yield msgspec.structs.replace(step(failed or told_checks(checks), ok=not failed), checks=checks)
        if failed:
            what = (
                replacement.taken_out(exchange)
                if exchange
                else "the configuration that ran before is on the disk again"
            )
            text = f"{self._cause}; {what}, and not proved: {failed}"
            await self._leave(text)
            log = log or await self._watch.log_since(expected.ordered_at)
            yield self._outcome("failed", text, self._cause, rejected=rejected, log=log)
            return
        await self._end()
        text = sentence(checks, f"rolled back to what ran before, because {self._cause}")
        if container and not written and exchange is None and not self._recreation.always:
            text = f"{text}; the files hold what was rejected, and the container that ran before has none of it (d)"
        yield self._outcome("rolled back", text, self._cause, rejected=rejected, log=log)

    @property
    def _returns(self) -> bool:
        """Whether something beside the files can be brought back: a container that is kept, or the other release."""
        return self._record.exchange is not None or (self._record.recreates and self._recreation.is_kept)

    def _taken_out(self, exchange: Exchange) -> Failure | None:
        return replacement.take_out(exchange, self._lock.folder)

    # --- what they are made of ---------------------------------------------------------------------------------------

    async def _reach(self, stage: Stage, expected: ExpectedProcess | None = None) -> Failure | None:
        self._record = msgspec.structs.replace(self._record, stage=stage, expected=expected or self._record.expected)
        return await self._write()

    async def _leave(self, text: str) -> None:
        """It is over and nothing is proved: the record stays, for whoever ends it."""
        self._record = msgspec.structs.replace(self._record, failed=text)
        await self._write()

    async def _write(self) -> Failure | None:
        failure = await asyncio.to_thread(self._lock.write, self._record)
        self._unrecorded = f"where it stands could not be noted: {failure.why}" if failure else ""
        return failure

    async def _end(self) -> None:
        failure = await asyncio.to_thread(self._lock.end)
        await asyncio.to_thread(self._recreation.forget)
        self._unrecorded = f"the note of it could not be removed: {failure.why}" if failure else ""

    def _outcome(
        self,
        result: Result,
        text: str,
        why: str = "",
        *,
        rejected: int | None = None,
        log: tuple[str, ...] = (),
        needs_rights: bool = False,
    ) -> Outcome:
        if result == "refused":
            log = ()
        text = "; ".join(filter(None, (text, self._recovered, self._unrecorded)))
        took, last = time.monotonic() - self._began, log[-_LOG_RECORDS:]
        return Outcome(
            result, text, took, why, self._downtime.seconds, rejected, last, needs_rights, self._rehearsal.done
        )
