"""HTTP/1.1 on loopback that can refuse, hang and come back on the same port."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

# below the range the kernel gives to outgoing connections: nothing takes the port while it is refused
FIRST_PORT, LAST_PORT = 4010, 4999


@dataclass(frozen=True)
class Request:
    """One request as the gateway sees it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client: str


@dataclass(frozen=True)
class Answer:
    """What goes back; `delay` is how long the gateway took, in seconds."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


Responder = Callable[[Request], Answer | None]


class Server:
    """Binds a port for its whole life and listens on it only while open.

    `respond` runs in the connection's own thread; None drops the connection without an answer.
    """

    def __init__(self, respond: Responder, port: int | None = None) -> None:
        self.respond = respond
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._open = False

    def open(self) -> None:
        """Accept connections."""
        with self._lock:
            if not self._open:
                self._open = True
                # needed to listen again beside connections that have not quite ended, and set only while listening:
                # in between it would let another process take the port
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self._socket.listen(64)
                threading.Thread(target=self._accept, name="demo-accept", daemon=True).start()

    def close(self) -> None:
        """Refuse connections and cut those there are. The port stays ours."""
        with self._lock:
            was_open, self._open = self._open, False
            connections = list(self._connections)
            self._connections.clear()
        if was_open:
            # on Linux this ends listening and wakes accept(), and keeps the binding
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        for connection in connections:
            _cut(connection)

    def release(self) -> None:
        """Close for good."""
        self.close()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, address = self._socket.accept()
            except OSError:
                return
            with self._lock:
                if not self._open:
                    _cut(connection)
                    return
                self._connections.add(connection)
            threading.Thread(
                target=self._serve, args=(connection, address), name="demo-connection", daemon=True
            ).start()

    def _serve(self, connection: socket.socket, address: tuple[str, int]) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Handler(connection, address, self)  # type: ignore[arg-type]  # it only asks for `respond`
        except (OSError, ValueError):
            # the client went away, or close() cut the connection under the handler
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)
            _cut(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # uvicorn drops an idle connection after 5 s
    timeout = 5
    server: Any

    def _any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        request = Request(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
            client=f"{self.client_address[0]}:{self.client_address[1]}",
        )
        answer: Answer | None = self.server.respond(request)
        if answer is None:
            self.close_connection = True
            return
        if answer.delay:
            time.sleep(answer.delay)
        head = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}"]
        head += [f"date: {formatdate(usegmt=True)}", f"content-length: {len(answer.body)}"]
        head += [f"content-type: {answer.content_type}"]
        head += [f"{name}: {value}" for name, value in answer.headers.items()]
        head += ["vary: Origin", "x-frame-options: DENY", "x-content-type-options: nosniff"]
        if answer.headers.get("connection") == "close":
            self.close_connection = True
        self.wfile.write("\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _any

    def log_message(self, format: str, *args: Any) -> None:
        # the simulated journal is the log: nothing may reach the console's terminal
        pass


def _bound(port: int | None) -> socket.socket:
    for candidate in (port,) if port is not None else (*range(FIRST_PORT, LAST_PORT + 1), 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.bind(("127.0.0.1", candidate))
        except OSError:
            listener.close()
            continue
        return listener
    raise OSError(f"port {port} of 127.0.0.1 is taken")


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
