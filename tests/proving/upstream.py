"""The lab's upstream, in this process, and remembering what it was asked in full."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from tests.lab import upstream


class Call(NamedTuple):
    path: str
    model: str | None
    body: dict[str, Any]
    headers: dict[str, str]
    """By their names in small letters."""


class _Handler(upstream.Handler):
    def body(self) -> dict[str, Any]:
        body = super().body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        assert isinstance(self.server, Upstream)
        # The server makes one of two leading slashes in `path`.
        self.server.calls.append(Call(self.requestline.split()[1], body.get("model"), body, headers))
        return body


class Upstream(upstream.Server):
    """Answers at `address` from the start on; the name of a model chooses its fault (`tests.lab.upstream.FAULTS`)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[Call] = []
        self.address = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
