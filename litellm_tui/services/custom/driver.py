"""The driver of a service that only the profile's own commands know."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from litellm_tui.host.command import argument_vector, carry_out, refusal
from litellm_tui.host.systemd_tools import runtime_environment
from litellm_tui.logs.command_tail import CommandLines, CommandTail
from litellm_tui.logs.entry import HISTORY, Entries, Prepare, States, unprepared
from litellm_tui.logs.log_file import FileTail
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.found import Found
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service import Obstacle, Service, ServicePlace, Unit, Verb
from litellm_tui.model.service_kinds import Custom
from litellm_tui.model.service_target import FoundService, ServiceQuery, ServiceTarget
from litellm_tui.services.custom import commands
from litellm_tui.services.driver import Description, Wording, defining_files
from litellm_tui.services.process import pid_file
from litellm_tui.services.process.rehearsal import HowItRuns, as_child, of_process, user_of


class CustomDriver:
    """One service. Its commands may reach another machine: no fact of this machine is added."""

    place: ServicePlace = "custom"
    wording = Wording(environment_file="custom.environment_file")

    def __init__(self, target: ServiceTarget) -> None:
        assert isinstance(target.settings, Custom)
        self._target = target
        self._settings = target.settings
        self._name = target.name
        # when it was last said not to run, before that was asked
        self._stood_still: float | None = None
        process = () if self._settings.pid_file else ("its process, start and memory (custom.pid_file would tell)",)
        self.unknown = ("its environment", *process, "the ends of its runs, but for the last")

    @property
    def log_source(self) -> str:
        if self._settings.log_file:
            return self._settings.log_file
        return " ".join(argument_vector(self._settings.log)) if self._settings.log else ""

    @property
    def operated(self) -> tuple[str, ...]:
        custom = self._settings
        order = custom.restart or custom.start or custom.status
        return "custom", *argument_vector(custom.status), *argument_vector(order)

    async def look(self) -> Service | Failure:
        asked = time.time()
        seen = await commands.look(self._settings, self._name)
        if isinstance(seen, Failure) or seen.started_at is not None:
            return seen
        if (seen.load_state, seen.active_state) == ("loaded", "inactive"):
            self._stood_still = asked
        return msgspec.structs.replace(seen, started_after=self._stood_still)

    def unchanged(self, service: Service) -> bool:
        return False

    def tail(
        self, on_entries: Entries, on_state: States, prepare: Prepare = unprepared, lines: int = HISTORY
    ) -> CommandTail | FileTail | Failure:
        if self._settings.log:
            return CommandTail(CommandLines(self._settings), on_entries, on_state, prepare=prepare)
        if self._settings.log_file:
            return FileTail(self._settings.log_file, on_entries, on_state, history=lines, prepare=prepare)
        return NotAvailable("the profile names no log: add custom.log_file")

    async def order(self, verb: Verb) -> Failure | None:
        custom = self._settings
        given = {"start": custom.start, "stop": custom.stop, "restart": custom.restart}[verb]
        if given is not None:
            command = argument_vector(given)
            # the command may start the gateway itself, which gets the user's locale
            return refusal(await carry_out(command, runtime_environment()), command[0])
        if verb == "restart" and custom.stop is not None and custom.start is not None:
            return await self.order("stop") or await self.order("start")
        return NotAvailable(f"the profile does not say how to {verb} it: add custom.{verb}")

    def order_by_sudo(self, verb: Verb) -> list[str] | None:
        return None

    def next_start(self) -> Unit | None:
        return None

    def obstacles(self) -> tuple[Obstacle, ...]:
        return ()

    def _how_it_runs(self) -> HowItRuns | Failure:
        if not self._settings.pid_file:
            return NotAvailable("what runs is known to its commands alone: custom.pid_file would name its process")
        seen = pid_file.find(self._settings.pid_file)
        if isinstance(seen, Failure):
            return seen
        if not seen.pid:
            return NotAvailable(f"it does not run, and only its process shows how it is started ({seen.why})")
        start = self._settings.start or self._settings.restart
        return of_process(seen.pid, os.path.basename(argument_vector(start)[0]) if start else "")

    async def rehearsal_user(self) -> tuple[int, int] | Failure:
        """The user of the process that runs; see `Rehearses`."""
        return user_of(await asyncio.to_thread(self._how_it_runs))

    @asynccontextmanager
    async def rehearse(self, order: RehearsalOrder) -> AsyncIterator[RehearsalRun | Failure]:
        """The command line of the process that runs, in a session of its own; see `Rehearses`."""
        how = await asyncio.to_thread(self._how_it_runs)
        async with as_child(self._target, how, order) as run:
            yield run

    async def describe(self, service: Service | None) -> Description:
        custom = self._settings
        given = {"status": custom.status, "start": custom.start, "stop": custom.stop, "restart": custom.restart}
        policy = {name: shlex.join(argument_vector(command)) for name, command in given.items() if command}
        why = f"not known: a service of the kind {self.place} keeps only its last end"
        return Description(NotAvailable(why), policy, defining_files(service))


driver = CustomDriver


def find(wanted: ServiceQuery) -> FoundService:
    """The service of the profile; nothing is searched for."""
    return FoundService(
        name=wanted.name or Found(wanted.profile, f"profile {wanted.profile}"), settings=wanted.settings
    )
