"""A container's image against the image that its tag is now: `docker pull` and `docker build` change no container."""

from __future__ import annotations

from typing import Final

from litellm_tui.model.failures import Failure
from litellm_tui.model.service_drift import Difference, ServiceDrift
from litellm_tui.services.docker.docker_cli import Container, NoSuchService
from litellm_tui.services.docker.engine_access import Access

_SHORT: Final = 12


async def image_drift(access: Access, container: str, client: str) -> ServiceDrift | Failure:
    """What another container of the same options would have, of the image alone. Asks the engine twice.

    Where the container was made from an image without a name, or from one by its digest, nothing can differ.
    """
    found = await access.inspect(container)
    if isinstance(found, NoSuchService):
        return ServiceDrift()
    return found if isinstance(found, Failure) else await compare_image(access, found, client)


async def compare_image(access: Access, found: Container, client: str) -> ServiceDrift | Failure:
    """As `image_drift`, of a container that was inspected."""
    tag = found.config.image
    runs = _plain(found.image)
    if not tag or not runs or "@" in tag or tag.startswith("sha256:") or runs.startswith(tag):
        return ServiceDrift()
    now = await access.image_id(tag)
    if isinstance(now, Failure):
        return now
    if not now:
        return ServiceDrift(unknown=(f"which image {tag} is now: there is none of this name here any more",))
    if _plain(now) == runs:
        return ServiceDrift()
    difference = Difference(
        "image", "", f"{tag} ({runs[:_SHORT]})", f"{tag} ({_plain(now)[:_SHORT]})", note="the tag is another image now"
    )
    name = found.name.lstrip("/")
    command = f"another container, made as this one was ({client} inspect {name} shows how)"
    return ServiceDrift((difference,), order="another", command=command)


def _plain(digest: str) -> str:
    """An id without the name of its digest, which Podman leaves out."""
    return digest.removeprefix("sha256:")
