"""What is asked of an engine about one container: over its socket, or else through its client.

The client reaches what is no socket of this machine: a remote context, ssh, an engine behind a wrapper.
"""

from __future__ import annotations

import subprocess
import time
from typing import Final, Protocol
from urllib.parse import quote, urlencode

import msgspec

from litellm_tui.host.bounded import TooLarge
from litellm_tui.host.command import MOST_OUTPUT, ORDER_SECONDS, Done, carry_out, run_now
from litellm_tui.model.failures import Failure, Malformed, NotAvailable, Unreachable
from litellm_tui.model.service import Verb
from litellm_tui.services.docker import docker_cli, engine_api
from litellm_tui.services.docker.container_exits import KINDS, Event, parse_events
from litellm_tui.services.docker.docker_cli import CLIENT_SECONDS, Container
from litellm_tui.services.docker.engine import find_socket, find_socket_now


class Usage(msgspec.Struct, frozen=True):
    """What a container uses: bytes, and seconds of CPU time or percent of one core."""

    memory: int | None = None
    cpu_seconds: float | None = None
    cpu_percent: float | None = None


class Access(Protocol):
    """One engine. `seldom` says that `usage` takes seconds, and is to be asked for seldom."""

    seldom: bool

    async def inspect(self, container: str) -> Container | Failure:
        """The container as it is now; `NoSuchService` where there is none of this name."""
        ...

    async def image_id(self, name: str) -> str | Failure:
        """The id of the image that has this name now; empty where none has it."""
        ...

    async def order(self, verb: Verb, container: str) -> Failure | None:
        """Give the order, and wait until it is carried out."""
        ...

    async def usage(self, container: str) -> Usage | Failure:
        """What the container uses now."""
        ...

    async def events(self, container: str) -> list[Event] | Failure:
        """What the engine remembers of the container's runs."""
        ...


async def open_access(client: str) -> Access:
    """The way to the engine that this client uses."""
    socket = await find_socket(client)
    return BySocket(socket) if socket else ByClient(client)


class BySocket:
    """The Engine API over a socket of this machine."""

    seldom = False

    def __init__(self, path: str) -> None:
        self._path = path

    async def inspect(self, container: str) -> Container | Failure:
        return _container(await engine_api.ask(self._path, _of(container, "json"), seconds=CLIENT_SECONDS))

    async def image_id(self, name: str) -> str | Failure:
        said = await engine_api.ask(self._path, f"/images/{quote(name, safe='/:')}/json", seconds=CLIENT_SECONDS)
        if isinstance(said, Failure):
            return "" if _is_no_image(said) else said
        try:
            return msgspec.json.decode(said, type=_Image).id
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Malformed(f"the Docker engine described its image in another way than is known ({error})")

    async def order(self, verb: Verb, container: str) -> Failure | None:
        target = _of(container, verb)
        said = await engine_api.ask(self._path, target, method="POST", seconds=ORDER_SECONDS)
        return said if isinstance(said, Failure) else None

    async def usage(self, container: str) -> Usage | Failure:
        target = _of(container, "stats", {"stream": "false", "one-shot": "true"})
        said = await engine_api.ask(self._path, target, seconds=CLIENT_SECONDS)
        return said if isinstance(said, Failure) else parse_usage(said)

    async def events(self, container: str) -> list[Event] | Failure:
        asked = {"container": [container], "type": ["container"], "event": KINDS}
        filters = msgspec.json.encode(asked).decode()
        query = urlencode({"since": "0", "until": f"{time.time():.9f}", "filters": filters})
        said = await engine_api.ask(self._path, f"/events?{query}", seconds=CLIENT_SECONDS)
        return said if isinstance(said, Failure) else parse_events(said.decode(errors="replace"))


class ByClient:
    """The client's command line."""

    seldom = True

    def __init__(self, client: str) -> None:
        self._client = client

    async def inspect(self, container: str) -> Container | Failure:
        said = await docker_cli.run_docker(_inspect(self._client, container))
        return said if isinstance(said, Failure) else _first(docker_cli.parse_containers(said), container)

    async def image_id(self, name: str) -> str | Failure:
        said = await docker_cli.run_docker([self._client, "image", "inspect", "--format", "{{.Id}}", name])
        if isinstance(said, Failure):
            return "" if _is_no_image(said) else said
        return said.strip()

    async def order(self, verb: Verb, container: str) -> Failure | None:
        done = await carry_out([self._client, "container", verb, container])
        if isinstance(done, Failure):
            return docker_cli.missing(self._client, done) if isinstance(done, NotAvailable) else done
        return docker_cli.refusal(done, self._client) if done.status else None

    async def usage(self, container: str) -> Usage | Failure:
        said = await docker_cli.run_docker([self._client, "stats", "--no-stream", "--format", "{{json .}}", container])
        found = said if isinstance(said, Failure) else docker_cli.parse_stats(said)
        if found is None or isinstance(found, Failure):
            return found or Malformed("docker stats printed something else than its JSON")
        return Usage(docker_cli.parse_size(found.memory), cpu_percent=docker_cli.parse_percent(found.cpu))

    async def events(self, container: str) -> list[Event] | Failure:
        filters = (f"container={container}", "type=container", *(f"event={kind}" for kind in KINDS))
        options = [word for filtered in filters for word in ("--filter", filtered)]
        moment = ["--since", "0", "--until", f"{time.time():.9f}", "--format", "{{json .}}"]
        said = await docker_cli.run_docker([self._client, "events", *moment, *options])
        return said if isinstance(said, Failure) else parse_events(said)


def inspect_now(client: str, container: str) -> Container | Failure:
    """The container as it is now; blocks."""
    if socket := find_socket_now(client):
        return _container(engine_api.ask_now(socket, _of(container, "json"), seconds=CLIENT_SECONDS))
    said = _run(_inspect(client, container))
    return said if isinstance(said, Failure) else _first(docker_cli.parse_containers(said.output), container)


def archive_now(client: str, container: str, path: str, limit: int) -> bytes | Failure:
    """A file of the container as a tar archive of at most `limit` bytes, whether the container runs or not; blocks."""
    if socket := find_socket_now(client):
        target = _of(container, "archive", {"path": path})
        return engine_api.ask_now(socket, target, seconds=CLIENT_SECONDS, limit=limit)
    said = _run([client, "cp", f"{container}:{path}", "-"], limit, "surrogateescape")
    return said if isinstance(said, Failure) else said.output.encode(errors="surrogateescape")


def _run(command: list[str], limit: int = MOST_OUTPUT, errors: str = "replace") -> Done | Failure:
    client = command[0]
    try:
        done = run_now(command, CLIENT_SECONDS, limit, errors)
    except subprocess.TimeoutExpired:
        return Unreachable(f"{client} did not answer in {CLIENT_SECONDS:g} s", kind="timeout")
    except TooLarge as error:
        return Malformed(f"{client} {error.strerror}")
    except OSError as error:
        return docker_cli.missing(client, NotAvailable(f"{client}: {error.strerror}"))
    return docker_cli.refusal(done, client) if done.status else done


def _inspect(client: str, container: str) -> list[str]:
    return [client, "inspect", "--type", "container", container]


def _first(found: list[Container] | Failure, container: str) -> Container | Failure:
    if isinstance(found, Failure):
        return found
    return found[0] if found else docker_cli.NoSuchService(f"there is no container {container}")


def _of(container: str, what: str, query: dict[str, str] | None = None) -> str:
    return f"/containers/{quote(container, safe='')}/{what}{'?' + urlencode(query) if query else ''}"


def _container(said: bytes | Failure) -> Container | Failure:
    if isinstance(said, Failure):
        return said
    try:
        return msgspec.json.decode(said, type=Container)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"the Docker engine described its container in another way than is known ({error})")


class _Image(msgspec.Struct, rename="pascal"):
    id: str


def _is_no_image(failure: Failure) -> bool:
    """Whether the engine answered that it has no such image, in Docker's words or Podman's."""
    said = failure.why.casefold()
    return type(failure) is NotAvailable and ("no such image" in said or "image not known" in said)


class _Cpu(msgspec.Struct):
    total_usage: int = 0


class _CpuStats(msgspec.Struct):
    cpu_usage: _Cpu = msgspec.field(default_factory=_Cpu)


class _MemoryStats(msgspec.Struct):
    usage: int = 0
    stats: dict[str, int] = {}


class _Stats(msgspec.Struct):
    cpu_stats: _CpuStats = msgspec.field(default_factory=_CpuStats)
    memory_stats: _MemoryStats = msgspec.field(default_factory=_MemoryStats)


# the page cache that the client takes off: of cgroup v1 and v2 (docker/cli, `calculateMemUsageUnixNoCache`)
_CACHE: Final = ("total_inactive_file", "inactive_file")


def parse_usage(said: bytes) -> Usage | Failure:
    """What `GET /containers/ID/stats` says. A container that does not run uses nothing that is known."""
    try:
        found = msgspec.json.decode(said, type=_Stats)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"the Docker engine described its figures in another way than is known ({error})")
    memory = found.memory_stats.usage
    cache = next((found.memory_stats.stats[name] for name in _CACHE if name in found.memory_stats.stats), 0)
    spent = found.cpu_stats.cpu_usage.total_usage
    return Usage(memory - cache if 0 < cache < memory else memory or None, spent / 1e9 if spent else None)
