"""Docker's engine for tests: the part of its API that a container's log needs, on a socket of its own.

with Engine(tmp_path, frames) as engine:      # what it sends for the log of any container
    engine.client                             # a `docker` that says this engine is the one it speaks to
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

CLIENT = """#!/bin/sh
[ "$1 $2" = "context inspect" ] && echo "{endpoint}" && exit
echo "docker: only contexts here" >&2
exit 1
"""
HEAD = (
    "HTTP/1.0 {status}\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nDocker-Experimental: false\r\n"
    "Ostype: linux\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\n\r\n"
)


def client(folder: Path, endpoint: str) -> Path:
    """A `docker` that names this endpoint as its own, and can do nothing else."""
    path = folder / "docker"
    path.write_text(CLIENT.format(endpoint=endpoint), encoding="utf-8")
    path.chmod(0o755)
    return path


class Engine:
    """`log` is what is sent for a log, piece by piece; `stays` keeps the connection open then, as a follower's is."""

    def __init__(self, folder: Path, log: Iterable[bytes] = (), *, tty: bool = False, stays: bool = False) -> None:
        self.socket = folder / "docker.sock"
        self.client = client(folder, f"unix://{self.socket}")
        self.log = list(log)
        self.inspected: bytes = json.dumps({"Id": "abc", "Config": {"Tty": tty, "Env": []}}).encode()
        # an answer to everything, instead of the engine's
        self.raw: bytes | None = None
        # bodies of other answers, by how what is asked for ends before its query
        self.bodies: dict[str, bytes] = {}
        self.status = "200 OK"
        self.stays = stays
        # what was asked for, and the connections that are open
        self.asked: list[str] = []
        self.connections: set[socket.socket] = set()
        self._server = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Self:
        self._server.bind(str(self.socket))
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.hang_up()

    def hang_up(self) -> None:
        """All connections end, as those of an engine that is stopped."""
        for connection in list(self.connections):
            connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections.add(connection)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(1 << 16)
                target = request.split()[1].decode()
                self.asked.append(target)
                for piece in self._pieces(target):
                    connection.sendall(piece)
                # read until the other side has ended it
                while "/logs" in target and self.stays and connection.recv(1):
                    pass
            except OSError:
                pass
            finally:
                self.connections.discard(connection)

    def _pieces(self, target: str) -> Iterable[bytes]:
        if self.raw is not None:
            return (self.raw,)
        head = HEAD.format(status=self.status).encode()
        for end, body in self.bodies.items():
            if target.partition("?")[0].endswith(end):
                return (head, body)
        if not self.status.startswith("200"):
            return (head, self.inspected)
        return (head, *self.log) if "/logs" in target else (head, self.inspected)
