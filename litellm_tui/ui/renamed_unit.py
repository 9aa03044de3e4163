"""Finds the gateway under its new name where its unit was renamed while the console runs."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.monitor.supervisor import guarded
from litellm_tui.target.profile import Profile
from litellm_tui.target.renamed import took_its_place

# how often the other name is searched for
AGAIN_SECONDS: Final = 10.0


class RenamedUnit:
    """Says when another unit has taken the place of the one that is shown."""

    def __init__(self) -> None:
        self._sought_at = -AGAIN_SECONDS

    def is_due(self, service: Reading[Service]) -> bool:
        """Whether the unit is gone while another one runs LiteLLM, and nobody has searched for a while."""
        known = service.value if service.failure is None else None
        if known is None or known.load_state != "not-found" or not known.note:
            return False
        if time.monotonic() - self._sought_at < AGAIN_SECONDS:
            return False
        self._sought_at = time.monotonic()
        return True

    async def find(self, profile: Profile) -> Profile | None:
        """The same gateway under its new name; None where it is not found, or is meant by its old one."""
        if profile.again is None:
            return None
        found = await asyncio.to_thread(guarded, profile.again)
        return found if isinstance(found, Profile) and took_its_place(profile, found) else None
