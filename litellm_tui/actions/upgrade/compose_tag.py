"""The image of a Compose service: which release its tag names, and the tag of another one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from litellm_tui.host.command import Done, run
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.service_kinds import Compose
from litellm_tui.model.upgrade import TagExchange
from litellm_tui.monitor.release_choice import floats, tag_with, version_of_image
from litellm_tui.services.compose.definition import parse_inspected
from litellm_tui.services.compose.drift import inspect_raw
from litellm_tui.services.compose.project import Project, project_of, written_image

_PULL_SECONDS: Final = 1800.0
_ASK_SECONDS: Final = 60.0


class Written(NamedTuple):
    """Where the image of the service is written, and what stands there."""

    file: str
    service: str
    image: str


async def written(compose: Compose) -> Written | Failure:
    """The place that names the image: the last of the compose files that names one."""
    said = await inspect_raw(compose)
    found = parse_inspected(said) if isinstance(said, str) else said
    labels: Mapping[str, str] = {} if isinstance(found, Failure) else found.labels
    project = await asyncio.to_thread(project_of, labels, compose)
    if isinstance(project, Failure):
        return project
    return await asyncio.to_thread(_place, project)


def _place(project: Project) -> Written | Failure:
    for file in reversed(project.files):
        if image := written_image(file, project.service):
            return Written(file, project.service, image)
    return NotAvailable(
        f"{', '.join(project.files)} names no image for {project.service}: what builds it decides on the release"
    )


def exchange_to(place: Written, version: str) -> TagExchange | Failure:
    """The exchange of the image's tag for that of another release; a whole tag may be named too."""
    if "$" in place.image:
        return NotAvailable(f"{place.file} says image: {place.image}, which a variable decides: change that, or .env")
    if "@" in place.image:
        return NotAvailable(
            f"{place.file} names the image by its digest ({place.image}): name a tag, or the new digest"
        )
    image = tag_with(place.image, version) if version_of_image(f"x:{version}") == version else ""
    name = place.image.rpartition("/")
    bare = f"{name[0]}{name[1]}{name[2].partition(':')[0]}"
    if not image and version_of_image(f"{bare}:{version}"):
        # a tag as a whole, or a release in place of a tag that moves on
        tag = version if not version[:1].isdigit() else f"v{version}"
        image = f"{bare}:{tag}"
    if not image:
        why = floats(place.image)
        return NotAvailable(f"{place.image}: {why or 'its tag names no release'}; name the whole tag to go to")
    return TagExchange(place.file, place.service, place.image, image)


async def fetched(client: str, image: str) -> Failure | None:
    """Have the image here before anything is changed; None when it is."""
    there = await run([client, "image", "inspect", "--format", "{{.Id}}", image], _ASK_SECONDS)
    if isinstance(there, Done) and there.status == 0:
        return None
    done = await run([client, "pull", "--quiet", image], _PULL_SECONDS)
    if isinstance(done, Failure):
        return done
    return NotAvailable(f"{image} could not be had: {done.first_error}") if done.status else None
