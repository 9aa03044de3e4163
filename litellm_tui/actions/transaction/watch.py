"""Looking at a service that is being restarted, until what is seen decides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from litellm_tui.actions.transaction.events import Eyes, Seen
from litellm_tui.analysis.proof import Check, Expected, prove
from litellm_tui.profile import Profile

LOOK_SECONDS: Final = 0.2
AGAIN_SECONDS: Final = 1.0
# LiteLLM answers 4 to 30 s after its start, and must then stay up; systemd's stop may take 90 s before that
PROOF_SECONDS: Final = 180.0


class Watch:
    """The eyes, and what is made of what they see."""

    def __init__(self, profile: Profile, eyes: Eyes) -> None:
        self._profile = profile
        self._eyes = eyes

    async def look(self) -> Seen | None:
        """What is seen now, once there is anything."""
        end = time.monotonic() + 10.0
        while (seen := self._eyes.seen()) is None or (
            seen.snapshot.service.tried_at is None and self._profile.unit is not None
        ):
            if time.monotonic() > end:
                return seen
            await asyncio.sleep(LOOK_SECONDS)
        return seen

    def expected(self, ordered_at: float, before: Seen | None = None) -> Expected:
        service = before.snapshot.service.value if before else None
        return Expected(
            ordered_at=ordered_at,
            invocation=service.invocation if service else "",
            main_pid=service.main_pid if service else 0,
            loaded=len(before.snapshot.gateway.deployments.value or ()) if before else 0,
            cached=bool(before and before.diagnosis.cache.state in ("healthy", "slow")),
            probes=self._profile.probes,
        )

    async def unmoved(self, expected: Expected) -> bool:
        """Whether the process that ran before the order still runs."""
        if not expected.main_pid:
            return False
        since = time.time()
        self._eyes.look_now()
        for _ in range(25):
            await asyncio.sleep(LOOK_SECONDS)
            seen = self._eyes.seen()
            reading = seen.snapshot.service if seen else None
            if reading and reading.value and (reading.seen_at or 0.0) > since:
                return reading.value.main_pid == expected.main_pid
        return False

    async def proof(self, expected: Expected) -> AsyncIterator[tuple[Check, ...]]:
        """Look until it is proved, has failed, or the time is over; every change of a check is told."""
        end = time.monotonic() + PROOF_SECONDS
        told: tuple[Check, ...] = ()
        probed, looked = False, 0.0
        while True:
            seen = self._eyes.seen()
            if seen is not None:
                checks = prove(seen.snapshot, seen.diagnosis, expected, time.time())
                if checks != told:
                    told = checks
                    yield checks
                states = {check.name: check.state for check in checks}
                answers, service = states["answers"] == "ok", seen.snapshot.service.value
                if answers is (expected.answered_at is None):
                    expected = msgspec.structs.replace(expected, answered_at=time.time() if answers else None)
                if states["unit"] == "ok" and service is not None and not expected.first_pid:
                    expected = msgspec.structs.replace(expected, first_pid=service.main_pid)
                if "failed" in states.values() or "waiting" not in states.values():
                    return
                if answers and states["deployments"] in ("ok", "not known") and not probed and self._profile.probes:
                    probed = True
                    await self._eyes.probe(self._profile.probes)
                unread = answers and "waiting" in (states["ready"], states["deployments"], states["cache"])
                if unread and time.monotonic() - looked > AGAIN_SECONDS:
                    # whatever its pace or back-off, but a busy gateway is not asked without a pause
                    looked = time.monotonic()
                    self._eyes.look_now()
            if time.monotonic() > end:
                return
            await asyncio.sleep(LOOK_SECONDS)
