"""A gateway on loopback that says what a real LiteLLM was recorded to say, and counts what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from litellm_tui.model.found import Found
from litellm_tui.model.gateway import LoadedDeployment
from litellm_tui.model.service_kinds import Tools
from litellm_tui.target.profile import Profile, Secret
from tests.recorded import case, content

KEY = "sk-standin-1234567890"
Answer = Callable[["Handler"], None]


def recorded(version: str, name: str, **headers: str) -> Answer:
    """A recorded answer, with its headers as LiteLLM sent them but for those given here."""
    found = case(version, name)
    body = found["body"].encode() if isinstance(found["body"], str) else content(found)
    said = found["headers"] | {key.replace("_", "-"): value for key, value in headers.items()}
    return lambda handler: handler.say(found["status"], body, said)


def says(status: int, body: bytes, kind: str, **headers: str) -> Answer:
    """Anything else, as a reverse proxy might say it."""
    said = {"content-type": kind} | {key.replace("_", "-"): value for key, value in headers.items()}
    return lambda handler: handler.say(status, body, said)


def streams(*events: str, whole: bool = True) -> Answer:
    """Server-sent events; not `whole` is a connection that is cut before the last chunk."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        for name, value in (("content-type", "text/event-stream"), ("transfer-encoding", "chunked")):
            handler.send_header(name, value)
        handler.send_header("x-litellm-call-id", "1")
        handler.end_headers()
        for event in events:
            data = f"data: {event}\n\n".encode()
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if whole:
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = True

    return answer


def hangs(handler: Handler) -> None:
    """No answer, until the caller hangs up."""
    standin = handler.standin
    handler.close_connection = True
    handler.connection.settimeout(20)
    if handler.connection.recv(1) == b"":
        with standin.lock:
            standin.hung_up += 1


class StandIn:
    """`answers` maps a model (a group or an id) to what is said to it; `asked` holds every POST as it came."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.deployments: list[dict[str, Any]] = []
        self.router: dict[str, Any] = {}
        self.alive = True
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.keys: set[str | None] = set()
        self.hung_up = 0
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self.url = ""

    def has(self, id: str, group: str, model: str, answer: Answer, mode: str | None = None, **params: Any) -> str:
        """One more deployment that is loaded; its id."""
        entry = {"model_name": group, "litellm_params": {"model": model, **params}, "model_info": {"id": id}}
        if mode:
            entry["model_info"] = {"id": id, "mode": mode}
        self.deployments.append(entry)
        self.answers[id] = answer
        return id

    @property
    def profile(self) -> Profile:
        """A profile of this gateway alone."""
        return Profile("test", "here", Found(self.url, "the test"), Tools(), key=Secret(KEY))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standin: StandIn

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def say(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _json(self, value: Any) -> None:
        self.say(200, json.dumps(value).encode(), {"content-type": "application/json"})

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/v1/model/info":
            self._json({"data": self.standin.deployments})
        elif path == "/get/config/callbacks":
            self._json({"router_settings": self.standin.router})
        elif path == "/health/liveliness" and self.standin.alive:
            self._json("I'm alive!")
        elif path == "/health/liveliness":
            hangs(self)
        else:
            self.say(404, b"{}", {"content-type": "application/json"})

    def do_POST(self) -> None:
        standin = self.standin
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with standin.lock:
            standin.asked.append((self.path, body))
            standin.keys.add(self.headers["authorization"])
            standin.at_once += 1
            standin.most_at_once = max(standin.most_at_once, standin.at_once)
        try:
            standin.answers[body["model"]](self)
        except OSError:
            # the caller hung up, which is the point of some tests
            self.close_connection = True
        finally:
            with standin.lock:
                standin.at_once -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """A gateway that runs in a thread of its own until the end."""
    standin = StandIn()
    handler = type("Bound", (Handler,), {"standin": standin})
    server = _Server(("127.0.0.1", 0), handler)
    standin.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield standin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def deployment(
    id: str,
    mode: str | None = None,
    group: str = "g",
    model: str = "openai/m",
    api_base: str | None = None,
    **params: Any,
) -> LoadedDeployment:
    """A loaded deployment, of which only this matters."""
    return LoadedDeployment(id, group, model, api_base, mode, params=params, names=(group,))
