"""The state of a Docker Compose service, with systemd's names for states.

`docker compose ps` finds the container; from then on `docker inspect` reads it, which is far cheaper. `docker stats`
needs two seconds for an answer: it is run seldom, and only while the container runs undisturbed.
"""

from __future__ import annotations

import os
import time
from typing import Final

import msgspec

from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service import Service
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.docker import container_state, docker_cli
from litellm_tui.services.docker.engine_access import ByClient
from litellm_tui.services.docker.ordered_end import OrderedEnds

STATS_SECONDS: Final = 20.0
# a starting service is looked at every half second: no answer may be delayed by `docker stats`
CALM_SECONDS: Final = 10.0


def compose_command(compose: Compose, *words: str) -> list[str]:
    """The command line of `docker compose` for this project."""
    options: list[str] = []
    for name, value in (("--project-name", compose.project), ("--project-directory", compose.folder)):
        options += [name, os.path.expanduser(value)] if value else []
    for file in (compose.file or "").split(",") if compose.file else ():
        options += ["--file", os.path.expanduser(file)]
    return [compose.docker, "compose", *options, *words]


async def find(compose: Compose) -> str | Failure:
    """The id of the service's container, a running one before others; empty when none exists yet."""
    if not compose.service:
        return NotAvailable("no service of the project is known: name it as compose.service in the profile, or --unit")
    said = await docker_cli.run_docker(compose_command(compose, "ps", "--all", "--format", "json", compose.service))
    if isinstance(said, Failure):
        return said
    rows = docker_cli.parse_rows(said)
    if isinstance(rows, Failure):
        return rows
    mine = [row for row in rows if row.service in (compose.service, "") and not row.one_off]
    mine.sort(key=lambda row: row.state != "running")
    return mine[0].id if mine else ""


async def inspect(compose: Compose, container: str) -> docker_cli.Container | Failure:
    """The container as it is now; `NoSuchService` when it was replaced or removed."""
    said = await docker_cli.run_docker([compose.docker, "inspect", "--type", "container", container])
    if isinstance(said, Failure):
        return said
    found = docker_cli.parse_containers(said)
    if isinstance(found, Failure):
        return found
    return found[0] if found else docker_cli.NoSuchService(f"docker inspect says nothing of {container}")


class ComposeContainer:
    """Reads the state of one service again and again."""

    def __init__(self, compose: Compose) -> None:
        self._compose = compose
        self._container = ""
        self._stats: docker_cli.Stats | None = None
        self._stats_of = ""
        self._stats_at = 0.0
        self._ends = OrderedEnds()

    async def look(self) -> Service | Failure:
        """The state now. A service that the project does not have is `not-found`, one without container is inactive."""
        found: docker_cli.Container | Failure | None = None
        if self._container:
            found = await inspect(self._compose, self._container)
        if found is None or isinstance(found, docker_cli.NoSuchService):
            self._container = ""
            container = await find(self._compose)
            if isinstance(container, docker_cli.NoSuchService):
                return self._absent("not-found", "")
            if isinstance(container, Failure):
                return container
            if not container:
                return self._without_container()
            found = await inspect(self._compose, container)
        if isinstance(found, Failure):
            return found
        self._container = found.id
        service = service_from(found, self._compose)
        service = await self._ends.explain(service, found, ByClient(self._compose.docker))
        return await self._with_stats(service)

    def _without_container(self) -> Service:
        if self._compose.project and not self._compose.file:
            # Compose reads no file for a project that is given by name: the project consists of its containers
            return self._absent("not-found", f"the project {self._compose.project} has no such container")
        return self._absent("loaded", f"it has no container yet: docker compose up -d {self._compose.service}")

    def _absent(self, load_state: str, note: str) -> Service:
        return Service(self._compose.service or "", "compose", load_state, "inactive", "dead", note=note)

    async def _with_stats(self, service: Service) -> Service:
        now = time.time()
        if self._stats_of != service.invocation:
            self._stats, self._stats_of, self._stats_at = None, service.invocation, 0.0
        if service.sub_state != "running" or now - (service.started_at or now) < CALM_SECONDS:
            return service
        if now - self._stats_at >= STATS_SECONDS:
            command = [self._compose.docker, "stats", "--no-stream", "--format", "{{json .}}", self._container]
            said = await docker_cli.run_docker(command)
            self._stats, self._stats_at = None if isinstance(said, Failure) else docker_cli.parse_stats(said), now
        if self._stats is None:
            return service
        memory, share = docker_cli.parse_size(self._stats.memory), docker_cli.parse_percent(self._stats.cpu)
        return msgspec.structs.replace(service, memory=memory, cpu_percent=share)


def service_from(found: docker_cli.Container, compose: Compose) -> Service:
    """A `Service` from one `docker inspect`."""
    name = compose.service or found.label("service") or found.name.lstrip("/")
    return container_state.service_from(
        found, name, "compose", found.label("project.config_files") or compose.file or ""
    )
