"""Looking at a service that is being restarted, until what is seen decides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

import msgspec

from litellm_tui.actions.transaction.events import GatewayObserver, Seen
from litellm_tui.analysis.change.proof import ExpectedProcess, ProofCheck, prove
from litellm_tui.model.failures import Crashed
from litellm_tui.monitor.supervisor import guarded, guarded_async
from litellm_tui.target.profile import Profile

LOOK_SECONDS: Final = 0.2
AGAIN_SECONDS: Final = 1.0
# how often probes are sent that the console itself fails at
PROBES: Final = 3
# LiteLLM answers 4 to 30 s after its start, and must then stay up; systemd's stop may take 90 s before that
PROOF_SECONDS: Final = 180.0


class Watch:
    """The observer, and what is made of what it sees."""

    def __init__(self, profile: Profile, observer: GatewayObserver) -> None:
        self._profile = profile
        self._observer = observer
        self.failure: Crashed | None = None
        """Why the latest look failed: nothing was seen then."""
        self.address = ""
        """Host and port at which the gateway was looked at last; empty before the first look."""

    def seen(self) -> Seen | None:
        """What was seen last; None also where looking fails."""
        found = guarded(self._observer.seen)
        self.failure = found if isinstance(found, Crashed) else None
        if found is not None and not isinstance(found, Crashed):
            self.address = found.snapshot.address
        return None if isinstance(found, Crashed) else found

    async def log_since(self, moment: float) -> tuple[str, ...]:
        """The last records of the service since then; none where the log cannot be read."""
        found = await guarded_async(self._observer.log_since(moment))
        return () if isinstance(found, Crashed) else found

    async def look(self) -> Seen | None:
        """What is seen now, once there is anything."""
        end = time.monotonic() + 10.0
        while (seen := self.seen()) is None or (
            seen.snapshot.service.tried_at is None and self._profile.unit is not None
        ):
            if time.monotonic() > end:
                return seen
            await asyncio.sleep(LOOK_SECONDS)
        return seen

    def expected(self, ordered_at: float, before: Seen | None = None) -> ExpectedProcess:
        service = before.snapshot.service.value if before else None
        return ExpectedProcess(
            ordered_at=ordered_at,
            invocation=service.invocation if service else "",
            main_pid=service.main_pid if service else 0,
            loaded=len(before.snapshot.gateway.deployments.value or ()) if before else 0,
            cached=bool(before and before.diagnosis.cache.state in ("healthy", "slow")),
            connected=bool(before and before.diagnosis.database.state in ("connected", "slow")),
            probes=self._profile.probes,
        )

    async def unmoved(self, expected: ExpectedProcess) -> bool:
        """Whether the process that ran before the order still runs."""
        if not (expected.main_pid or expected.invocation):
            return False
        since = time.time()
        guarded(self._observer.look_now)
        for _ in range(25):
            await asyncio.sleep(LOOK_SECONDS)
            seen = self.seen()
            reading = seen.snapshot.service if seen else None
            if reading and reading.value and (reading.seen_at or 0.0) > since:
                return (reading.value.main_pid, reading.value.invocation) == (expected.main_pid, expected.invocation)
        return False

    async def proof(self, expected: ExpectedProcess) -> AsyncIterator[tuple[ProofCheck, ...]]:
        """Look until it is proved, has failed, or the time is over; every change of a check is told.

        A look that fails has seen nothing; where none has seen anything in all that time, that is what is told.
        """
        end = time.monotonic() + PROOF_SECONDS
        told: tuple[ProofCheck, ...] = ()
        probes, looked, asked = PROBES, 0.0, 0.0
        while True:
            seen = self.seen()
            checks = guarded(partial(_proved, seen, expected)) if seen is not None else None
            if isinstance(checks, Crashed):
                self.failure = checks
            elif seen is not None and checks is not None:
                if checks != told:
                    told = checks
                    yield checks
                states = {check.name: check.state for check in checks}
                answers, service = states["answers"] == "ok", seen.snapshot.service.value
                if answers is (expected.answered_at is None):
                    expected = msgspec.structs.replace(expected, answered_at=time.time() if answers else None)
                if states["unit"] == "ok" and service is not None and not (expected.first_pid or expected.first_run):
                    expected = msgspec.structs.replace(
                        expected, first_pid=service.main_pid, first_run=service.invocation
                    )
                if "failed" in states.values() or "waiting" not in states.values():
                    return
                due = probes and self._profile.probes and time.monotonic() - asked > AGAIN_SECONDS
                if answers and states["deployments"] in ("ok", "not known") and due:
                    ended = await guarded_async(self._observer.probe(self._profile.probes))
                    probes, asked = (0 if ended is None else probes - 1), time.monotonic()
                waited = {name for name, state in states.items() if state == "waiting"}
                unread = answers and bool(waited & {"ready", "deployments", "cache", "database"})
                if unread and time.monotonic() - looked > AGAIN_SECONDS:
                    # whatever its pace or back-off, but a busy gateway is not asked without a pause
                    looked = time.monotonic()
                    guarded(self._observer.look_now)
            if time.monotonic() > end:
                if not told:
                    why = f": {self.failure.why}" if self.failure else ""
                    yield (ProofCheck("unit", "waiting", f"nothing was seen of the service{why}"),)
                return
            await asyncio.sleep(LOOK_SECONDS)


def _proved(seen: Seen, expected: ExpectedProcess) -> tuple[ProofCheck, ...]:
    return prove(seen.snapshot, seen.diagnosis, expected, time.time())
