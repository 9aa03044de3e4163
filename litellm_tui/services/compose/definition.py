"""What a container is made of, from `docker inspect` and from what Compose makes of its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from litellm_tui.analysis.change.made import Made, Mounted
from litellm_tui.model.failures import Malformed
from litellm_tui.services.compose.project import Resolved

# a volume that the image asks for gets such a name
_ANONYMOUS: Final = re.compile(r"[0-9a-f]{64}")
# where Docker Desktop shows the host's own file system
_DESKTOP: Final = "/host_mnt"
_SECRETS: Final = "/run/secrets/"


class _Config(msgspec.Struct, rename="pascal"):
    image: str = ""
    env: list[str] | None = None
    cmd: list[str] | None = None
    entrypoint: list[str] | None = None
    labels: dict[str, str] | None = None


class _Binding(msgspec.Struct, rename="pascal"):
    host_ip: str = ""
    host_port: str = ""


class _HostConfig(msgspec.Struct, rename="pascal"):
    network_mode: str = ""
    port_bindings: dict[str, list[_Binding] | None] | None = None


class _Mount(msgspec.Struct, rename="pascal"):
    type: str = ""
    name: str = ""
    source: str = ""
    destination: str = ""
    rw: bool = msgspec.field(default=True, name="RW")


class Inspected(msgspec.Struct, rename="pascal"):
    """The part of `docker inspect` of a container that says what it was made with."""

    id: str
    image: str = ""
    config: _Config = msgspec.field(default_factory=_Config)
    host_config: _HostConfig = msgspec.field(default_factory=_HostConfig)
    mounts: list[_Mount] | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Compose's labels, and all others."""
        return self.config.labels or {}


class Image(msgspec.Struct, rename="pascal"):
    """The part of `docker image inspect` that a container takes over."""

    id: str = ""
    config: _Config | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The variables that every container of it gets."""
        return dict(_assigned((self.config.env if self.config else None) or []))


def parse_inspected(output: str | bytes) -> Inspected | Malformed:
    """The first container that `docker inspect` printed."""
    try:
        found = msgspec.json.decode(output, type=list[Inspected])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"docker inspect printed something else than its JSON ({error})")
    return found[0] if found else Malformed("docker inspect says nothing of the container")


def parse_images(output: str) -> list[Image]:
    """The images that `docker image inspect` printed; none where it printed something else."""
    try:
        return msgspec.json.decode(output, type=list[Image])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return []


def _assigned(entries: list[str]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        name, equals, value = entry.partition("=")
        if equals:
            yield name, value


def made_with(found: Inspected, image: Image | None) -> Made:
    """What this container was made with. `image` is its own image, None where that is gone."""
    return Made(
        image=found.config.image,
        image_id=found.image,
        variables=dict(_assigned(found.config.env or [])),
        image_variables=image.variables if image else None,
        entrypoint=tuple(found.config.entrypoint or ()),
        command=tuple(found.config.cmd or ()),
        mounts={
            mount.destination: Mounted(mount.type, _source(mount), mount.rw)
            for mount in found.mounts or ()
            if mount.type in ("bind", "volume")
            and not mount.destination.startswith(_SECRETS)
            and not (mount.type == "volume" and _ANONYMOUS.fullmatch(mount.name))
        },
        ports=frozenset(_bound(found.host_config)) if found.host_config.network_mode != "host" else None,
    )


def _source(mount: _Mount) -> str:
    if mount.type == "volume":
        return mount.name
    return mount.source.removeprefix(_DESKTOP) or "/"


def _bound(host: _HostConfig) -> Iterator[str]:
    for port, bindings in (host.port_bindings or {}).items():
        for binding in bindings or ():
            yield _port(binding.host_ip, binding.host_port, port)


def _port(address: str, published: str, target: str) -> str:
    host = "" if address in ("", "0.0.0.0", "::") else f"{address}:"
    return f"{host}{published}->{target}"


def written_for(resolved: Resolved, image: Image | None, runs: Made) -> Made:
    """What Compose would make the container with now. `image` is the image of that name here, None where none is."""
    service = resolved.service
    variables = service.get("environment")
    plain = {name: None if value is None else _text(value) for name, value in _items(variables)}
    entrypoint, command = _words(service.get("entrypoint")), _words(service.get("command"))
    own = image.config if image else None
    if entrypoint is None:
        if command is None and own is not None:
            command = tuple(own.cmd or ())
        entrypoint = tuple(own.entrypoint or ()) if own is not None else None
    elif command is None:
        # an entrypoint of one's own takes the image's command away
        command = ()
    mounts = dict(_mounted(service, resolved.volumes))
    targets = {target for key in ("configs", "secrets") for target in _file_targets(service.get(key))}
    # what Compose puts there by itself is no mount of the definition
    mounts |= {path: mount for path, mount in runs.mounts.items() if path in targets}
    return Made(
        image=_text(service.get("image") or f"{resolved.project}-{resolved.name}"),
        image_id=image.id if image else "",
        variables=plain,
        entrypoint=entrypoint,
        command=command,
        mounts=mounts,
        ports=frozenset(_published(service.get("ports"))) if service.get("network_mode") != "host" else None,
    )


def _text(value: object) -> str:
    # `docker compose config` doubles each dollar, so that its output can be read again
    return ("true" if value is True else "false" if value is False else str(value)).replace("$$", "$")


def _items(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((str(name), given) for name, given in value.items())


def _words(value: object) -> tuple[str, ...] | None:
    return tuple(map(_text, value)) if isinstance(value, list) else None


def _mounted(service: Mapping[str, Any], volumes: Mapping[str, Any]) -> Iterator[tuple[str, Mounted]]:
    entries = service.get("volumes")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("type") not in ("bind", "volume") or not entry.get("source"):
            continue
        source = _text(entry["source"])
        if entry["type"] == "volume":
            named = volumes.get(source)
            source = _text(named.get("name") or source) if isinstance(named, dict) else source
        yield _text(entry.get("target")), Mounted(entry["type"], source, not entry.get("read_only"))


def _file_targets(entries: object) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            source, target = _text(entry.get("source") or ""), _text(entry.get("target") or "")
            yield target if target.startswith("/") else f"/{target or source}"


def _published(entries: object) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("target"):
            target = f"{entry['target']}/{entry.get('protocol') or 'tcp'}"
            yield _port(_text(entry.get("host_ip") or ""), _text(entry.get("published") or ""), target)
