"""The LiteLLM in a container that a unit of systemd makes: by the container where there is one, else by its command."""

from __future__ import annotations

import os

import msgspec

from litellm_tui.host.bounded import MEDIUM, read_text
from litellm_tui.model.service import ServicePlace, Unit
from litellm_tui.services.docker.container_unit import unit_from
from litellm_tui.services.docker.docker_cli import Binding, Config, Container, HostConfig, Mount
from litellm_tui.services.docker.engine_access import inspect_now
from litellm_tui.services.docker.run_command import RunCommand
from litellm_tui.services.own_dotenv import withheld_secrets


def unit_of_run(run: RunCommand, name: str, place: ServicePlace) -> Unit:
    """The unit of this name, with configuration, address and environment of its container. Asks the engine."""
    found = inspect_now(run.client, run.name) if run.name else None
    container = found if isinstance(found, Container) else container_of(run)
    unit = unit_from(container, name, place)
    return msgspec.structs.replace(
        unit, environment_files=run.environment_files, withheld=withheld_secrets(run.environment_files)
    )


def container_of(run: RunCommand) -> Container:
    """The container that this command would make, as far as the command itself says so."""
    words = [run.entrypoint, *run.command] if run.entrypoint else list(run.command)
    ports: dict[str, tuple[Binding, ...] | None] = {}
    for text in run.ports:
        outside, _, inside = text.rpartition(":")
        address, _, port = outside.rpartition(":")
        ports[inside if "/" in inside else f"{inside}/tcp"] = (Binding(address.strip("[]"), port),)
    mounts = [text.split(":") for text in run.mounts]
    return Container(
        id="",
        name=run.name,
        path=words[0] if words else "",
        args=tuple(words[1:]),
        mounts=tuple(Mount(type="bind", source=m[0], destination=m[1]) for m in mounts if len(m) > 1 and "/" in m[0]),
        config=Config(image=run.image, env=(*_from_files(run), *(text for text in run.environment if "=" in text))),
        host_config=HostConfig(port_bindings=ports),
    )


def _from_files(run: RunCommand) -> list[str]:
    """NAME=VALUE of the files of `--env-file`: Docker takes each line as it is."""
    found: list[str] = []
    for path in run.environment_files:
        try:
            lines = read_text(os.path.expanduser(path), MEDIUM).splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        found += [line.strip() for line in lines if "=" in line and not line.lstrip().startswith("#")]
    return found
