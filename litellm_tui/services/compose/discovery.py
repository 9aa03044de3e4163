"""Finds the container of a Compose project that runs LiteLLM, where a profile or `--kind compose` asks for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from litellm_tui.host.bounded import TooLarge
from litellm_tui.host.command import run_now
from litellm_tui.model.failures import Failure, Malformed, NotAvailable, Unreachable
from litellm_tui.model.service import Unit
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose.container import by_labels, compose_command, is_about_files
from litellm_tui.services.compose.project import Places, Project, env_files, project_of, written_files
from litellm_tui.services.docker import container_unit, docker_cli
from litellm_tui.services.docker.litellm_image import is_gateway
from litellm_tui.services.own_dotenv import withheld_secrets

_LABEL: Final = "label=com.docker.compose.project"


class FoundService(msgspec.Struct, frozen=True):
    """The service and its project. `unit` is None while it has no container, and `why` says so.

    `container` is what it was found in, `others` are further services that match.
    """

    compose: Compose
    unit: Unit | None = None
    why: str = ""
    container: docker_cli.Container | None = None
    others: tuple[str, ...] = ()


def find_service(compose: Compose, config: str | None) -> FoundService:
    """The service that is named; else one with `config` mounted; else, without `config`, one that runs LiteLLM."""
    found = _of_service(compose) if compose.service else _of_any(compose, config)
    if isinstance(found, Failure):
        return FoundService(compose, why=found.why)
    first, *others = found
    if not compose.service:
        # Compose needs no more than the project's name; its files may be gone
        known = compose.project or first.label("project")
        compose = msgspec.structs.replace(compose, project=known, service=first.label("service"))
    return FoundService(
        compose,
        unit_from(first),
        container=first,
        others=tuple(f"{c.label('project')}/{c.label('service')}" for c in others),
    )


def unit_from(container: docker_cli.Container) -> Unit:
    """A `Unit` from a container: the configuration by its path on this machine, the address as published."""
    unit = container_unit.unit_from(container, container.label("service") or container.name.lstrip("/"), "compose")
    project = project_of(container.config.labels or {}, Compose())
    return msgspec.structs.replace(
        unit,
        fragment=container.label("project.config_files").partition(",")[0],
        withheld=withheld_secrets(_environment_files(container)),
        definition_files=written_files(project) if isinstance(project, Project) else (),
        variables_in=tuple(Places(project).env_files) if isinstance(project, Project) else (),
    )


def _environment_files(container: docker_cli.Container) -> Iterator[str]:
    """The files from which Compose reads variables, for this service and for the compose file itself.

    The running container may not have their values yet; their secrets must be masked all the same.
    """
    folder = container.label("project.working_dir")
    for file in filter(None, container.label("project.config_files").split(",")):
        yield from env_files(file, container.label("service"), folder)
    yield from (os.path.join(folder, ".env"),) if folder else ()


def _of_service(compose: Compose) -> list[docker_cli.Container] | Failure:
    said = _ask(compose_command(compose, "ps", "--all", "--format", "json", compose.service or ""))
    if isinstance(said, Failure) and is_about_files(said):
        labelled = _ask(by_labels(compose))
        found = [] if isinstance(labelled, Failure) or not labelled.split() else _inspect(compose, labelled.split())
        return found or said
    rows = said if isinstance(said, Failure) else docker_cli.parse_rows(said)
    if isinstance(rows, Failure):
        return rows
    mine = sorted((row for row in rows if not row.one_off), key=lambda row: row.state != "running")
    if not mine:
        return NotAvailable(f"it has no container yet: docker compose up -d {compose.service}")
    found = _inspect(compose, [mine[0].id])
    return found if isinstance(found, Failure) or found else NotAvailable("its container is gone")


def _of_any(compose: Compose, config: str | None) -> list[docker_cli.Container] | Failure:
    label = f"{_LABEL}={compose.project}" if compose.project else _LABEL
    said = _ask([compose.docker, "ps", "--all", "--quiet", "--filter", label])
    if isinstance(said, Failure):
        return said
    found = _inspect(compose, said.split()) if said.split() else []
    if isinstance(found, Failure):
        return found
    folder = os.path.abspath(os.path.expanduser(compose.folder)) if compose.folder else None
    found = [c for c in found if docker_cli.REHEARSAL_LABEL not in (c.config.labels or {})]
    mine = [c for c in found if c.label("oneoff") != "True" and folder in (None, c.label("project.working_dir"))]
    mine = [c for c in mine if (_mounts(c, config) if config else _runs_litellm(c))]
    if not mine:
        what = f"has {config} mounted" if config else "runs litellm"
        return NotAvailable(f"no container of a Compose project {what}")
    return sorted(mine, key=lambda c: c.state.status != "running")


def _inspect(compose: Compose, ids: Sequence[str]) -> list[docker_cli.Container] | Failure:
    said = _ask([compose.docker, "inspect", "--type", "container", *ids])
    return said if isinstance(said, Failure) else docker_cli.parse_containers(said)


def _mounts(container: docker_cli.Container, config: str) -> bool:
    return any(
        mount.type == "bind" and os.path.commonpath((mount.source, config)) == mount.source
        for mount in container.mounts or ()
        if os.path.isabs(mount.source)
    )


def _runs_litellm(container: docker_cli.Container) -> bool:
    return is_gateway(container.config.image, [container.path, *(container.args or ())])


def _ask(command: list[str]) -> str | Failure:
    try:
        done = run_now(command, docker_cli.CLIENT_SECONDS)
    except subprocess.TimeoutExpired:
        return Unreachable(f"{command[0]} did not answer in {docker_cli.CLIENT_SECONDS:g} s", kind="timeout")
    except TooLarge as error:
        return Malformed(f"{command[0]} {error.strerror}")
    except OSError as error:
        return docker_cli.missing(command[0], NotAvailable(f"{command[0]}: {error.strerror}"))
    return done.output if done.status == 0 else docker_cli.refusal(done, command[0])
