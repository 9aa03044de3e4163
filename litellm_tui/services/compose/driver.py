"""The driver of a service in a Docker Compose project."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from litellm_tui.host.command import carry_out
from litellm_tui.logs.command_tail import CommandTail
from litellm_tui.logs.entry import HISTORY, Entries, Prepare, States, unprepared
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.found import Found, Missing
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service import Obstacle, Service, ServicePlace, Unit, Variable, Verb
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.model.service_kinds import Compose
from litellm_tui.model.service_target import FoundService, ServiceQuery, ServiceTarget
from litellm_tui.model.service_words import ServiceWords
from litellm_tui.services.compose import recreation
from litellm_tui.services.compose import rehearsal as compose_rehearsal
from litellm_tui.services.compose.container import ComposeContainer, compose_command
from litellm_tui.services.compose.container import find as find_container
from litellm_tui.services.compose.discovery import find_service
from litellm_tui.services.compose.drift import drift_of
from litellm_tui.services.compose.words import compose_words
from litellm_tui.services.docker import docker_cli, rehearsal
from litellm_tui.services.docker.config_copy import ConfigCopies, with_copied_config
from litellm_tui.services.docker.container_log import DockerLines, LogOf
from litellm_tui.services.docker.description import UNKNOWN, describe_container
from litellm_tui.services.docker.engine_access import open_access
from litellm_tui.services.docker.far_engine import as_seen_from_here, engine_host, out_of_reach
from litellm_tui.services.driver import Description, Wording, defining_files, on_this_machine


class ComposeDriver:
    """One service; its container is found once and read as long as it exists."""

    place: ServicePlace = "compose"
    wording = Wording(environment_file="compose.environment_file")
    unknown = (UNKNOWN,)

    def __init__(self, target: ServiceTarget) -> None:
        assert isinstance(target.settings, Compose)
        self._target = target
        self._compose = target.settings
        self._found = target.name
        self._unit = target.unit
        self._tools = target.tools
        self._container = ComposeContainer(target.settings)
        self._copies = ConfigCopies(target.settings.docker, target.unit)

    @property
    def log_source(self) -> str:
        return " ".join(compose_command(self._compose, "logs", "-f", *filter(None, [self._compose.service])))

    @property
    def operated(self) -> tuple[str, ...]:
        engine = os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT") or "default"
        # the container's labels are the same for every user; the settings are used only without a container
        labelled = self._unit.fragment if self._unit else ""
        named = os.path.realpath(os.path.expanduser(self._compose.file or self._compose.folder or "."))
        place = labelled or self._compose.project or named
        return "compose", engine, place, self._compose.service or self._found

    async def look(self) -> Service | Failure:
        found = await self._container.look()
        if isinstance(found, Service):
            await self._copies.renew(found.invocation)
        return on_this_machine(found, self._tools)

    def unchanged(self, service: Service) -> bool:
        return False

    def tail(
        self, on_entries: Entries, on_state: States, prepare: Prepare = unprepared, lines: int = HISTORY
    ) -> CommandTail | Failure:
        compose = self._compose
        source = LogOf(compose.docker, compose.service or "", partial(find_container, compose))
        return CommandTail(DockerLines(source, lines), on_entries, on_state, prepare=prepare)

    async def order(self, verb: Verb) -> Failure | None:
        # Compose restarts a service without container silently (docker/compose issue 9942)
        compose = self._compose
        container = await find_container(compose)
        if isinstance(container, Failure):
            return container
        if not container:
            return NotAvailable(f"{compose.service} has no container: docker compose up -d {compose.service} makes one")
        done = await carry_out(compose_command(compose, verb, compose.service or ""))
        if isinstance(done, Failure):
            return docker_cli.missing(compose.docker, done) if isinstance(done, NotAvailable) else done
        return docker_cli.refusal(done, compose.docker) if done.status else None

    def order_by_sudo(self, verb: Verb) -> list[str] | None:
        return None

    def next_start(self) -> Unit | None:
        return None

    def obstacles(self) -> tuple[Obstacle, ...]:
        return ()

    def written_in(self) -> tuple[str, ...]:
        """The compose files, `.env` and the `env_file` entries of the service."""
        return self._unit.definition_files if self._unit else ()

    async def drift(self, service: Service) -> ServiceDrift | Failure:
        """The container against its files; see `ShowsDrift`."""
        return await drift_of(self._compose)

    async def image_now(self, drift: ServiceDrift) -> str | None:
        """See `ChangesUnwritten`. The comparison itself runs four commands, two of them Compose's."""
        if not drift.image:
            return None
        found = await (await self._container.access()).image_id(drift.image)
        return None if isinstance(found, Failure) else found

    async def recreate(self) -> Failure | None:
        """`docker compose up -d` for this service; see `Recreates`."""
        return await recreation.recreate(self._compose)

    async def definition(self) -> bytes | Failure:
        """All that the container is made of now; see `Recreates`."""
        return await recreation.definition(self._compose)

    async def bring_back(self, definition: bytes) -> Failure | None:
        """The container of this definition again; see `Recreates`."""
        return await recreation.bring_back(self._compose, definition)

    async def rehearsal_user(self) -> tuple[int, int] | Failure:
        """See `Rehearses`."""
        return rehearsal.own_user(await compose_rehearsal.prepared(self._compose))

    async def rehearsal_variables(self) -> Mapping[str, Variable] | Failure:
        """See `TellsVariables`."""
        source = f"the service {self._compose.service or self._found}"
        return rehearsal.variables(await compose_rehearsal.prepared(self._compose), source)

    @asynccontextmanager
    async def rehearse(self, order: RehearsalOrder) -> AsyncIterator[RehearsalRun | Failure]:
        """A container of what is written for the service; see `Rehearses`."""
        prepared = await compose_rehearsal.prepared(self._compose, order.program)
        async with rehearsal.rehearse(self._target, self._compose.docker, prepared, order) as run:
            yield run

    @property
    def words(self) -> ServiceWords:
        """Where the environment of this service is written, and what brings it in."""
        return compose_words(self._compose, self._unit)

    async def describe(self, service: Service | None) -> Description:
        files = defining_files(service)
        container = await find_container(self._compose)
        if isinstance(container, Failure) or not container:
            why = container.why if isinstance(container, Failure) else "it has no container"
            return Description(NotAvailable(f"not known: {why}"), {}, files)
        return await describe_container(await open_access(self._compose.docker), container, files)


driver = ComposeDriver


def find(wanted: ServiceQuery) -> FoundService:
    """The container of the service that is named, or one that runs LiteLLM."""
    compose = wanted.settings
    assert isinstance(compose, Compose)
    if wanted.name:
        # as it is shown: PROJECT/SERVICE, or the service alone
        project, _, service = wanted.name.value.rpartition("/")
        compose = msgspec.structs.replace(compose, service=service, project=project or compose.project)
    config = os.path.abspath(os.path.expanduser(wanted.config)) if wanted.config else None
    found = find_service(compose, config)
    source = wanted.name.source if wanted.name else f"profile {wanted.profile}"
    name = found.compose.service or (found.unit.name if found.unit else "")
    mend = "see that, or name the service: compose.service in the profile, or --unit"
    unit, missing = found.unit, [] if found.unit else [Missing("service in Docker", found.why, mend)]
    if unit is not None and found.container is not None:
        host = engine_host(compose.docker, wanted.environ)
        unit = as_seen_from_here(unit, host)
        missing += out_of_reach(found.container, unit, host)
        unit, unread = with_copied_config(unit, compose.docker, found.container.name.lstrip("/"))
        missing += unread
    return FoundService(
        name=Found(name, source) if name else None,
        settings=found.compose,
        unit=unit,
        others=found.others,
        missing=tuple(missing),
    )
