"""Finds the container of a Compose project that runs LiteLLM, where a profile or `--kind compose` asks for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import yaml

from litellm_tui.host.bounded import SMALL, TooLarge, read_text
from litellm_tui.host.command import run_now
from litellm_tui.model.failures import Failure, Malformed, NotAvailable, Unreachable
from litellm_tui.model.service import Unit, Variable
from litellm_tui.model.service_kinds import Compose
from litellm_tui.services.compose.container import compose_command
from litellm_tui.services.docker import docker_cli
from litellm_tui.services.litellm_command import DEFAULT_PORT, is_litellm, unit_from_command
from litellm_tui.services.own_dotenv import withheld_secrets

_LABEL: Final = "label=com.docker.compose.project"


class FoundService(msgspec.Struct, frozen=True):
    """The service and its project. `unit` is None while it has no container, and `why` says so.

    `others` are further services that match.
    """

    compose: Compose
    unit: Unit | None = None
    why: str = ""
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
        compose, unit_from(first), others=tuple(f"{c.label('project')}/{c.label('service')}" for c in others)
    )


def unit_from(container: docker_cli.Container) -> Unit:
    """A `Unit` from a container: the configuration by its path on this machine, the address as published."""
    environment = {
        key: Variable(value, f"the container {container.name.lstrip('/')}")
        for key, _, value in (entry.partition("=") for entry in container.config.env or ())
    }
    unit = unit_from_command(
        container.label("service") or container.name.lstrip("/"),
        "compose",
        [container.path, *(container.args or ())],
        container.config.working_dir or None,
        environment,
    )
    return msgspec.structs.replace(
        unit,
        active=container.state.status == "running",
        config=_outside(container, unit.config) if unit.config else None,
        url=_published(container, unit.url),
        fragment=container.label("project.config_files").partition(",")[0],
        withheld=withheld_secrets(_environment_files(container)),
        image=container.config.image,
        root=f"/proc/{container.state.pid}/root" if container.state.pid else "",
    )


def _environment_files(container: docker_cli.Container) -> Iterator[str]:
    """The files from which Compose reads variables, for this service and for the compose file itself.

    The running container may not have their values yet; their secrets must be masked all the same.
    """
    folder = container.label("project.working_dir")
    for file in filter(None, container.label("project.config_files").split(",")):
        for entry in _entries(file, container.label("service")):
            path = entry.get("path") if isinstance(entry, dict) else entry
            if isinstance(path, str) and path:
                yield os.path.join(folder, os.path.expanduser(path))
    yield from (os.path.join(folder, ".env"),) if folder else ()


def _entries(file: str, service: str) -> list[Any]:
    try:
        data: Any = yaml.safe_load(read_text(file, SMALL))
    except (OSError, yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        # PyYAML's constructors raise more than its own errors on values that do not fit their tags
        return []
    for name in ("services", service, "env_file"):
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, list) else [data]


def _of_service(compose: Compose) -> list[docker_cli.Container] | Failure:
    said = _ask(compose_command(compose, "ps", "--all", "--format", "json", compose.service or ""))
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


def _outside(container: docker_cli.Container, inside: str) -> str | None:
    """The path on this machine of a file of the container; None when it is in the image or in a volume."""
    binds = [m for m in container.mounts or () if m.type == "bind" and os.path.isabs(m.destination)]
    binds = [m for m in binds if os.path.commonpath((m.destination, inside)) == m.destination]
    nearest = max(binds, key=lambda m: len(m.destination), default=None)
    if nearest is None:
        return None
    return os.path.normpath(os.path.join(nearest.source, os.path.relpath(inside, nearest.destination)))


def _published(container: docker_cli.Container, url: str) -> str:
    """The address as seen from this machine; `url` where the container publishes none or shares the host's network."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    port = authority.rpartition(":")[2] or str(DEFAULT_PORT)
    published = container.network_settings.ports or container.host_config.port_bindings or {}
    binding = next((b for b in published.get(f"{port}/tcp") or () if b.host_port), None)
    if binding is None:
        return url
    host = binding.host_ip if binding.host_ip not in ("", "0.0.0.0", "::") else "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{binding.host_port}{slash}{path}"


def _runs_litellm(container: docker_cli.Container) -> bool:
    words = [container.path, *(container.args or ())]
    return any(is_litellm(word) for word in words) or "litellm" in container.config.image


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
