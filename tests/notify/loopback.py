"""A receiver on loopback, and views to feed a notifier with."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple

from litellm_tui.model.diagnosis import Deployment, Diagnosis, Headline, Place, PlaceKind, Problem, Severity, Verdict
from litellm_tui.model.gateway import Gateway
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot

NOW = 1_800_000_000.0
OK = Verdict("serving", "ok")


class Got(NamedTuple):
    path: str
    headers: dict[str, str]
    body: Any


class Loopback:
    """Notes what is posted to it, and answers with `status`; `down` refuses connections, and keeps the port."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    def __enter__(self) -> Loopback:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def up(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver.got.append(
                    Got(self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(content))
                )
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


class SeenOnce(NamedTuple):
    """As much of a view as a notifier looks at."""

    snapshot: Snapshot
    diagnosis: Diagnosis
    now: float
    redact: Callable[[str], str] = str
    fallen: bool = False


def problem(
    key: str = "group:small",
    severity: Severity = "bad",
    since: float | None = NOW,
    *,
    kind: PlaceKind = "group",
    solved_at: float | None = None,
    cause: str = "refused",
    reason: str = "nothing listens there",
) -> Problem:
    name = key.partition(":")[2]
    return Problem(
        key, severity, name, cause, reason, Place(kind, name), do="start it", hit=f"group {name}", since=since,
        solved_at=solved_at,
    )  # fmt: skip


def diagnosis(*problems: Problem, answering: bool = True, deployments: tuple[Deployment, ...] = ()) -> Diagnosis:
    gateway = Verdict("answering", "ok") if answering else Verdict("down", "bad")
    return Diagnosis(
        Headline("OK", "ok"), gateway, Verdict("running", "ok"), Verdict("off", "quiet"), problems=problems,
        deployments=deployments,
    )  # fmt: skip


def view(*problems: Problem, now: float = NOW, answering: bool = True, redact: Callable[[str], str] = str) -> SeenOnce:
    loaded: Reading[Any] = Reading(value=(), seen_at=now) if answering else Reading()
    snapshot = Snapshot(now, gateway=Gateway(deployments=loaded))
    return SeenOnce(snapshot, diagnosis(*problems, answering=answering), now, redact)
