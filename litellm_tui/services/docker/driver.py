"""The driver of a container that was made by itself, such as by `docker run`."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from litellm_tui.host import proc
from litellm_tui.logs.command_tail import CommandTail
from litellm_tui.logs.entry import HISTORY, Entries, Prepare, States, unprepared
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service import Obstacle, Service, ServicePlace, Unit, Variable, Verb
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.model.service_kinds import Docker
from litellm_tui.model.service_target import FoundService, ServiceQuery, ServiceTarget
from litellm_tui.model.service_words import ServiceWords
from litellm_tui.services.docker import rehearsal
from litellm_tui.services.docker.config_copy import ConfigCopies, with_copied_config
from litellm_tui.services.docker.container_log import DockerLines, LogOf
from litellm_tui.services.docker.container_state import service_from
from litellm_tui.services.docker.container_unit import unit_from
from litellm_tui.services.docker.description import UNKNOWN, describe_container
from litellm_tui.services.docker.docker_cli import Container, NoSuchService
from litellm_tui.services.docker.engine_access import Access, Usage, inspect_now, open_access
from litellm_tui.services.docker.far_engine import as_seen_from_here, engine_host, out_of_reach
from litellm_tui.services.docker.image_drift import image_drift
from litellm_tui.services.docker.ordered_end import OrderedEnds
from litellm_tui.services.docker.words import docker_words
from litellm_tui.services.driver import Description, Wording, on_this_machine

# the client needs two seconds for its figures
SELDOM_SECONDS: Final = 20.0
# a starting container is looked at every half second: no answer may be delayed by its figures
CALM_SECONDS: Final = 10.0

# the containers that this console is stopping: the engine itself calls them running until they have ended
_stopping: set[tuple[str, str]] = set()


class DockerDriver:
    """One container, known by its name: another one that gets the name is the same service."""

    place: ServicePlace = "docker"
    wording = Wording(command_line="the command of the container", log="its container")
    unknown = (UNKNOWN,)

    def __init__(self, target: ServiceTarget) -> None:
        assert isinstance(target.settings, Docker)
        self._target = target
        self._settings = target.settings
        self._name = target.name or target.settings.container or ""
        self._tools = target.tools
        self._access: Access | None = None
        self._usage = Usage()
        self._usage_of = ""
        self._usage_at = 0.0
        self._ends = OrderedEnds()
        self._copies = ConfigCopies(target.settings.client, target.unit)

    @property
    def log_source(self) -> str:
        return f"{self._settings.client} logs -f {self._name}" if self._name else ""

    @property
    def operated(self) -> tuple[str, ...]:
        engine = os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT") or "default"
        return ("docker", engine, self._name) if self._name else ()

    async def look(self) -> Service | Failure:
        found = await self._inspect()
        if isinstance(found, NoSuchService):
            gone = Service(self._name, "docker", "not-found", "inactive", "dead", note="there is no such container")
            return on_this_machine(gone, self._tools)
        if isinstance(found, Failure):
            return found
        service = service_from(found, self._name, "docker")
        service = await self._ends.explain(service, found, await self._open())
        if (self._settings.client, self._name) in _stopping and service.active_state == "active":
            service = msgspec.structs.replace(service, active_state="deactivating", sub_state="stop-sigterm")
        await self._copies.renew(service.invocation)
        return on_this_machine(await self._with_usage(service), self._tools)

    async def _open(self) -> Access:
        if self._access is None:
            self._access = await open_access(self._settings.client)
        return self._access

    async def _inspect(self) -> Container | Failure:
        if not self._name:
            return NotAvailable("no container is known: name it as docker.container in the profile, or --container")
        found = await (await self._open()).inspect(self._name)
        if isinstance(found, Failure) and not isinstance(found, NoSuchService):
            # the engine may be reached in another way from now on
            self._access = None
        return found

    async def _with_usage(self, service: Service) -> Service:
        now = time.time()
        if self._usage_of != service.invocation:
            self._usage, self._usage_of, self._usage_at = Usage(), service.invocation, 0.0
        if service.sub_state != "running":
            return service
        access = await self._open()
        calm = now - (service.started_at or now) >= CALM_SECONDS
        if not access.seldom or (calm and now - self._usage_at >= SELDOM_SECONDS):
            found = await access.usage(self._name)
            self._usage, self._usage_at = Usage() if isinstance(found, Failure) else found, now
            if self._usage.memory is None and service.main_pid and (own := proc.usage(service.main_pid)):
                # Podman's client has figures of another form
                self._usage = Usage(*own)
        used = self._usage
        return msgspec.structs.replace(
            service, memory=used.memory, cpu_seconds=used.cpu_seconds, cpu_percent=used.cpu_percent
        )

    def unchanged(self, service: Service) -> bool:
        return False

    def tail(
        self, on_entries: Entries, on_state: States, prepare: Prepare = unprepared, lines: int = HISTORY
    ) -> CommandTail | Failure:
        if not self._name:
            return NotAvailable("no container is known, and so no log")
        source = LogOf(self._settings.client, self._name, self._container_id)
        return CommandTail(DockerLines(source, lines), on_entries, on_state, prepare=prepare)

    async def _container_id(self) -> str | Failure:
        found = await self._inspect()
        if isinstance(found, NoSuchService):
            return ""
        return found if isinstance(found, Failure) else found.id

    @property
    def words(self) -> ServiceWords:
        """Where its environment is written, and what brings a change of it in."""
        return docker_words(self._settings.client, self._name)

    async def order(self, verb: Verb) -> Failure | None:
        if not self._name:
            return NotAvailable("no container is known: nothing was changed")
        access, mine = await self._open(), (self._settings.client, self._name)
        if verb != "start":
            _stopping.add(mine)
        try:
            return await access.order(verb, self._name)
        finally:
            _stopping.discard(mine)

    def order_by_sudo(self, verb: Verb) -> list[str] | None:
        return None

    def next_start(self) -> Unit | None:
        # a container is started with what it was made with
        found = inspect_now(self._settings.client, self._name) if self._name else None
        if not isinstance(found, Container):
            return None
        return as_seen_from_here(unit_from(found, self._name, "docker"), engine_host(self._settings.client, os.environ))

    def obstacles(self) -> tuple[Obstacle, ...]:
        return ()

    def written_in(self) -> tuple[str, ...]:
        """No file: the command that made it is not known."""
        return ()

    async def drift(self, service: Service) -> ServiceDrift | Failure:
        """Its image against what the image's tag is now; see `ShowsDrift`."""
        return await image_drift(await self._open(), self._name, self._settings.client)

    async def rehearsal_user(self) -> tuple[int, int] | Failure:
        """See `Rehearses`."""
        return rehearsal.own_user(await self._prepared())

    async def rehearsal_variables(self) -> Mapping[str, Variable] | Failure:
        """See `TellsVariables`."""
        return rehearsal.variables(await self._prepared(), f"the container {self._name}")

    @asynccontextmanager
    async def rehearse(self, order: RehearsalOrder) -> AsyncIterator[RehearsalRun | Failure]:
        """A container of the same image and mounts; see `Rehearses`."""
        prepared = await self._prepared(order.program)
        async with rehearsal.rehearse(self._target, self._settings.client, prepared, order) as run:
            yield run

    async def _prepared(self, image: str = "") -> rehearsal.Prepared | Failure:
        if not self._name:
            return NotAvailable("no container is known")
        return await rehearsal.prepare(self._settings.client, self._name, image=image)

    async def describe(self, service: Service | None) -> Description:
        if not self._name:
            return Description(NotAvailable("no container is known"), {})
        return await describe_container(await self._open(), self._name)


driver = DockerDriver


def find(wanted: ServiceQuery) -> FoundService:
    """The container that is named."""
    settings = wanted.settings
    assert isinstance(settings, Docker)
    given = wanted.name or (
        Found(settings.container, f"profile {wanted.profile}" if wanted.profile != "discovered" else "--container")
        if settings.container
        else None
    )
    if given is None:
        lack = Missing("container", "no container is named", "name it: docker.container in the profile, or --container")
        return FoundService(settings=settings, missing=(lack,))
    settings = msgspec.structs.replace(settings, container=given.value)
    found = inspect_now(settings.client, given.value)
    if isinstance(found, Failure):
        why = f"there is none named {given.value}" if isinstance(found, NoSuchService) else found.why
        mend = f"see {settings.client} ps --all, and name it: docker.container in the profile, or --container"
        return FoundService(name=given, settings=settings, missing=(Missing("container", why, mend),))
    host = engine_host(settings.client, wanted.environ)
    unit = as_seen_from_here(unit_from(found, given.value, "docker"), host)
    missing = out_of_reach(found, unit, host)
    unit, unread = with_copied_config(unit, settings.client, given.value)
    return FoundService(name=given, settings=settings, unit=unit, missing=(*missing, *unread))
