"""An upgrade: the new release made ready beside, rehearsed, and put in its place by a transaction like a restart's.

Nothing that runs is touched before the exchange. Whoever was killed before it leaves the old release in its place, with
a new one beside that says whether it is whole; from then on the record of the transaction tells which one is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Final, NamedTuple

from litellm_tui.actions.transaction.events import Event, GatewayObserver, Order, Outcome, Seen, Step
from litellm_tui.actions.transaction.record import Holder, RestartLock, operated
from litellm_tui.actions.transaction.rehearsal import RehearsalStep, Rehearse
from litellm_tui.actions.transaction.run import Transaction
from litellm_tui.actions.transaction.steps import StepClock
from litellm_tui.actions.transaction.watch import Watch
from litellm_tui.actions.upgrade import compose_tag, last_tag, staging
from litellm_tui.actions.upgrade.exchange import exchange_of
from litellm_tui.actions.upgrade.plan import Planned, make_plan
from litellm_tui.analysis.phrases import count
from litellm_tui.collectors.litellm_source.installation import installation_of
from litellm_tui.host.file_lock import FileLock
from litellm_tui.host.host_lock import HostLock
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.installation import Installation
from litellm_tui.model.service_kinds import Compose
from litellm_tui.model.upgrade import EnvironmentExchange, Exchange, TagExchange
from litellm_tui.storage.backups import Backups
from litellm_tui.storage.identity import digest
from litellm_tui.target.profile import Profile

_UNTOUCHED: Final = "nothing was changed"

Program = Callable[[str], Rehearse]
"""What rehearses the release of this `litellm` script, or this image, with the configuration on the disk."""


class Ready(NamedTuple):
    """A release that is on this machine: the `program` (or image) to start, and in words how it came there."""

    program: str
    told: str
    notes: tuple[str, ...] = ()
    staged: staging.Staged | None = None


async def release_to_rehearse(profile: Profile, seen: Seen | None, version: str) -> Ready | Failure:
    """Have a release beside the one that runs, as an upgrade to it would; nothing that runs is touched."""
    planned = await make_plan(profile, seen, version, rehearsal=True)
    if planned.plan.refusals:
        return NotAvailable("; ".join(planned.plan.refusals))
    with _alone(RestartLock.of(profile), profile) as other:
        return NotAvailable(other) if other else await _have(profile, planned)


class Upgrade:
    """One upgrade of one gateway. `rehearse` is None where nothing is to be rehearsed."""

    def __init__(
        self,
        profile: Profile,
        observer: GatewayObserver,
        order: Order,
        lock: RestartLock,
        backups: Backups,
        rehearse: Program | None = None,
    ) -> None:
        self._profile, self._observer, self._order = profile, observer, order
        self._lock, self._backups, self._rehearse = lock, backups, rehearse
        self.staged: staging.Staged | None = None
        """The environment that was made ready, once it was."""
        self._rehearsal = RehearsalStep(None)

    async def try_out(self, planned: Planned) -> AsyncGenerator[Event, None]:
        """Make the release ready beside the one that runs, and rehearse it; an `Outcome` comes only of what failed."""
        refused = ""
        with _alone(self._lock, self._profile) as other:
            if other:
                yield _refused(other)
                return
            async for step in self._made_ready(planned):
                yield step
                refused = refused or (step.detail if not step.ok else "")
            done = self._rehearsal.done
            if refused:
                yield _refused(refused)
            elif self._rehearse is not None and (done is None or done.outcome == "not possible"):
                yield _refused(f"it was not rehearsed: {done.cause if done else 'the gateway does not serve'}")

    async def apply(self, planned: Planned) -> AsyncGenerator[Event, None]:
        """Make it ready, rehearse it, put it in its place, restart and prove; what fails is taken back."""
        if planned.plan.refusals:
            yield _refused("; ".join(planned.plan.refusals))
            return
        with _alone(self._lock, self._profile) as other:
            if other:
                yield _refused(other)
                return
            async for step in self._made_ready(planned):
                yield step
                if not step.ok:
                    yield _refused(step.detail)
                    return
            exchange = await asyncio.to_thread(self._exchange, planned)
            if isinstance(exchange, Failure):
                yield _refused(exchange.why)
                return
            async for event in self._exchanged(exchange):
                yield event

    async def back(self) -> AsyncGenerator[Event, None]:
        """Put the release that was there before in its place again, restart and prove."""
        exchange = await asyncio.to_thread(self._way_back)
        if isinstance(exchange, Failure):
            yield _refused(exchange.why)
            return
        if isinstance(exchange, TagExchange) and isinstance(self._profile.service, Compose):
            lost = await compose_tag.fetched(self._profile.service.docker, exchange.after)
            if lost is not None:
                yield _refused(lost.why)
                return
        async for event in self._exchanged(exchange):
            yield event

    def way_back(self) -> Exchange | Failure:
        """What `back` would do. Blocks."""
        return self._way_back(change=False)

    # --- made ready --------------------------------------------------------------------------------------------------

    async def _made_ready(self, planned: Planned) -> AsyncGenerator[Step, None]:
        step = StepClock("install")
        yield Step("install")
        found = await _have(self._profile, planned)
        if isinstance(found, Failure):
            yield step(found.why, ok=False)
            return
        self.staged = found.staged
        yield _noted(step(found.told), found.notes)
        if self._rehearse is None:
            return
        seen = self._observer.seen()
        if seen is not None:
            self._rehearsal = RehearsalStep(self._rehearse(found.program))
            async for step_of_it in self._rehearsal.events(seen, Watch(self._profile, self._observer).seen):
                yield step_of_it

    # --- put in its place --------------------------------------------------------------------------------------------

    def _exchange(self, planned: Planned) -> Exchange | Failure:
        if planned.tag is not None:
            noted = last_tag.keep(self._lock.folder, self._profile, planned.tag)
            return noted or planned.tag
        installed, made = planned.installed, self.staged
        if installed is None or made is None:
            return NotAvailable("nothing was made ready")
        if staging.stamp(installed) != staging.stamp_at(made.path):
            return NotAvailable(f"{installed.path} has changed since {made.path} was made of it: begin anew")
        return _sealed(installed, made.path, made.version)

    async def _exchanged(self, exchange: Exchange) -> AsyncGenerator[Event, None]:
        transaction = Transaction(
            self._profile, self._observer, self._order, self._lock, self._backups, exchange=exchange
        )
        async for event in transaction.apply():
            yield event

    def _way_back(self, *, change: bool = True) -> Exchange | Failure:
        if isinstance(self._profile.service, Compose):
            return last_tag.way_back(self._lock.folder, self._profile)
        interpreter = self._profile.found_unit.interpreter if self._profile.found_unit else None
        installed = installation_of(interpreter) if interpreter else NotAvailable("its Python is not known here")
        if isinstance(installed, Failure):
            return installed
        there = staging.kept(installed.folder)
        if not there:
            return NotAvailable(f"no release is kept beside {installed.path} that stood there before")
        path, note = there[0]
        if change:
            return _sealed(installed, path, note.version)
        kept = staging.place_of(installed.folder, installed.version)
        return exchange_of(installed.folder, path, kept, installed.version, note.version)


async def _have(profile: Profile, planned: Planned) -> Ready | Failure:
    if planned.tag is not None and isinstance(profile.service, Compose):
        lost = await compose_tag.fetched(profile.service.docker, planned.tag.after)
        return lost or Ready(planned.tag.after, f"{planned.tag.after} is on this machine")
    installed = planned.installed
    if installed is None:
        return NotAvailable("how it is installed is not known")
    version = planned.plan.after
    there = await asyncio.to_thread(staging.ready, installed, version)
    made = there or await staging.make(installed, version, planned.tools)
    if isinstance(made, Failure):
        return made
    if there is not None and (failure := await asyncio.to_thread(staging.unseal, made.path, installed)) is not None:
        return failure
    how = "was there" if there is not None else "was made"
    others = count(len(made.packages), "other package")
    told = f"{made.path} {how}: LiteLLM {made.version}, {others} in another version"
    notes = made.conflicts
    if made.migrations and planned.plan.database:
        notes += (f"{count(len(made.migrations), 'migration')} of the database's tables are new in it",)
    return Ready(made.script, told, notes, made)


def _sealed(installed: Installation, path: str, version: str) -> EnvironmentExchange | Failure:
    """The exchange of what is installed with the environment at `path`, which is made to fit its place."""
    kept = staging.place_of(installed.folder, installed.version)
    if kept == path:
        kept = f"{path}-before"
    if os.path.lexists(kept) and (refused := staging.cleared(kept, installed.folder)) is not None:
        return refused
    if (refused := staging.seal(path, installed)) is not None:
        return refused
    try:
        staging.leaves(installed.folder, installed.version)
        staging.arrives(path)
    except OSError as error:
        return NotAvailable(f"{error.filename}: {error.strerror}")
    return exchange_of(installed.folder, path, kept, installed.version, version)


@contextlib.contextmanager
def _alone(lock: RestartLock, profile: Profile) -> Iterator[str]:
    """Within this nobody else, of any user, makes a release ready for this gateway; gives why that is not so.

    The restart's own lock is not taken: what is made ready touches nothing that runs.
    """
    own = FileLock(lock.container.with_suffix(".upgrade"))
    host = HostLock(digest(f"upgrade\0{operated(profile)}")) if lock.of_machine else None
    try:
        taken = own.take() or (host.acquire() if host else None)
    except OSError as error:
        taken = Failure(f"{error.filename or own.path}: {error.strerror}")
    try:
        if isinstance(taken, Holder):
            yield f"another upgrade of it is under way, by {taken}: wait for that to end"
        else:
            yield taken.why if taken is not None else ""
    finally:
        if host is not None:
            host.release()
        own.release()


def _noted(step: Step, notes: tuple[str, ...]) -> Step:
    return Step(step.name, step.took, step.detail, step.ok, notes)


def _refused(why: str) -> Outcome:
    return Outcome("refused", f"{_UNTOUCHED}: {why}", 0.0, why)
