"""The container of a rehearsal: made of what the service's container is made of, from what `docker inspect` says of it.

Pure: it asks no engine. Shapes are those of the Engine API 1.40 to 1.50 (`POST /containers/create`), as in
`recreation`. What is changed is what would touch the running gateway, or be taken for it: labels (a proxy routes by
them, Compose counts by them), names in networks, fixed addresses, published ports, restarts, and where its log goes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from litellm_tui.analysis.change.made import Made
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.services.docker.docker_cli import REHEARSAL_LABEL
from litellm_tui.services.docker.recreation import creation_of
from litellm_tui.services.rehearsal import Engine

Definition = Mapping[str, Any]
"""One container or image as the engine describes it."""

# what it takes over of the container's own settings; all else would be of use to others than LiteLLM
_KEPT: Final = ("Image", "WorkingDir", "User", "Volumes", "Tty", "StopSignal", "ArgsEscaped")
_NOT_KEPT: Final = (
    "PortBindings", "PublishAllPorts", "RestartPolicy", "AutoRemove", "LogConfig", "ContainerIDFile", "CgroupParent",
)  # fmt: skip
# the kernel ends a rehearsal first, and what serves has the processor first: half of a container's usual share
_OOM_SCORE: Final = 600
_CPU_SHARES: Final = 512
_STOP_SECONDS: Final = 3
# the engine's labels of a Compose project; an image that was built by one has them too
_COMPOSE: Final = "com.docker.compose."


class Place(msgspec.Struct, frozen=True):
    """Where a rehearsal is put: the `derived` file of this machine over the file `inside`, and a port.

    `port` is that of the container, which is published as `published` of 127.0.0.1; 0 where nothing is published.
    """

    name: str
    derived: str
    inside: str
    port: int
    published: int
    until: float
    relabel: bool = False


def words_of(found: Definition) -> list[str]:
    """The whole command line of a container or an image, its entry point first."""
    config = section(found, "Config")
    own = [*_words(config.get("Entrypoint")), *_words(config.get("Cmd"))]
    return own or [str(found.get("Path") or ""), *_words(found.get("Args"))]


def variables_of(found: Definition) -> dict[str, str]:
    """The variables of a container, or those that an image brings."""
    entries = (str(entry).partition("=") for entry in section(found, "Config").get("Env") or ())
    return {name: value for name, equals, value in entries if equals}


def networks_of(found: Definition) -> tuple[str, ...]:
    """The networks that a container is connected to."""
    return tuple(section(section(found, "NetworkSettings"), "Networks"))


def network_mode(found: Definition) -> str:
    """`bridge`, `host`, `none`, `container:ID`, or the name of a network."""
    return str(section(found, "HostConfig").get("NetworkMode") or "")


def section(found: Definition, name: str) -> Definition:
    """A part of a description; empty where it is not there."""
    part = found.get(name)
    return part if isinstance(part, Mapping) else {}


def _words(value: object) -> list[str]:
    return (
        [str(word) for word in value] if isinstance(value, list | tuple) else [value] if isinstance(value, str) else []
    )


def with_image(found: Definition, before: Definition | None, after: Definition, name: str) -> dict[str, Any]:
    """The container with another image. What it has of the image `before`, it gets from the other one."""
    config, old, new = dict(section(found, "Config")), section(before or {}, "Config"), section(after, "Config")
    from_old = set(_words(old.get("Env")))
    own = [entry for entry in _words(config.get("Env")) if entry not in from_old]
    named = {entry.partition("=")[0] for entry in own}
    config["Env"] = [entry for entry in _words(new.get("Env")) if entry.partition("=")[0] not in named] + own
    if not config.get("Entrypoint") or config.get("Entrypoint") == old.get("Entrypoint"):
        if not config.get("Cmd") or config.get("Cmd") == old.get("Cmd"):
            config["Cmd"] = new.get("Cmd")
        config["Entrypoint"] = new.get("Entrypoint")
    for key in ("WorkingDir", "User"):
        if (config.get(key) or "") == (old.get(key) or ""):
            config[key] = new.get(key) or ""
    config["Image"] = name
    return {**found, "Image": str(after.get("Id") or name), "Config": config}


def with_written(found: Definition, made: Made, image: Definition) -> dict[str, Any]:
    """The container with what Compose would make it with now: variables, command and mounts; `image` is its image's."""
    variables = variables_of(image) | {name: value for name, value in made.variables.items() if value is not None}
    config = {
        **section(found, "Config"),
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "Entrypoint": list(made.entrypoint or ()),
        "Cmd": list(made.command or ()),
        "Image": made.image,
    }
    binds = [f"{mount.source}:{path}{'' if mount.writable else ':ro'}" for path, mount in made.mounts.items()]
    kept = [one for one in section(found, "HostConfig").get("Mounts") or () if one.get("Type") not in _BOUND]
    unnamed = [one for one in found.get("Mounts") or () if one.get("Type") == "volume"
               and one.get("Destination") not in made.mounts and not _is_named(found, one)]  # fmt: skip
    host = {**section(found, "HostConfig"), "Binds": binds, "Mounts": kept}
    return {**found, "Image": made.image_id, "Config": config, "HostConfig": host, "Mounts": unnamed}


_BOUND: Final = ("bind", "volume")


def _is_named(found: Definition, mount: Mapping[str, Any]) -> bool:
    """Whether the definition itself asks for this mount, and not the image."""
    host, path = section(found, "HostConfig"), mount.get("Destination")
    binds = (str(bind).split(":") for bind in host.get("Binds") or ())
    return any(len(parts) > 1 and parts[1] == path for parts in binds) or any(
        one.get("Target") == path for one in host.get("Mounts") or () if isinstance(one, Mapping)
    )


def why_not_twice(found: Definition) -> str:
    """Why a second container of this kind cannot be looked at beside it; empty where it can."""
    mode = network_mode(found)
    if mode.startswith("container:"):
        return "it is in the network of another container: a second one would want the same port"
    return "it has no network" if mode == "none" else ""


def put_in(found: Definition, inside: str, changes: Iterable[Mapping[str, Any]]) -> str:
    """A file that somebody has put into the running container, and that LiteLLM may need; empty where there is none.

    Compose does so with secrets and configurations that are no files. `changes` are of `GET /containers/ID/changes`.
    """
    beside = os.path.dirname(inside)
    mounted = [str(mount.get("Destination")) for mount in found.get("Mounts") or ()]
    for change in changes:
        path = str(change.get("Path") or "")
        near = path.endswith((".py", ".yaml", ".yml", ".json", ".env")) and os.path.dirname(path) == beside
        if change.get("Kind") == _DELETED or not (near or path.startswith(_SECRETS)) or path == inside:
            continue
        if not any(path == place or path.startswith(f"{place}/") for place in mounted):
            return path
    return ""


_DELETED: Final = 2
_SECRETS: Final = "/run/secrets/"


def requests(
    found: Definition,
    image: Definition | None,
    place: Place,
    words: Iterable[str],
    environment: Mapping[str, str],
    taken: Iterable[str],
) -> Engine | Failure:
    """What an engine is asked for to make, start and remove it; the socket is left empty.

    `environment` is all that it gets. The variables `taken` are not to be there where the `image` brings them.
    """
    creation = creation_of(msgspec.json.encode(found))
    if isinstance(creation, Failure):
        return creation
    command = list(words)
    if not command or not os.path.isabs(place.inside):
        return NotAvailable("its command line is not known")
    brought = variables_of(image or {})
    config = {name: creation.body[name] for name in _KEPT if creation.body.get(name)}
    config |= {
        "Entrypoint": command[:1],
        "Cmd": command[1:],
        # a name alone takes away what the image brings
        "Env": [f"{name}={value}" for name, value in environment.items()] + sorted(set(taken) & brought.keys()),
        "Labels": {REHEARSAL_LABEL: f"{place.until:.0f}", **dict.fromkeys(_labels(image), "")},
        "Healthcheck": {"Test": ["NONE"]},
        "StopTimeout": _STOP_SECONDS,
        "HostConfig": _host(creation.body["HostConfig"], place),
    }
    if given := section(creation.body, "NetworkingConfig").get("EndpointsConfig"):
        # no name in it, no fixed address: those are the running one's
        config["NetworkingConfig"] = {"EndpointsConfig": {name: {} for name in given}}
    if place.published:
        config["ExposedPorts"] = {f"{place.port}/tcp": {}}
    return Engine("", tuple(_begin(place.name, config, creation.networks)), tuple(_end(place.name)))


def _labels(image: Definition | None) -> Iterator[str]:
    labels = section(section(image or {}, "Config"), "Labels")
    yield from (str(name) for name in labels if str(name).startswith(_COMPOSE))


def _host(host: Mapping[str, Any], place: Place) -> dict[str, Any]:
    made = {name: value for name, value in host.items() if name not in _NOT_KEPT}
    made["Binds"] = [bind for bind in host.get("Binds") or () if _target(str(bind)) != place.inside]
    mounts = [one for one in host.get("Mounts") or () if one.get("Target") != place.inside]
    if place.relabel:
        made["Binds"].append(f"{place.derived}:{place.inside}:ro,z")
    else:
        # where it is not on the engine's machine, this is refused: for a bind, a folder would be made there
        mounts.append({"Type": "bind", "Source": place.derived, "Target": place.inside, "ReadOnly": True})
    made["Mounts"] = mounts
    made["RestartPolicy"] = {"Name": "no"}
    # it is read from here, and kept nowhere
    made["LogConfig"] = {"Type": "json-file", "Config": {}}
    made["OomScoreAdj"] = max(_OOM_SCORE, int(host.get("OomScoreAdj") or 0))
    made["CpuShares"] = min(_CPU_SHARES, int(host.get("CpuShares") or 0) or _CPU_SHARES)
    if place.published:
        made["PortBindings"] = {f"{place.port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(place.published)}]}
    return made


def _target(bind: str) -> str:
    parts = bind.split(":")
    return parts[1] if len(parts) > 1 else ""


def _begin(name: str, config: Mapping[str, Any], networks: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    yield "POST", f"/containers/create?{urlencode({'name': name})}", msgspec.json.encode(config).decode()
    for network in networks:
        joined = msgspec.json.encode({"Container": name}).decode()
        yield "POST", f"/networks/{quote(network, safe='')}/connect", joined
    yield "POST", f"/containers/{name}/start", ""


def _end(name: str) -> Iterator[tuple[str, str, str]]:
    yield "POST", f"/containers/{name}/stop?t={_STOP_SECONDS}", ""
    yield "DELETE", f"/containers/{name}?force=true&v=true", ""


def left_out(found: Definition) -> Iterator[str]:
    """What the container of the rehearsal does not do as the service's own does, each in a sentence."""
    config, host = section(found, "Config"), section(found, "HostConfig")
    if section(config, "Healthcheck").get("Test") not in (None, [], ["NONE"]):
        yield "the container's own health check is not run"
    if host.get("CgroupParent"):
        yield f"it is not in {host['CgroupParent']}, so as not to take memory from the running one"
    if section(host, "LogConfig").get("Type") not in (None, "", "json-file", "local", "journald", "k8s-file"):
        yield f"its log is not sent to {section(host, 'LogConfig')['Type']}"
    if network_mode(found) != "host":
        yield "it has no name of the service in its networks and none of its labels: nothing is sent to it"
