"""The container of a Compose service against its compose files, `.env`, `env_file` and image tag."""

from __future__ import annotations

import asyncio

from litellm_tui.analysis.change.made import compare
from litellm_tui.host.command import run
from litellm_tui.model.failures import Failure, Malformed, NotAvailable
from litellm_tui.model.service_drift import Difference, DriftOrder, ServiceDrift
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose.container import find
from litellm_tui.services.compose.definition import (
    Image,
    Inspected,
    made_with,
    parse_images,
    parse_inspected,
    written_for,
)
from litellm_tui.services.compose.project import Places, Project, project_of, resolve, would_recreate
from litellm_tui.services.docker import docker_cli


async def inspect_raw(compose: Compose) -> str | Failure:
    """All that `docker inspect` prints of the service's container; `NoSuchService` where it has none."""
    container = await find(compose)
    if isinstance(container, Failure):
        return container
    if not container:
        return docker_cli.NoSuchService(f"{compose.service} has no container")
    return await docker_cli.run_docker([compose.docker, "inspect", "--type", "container", container])


async def drift_of(compose: Compose) -> ServiceDrift | Failure:
    """What the container of the service would be recreated with, and has not got. Runs three or four commands."""
    said = await inspect_raw(compose)
    if isinstance(said, docker_cli.NoSuchService):
        return ServiceDrift(unknown=("it has no container to compare with what is written",))
    found = said if isinstance(said, Failure) else parse_inspected(said)
    if isinstance(found, Failure):
        return found
    project = await asyncio.to_thread(project_of, found.labels, compose)
    if isinstance(project, NotAvailable):
        return ServiceDrift(unknown=(project.why,))
    assert isinstance(project, Project)
    resolved = await resolve(project)
    if isinstance(resolved, Malformed):
        return ServiceDrift(broken=f"docker compose cannot use what is written: {resolved.why}")
    if isinstance(resolved, Failure):
        return resolved
    wanted = str(resolved.service.get("image") or f"{resolved.project}-{resolved.name}")
    own, new = await _images(compose, found, wanted)
    runs = made_with(found, own)
    places = await asyncio.to_thread(Places, project)
    file = project.files[-1] if len(project.files) == 1 else ", ".join(project.files)
    compared = compare(runs, written_for(resolved, new, runs), places.of, file, resolved.unset)
    differences = compared.found
    if not differences and not compared.harm and await would_recreate(project):
        differences = (
            Difference(
                "definition", "", "", "", file, "Compose would recreate the container: another part of it has changed"
            ),
        )
    lost = "which variables the image itself brings: it is not here any more"
    unknown = (lost,) if own is None else ()
    command = f"{compose.docker} compose up -d {project.service}"
    order: DriftOrder = "recreate" if differences else "restart"
    return ServiceDrift(differences, unknown, order, command, compared.harm, image=wanted)


async def _images(compose: Compose, found: Inspected, wanted: str) -> tuple[Image | None, Image | None]:
    """The image of the container, and the one that the definition names; None where it is not here."""
    names = list(dict.fromkeys((found.image, wanted)))
    # where one of them is missing, the other is printed all the same
    done = await run([compose.docker, "image", "inspect", *names], docker_cli.CLIENT_SECONDS)
    if isinstance(done, Failure):
        return None, None
    images = parse_images(done.output)
    own = next((image for image in images if image.id == found.image), None)
    if len(images) == len(names):
        return own, images[-1]
    new = next((image for image in images if image.id != found.image), None)
    if new is None and own is not None and found.config.image == wanted:
        # the tag is gone; what it was is what runs
        new = own
    return own, new
