"""Finds the containers of this machine that are a LiteLLM gateway, by asking the engines at their sockets."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import quote

import msgspec

from litellm_tui.analysis.phrases import count
from litellm_tui.model.discovered import DiscoveredGateway, Searched
from litellm_tui.model.failures import Denied, Failure, Malformed
from litellm_tui.model.found import Missing
from litellm_tui.model.service_kinds import Compose, Docker
from litellm_tui.services.compose.discovery import unit_from as compose_unit
from litellm_tui.services.docker import engine_api
from litellm_tui.services.docker.container_unit import unit_from
from litellm_tui.services.docker.docker_cli import REHEARSAL_LABEL, Container
from litellm_tui.services.docker.litellm_image import is_gateway, is_litellm_image, runs_litellm
from litellm_tui.services.docker.sockets import EngineSocket, engine_sockets, has_client, has_compose

# an engine that is there and busy with an image takes its time; the first paint does not wait for it
_ANSWER_SECONDS: Final = 3.0
_COMPOSE: Final = "com.docker.compose"
_POD: Final = "io.kubernetes.pod.name"
# the unit of a Podman quadlet (podman-systemd.unit(5))
_QUADLET: Final = "PODMAN_SYSTEMD_UNIT"
# containers of one engine that are looked into
_MOST: Final = 64


class Listed(msgspec.Struct, frozen=True, rename="pascal"):
    """One container in `GET /containers/json`."""

    id: str
    names: tuple[str, ...] | None = None
    image: str = ""
    command: str | tuple[str, ...] | None = ""
    state: str = ""
    labels: dict[str, str] | None = None

    def label(self, name: str) -> str:
        """A label's value; empty where it has none of this name."""
        return (self.labels or {}).get(name, "")


class FoundContainer(msgspec.Struct, frozen=True):
    """A container and the gateway that it is. `quadlet` is the unit that keeps it, by Podman's own label."""

    gateway: DiscoveredGateway
    container: Container
    quadlet: str = ""

    @property
    def name(self) -> str:
        """The container's own name."""
        return self.container.name.lstrip("/")


class ContainerSearch(msgspec.Struct, frozen=True):
    """All that was found at the engines' sockets, those that run first. `ids` are all containers of these engines."""

    found: tuple[FoundContainer, ...] = ()
    searched: tuple[Searched, ...] = ()
    ids: frozenset[str] = frozenset()


def find_containers(
    environ: Mapping[str, str], sockets: tuple[str, ...] | None = None, known: Collection[str] = ()
) -> ContainerSearch:
    """Ask every engine that is there and may be asked. `known` are ids of containers in which LiteLLM is seen to run.

    Where there is no socket nothing is asked and no time is lost.
    """
    found: list[FoundContainer] = []
    searched: list[Searched] = []
    ids: set[str] = set()
    for engine in engine_sockets(environ, sockets):
        told = _searched(engine) if not (engine.exists and engine.may_ask) else None
        if engine.exists and engine.may_ask:
            listed = _list(engine)
            if isinstance(listed, Failure):
                searched.append(Searched("docker", _what(engine), listed.why, _mend(engine, listed), blocked=True))
                continue
            mine = _containers(engine, listed, known, environ)
            found += mine
            ids |= {one.id for one in listed}
            told = Searched("docker", _what(engine), _result(listed, mine))
        if told is not None:
            searched.append(told)
    found.sort(key=lambda one: not one.gateway.active)
    return ContainerSearch(tuple(found), tuple(searched), frozenset(ids))


def _searched(engine: EngineSocket) -> Searched | None:
    """What is said of an engine that was not asked; None where nothing of it is on this machine."""
    if engine.elsewhere:
        return Searched("docker", f"containers of Docker at {engine.elsewhere}", "an engine elsewhere is not searched",
                        "name the service: --kind compose --unit SERVICE, or --container NAME")  # fmt: skip
    if engine.exists:
        why = "its socket may not be used by you (permission denied)"
        return Searched("docker", _what(engine), why, engine.mend, blocked=True)
    if has_client(engine.client) and engine.client == "docker":
        return Searched("docker", _what(engine), "there is a client, and no engine at its socket",
                        "start the engine, or name another one in DOCKER_HOST")  # fmt: skip
    return None


def _what(engine: EngineSocket) -> str:
    return f"containers of {engine.name} at {engine.path}"


def _mend(engine: EngineSocket, failure: Failure) -> str:
    return engine.mend if isinstance(failure, Denied) else ""


def _result(listed: list[Listed], mine: list[FoundContainer]) -> str:
    if mine:
        return ", ".join(str(one.gateway) for one in mine)
    pods = sum(1 for one in listed if one.label(_POD) and is_litellm_image(one.image))
    if pods:
        return f"{count(pods, 'container')} of LiteLLM in pods: these are Kubernetes' own, see kubectl"
    running = sum(1 for one in listed if one.state == "running")
    return f"none of {count(len(listed), 'container')} ({running} running) is LiteLLM's" if listed else "none"


def _list(engine: EngineSocket) -> list[Listed] | Failure:
    said = engine_api.ask_now(engine.path, "/containers/json?all=1", seconds=_ANSWER_SECONDS)
    if isinstance(said, Failure):
        return said
    try:
        return msgspec.json.decode(said, type=list[Listed])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"the engine listed its containers in another way than is known ({error})")


def _containers(
    engine: EngineSocket, listed: list[Listed], known: Collection[str], environ: Mapping[str, str]
) -> list[FoundContainer]:
    """The gateways among them; of a Compose service with several containers one that runs."""
    mine: list[FoundContainer] = []
    likely = [one for one in listed if not one.label(_POD) and one.label(f"{_COMPOSE}.oneoff") != "True"]
    likely = [one for one in likely if not one.label(REHEARSAL_LABEL)]
    likely = [one for one in likely if one.id in known or _may_be_gateway(one)]
    likely.sort(key=lambda one: one.state != "running")
    services: set[str] = set()
    for one in likely[:_MOST]:
        said = engine_api.ask_now(engine.path, f"/containers/{quote(one.id, safe='')}/json", seconds=_ANSWER_SECONDS)
        if isinstance(said, Failure):
            # it was removed a moment ago
            continue
        try:
            container = msgspec.json.decode(said, type=Container)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue
        words = [container.path, *(container.args or ())]
        if one.id not in known and not is_gateway(container.config.image or one.image, words):
            continue
        gateway = _gateway(engine, container, environ)
        if gateway.identity not in services:
            services.add(gateway.identity)
            mine.append(FoundContainer(gateway, container, one.label(_QUADLET)))
    return mine


def _may_be_gateway(one: Listed) -> bool:
    """Whether it is worth looking into: the whole command line is only in `inspect`."""
    command = one.command if isinstance(one.command, str) else " ".join(one.command or ())
    return "litellm" in command or "prod_entrypoint.sh" in command or is_litellm_image(one.image)


def _gateway(engine: EngineSocket, container: Container, environ: Mapping[str, str]) -> DiscoveredGateway:
    name = container.name.lstrip("/")
    words = [container.path, *(container.args or ())]
    image = container.config.image
    by = "a process in it is LiteLLM"
    if runs_litellm(words):
        by = f"it runs litellm, from the image {image}"
    elif is_gateway(image, words):
        by = f"its image is {image}"
    missing: list[Missing] = []
    if not has_client(engine.client):
        lack = f"the client {engine.client} is not on the PATH"
        missing.append(Missing("orders and statistics", lack, f"install it to operate {engine.name}'s containers"))
    project, service = container.label("project"), container.label("service")
    if project and service and engine.client == "docker" and has_compose(environ):
        files = [file for file in container.label("project.config_files").split(",") if file]
        if files and not any(map(_may_exist, files)):
            by = f"{by}; its compose file {files[0]} is not on this machine"
        return DiscoveredGateway(
            "compose",
            "compose",
            compose_unit(container),
            f"service {service} of the Compose project {project}, container {name}: {by}",
            f"compose {project}/{service}",
            settings=Compose(project=project, service=service, docker=engine.client),
            missing=tuple(missing),
        )
    if project and service and engine.client == "docker":
        missing.append(Missing("Compose", f"container {name} belongs to the project {project}, and the client has no "
                               "Compose v2", "install Docker Compose v2 (docker-compose-plugin)"))  # fmt: skip
    return DiscoveredGateway(
        "docker",
        "docker",
        unit_from(container, name, "docker"),
        f"container {name}: {by}",
        f"docker {name}",
        settings=Docker(container=name, client=engine.client),
        missing=tuple(missing),
    )


def _may_exist(path: str) -> bool:
    try:
        os.stat(path)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True
