"""The engine's socket, and a container's log from it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import msgspec

from litellm_tui.host.command import Done, run, run_now
from litellm_tui.logs.pump import Pump
from litellm_tui.logs.stream import OnLines
from litellm_tui.model.failures import Failure
from litellm_tui.services.docker.docker_cli import CLIENT_SECONDS
from litellm_tui.services.docker.engine_api import LONGEST_BODY, Answer, Refused, denied, request, unreachable
from litellm_tui.services.docker.frames import Frames, NoFrame, Raw

_USUAL: Final = "unix:///var/run/docker.sock"


async def find_socket(client: str) -> str:
    """The socket of the engine that this client uses, as the client reports it (DOCKER_HOST, contexts, a wrapper).

    Empty where that is no socket on this machine, this user may not open it, or the client knows no contexts.
    """
    said = await run(_ask_client(client), CLIENT_SECONDS)
    return _without_client(client) if isinstance(said, Failure) else _socket_of(said)


def find_socket_now(client: str) -> str:
    """As `find_socket`, but blocks."""
    try:
        return _socket_of(run_now(_ask_client(client), CLIENT_SECONDS))
    except (OSError, subprocess.TimeoutExpired):
        return _without_client(client)


def _ask_client(client: str) -> list[str]:
    return [client, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]


def _socket_of(said: Done) -> str:
    scheme, _, path = said.output.strip().partition("://")
    return path if said.status == 0 and scheme == "unix" and _may_open(path) else ""


def _without_client(client: str) -> str:
    """The usual socket where there is an engine, and no client was installed."""
    if client != "docker":
        return ""
    scheme, _, path = os.environ.get("DOCKER_HOST", _USUAL).partition("://")
    return path if scheme == "unix" and _may_open(path) else ""


def _may_open(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode) and os.access(path, os.R_OK | os.W_OK)
    except (OSError, ValueError):
        return False


class _Config(msgspec.Struct, rename="pascal"):
    tty: bool = False


class _Container(msgspec.Struct, rename="pascal"):
    config: _Config = msgspec.field(default_factory=_Config)


class EngineLog:
    """A container's log. Output 0 is its stdout, 1 its stderr and, as with the client, the engine's error.

    `query` is that of `GET /containers/ID/logs`, with `timestamps=1`.
    """

    def __init__(self, path: str, container: str, query: str) -> None:
        self._path = path
        self._container = quote(container, safe="")
        self._query = query
        self._status: int | None = None

    def read(self, pump: Pump, take: OnLines) -> None:
        try:
            frames = Raw(take) if self._has_terminal(pump) else Frames(take)
            self._get(pump, f"/containers/{self._container}/logs?{self._query}", frames.feed)
            frames.finish()
            self._status = 0
        except (Refused, NoFrame) as error:
            self._status = 1
            take(1, str(error).encode(errors="replace"), False)

    async def status(self) -> int | None:
        return self._status

    async def close(self) -> None:
        """The thread that reads has closed its connection."""

    def _has_terminal(self, pump: Pump) -> bool:
        # the content type of the log tells it only since 23.0
        body = bytearray()

        def keep(chunk: bytes) -> None:
            body.extend(chunk[: LONGEST_BODY - len(body)])

        self._get(pump, f"/containers/{self._container}/json", keep, CLIENT_SECONDS)
        try:
            return msgspec.json.decode(body, type=_Container).config.tty
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Refused(f"the Docker engine described its container in another way than is known ({error})") from None

    def _get(self, pump: Pump, target: str, heed: Callable[[bytes], None], timeout: float | None = None) -> None:
        """Ask, and give the body of the answer to `heed` as it comes. Raises `Refused`."""
        answer = Answer(heed)
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(CLIENT_SECONDS)
                connection.connect(self._path)
                connection.sendall(request("GET", target))
                pump.chunks([connection.fileno()], lambda _, chunk: answer.feed(chunk), timeout)
        except PermissionError:
            raise Refused(denied(self._path)) from None
        except OSError:
            # the engine does not exist, does not answer, or ended in the middle of its answer
            raise Refused(unreachable(self._path)) from None
        answer.finish(unreachable(self._path))
