"""Tells a container that was stopped by order, and had to be killed, from one that was killed.

A LiteLLM that is process 1 of its container may not end within the engine's ten seconds: its state is then the same as
after a `kill -9` (exited, 137). The engine's events tell an order, as long as it remembers them.
"""

from __future__ import annotations

from typing import Final

import msgspec

from litellm_tui.model.failures import Failure
from litellm_tui.model.service import Service
from litellm_tui.services.docker.container_exits import exits_of
from litellm_tui.services.docker.docker_cli import Container
from litellm_tui.services.docker.engine_access import Access

NOTE: Final = "stopped by order; it did not end in time, and was killed"


class OrderedEnds:
    """Asks the engine once for each end."""

    def __init__(self) -> None:
        self._of = ""
        self._ordered = False

    async def explain(self, service: Service, found: Container, access: Access) -> Service:
        """The service as it is, or as one that was stopped where that was so."""
        if service.active_state != "failed" or service.exit_code != "killed" or found.state.oom_killed:
            return service
        end = f"{found.id} {found.state.finished_at}"
        if end != self._of:
            events = await access.events(found.name.lstrip("/"))
            if isinstance(events, Failure):
                return service
            last = next(reversed(exits_of(events, found)), None)
            self._of, self._ordered = end, last is not None and last.by == "order"
        if not self._ordered:
            return service
        return msgspec.structs.replace(service, active_state="inactive", sub_state="dead", result="success", note=NOTE)
