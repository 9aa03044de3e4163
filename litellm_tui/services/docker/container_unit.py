"""What a container says of the LiteLLM in it: its command, its environment, its configuration and its address."""

from __future__ import annotations

import os

import msgspec

from litellm_tui.model.service import ServicePlace, Unit, Variable
from litellm_tui.services.docker import docker_cli
from litellm_tui.services.docker.container_state import is_here
from litellm_tui.services.litellm_command import DEFAULT_PORT, unit_from_command


def unit_from(container: docker_cli.Container, name: str, place: ServicePlace) -> Unit:
    """A `Unit` from a container: the configuration by its path on this machine, the address as seen from here."""
    environment = {
        key: Variable(value, f"the container {container.name.lstrip('/')}")
        for key, _, value in (entry.partition("=") for entry in container.config.env or ())
    }
    words = [container.path, *(container.args or ())]
    check = container.config.healthcheck
    unit = unit_from_command(name, place, words, container.config.working_dir or None, environment)
    return msgspec.structs.replace(
        unit,
        active=container.state.status == "running",
        config=path_on_host(container, unit.config) if unit.config else None,
        inside=unit.config or "",
        image=container.config.image,
        root=f"/proc/{container.state.pid}/root" if is_here(container) else "",
        url=_published(container, unit.url),
        health_command=(check.test if check else None) or (),
        health_seconds=check.interval / 1e9 if check and check.interval else None,
    )


def path_on_host(container: docker_cli.Container, inside: str) -> str | None:
    """The path on this machine of a file of the container; None when it is in the image or in a volume."""
    mounts = [m for m in container.mounts or () if os.path.isabs(m.destination)]
    mounts = [m for m in mounts if os.path.commonpath((m.destination, inside)) == m.destination]
    nearest = max(mounts, key=lambda m: len(m.destination), default=None)
    if nearest is None or nearest.type != "bind":
        return None
    return os.path.normpath(os.path.join(nearest.source, os.path.relpath(inside, nearest.destination)))


def _published(container: docker_cli.Container, url: str) -> str:
    """The address as seen from this machine: the published port, else the container's own address.

    `url` where it has neither, or shares the host's network.
    """
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    port = authority.rpartition(":")[2] or str(DEFAULT_PORT)
    published = container.network_settings.ports or container.host_config.port_bindings or {}
    binding = next((b for b in published.get(f"{port}/tcp") or () if b.host_port), None)
    if binding is None:
        host = "" if container.host_config.network_mode == "host" else container.network_settings.address
    else:
        host = binding.host_ip if binding.host_ip not in ("", "0.0.0.0", "::") else "127.0.0.1"
        port = binding.host_port
    if not host:
        return url
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{port}{slash}{path}"
