"""The driver of a systemd unit, of the user or of the system."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgspec

from litellm_tui.host import address, proc
from litellm_tui.host.command import Done, carry_out, refusal, run, run_now
from litellm_tui.host.systemd_tools import parse_show, runtime_environment, split_words
from litellm_tui.logs.entry import HISTORY, Entries, Prepare, States, unprepared
from litellm_tui.logs.journal import JournalTail
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service import Obstacle, Service, ServicePlace, Unit, Verb
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.model.service_target import FoundService, ServiceQuery, ServiceTarget
from litellm_tui.services.docker.engine_access import Access, open_access
from litellm_tui.services.docker.image_drift import image_drift
from litellm_tui.services.driver import Description, Wording, defining_files
from litellm_tui.services.systemd import discovery, rehearsal
from litellm_tui.services.systemd.drift import UnitFiles, drift_of
from litellm_tui.services.systemd.kernel_log import killed_for_memory
from litellm_tui.services.systemd.unit_exits import read_exits
from litellm_tui.services.systemd.unit_state import read_service

NO_UNIT: Final = NotAvailable("no unit was found")
SHOW_SECONDS: Final = 3.0
# how often a unit is looked for in place of one that is not there
SOUGHT_SECONDS: Final = 10.0
# systemd's properties and their settings, in the order in which they are shown
_POLICY: Final = {
    "Type": "Type", "User": "User", "Restart": "Restart", "RestartUSec": "RestartSec",
    "StartLimitBurst": "StartLimitBurst", "StartLimitIntervalUSec": "StartLimitIntervalSec",
    "TimeoutStopUSec": "TimeoutStopSec", "KillSignal": "KillSignal", "MemoryMax": "MemoryMax", "OOMPolicy": "OOMPolicy",
    "LimitNOFILE": "LimitNOFILE",
}  # fmt: skip


class UnitDriver:
    """One unit; without a name every look answers that none was found."""

    wording = Wording(
        command_line="ExecStart of",
        log="the unit's journal",
        environment_file="EnvironmentFile= of the unit",
        stays_stopped=", and systemd does not do that by itself",
    )
    unknown: tuple[str, ...] = ()

    def __init__(self, target: ServiceTarget) -> None:
        self._target = target
        self._name = target.name
        self._scope = target.scope
        self._tools = target.tools
        self.place: ServicePlace = target.scope
        self._running: tuple[int, int] | None = None
        """The main process of a unit that runs, and its start in ticks: together they never come again."""
        self._sought = (-SOUGHT_SECONDS, "")
        """When the units in place of this one were looked for, and what was found."""
        self._files = UnitFiles()
        self._engine: Access | None = None
        """The engine in which the unit runs its container."""
        self._killed: tuple[object, str] = (None, "")
        """What the kernel said of an end, by that end: it is asked once for each."""

    @property
    def log_source(self) -> str:
        return f"journalctl {'--user ' if self._scope == 'user' else ''}-u {self._name}" if self._name else ""

    @property
    def operated(self) -> tuple[str, ...]:
        if not self._name:
            return ()
        # each user has their own manager, and systemctl finds it by this folder
        own = runtime_environment().get("XDG_RUNTIME_DIR", str(os.getuid()))
        # the simulation has its own systemctl
        return "systemd", own if self._scope == "user" else "system", *self._tools.systemctl, self._name

    async def look(self) -> Service | Failure:
        if not self._name:
            return NO_UNIT
        found = await read_service(self._tools, self._name, self._scope)
        self._running = _main_process(found) if self._tools.booted_at is None else None
        if isinstance(found, Service) and found.load_state == "not-found":
            found = msgspec.structs.replace(found, note=await asyncio.to_thread(self._others))
        if isinstance(found, Service) and _may_be_memory(found):
            found = msgspec.structs.replace(found, killed_for_memory=await self._kernel_says(found))
        return (
            found
            if isinstance(found, Failure)
            else msgspec.structs.replace(
                found, booted_at=proc.booted_at() if self._tools.booted_at is None else self._tools.booted_at
            )
        )

    def _others(self) -> str:
        """The units that run LiteLLM in place of one that is not there any more; looked for every ten seconds."""
        now = time.monotonic()
        if now - self._sought[0] >= SOUGHT_SECONDS:
            units = [unit for unit in discovery.find_units(self._tools).units if unit.active]
            text = f"{', '.join(map(str, units))} runs litellm now" if units else ""
            self._sought = now, text
        return self._sought[1]

    async def _kernel_says(self, ended: Service) -> str:
        end = (ended.invocation, ended.restarts, ended.exit_status)
        if self._killed[0] != end:
            self._killed = end, await killed_for_memory(self._tools, ended.changed_at or time.time())
        return self._killed[1]

    def unchanged(self, service: Service) -> bool:
        if self._running is None or service.main_pid != self._running[0]:
            return False
        return _main_process(service) == self._running

    def tail(
        self, on_entries: Entries, on_state: States, prepare: Prepare = unprepared, lines: int = HISTORY
    ) -> JournalTail | Failure:
        if not self._name:
            return NO_UNIT
        return JournalTail(self._tools, self._name, self._scope, on_entries, on_state, history=lines, prepare=prepare)

    async def order(self, verb: Verb) -> Failure | None:
        """See `Driver.order`. Where the unit's files have changed, systemd reads them anew before it starts it."""
        if verb != "stop" and self._tools.booted_at is None:
            done = await run(self._needs_reload, SHOW_SECONDS)
            if not isinstance(done, Failure) and _is_outdated(done):
                told = refusal(await carry_out(self._tools.unit_command(self._scope, "daemon-reload")), "systemctl")
                if told is not None:
                    why = f"systemctl daemon-reload, without which the changed unit file is not read: {told.why}"
                    return msgspec.structs.replace(told, why=why)
        return refusal(await carry_out(self._tools.unit_command(self._scope, verb, self._name)), "systemctl")

    @property
    def _needs_reload(self) -> list[str]:
        return self._tools.unit_command(self._scope, "show", self._name, "--property=NeedDaemonReload")

    def reload_by_sudo(self, verb: Verb) -> list[str] | None:
        """See `ReadsAnew`."""
        if verb == "stop" or self._scope != "system" or self._tools.booted_at is not None:
            return None
        try:
            done = run_now(self._needs_reload, timeout=SHOW_SECONDS)
        except (OSError, subprocess.SubprocessError):
            return None
        return self._tools.privileged_command("daemon-reload") if _is_outdated(done) else None

    def order_by_sudo(self, verb: Verb) -> list[str] | None:
        return self._tools.privileged_command(verb, self._name) if self._scope == "system" else None

    def next_start(self) -> Unit | None:
        return discovery.next_start(self._tools, self._name, self._scope) if self._name else None

    def obstacles(self) -> tuple[Obstacle, ...]:
        return discovery.obstacles(self._tools, self._name, self._scope) if self._name else ()

    def written_in(self) -> tuple[str, ...]:
        """The unit's files, its drop-ins and its environment files."""
        return self._files.paths

    async def drift(self, service: Service) -> ServiceDrift | Failure:
        """The process against the unit's files; see `ShowsDrift`. The simulated machine has no process."""
        if not self._name or self._tools.booted_at is not None:
            return NO_UNIT if not self._name else ServiceDrift()
        found = await drift_of(self._tools, self._name, self._scope, service, self._files)
        run = self._files.run
        if isinstance(found, Failure) or run is None or service.active_state != "active":
            return found
        if self._engine is None:
            self._engine = await open_access(run.client)
        image = await image_drift(self._engine, run.name, run.client)
        if isinstance(image, Failure):
            # the engine may be reached in another way from now on
            self._engine = None
            return msgspec.structs.replace(found, unknown=(*found.unknown, f"the image of {run.name}: {image.why}"))
        return msgspec.structs.replace(
            found, found=(*found.found, *image.found), unknown=(*found.unknown, *image.unknown)
        )

    async def rehearsal_user(self) -> tuple[int, int] | Failure:
        """User= and Group= of the unit; see `Rehearses`."""
        return await rehearsal.user_of(self._tools, self._name, self._scope) if self._name else NO_UNIT

    def rehearse(self, order: RehearsalOrder) -> AbstractAsyncContextManager[RehearsalRun | Failure]:
        """A transient unit with the unit's own properties; see `Rehearses`."""
        return rehearsal.rehearse(self._target, order)

    async def describe(self, service: Service | None) -> Description:
        if not self._name:
            return Description(NO_UNIT, {}, defining_files(service))
        exits = await read_exits(self._tools, self._name, self._scope)
        properties = f"--property=FragmentPath,DropInPaths,{','.join(_POLICY)}"
        done = await run(self._tools.unit_command(self._scope, "show", self._name, properties), SHOW_SECONDS)
        values = next(iter(parse_show(done.output)), {}) if not isinstance(done, Failure) else {}
        policy = {_POLICY[name]: value for name, value in values.items() if name in _POLICY and value}
        paths = (values.get("FragmentPath", ""), *split_words(values.get("DropInPaths", "")))
        return Description(exits, policy, tuple(filter(None, paths)))


def _is_outdated(shown: Done) -> bool:
    """Whether the unit's files on the disk are not those that systemd has read, by its own word."""
    return shown.status == 0 and shown.output.strip() == "NeedDaemonReload=yes"


def _may_be_memory(service: Service) -> bool:
    """Whether it does not run, after a SIGKILL that nobody is known to have ordered."""
    ended = service.sub_state == "auto-restart" or service.active_state == "failed"
    return ended and (service.result == "oom-kill" or service.exit_code == "killed") and service.exit_status == 9


def _main_process(service: Service | Failure) -> tuple[int, int] | None:
    """The main process of a unit that runs, and its start in ticks; None where there is none that lives."""
    if isinstance(service, Failure) or (service.active_state, service.sub_state) != ("active", "running"):
        return None
    seen = proc.stat(service.main_pid) if service.main_pid else None
    return (service.main_pid, seen.ticks) if seen is not None and not seen.gone else None


driver = UnitDriver


def find(wanted: ServiceQuery) -> FoundService:
    """The unit to operate. A named one is used as it is; a discovered one must listen on the port of `url`."""
    name, url = wanted.name, wanted.url
    if url and not name and not address.is_local(url):
        why = f"{address.host_of(url)} is another machine"
        missing = Missing("service and log", why, "run the console there, over SSH")
        return FoundService(scope=wanted.scope, missing=(missing,))
    search = discovery.find_units(wanted.tools, name.value if name else None, wanted.scope)
    units = list(search.units)
    source = name.source if name else "discovered"
    if name and not units and not search.failures and (renamed := _in_its_place(wanted)):
        units, source = renamed, f"found in place of {name.value}, which is not there ({name.source})"
    if url and not name:
        units = [unit for unit in units if address.port_of(unit.url) == address.port_of(url)]
    if not units:
        return FoundService(scope=wanted.scope, missing=(_no_unit(wanted, search),))
    first, *others = units
    return FoundService(
        name=Found(first.name, source),
        scope="system" if first.scope == "system" else "user",
        unit=first,
        others=tuple(map(str, others)),
    )


def _in_its_place(wanted: ServiceQuery) -> list[Unit]:
    """The units that run LiteLLM where the one of the profile is not there: it was renamed. One that runs comes first.

    A name from the command line is meant as it is.
    """
    if wanted.name is None or not wanted.name.source.startswith("profile "):
        return []
    return [unit for unit in discovery.find_units(wanted.tools, None, wanted.scope).units if unit.active]


def _no_unit(wanted: ServiceQuery, search: discovery.UnitSearch) -> Missing:
    place = f"{wanted.scope} units" if wanted.scope else "user and system units"
    if wanted.name:
        why = f"{wanted.name.value} is not among the {place}"
    elif wanted.url and search.units:
        found = ", ".join(map(str, search.units))
        why = f"no unit listens on port {address.port_of(wanted.url)} (found: {found})"
    else:
        why = f"none of the {place} runs litellm"
    failures = "; ".join(search.failures)
    why = f"{why} ({failures})" if failures else why
    return Missing("service unit", why, "give --unit NAME and --user or --system")
