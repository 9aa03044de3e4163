"""Puts a container back as it was: its whole definition from `docker inspect`, with the very image that it had.

Shapes are those of the Engine API 1.40 to 1.50 (`POST /containers/create`).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from litellm_tui.host.command import ORDER_SECONDS
from litellm_tui.model.failures import Failure, Malformed
from litellm_tui.services.docker import docker_cli, engine_api
from litellm_tui.services.docker.docker_cli import CLIENT_SECONDS

# an engine stops a container within its own grace period
_STOP_SECONDS: Final = 120.0
_ID: Final = 12
# what the engine gives to a connection, and takes from none
_GIVEN: Final = ("Aliases", "IPAMConfig", "Links", "DriverOpts")


class Creation(msgspec.Struct, frozen=True):
    """The request that makes a container: its name, the body, and the networks that it is connected to afterwards.

    `tag` is what its image was called.
    """

    name: str
    tag: str
    body: dict[str, Any]
    networks: dict[str, dict[str, Any]]


def creation_of(definition: bytes) -> Creation | Malformed:
    """The request that makes the container that this output of `docker inspect` describes."""
    try:
        decoded = msgspec.json.decode(definition, type=list[dict[str, Any]] | dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"what was kept of the container is no definition ({error})")
    found = decoded if isinstance(decoded, dict) else decoded[0] if decoded else {}
    config, host = found.get("Config"), found.get("HostConfig")
    if not isinstance(config, dict) or not isinstance(host, dict) or not found.get("Image"):
        return Malformed("what was kept of the container is no definition")
    short = str(found.get("Id", ""))[:_ID]
    body = dict(config)
    if body.get("Hostname") == short or host.get("NetworkMode") == "host":
        # its own id, or the host's name: a new container gets its own
        body.pop("Hostname", None)
    # by its digest: the tag may be another image now
    body["Image"] = found["Image"]
    body["HostConfig"] = {**host, "Binds": _binds(found, host)}
    settings = found.get("NetworkSettings")
    connected = settings.get("Networks") if isinstance(settings, dict) else None
    networks = {
        str(name): _endpoint(endpoint, short)
        for name, endpoint in (connected.items() if isinstance(connected, dict) else ())
        if isinstance(endpoint, dict)
    }
    if str(host.get("NetworkMode", "")).startswith(("host", "none", "container:")):
        networks = {}
    first = host.get("NetworkMode") if host.get("NetworkMode") in networks else next(iter(networks), None)
    if first is not None:
        # older engines take one network here
        body["NetworkingConfig"] = {"EndpointsConfig": {first: networks.pop(str(first))}}
    return Creation(str(found.get("Name", "")).lstrip("/"), str(config.get("Image") or ""), body, networks)


def _binds(found: dict[str, Any], host: dict[str, Any]) -> list[str]:
    """The binds of the definition, and the volumes without a name, whose data would be left behind."""
    binds = [str(bind) for bind in host.get("Binds") or ()]
    known = {bind.split(":")[1] for bind in binds if bind.count(":")}
    known |= {str(mount.get("Target")) for mount in host.get("Mounts") or () if isinstance(mount, dict)}
    unnamed = (
        mount
        for mount in found.get("Mounts") or ()
        if mount.get("Type") == "volume" and mount.get("Destination") not in known and mount.get("Name")
    )
    return binds + [f"{m['Name']}:{m['Destination']}{'' if m.get('RW', True) else ':ro'}" for m in unnamed]


def _endpoint(endpoint: dict[str, Any], short: str) -> dict[str, Any]:
    kept = {name: endpoint[name] for name in _GIVEN if endpoint.get(name)}
    if aliases := [alias for alias in kept.get("Aliases", ()) if alias != short]:
        kept["Aliases"] = aliases
    else:
        kept.pop("Aliases", None)
    return kept


def _id(said: bytes | Failure) -> str:
    """The id in an answer of the engine; empty where it has none."""
    if isinstance(said, Failure):
        return ""
    try:
        return str(msgspec.json.decode(said, type=dict[str, Any]).get("Id", ""))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""


async def bring_back(path: str, definition: bytes, in_its_place: tuple[str, ...]) -> Failure | None:
    """Remove the containers `in_its_place`, and make and start the one of the definition. `path` is the socket."""
    creation = creation_of(definition)
    if isinstance(creation, Failure):
        return creation
    image = quote(str(creation.body["Image"]), safe="")
    there = await engine_api.ask(path, f"/images/{image}/json", seconds=CLIENT_SECONDS)
    if isinstance(there, Failure):
        # nothing is removed for a container that cannot be made
        return there
    called = await engine_api.ask(path, f"/images/{quote(creation.tag or '-')}/json", seconds=CLIENT_SECONDS)
    if _id(called) == creation.body["Image"]:
        # the name by which its definition calls it is still that image
        creation.body["Image"] = creation.tag
    for container in in_its_place:
        for method, target in (
            ("POST", f"/containers/{quote(container, safe='')}/stop"),
            ("DELETE", f"/containers/{quote(container, safe='')}?force=true"),
        ):
            gone = await engine_api.ask(path, target, method=method, seconds=_STOP_SECONDS)
            if isinstance(gone, Failure) and not isinstance(gone, docker_cli.NoSuchService):
                return gone
    given = msgspec.json.encode(creation.body)
    target = f"/containers/create?{urlencode({'name': creation.name})}"
    said = await engine_api.ask(path, target, method="POST", given=given, seconds=CLIENT_SECONDS * 3)
    if isinstance(said, Failure):
        return said
    made = _id(said)
    if not made:
        return Malformed("the Docker engine answered in another way than is known: it names no container")
    for network, endpoint in creation.networks.items():
        body = msgspec.json.encode({"Container": made, "EndpointConfig": endpoint})
        target = f"/networks/{quote(network, safe='')}/connect"
        joined = await engine_api.ask(path, target, method="POST", given=body, seconds=CLIENT_SECONDS)
        if isinstance(joined, Failure):
            return joined
    started = await engine_api.ask(path, f"/containers/{made}/start", method="POST", seconds=ORDER_SECONDS)
    return started if isinstance(started, Failure) else None
