"""A socket that answers as a Docker engine does, from what a test gives it."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class FakeEngine:
    """Answers `GET /containers/json` and `GET /containers/ID/json`. `answer`, where set, is sent in place of all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[str] = []
        self.answer: bytes | None = None
        self._containers: dict[str, dict[str, Any]] = {}
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()

    def add(self, name: str, image: str, words: list[str], *, running: bool = True, **more: Any) -> str:
        """A container; `more` are `labels`, `mounts`, `ports`, `env` and `network`. Returns its id."""
        number = f"{len(self._containers) + 1:064x}"
        self._containers[number] = {
            "Id": number, "Name": f"/{name}", "Path": words[0], "Args": words[1:],
            "State": {"Status": "running" if running else "exited"},
            "Config": {"Image": image, "Env": more.get("env", []), "Labels": more.get("labels", {})},
            "Mounts": more.get("mounts", []),
            "HostConfig": {"NetworkMode": more.get("network", "default"), "PortBindings": more.get("ports", {})},
            "NetworkSettings": {"Ports": more.get("ports", {}) if running else {}},
        }  # fmt: skip
        return number

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                target = connection.recv(1 << 16).split(b" ")[1].decode()
                self.asked.append(target)
                connection.sendall(self._said(target) if self.answer is None else self.answer)

    def _said(self, target: str) -> bytes:
        if target == "/containers/json?all=1":
            listed = [
                {
                    "Id": one["Id"], "Names": [one["Name"]], "Image": one["Config"]["Image"],
                    "Command": " ".join([one["Path"], *one["Args"]]), "State": one["State"]["Status"],
                    "Labels": one["Config"]["Labels"],
                }
                for one in self._containers.values()
            ]  # fmt: skip
            return _http(200, listed)
        found = self._containers.get(target.split("/")[2])
        return _http(200, found) if found else _http(404, {"message": "No such container"})


def _http(status: int, content: Any) -> bytes:
    return f"HTTP/1.0 {status} X\r\nContent-Type: application/json\r\n\r\n{json.dumps(content)}".encode()
