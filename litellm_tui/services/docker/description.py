"""What seldom changes of a container: how its runs ended, how it is run, and what it sees of this machine."""

from __future__ import annotations

from typing import Final

from litellm_tui.model.failures import Failure
from litellm_tui.services.docker.container_exits import exits_of
from litellm_tui.services.docker.container_state import mounts_of, policy_of
from litellm_tui.services.docker.engine_access import Access
from litellm_tui.services.driver import Description

EVENTS_BEGIN: Final = "the engine's memory of events begins"
UNKNOWN: Final = "the ends of its runs before those that the engine remembers"


async def describe_container(access: Access, container: str, files: tuple[str, ...] = ()) -> Description:
    """The description of a container by its id or name; `files` are those that define it."""
    found = await access.inspect(container)
    if isinstance(found, Failure):
        return Description(found, {}, files)
    events = await access.events(found.name.lstrip("/"))
    exits = events if isinstance(events, Failure) else exits_of(events, found)
    return Description(exits, policy_of(found), files, mounts_of(found), EVENTS_BEGIN)
