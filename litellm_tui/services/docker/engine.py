"""Docker's Engine API over its socket, as far as a container's log needs it.

Requests use HTTP/1.0: the engine then sends the log without chunks until it closes the connection.
"""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import msgspec

from litellm_tui.host.command import run
from litellm_tui.logs.pump import Pump
from litellm_tui.logs.stream import OnLines
from litellm_tui.model.failures import Failure
from litellm_tui.services.docker.docker_cli import CLIENT_SECONDS
from litellm_tui.services.docker.frames import Frames, NoFrame, Raw

_LONGEST_HEAD: Final = 1 << 16
# `inspect` of a container with some thousand variables and mounts
_LONGEST_BODY: Final = 1 << 22


async def find_socket(client: str) -> str:
    """The socket of the engine that this client uses, as the client reports it (DOCKER_HOST, contexts, a wrapper).

    Empty where that is no socket on this machine, this user may not open it, or the client knows no contexts.
    """
    said = await run([client, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], CLIENT_SECONDS)
    if isinstance(said, Failure) or said.status:
        return ""
    scheme, _, path = said.output.strip().partition("://")
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


class _Refusal(msgspec.Struct):
    message: str = ""


class _Refused(Exception):
    """The engine refused; the text is that of its client."""


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
        except (_Refused, NoFrame) as error:
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
            body.extend(chunk[: _LONGEST_BODY - len(body)])

        self._get(pump, f"/containers/{self._container}/json", keep, CLIENT_SECONDS)
        try:
            return msgspec.json.decode(body, type=_Container).config.tty
        except (msgspec.MsgspecError, RecursionError) as error:
            raise _Refused(
                f"the Docker engine described its container in another way than is known ({error})"
            ) from None

    def _get(self, pump: Pump, target: str, heed: Callable[[bytes], None], timeout: float | None = None) -> None:
        """Ask, and give the body of the answer to `heed` as it comes. Raises `_Refused`."""
        answer = _Answer(heed)
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(CLIENT_SECONDS)
                connection.connect(self._path)
                connection.sendall(f"GET {target} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
                pump.chunks([connection.fileno()], lambda _, chunk: answer.feed(chunk), timeout)
        except PermissionError:
            raise _Refused(
                f"permission denied while trying to connect to the Docker daemon socket at unix://{self._path}"
            ) from None
        except OSError:
            # the engine does not exist, does not answer, or ended in the middle of its answer
            raise _Refused(self._unreachable) from None
        answer.finish(self._unreachable)

    @property
    def _unreachable(self) -> str:
        return f"Cannot connect to the Docker daemon at unix://{self._path}. Is the docker daemon running?"


class _Answer:
    """An HTTP answer: reads the head, keeps an error, and hands on the body of a success."""

    def __init__(self, heed: Callable[[bytes], None]) -> None:
        self._heed = heed
        self._head: bytearray | None = bytearray()
        self._code = 0
        self._refusal = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Add what was read."""
        if self._head is not None:
            self._head += chunk
            head, end, chunk = bytes(self._head).partition(b"\r\n\r\n")
            if not end:
                if len(self._head) > _LONGEST_HEAD:
                    raise _Refused("the Docker engine's answer has no end of its head")
                return
            self._head = None
            words = head.split(b" ", 2)
            if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
                raise _Refused("what listens at the Docker engine's socket speaks no HTTP")
            self._code = int(words[1][:3])
        if self._code == 200:
            if chunk:
                self._heed(chunk)
        else:
            self._refusal += chunk[: _LONGEST_HEAD - len(self._refusal)]

    def finish(self, unreachable: str) -> None:
        """End the answer with the connection. Raises `_Refused` unless it succeeded; `unreachable` is for no answer."""
        if self._head is not None:
            raise _Refused(unreachable)
        if self._code != 200:
            try:
                said = msgspec.json.decode(self._refusal, type=_Refusal).message
            except (msgspec.MsgspecError, RecursionError):
                said = ""
            # the tail of the log reads the error line by line
            said = " ".join(said.split())
            raise _Refused(f"Error response from daemon: {said or f'status {self._code}'}")
