"""Finds the profile anew: where a key was rotated, and at each start of the process or the container.

What a console was opened with is of the run before: its environment, its configuration's path and its files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from litellm_tui.model.failures import Crashed
from litellm_tui.monitor.supervisor import guarded
from litellm_tui.target.profile import Profile

# a start script sets its variables and then becomes LiteLLM: the first look may be too early for that
_LOOKS: Final = (0.0, 3.0, 12.0)


class ProfileRenewal:
    """`profile` gives the one in use, `take` gets the new one. Without `Profile.again` nothing is found anew."""

    def __init__(self, profile: Callable[[], Profile], take: Callable[[Profile], None]) -> None:
        self._profile, self._take = profile, take
        self._started = asyncio.Event()

    def another_run(self) -> None:
        """Another process or container was seen to run."""
        self._started.set()

    async def run(self) -> None:
        """Find the profile anew after each start, until cancelled."""
        while True:
            await self._started.wait()
            self._started.clear()
            for seconds in _LOOKS:
                try:
                    async with asyncio.timeout(seconds):
                        await self._started.wait()
                    # again another one: it begins anew
                    break
                except TimeoutError:
                    await self._renew()

    async def _renew(self) -> None:
        found = await self._again()
        if found is not None and (renewed := with_run_of(self._profile(), found)) != self._profile():
            self._take(renewed)

    async def another_key(self) -> str | None:
        """The key as it is found now, once it is no longer the one that was found; it is masked from then on."""
        found = await self._again()
        if found is None or found.key is None:
            return None
        profile, key = self._profile(), found.key.reveal()
        if profile.key is None or key != profile.key.reveal():
            self._take(msgspec.structs.replace(profile, key=found.key, key_source=found.key_source))
        return key

    async def _again(self) -> Profile | None:
        again = self._profile().again
        if again is None:
            return None
        found = await asyncio.to_thread(guarded, again)
        return None if isinstance(found, Crashed) else found


def plain_environment(profile: Profile) -> dict[str, str]:
    """LiteLLM's variables with their values, as far as they are known."""
    return {name: variable.value for name, variable in profile.environment.items()}


def with_run_of(profile: Profile, found: Profile) -> Profile:
    """The profile with what `found` says of the run, where that is the same service; the gateway stays the same."""
    same = found.unit is not None and profile.unit is not None and found.unit.value == profile.unit.value
    if not same or found.kind != profile.kind or found.scope != profile.scope or found.found_unit is None:
        return profile
    return msgspec.structs.replace(
        profile,
        environment=found.environment,
        environment_files=found.environment_files,
        interpreter=found.interpreter,
        found_unit=found.found_unit,
        config=found.config or profile.config,
    )
