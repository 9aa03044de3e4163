"""The state of a Docker Compose service, with systemd's names for states.

`docker compose ps` finds the container; from then on the engine is asked at its socket, or by `docker inspect`, either
of which is far cheaper. `docker stats` needs two seconds for an answer: it is run seldom, and only while the container
runs undisturbed.
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
from litellm_tui.services.docker.engine_access import Access, Usage, open_access
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
        labelled = await docker_cli.run_docker(by_labels(compose)) if is_about_files(said) else ""
        return said if isinstance(labelled, Failure) or not labelled.split() else labelled.split()[0]
    rows = docker_cli.parse_rows(said)
    if isinstance(rows, Failure):
        return rows
    mine = [row for row in rows if row.service in (compose.service, "") and not row.one_off]
    mine.sort(key=lambda row: row.state != "running")
    return mine[0].id if mine else ""


def is_about_files(failure: Failure) -> bool:
    """Whether Compose cannot use its files: the containers that it once made are there all the same."""
    return type(failure) is NotAvailable and not docker_cli.lacks_compose(failure)


def by_labels(compose: Compose) -> list[str]:
    """The command that lists the containers of the service without Compose, by what it wrote on them."""
    folder = compose.folder or os.path.dirname(compose.file or "")
    known = [("service", compose.service or ""), ("project", compose.project or ""), ("oneoff", "False")]
    if not compose.project:
        known.append(("project.working_dir", os.path.abspath(os.path.expanduser(folder or "."))))
    labels = [f"label=com.docker.compose.{name}={value}" for name, value in known if value]
    return [
        compose.docker,
        "ps",
        "--all",
        "--quiet",
        "--no-trunc",
        *(w for label in labels for w in ("--filter", label)),
    ]


class ComposeContainer:
    """Reads the state of one service again and again."""

    def __init__(self, compose: Compose) -> None:
        self._compose = compose
        self._container = ""
        self._access: Access | None = None
        self._usage = Usage()
        self._usage_of = ""
        self._usage_at = 0.0
        self._ends = OrderedEnds()

    async def look(self) -> Service | Failure:
        """The state now. A service that the project does not have is `not-found`, one without container is inactive."""
        found: docker_cli.Container | Failure | None = None
        if self._container:
            found = await self._inspect(self._container)
        if found is None or isinstance(found, docker_cli.NoSuchService):
            self._container = ""
            container = await find(self._compose)
            if isinstance(container, docker_cli.NoSuchService):
                return self._absent("not-found", "")
            if isinstance(container, Failure):
                return container
            if not container:
                return self._without_container()
            found = await self._inspect(container)
        if isinstance(found, Failure):
            return found
        self._container = found.id
        service = service_from(found, self._compose)
        access = await self.access()
        service = await self._ends.explain(service, found, access)
        return await self._with_usage(service, access)

    async def access(self) -> Access:
        """The way to the engine: its socket, where that may be used, as it costs no process."""
        if self._access is None:
            self._access = await open_access(self._compose.docker)
        return self._access

    async def _inspect(self, container: str) -> docker_cli.Container | Failure:
        """The container as it is now; `NoSuchService` when it was replaced or removed."""
        found = await (await self.access()).inspect(container)
        if isinstance(found, Failure) and not isinstance(found, docker_cli.NoSuchService):
            # the engine may be reached in another way from now on
            self._access = None
        return found

    def _without_container(self) -> Service:
        if self._compose.project and not self._compose.file:
            # Compose reads no file for a project that is given by name: the project consists of its containers
            return self._absent("not-found", f"the project {self._compose.project} has no such container")
        return self._absent("loaded", f"it has no container yet: docker compose up -d {self._compose.service}")

    def _absent(self, load_state: str, note: str) -> Service:
        return Service(self._compose.service or "", "compose", load_state, "inactive", "dead", note=note)

    async def _with_usage(self, service: Service, access: Access) -> Service:
        now = time.time()
        if self._usage_of != service.invocation:
            self._usage, self._usage_of, self._usage_at = Usage(), service.invocation, 0.0
        if service.sub_state != "running":
            return service
        calm = now - (service.started_at or now) >= CALM_SECONDS
        if not access.seldom or (calm and now - self._usage_at >= STATS_SECONDS):
            used = await access.usage(self._container)
            self._usage, self._usage_at = Usage() if isinstance(used, Failure) else used, now
        return msgspec.structs.replace(
            service,
            memory=self._usage.memory,
            cpu_seconds=self._usage.cpu_seconds,
            cpu_percent=self._usage.cpu_percent,
        )


def service_from(found: docker_cli.Container, compose: Compose) -> Service:
    """A `Service` from one `docker inspect`."""
    name = compose.service or found.label("service") or found.name.lstrip("/")
    return container_state.service_from(
        found, name, "compose", found.label("project.config_files") or compose.file or ""
    )
