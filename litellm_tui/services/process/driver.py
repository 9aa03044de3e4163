"""The driver of a plain process that a command starts and a PID file names."""

from __future__ import annotations

import asyncio
import os
import shlex
from contextlib import AbstractAsyncContextManager

import msgspec

from litellm_tui.host import proc
from litellm_tui.host.command import argument_vector
from litellm_tui.logs.entry import HISTORY, Entries, Prepare, States, unprepared
from litellm_tui.logs.log_file import FileTail
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service import Obstacle, Service, ServicePlace, Unit, Verb
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.model.service_kinds import Process
from litellm_tui.model.service_target import FoundService, ServiceQuery, ServiceTarget
from litellm_tui.model.service_words import ServiceWords
from litellm_tui.services.driver import Description, Wording, defining_files
from litellm_tui.services.process import locate, rehearsal, start_stop
from litellm_tui.services.process.discovery import process_unit, running_on
from litellm_tui.services.process.drift import compare_process, written_in


class ProcessDriver:
    """One process; each look reads its PID file, or looks for what listens on its port."""

    place: ServicePlace = "process"
    wording = Wording(environment_file="process.environment_file")
    unknown = ("the ends of its runs, but for the last",)

    def __init__(self, target: ServiceTarget) -> None:
        assert isinstance(target.settings, Process)
        self._target = target
        self._settings = target.settings
        self._name = target.name
        self._tools = target.tools

    @property
    def log_source(self) -> str:
        return self._settings.log_file or ""

    @property
    def operated(self) -> tuple[str, ...]:
        if self._settings.pid_file is None:
            return "process", "port", str(self._settings.port)
        return "process", os.path.realpath(os.path.expanduser(self._settings.pid_file))

    async def look(self) -> Service | Failure:
        # the PID file may be on a slow file system
        found = await asyncio.to_thread(locate.look, self._settings, self._name)
        return (
            found
            if isinstance(found, Failure)
            else msgspec.structs.replace(
                found, booted_at=proc.booted_at() if self._tools.booted_at is None else self._tools.booted_at
            )
        )

    def unchanged(self, service: Service) -> bool:
        return False

    def tail(
        self, on_entries: Entries, on_state: States, prepare: Prepare = unprepared, lines: int = HISTORY
    ) -> FileTail | Failure:
        if not self._settings.log_file:
            return NotAvailable(self._why_no_log())
        return FileTail(self._settings.log_file, on_entries, on_state, history=lines, prepare=prepare)

    def _why_no_log(self) -> str:
        known = locate.recipe(self._settings)
        if self._settings.start is not None or known is None:
            return "the profile names no log: add process.log_file"
        how = f" (it is {known.origin.words})" if known.origin.words else ""
        return f"its output goes to no file that can be read here{how}: name one as process.log_file in a profile"

    async def order(self, verb: Verb) -> Failure | None:
        if verb == "restart":
            return await start_stop.restart(self._settings)
        if verb == "stop":
            return await start_stop.stay_stopped(self._settings)
        return await asyncio.to_thread(start_stop.start, self._settings)

    def order_by_sudo(self, verb: Verb) -> list[str] | None:
        return None

    def next_start(self) -> Unit | None:
        return None

    def obstacles(self) -> tuple[Obstacle, ...]:
        lacking = start_stop.cannot_start(self._settings)
        return (Obstacle("cannot be started", lacking.why, "mend that, then R"),) if lacking else ()

    def written_in(self) -> tuple[str, ...]:
        """Its file of variables, and the script that starts it."""
        return written_in(self._settings)

    async def drift(self, service: Service) -> ServiceDrift | Failure:
        """The process against its start command, script and file of variables; see `ShowsDrift`."""
        return await asyncio.to_thread(compare_process, self._settings, service)

    async def rehearsal_user(self) -> tuple[int, int] | Failure:
        """The console's own, or that of the process; see `Rehearses`."""
        return rehearsal.user_of(await asyncio.to_thread(rehearsal.how_it_starts, self._settings))

    def rehearse(self, order: RehearsalOrder) -> AbstractAsyncContextManager[RehearsalRun | Failure]:
        """The same command in a session of its own; see `Rehearses`."""
        return rehearsal.rehearse(self._target, self._settings, order)

    @property
    def words(self) -> ServiceWords:
        """Where its environment is written."""
        file = self._settings.environment_file
        start = self._settings.start
        script = argument_vector(start)[0] if start else "the command that starts it"
        place = f"{file} (process.environment_file)" if file else f"{script}, or process.environment_file"
        return ServiceWords(place, "restart", service="the process", limits=script, definition="process.start")

    async def describe(self, service: Service | None) -> Description:
        settings = self._settings
        known = locate.recipe(settings)
        start = argument_vector(settings.start) if settings.start else known.command if known else ()
        policy = {
            "start": shlex.join(start),
            "pid_file": settings.pid_file or "",
            "port": str(settings.port or ""),
            "stop_signal": settings.stop_signal,
        }
        policy = {name: value for name, value in policy.items() if value}
        why = f"not known: a service of the kind {self.place} keeps only its last end"
        return Description(NotAvailable(why), policy, defining_files(service))


driver = ProcessDriver


def find(wanted: ServiceQuery) -> FoundService:
    """The process that the settings describe, running or not."""
    settings = wanted.settings
    assert isinstance(settings, Process)
    name = wanted.name or Found(wanted.profile, f"profile {wanted.profile}")
    if settings.pid_file is not None:
        return FoundService(name=name, settings=settings, unit=process_unit(settings, name.value, wanted.environ))
    found = running_on(settings, wanted.tools.proc)
    if found is None:
        why = f"no LiteLLM process listens on port {settings.port} of this machine"
        mend = "start it as before" if settings.start is None else "litellm-tui start starts it"
        unit = process_unit(settings, name.value, wanted.environ) if settings.start else None
        return FoundService(name=name, settings=settings, unit=unit, missing=(Missing("service process", why, mend),))
    settings = found.settings if isinstance(found.settings, Process) else settings
    return FoundService(name=name, settings=settings, unit=msgspec.structs.replace(found.unit, name=name.value),
                        missing=found.missing)  # fmt: skip
