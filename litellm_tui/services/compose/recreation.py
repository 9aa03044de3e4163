"""Recreating the container of a Compose service from its files, and bringing back the one before."""

from __future__ import annotations

import asyncio

from litellm_tui.host.command import carry_out
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose.definition import Inspected, parse_inspected
from litellm_tui.services.compose.drift import inspect_raw
from litellm_tui.services.compose.project import Project, project_of
from litellm_tui.services.docker import docker_cli, recreation
from litellm_tui.services.docker.engine import find_socket

_LABEL = "com.docker.compose."
# what one container of a service has, and no other
_OWN = ("project", "service", "container-number", "oneoff")


async def recreate(compose: Compose) -> Failure | None:
    """`docker compose up -d` for the service alone. It recreates the container even where Compose sees no reason."""
    project = await _project(compose)
    if isinstance(project, Failure):
        return project
    words = ("up", "--detach", "--no-deps", "--force-recreate", project.service)
    done = await carry_out(project.command(*words))
    if isinstance(done, Failure):
        return docker_cli.missing(compose.docker, done) if isinstance(done, NotAvailable) else done
    return docker_cli.refusal(done, compose.docker) if done.status else None


async def _project(compose: Compose) -> Project | Failure:
    said = await inspect_raw(compose)
    if isinstance(said, Failure) and not isinstance(said, docker_cli.NoSuchService):
        return said
    found = parse_inspected(said) if isinstance(said, str) else None
    if isinstance(found, Failure):
        return found
    return await asyncio.to_thread(project_of, found.labels if found else {}, compose)


async def definition(compose: Compose) -> bytes | Failure:
    """What `docker inspect` prints of the container, where the engine can be asked to make it again."""
    if not await find_socket(compose.docker):
        return NotAvailable(
            "the engine is reached over no socket of this machine, so the container that runs could not be made again"
        )
    said = await inspect_raw(compose)
    return said if isinstance(said, Failure) else said.encode()


async def bring_back(compose: Compose, kept: bytes) -> Failure | None:
    """Put the container that was kept in the place of the one that is there now."""
    before = parse_inspected(kept)
    if isinstance(before, Failure):
        return before
    socket = await find_socket(compose.docker)
    if not socket:
        return NotAvailable("the engine's socket is not there any more")
    now = await _in_its_place(compose, before)
    return now if isinstance(now, Failure) else await recreation.bring_back(socket, kept, now)


async def _in_its_place(compose: Compose, before: Inspected) -> tuple[str, ...] | Failure:
    labels = [f"label={_LABEL}{name}={before.labels.get(_LABEL + name, '')}" for name in _OWN]
    filters = [word for label in labels for word in ("--filter", label)]
    said = await docker_cli.run_docker([compose.docker, "ps", "--all", "--quiet", "--no-trunc", *filters])
    return said if isinstance(said, Failure) else tuple(said.split())
