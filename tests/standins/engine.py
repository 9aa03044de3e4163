"""Docker's engine for tests: lists containers and images, describes them, and sends logs, on a socket of its own.

with Engine(tmp_path, frames) as engine:      # what it sends for the log of any container
    engine.client                             # a `docker` that says this engine is the one it speaks to
    engine.add("gw", "litellm:1", ["litellm"])    # a container that is listed; without any, all are `inspected`
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

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
        # the containers that are listed, by their ids, and the ids of images by their names
        self.containers: dict[str, dict[str, Any]] = {}
        self.images: dict[str, str] = {}
        # what was asked for, and the connections that are open
        self.asked: list[str] = []
        self.connections: set[socket.socket] = set()
        self._server = socket.socket(socket.AF_UNIX)

    def add(self, name: str, image: str, words: list[str], *, running: bool = True, **more: Any) -> str:
        """A container; `more` are `labels`, `mounts`, `ports`, `env`, `network` and `made_of`, its image's id.

        Returns its own id.
        """
        number = f"{len(self.containers) + 1:064x}"
        self.containers[number] = {
            "Id": number, "Name": f"/{name}", "Path": words[0], "Args": words[1:], "Image": more.get("made_of", ""),
            "State": {"Status": "running" if running else "exited"},
            "Config": {"Image": image, "Env": more.get("env", []), "Labels": more.get("labels", {})},
            "Mounts": more.get("mounts", []),
            "HostConfig": {"NetworkMode": more.get("network", "default"), "PortBindings": more.get("ports", {})},
            "NetworkSettings": {"Ports": more.get("ports", {}) if running else {}},
        }  # fmt: skip
        return number

    def listed(self) -> bytes:
        """What `GET /containers/json` answers."""
        return json.dumps([
            {
                "Id": one["Id"], "Names": [one["Name"]], "Image": one["Config"]["Image"],
                "Command": " ".join([one["Path"], *one["Args"]]), "State": one["State"]["Status"],
                "Labels": one["Config"]["Labels"],
            }
            for one in self.containers.values()
        ]).encode()  # fmt: skip

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
        path = target.partition("?")[0]
        if path == "/containers/json":
            return (head, self.listed())
        if path.startswith("/images/"):
            name = unquote(path.removeprefix("/images/").removesuffix("/json"))
            found = {"Id": self.images[name]} if name in self.images else None
            return self._described(found, f"No such image: {name}")
        if self.containers and path.endswith("/json"):
            asked = path.split("/")[2]
            by_name = (one for one in self.containers.values() if one["Name"] == f"/{asked}")
            return self._described(self.containers.get(asked) or next(by_name, None), f"No such container: {asked}")
        return (head, *self.log) if "/logs" in target else (head, self.inspected)

    def _described(self, found: dict[str, Any] | None, lacking: str) -> Iterable[bytes]:
        status, body = ("200 OK", found) if found else ("404 Not Found", {"message": lacking})
        return (HEAD.format(status=status).encode(), json.dumps(body).encode())
