"""Docker's Engine API over its socket: one request, one answer of a bounded size.

Requests use HTTP/1.0: the engine then sends its answer without chunks until it closes the connection.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Final

import msgspec

from litellm_tui.host.bounded import size
from litellm_tui.host.command import Done
from litellm_tui.model.failures import Failure, Malformed
from litellm_tui.services.docker import docker_cli

_LONGEST_HEAD: Final = 1 << 16
_PART: Final = 1 << 16
# `inspect` of a container with some thousand variables and mounts
LONGEST_BODY: Final = 1 << 22
# 304: it was in that state already
_DONE: Final = frozenset({200, 201, 204, 304})


class _Refusal(msgspec.Struct):
    message: str = ""


class Refused(Exception):
    """The engine refused; the text is that of its client."""


class _TooMuch(Exception):
    """The answer is larger than the limit."""


class Answer:
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
                    raise Refused("the Docker engine's answer has no end of its head")
                return
            self._head = None
            words = head.split(b" ", 2)
            if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1][:3].isdigit():
                raise Refused("what listens at the Docker engine's socket speaks no HTTP")
            self._code = int(words[1][:3])
        if self._code in _DONE:
            if chunk:
                self._heed(chunk)
        else:
            self._refusal += chunk[: _LONGEST_HEAD - len(self._refusal)]

    def finish(self, unreachable: str) -> None:
        """End the answer with the connection. Raises `Refused` unless it succeeded; `unreachable` is for no answer."""
        if self._head is not None:
            raise Refused(unreachable)
        if self._code not in _DONE:
            try:
                said = msgspec.json.decode(self._refusal, type=_Refusal).message
            except (msgspec.MsgspecError, RecursionError):
                said = ""
            # the tail of the log reads the error line by line
            said = " ".join(said.split())
            raise Refused(f"Error response from daemon: {said or f'status {self._code}'}")


def denied(path: str) -> str:
    """What the client says where this user may not open the socket."""
    return f"permission denied while trying to connect to the Docker daemon socket at unix://{path}"


def unreachable(path: str) -> str:
    """What the client says where no engine answers at the socket."""
    return f"Cannot connect to the Docker daemon at unix://{path}. Is the docker daemon running?"


def request(method: str, target: str) -> bytes:
    """The request itself."""
    return f"{method} {target} HTTP/1.0\r\nHost: docker\r\nContent-Length: 0\r\n\r\n".encode()


class _Body:
    """The body of an answer, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.content = bytearray()

    def add(self, chunk: bytes) -> None:
        self.content += chunk
        if len(self.content) > self._limit:
            raise _TooMuch


async def ask(
    path: str, target: str, *, method: str = "GET", seconds: float, limit: int = LONGEST_BODY
) -> bytes | Failure:
    """The body of the answer to a request, or why there is none. Cancelling ends the wait, not what was begun."""
    body = _Body(limit)
    answer = Answer(body.add)
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(request(method, target))
            while chunk := await reader.read(_PART):
                answer.feed(chunk)
        answer.finish(unreachable(path))
    except (Refused, _TooMuch, OSError) as error:
        return _failure(error, path, limit)
    finally:
        if writer is not None:
            writer.close()
    return bytes(body.content)


def ask_now(path: str, target: str, *, seconds: float, limit: int = LONGEST_BODY) -> bytes | Failure:
    """As `ask`, but blocks."""
    body = _Body(limit)
    answer = Answer(body.add)
    deadline = time.monotonic() + seconds
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(path)
            connection.sendall(request("GET", target))
            while chunk := connection.recv(_PART):
                answer.feed(chunk)
                connection.settimeout(max(0.001, deadline - time.monotonic()))
        answer.finish(unreachable(path))
    except (Refused, _TooMuch, OSError) as error:
        return _failure(error, path, limit)
    return bytes(body.content)


def _failure(error: Exception, path: str, limit: int) -> Failure:
    if isinstance(error, _TooMuch):
        return Malformed(f"the Docker engine's answer has more than {size(limit)}: not read")
    if isinstance(error, Refused):
        said = str(error)
    else:
        # the engine does not exist, does not answer, or ended in the middle of its answer
        said = denied(path) if isinstance(error, PermissionError) else unreachable(path)
    return docker_cli.refusal(Done(1, "", said), "docker")
