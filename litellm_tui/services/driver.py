"""One way to look at the service and to follow its log, whatever kind of service the profile names."""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from litellm_tui.host import proc
from litellm_tui.logs.command_tail import CommandLines, CommandTail
from litellm_tui.logs.entry import HISTORY, Entries, Entry, Ready, States, as_they_are
from litellm_tui.logs.journal import JournalTail
from litellm_tui.logs.log_file import FileTail
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Compose, Custom, Process
from litellm_tui.services.compose.container import ComposeContainer
from litellm_tui.services.custom import commands
from litellm_tui.services.docker.container_log import DockerLines
from litellm_tui.services.process import pid_file
from litellm_tui.services.systemd.unit import read_service
from litellm_tui.target.profile import Profile

NO_UNIT = NotAvailable("no unit was found")


class Watch:
    """Looks at the profile's service again and again; a container, once found, need not be sought each time."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._compose = ComposeContainer(profile.service) if isinstance(profile.service, Compose) else None

    async def look(self) -> Service | Failure:
        """One look. A service that is not there is a `Service` that is `not-found`; a `Failure` tells nothing of it."""
        found = await self._look()
        # what commands of one's own look at may stand on another machine
        if isinstance(found, Failure) or isinstance(self._profile.service, Custom):
            return found
        booted_at = self._profile.tools.booted_at
        return msgspec.structs.replace(found, booted_at=proc.booted_at() if booted_at is None else booted_at)

    async def _look(self) -> Service | Failure:
        profile, kind = self._profile, self._profile.service
        if self._compose is not None:
            return await self._compose.look()
        if profile.unit is None:
            return NO_UNIT
        if isinstance(kind, Process):
            # the PID file may lie anywhere
            return await asyncio.to_thread(pid_file.look, kind, profile.unit.value)
        if isinstance(kind, Custom):
            return await commands.look(kind, profile.unit.value)
        return await read_service(profile.tools, profile.unit.value, profile.scope)


async def look(profile: Profile) -> Service | Failure:
    """One look at the service."""
    return await Watch(profile).look()


class Tail(Protocol):
    """What follows a log: runs until it is cancelled."""

    async def run(self) -> None:
        """Follow for ever."""
        ...

    async def before(self, entry: Entry, count: int) -> list[Entry] | Failure:
        """At most `count` lines older than this one, oldest first; none when there are none."""
        ...


def tail(
    profile: Profile, on_entries: Entries, on_state: States, ready: Ready = as_they_are, lines: int = HISTORY
) -> Tail | Failure:
    """What follows the service's log, from the last so many `lines` on; why there is none.

    `ready` is applied to the lines in the thread that reads.
    """
    kind = profile.service
    if isinstance(kind, Compose):
        return CommandTail(DockerLines(kind, lines), on_entries, on_state, ready=ready)
    if isinstance(kind, Custom) and kind.log:
        return CommandTail(CommandLines(kind), on_entries, on_state, ready=ready)
    if isinstance(kind, Process | Custom):
        if kind.log_file:
            return FileTail(kind.log_file, on_entries, on_state, history=lines, ready=ready)
        return NotAvailable(f"the profile names no log: add {profile.kind}.log_file")
    if profile.unit is None:
        return NO_UNIT
    unit = profile.unit.value
    return JournalTail(profile.tools, unit, profile.scope, on_entries, on_state, history=lines, ready=ready)
