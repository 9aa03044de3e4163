"""The rehearsal of a Compose service: a container beside its own, as Compose would make it from what is written now."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from litellm_tui.analysis.change.made import compare
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose.container import find
from litellm_tui.services.compose.definition import Image, Inspected, made_with, written_for
from litellm_tui.services.compose.project import Project, Resolved, project_of, resolve
from litellm_tui.services.docker.rehearsal import Prepared, image_of, prepare
from litellm_tui.services.docker.rehearsal_container import with_written

_WRITTEN: Final = (
    "its image, variables, command and mounts are those that are written for it now; what else Compose would change is "
    "not rehearsed"
)


async def prepared(compose: Compose, image: str = "") -> Prepared | Failure:
    """See `prepare`; `image` is another one than is written."""
    container = await find(compose)
    if isinstance(container, Failure):
        return container
    if not container:
        return NotAvailable(f"{compose.service} has no container to rehearse it by")

    async def overlay(socket: str, found: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]] | Failure:
        return await _written(compose, socket, found, image)

    return await prepare(compose.docker, container, overlay, image)


async def _written(
    compose: Compose, socket: str, found: dict[str, Any], other: str
) -> tuple[dict[str, Any], tuple[str, ...]] | Failure:
    """The definition with what is written, where a restart would recreate the container for that."""
    inspected = msgspec.convert(found, type=Inspected)
    project = await asyncio.to_thread(project_of, inspected.labels, compose)
    if not isinstance(project, Project):
        # it is restarted as it is
        return found, ()
    resolved = await resolve(project)
    if isinstance(resolved, Failure):
        return resolved
    own = await image_of(socket, inspected.image)
    wanted = str(resolved.service.get("image") or f"{resolved.project}-{resolved.name}")
    new = await image_of(socket, wanted)
    if new is None and own is not None and inspected.config.image == wanted:
        # the tag is gone; what it was is what runs
        new = own
    return _laid_over(found, inspected, resolved, own, new, wanted, other)


def _laid_over(
    found: dict[str, Any],
    inspected: Inspected,
    resolved: Resolved,
    own: dict[str, Any] | None,
    new: dict[str, Any] | None,
    wanted: str,
    other: str,
) -> tuple[dict[str, Any], tuple[str, ...]] | Failure:
    runs = made_with(inspected, _of(own))
    made = written_for(resolved, _of(new), runs)
    compared = compare(runs, made, lambda _: "", "", resolved.unset)
    if not compared.found:
        return found, ()
    if new is None:
        # another image is tried in its place
        return (found, ()) if other else NotAvailable(f"the image {wanted} is not on the engine's machine")
    if made.entrypoint is None or made.command is None:
        return NotAvailable("the command that is written for it is not known")
    return with_written(found, made, new), (_WRITTEN,)


def _of(image: dict[str, Any] | None) -> Image | None:
    try:
        return None if image is None else msgspec.convert(image, type=Image)
    except msgspec.MsgspecError:
        return None
