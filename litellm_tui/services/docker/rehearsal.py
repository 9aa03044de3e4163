"""The rehearsal in a container: made beside the service's own, of the same image, through the engine's socket.

The derived configuration is mounted over the file that LiteLLM reads there, be that file mounted or in the image. In a
network of its own the container keeps its port, which is published on 127.0.0.1 alone; in the host's network LiteLLM is
given another port. A keeper makes the container and removes it (see `services.rehearsal`); what a keeper that was
killed has left, the next rehearsal removes by its label.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from litellm_tui.host import proc
from litellm_tui.host.environment_file import parse_dotenv
from litellm_tui.model.failures import Failure, Malformed, NotAvailable
from litellm_tui.model.rehearsal import RehearsalOrder, RehearsalRun
from litellm_tui.model.service import Variable
from litellm_tui.model.service_kinds import Docker
from litellm_tui.model.service_target import ServiceTarget
from litellm_tui.services.docker import engine_api, rehearsal_container
from litellm_tui.services.docker.config_copy import read_inside
from litellm_tui.services.docker.container_state import is_here
from litellm_tui.services.docker.container_unit import unit_from
from litellm_tui.services.docker.docker_cli import CLIENT_SECONDS, REHEARSAL_LABEL, Container
from litellm_tui.services.docker.engine import find_socket
from litellm_tui.services.docker.engine_access import BySocket
from litellm_tui.services.docker.rehearsal_container import Definition, Place
from litellm_tui.services.litellm_command import unit_from_command
from litellm_tui.services.process.rehearsal import HowItRuns, of_process
from litellm_tui.services.rehearsal import kept
from litellm_tui.services.rehearsal_command import RehearsalCommand, rehearsal_command, starts_litellm

_DOTENV: Final = ".env"
_SELINUX: Final = "/sys/fs/selinux/enforce"
# how much longer than its time a keeper may take before what it has started is nobody's
_LATE_SECONDS: Final = 300.0
# what a shell adds to the variables of a container
_OF_SHELL: Final = ("_", "SHLVL", "PWD", "OLDPWD", "HOSTNAME", "HOME", "TERM")


class Prepared(msgspec.Struct, frozen=True):
    """How a rehearsal's container is made: of the definition `found`, whose image is `image`.

    `inside` is the path of the configuration in it, `port` that of LiteLLM. `published` tells whether the port can be
    published on this machine. `dotenv` are variables that LiteLLM reads there itself.
    """

    socket: str
    found: dict[str, Any]
    image: dict[str, Any] | None
    how: HowItRuns
    inside: str
    port: int
    published: bool
    left_out: tuple[str, ...] = ()
    dotenv: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Prepared({self.inside!r})"


Overlay = Callable[[str, dict[str, Any]], Awaitable[tuple[dict[str, Any], tuple[str, ...]] | Failure]]
"""Makes of a container what the next one of its service will be; with what is not known of that. Gets the socket."""


async def prepare(client: str, container: str, overlay: Overlay | None = None, image: str = "") -> Prepared | Failure:
    """What a rehearsal of this container would be made of, or why there can be none. `image` is another one for it."""
    socket = await find_socket(client)
    if not socket:
        return NotAvailable("the engine is reached over no socket of this machine: no container is made beside it")
    said = await _described(socket, f"/containers/{quote(container, safe='')}/json")
    if isinstance(said, Failure):
        return said
    found = said
    more: tuple[str, ...] = ()
    if why := rehearsal_container.why_not_twice(found):
        return NotAvailable(why)
    ran = _container_of(found)
    if isinstance(ran, Failure):
        return ran
    if overlay is not None:
        laid = await overlay(socket, found)
        if isinstance(laid, Failure):
            return laid
        found, more = laid
    own = await image_of(socket, str(found.get("Image") or ""))
    if image:
        other = await image_of(socket, image)
        if other is None:
            return NotAvailable(f"the image {image} is not on the engine's machine")
        found, own = rehearsal_container.with_image(found, own, other, image), other
    how = await asyncio.to_thread(_how_it_runs, found, ran)
    if isinstance(how, Failure):
        return how
    variables = {name: Variable(value, container) for name, value in how.environment.items()}
    unit = unit_from_command(container, "docker", list(how.words), how.folder, variables)
    if not unit.config:
        return NotAvailable("no configuration is named in its command line or variables")
    port = unit.url.rpartition(":")[2].partition("/")[0]
    published = await _may_publish(socket, found)
    if isinstance(published, Failure):
        return published
    changes = await engine_api.ask(socket, f"/containers/{ran.id}/changes", seconds=CLIENT_SECONDS)
    if lost := rehearsal_container.put_in(said, unit.config, _changes(changes)):
        return NotAvailable(f"{lost} was put into the container that runs, and another one would not have it")
    left_out = (*how.left_out, *more, *rehearsal_container.left_out(found))
    dotenv = await asyncio.to_thread(_own_dotenv, client, ran, how)
    return Prepared(socket, found, own, how, unit.config, int(port), published, left_out, dotenv)


def _changes(said: bytes | Failure) -> list[dict[str, Any]]:
    """What differs from the image in the files of a container; nothing where the engine does not tell."""
    try:
        return [] if isinstance(said, Failure) else msgspec.json.decode(said, type=list[dict[str, Any]] | None) or []
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return []


def _own_dotenv(client: str, ran: Container, how: HowItRuns) -> dict[str, str]:
    """The variables of `.env` beside the environment that LiteLLM is installed in, as `own_dotenv` finds it. Blocks.

    LiteLLM's own images have theirs in `/app/.venv`, and `/app` is their working directory.
    """
    mode, place = how.environment.get("LITELLM_MODE", "DEV"), f"{how.folder or '/'}/"
    words = [word for pid in proc.family(ran.state.pid) for word in proc.command_line(pid)[:3]] if is_here(ran) else []
    if mode != "DEV" or place == "//" or not any(word.startswith(place) for word in (*words, *how.words[:3])):
        return {}
    found = read_inside(client, ran.id, f"{how.folder}/{_DOTENV}")
    if isinstance(found, Failure):
        return {}
    try:
        values = parse_dotenv(found.content, how.environment)
    except ValueError:
        return {}
    return {name: value for name, value in values.items() if name not in how.environment}


def _how_it_runs(found: dict[str, Any], ran: Container) -> HowItRuns | Failure:
    """Its words, folder and variables; of a script, what its process has made of it. Reads /proc."""
    words = tuple(rehearsal_container.words_of(found))
    variables = rehearsal_container.variables_of(found)
    folder = str(rehearsal_container.section(found, "Config").get("WorkingDir") or "/")
    if starts_litellm(words):
        return HowItRuns(words, folder, variables)
    script = os.path.basename(words[0]) if words else "its command"
    if not is_here(ran):
        return NotAvailable(f"{script} starts LiteLLM there, and its processes are not seen from here")
    for pid in proc.family(ran.state.pid):
        if starts_litellm(proc.command_line(pid)):
            how = of_process(pid, script)
            if isinstance(how, Failure):
                return how
            own = {name: value for name, value in how.environment.items() if name not in _OF_SHELL}
            return msgspec.structs.replace(how, environment=variables | own)
    return NotAvailable(f"{script} starts LiteLLM, with options that are not known while it does not run")


async def _may_publish(socket: str, found: Definition) -> bool | Failure:
    """Whether a port of it can be published here; a `Failure` where it could not be reached in any way."""
    names = rehearsal_container.networks_of(found)
    if rehearsal_container.network_mode(found) == "host":
        return False
    bridges, inner = 0, 0
    for name in names:
        network = await _described(socket, f"/networks/{quote(name, safe='')}")
        if isinstance(network, Failure):
            return network
        if network.get("Driver", network.get("driver")) == "bridge":
            bridges += 1
            inner += bool(network.get("Internal"))
    if names and not bridges:
        return NotAvailable(f"its network {names[0]} is none that this machine can reach a second container in")
    # Podman's own kinds of networks are listed nowhere
    return not names or bridges > inner


def variables(prepared: Prepared | Failure, source: str) -> Mapping[str, Variable] | Failure:
    """The variables that a rehearsal's container would have, if nothing of them was changed."""
    if isinstance(prepared, Failure):
        return prepared
    own = {name: Variable(value, f"{prepared.how.folder}/{_DOTENV}") for name, value in prepared.dotenv.items()}
    return own | {name: Variable(value, source) for name, value in prepared.how.environment.items()}


def own_user(prepared: Prepared | Failure) -> tuple[int, int] | Failure:
    """The console's own: the derived file is mounted, so that the folder that it is in need not be seen there."""
    return prepared if isinstance(prepared, Failure) else (os.geteuid(), os.getegid())


@asynccontextmanager
async def rehearse(
    target: ServiceTarget, client: str, prepared: Prepared | Failure, order: RehearsalOrder
) -> AsyncIterator[RehearsalRun | Failure]:
    """See `Rehearses`."""
    if isinstance(prepared, Failure):
        yield prepared
        return
    await _sweep(prepared.socket)
    changes = {name: value for name, value in order.environment.items() if value is not None}
    command = _command(prepared, order, prepared.how.environment | changes)
    if isinstance(command, Failure):
        yield command
        return
    after = {**order.environment, **command.environment}
    environment = {name: value for name, value in {**prepared.how.environment, **after}.items() if value is not None}
    until = time.time() + order.seconds + _LATE_SECONDS
    place = Place(
        order.name, order.derived, prepared.inside, prepared.port, order.port if prepared.published else 0, until,
        relabel=await asyncio.to_thread(os.path.exists, _SELINUX),
    )  # fmt: skip
    taken = [name for name, value in after.items() if value is None]
    found = {**prepared.found, "Config": {**prepared.found["Config"], "WorkingDir": prepared.how.folder}}
    engine = rehearsal_container.requests(found, prepared.image, place, command.words, environment, taken)
    if isinstance(engine, Failure):
        yield engine
        return
    # whoever may not look into the folder does not see it; in the container it is read by any user
    await asyncio.to_thread(os.chmod, order.derived, 0o644)
    engine = msgspec.structs.replace(engine, socket=prepared.socket)
    async with kept(engine=engine, rests=(order.folder,), seconds=order.seconds) as started:
        if isinstance(started, Failure):
            yield started
            return
        made = await BySocket(prepared.socket).inspect(order.name)
        if isinstance(made, Failure):
            yield made
            return
        url = unit_from(made, order.name, "docker").url
        ours = msgspec.structs.replace(
            target, name=order.name, settings=Docker(container=order.name, client=client), unit=None
        )
        yield RehearsalRun(ours, url, (*prepared.left_out, *command.left_out))


def _command(prepared: Prepared, order: RehearsalOrder, variables: Mapping[str, str]) -> RehearsalCommand | Failure:
    shared = rehearsal_container.network_mode(prepared.found) == "host"
    return rehearsal_command(
        prepared.how.words, variables, config=prepared.inside, port=order.port if shared else prepared.port,
        database=bool(variables.get("DATABASE_URL")), host="127.0.0.1" if shared else "0.0.0.0",
    )  # fmt: skip


async def _sweep(socket: str) -> None:
    """Remove the containers of rehearsals whose time is over: their keepers were killed."""
    filters = msgspec.json.encode({"label": [REHEARSAL_LABEL]}).decode()
    target = f"/containers/json?{urlencode({'all': '1', 'filters': filters})}"
    said = await engine_api.ask(socket, target, seconds=CLIENT_SECONDS)
    if isinstance(said, Failure):
        return
    try:
        listed = msgspec.json.decode(said, type=list[_Listed])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return
    for one in listed:
        until = one.labels.get(REHEARSAL_LABEL, "") if one.labels else ""
        if until.isascii() and until.isdigit() and int(until[:12]) < time.time():
            gone = f"/containers/{quote(one.id, safe='')}?force=true&v=true"
            await engine_api.ask(socket, gone, method="DELETE", seconds=CLIENT_SECONDS * 3)


class _Listed(msgspec.Struct, rename="pascal"):
    id: str
    labels: dict[str, str] | None = None


async def image_of(socket: str, name: str) -> dict[str, Any] | None:
    """How the engine describes the image of this name or id; None where it has none, or does not tell."""
    said = await _described(socket, f"/images/{quote(name, safe='/:')}/json")
    return None if isinstance(said, Failure) else said


async def _described(socket: str, target: str) -> dict[str, Any] | Failure:
    said = await engine_api.ask(socket, target, seconds=CLIENT_SECONDS)
    if isinstance(said, Failure):
        return said
    try:
        return msgspec.json.decode(said, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"the Docker engine answered in another way than is known ({error})")


def _container_of(found: dict[str, Any]) -> Container | Failure:
    try:
        return msgspec.convert(found, type=Container)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"the Docker engine described its container in another way than is known ({error})")
