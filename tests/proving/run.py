"""One start of LiteLLM: what became of it, and what it answers."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import httpx

from tests.proving.upstream import Call, Upstream

HOST = "127.0.0.1"
SETTLED_SECONDS = 120.0
POLL_SECONDS = 0.05
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
EXCEPTION = re.compile(r"^(?:[a-z_]\w*\.)*\w*(?:Error|Exception)(?::.*)?$", re.MULTILINE)


class GroundError(RuntimeError):
    """The ground itself failed, or was asked for what cannot be had; no verdict on LiteLLM."""


class Answer(NamedTuple):
    status: int
    body: Any
    """Decoded where it is JSON, else the text."""
    headers: Mapping[str, str]


class Run:
    """A start that has settled: it was refused, or it answers. Leaving it as a context ends it."""

    def __init__(self, folder: Path, port: int, key: str | None, upstream: Upstream, stop: Callable[[], None]) -> None:
        self.folder = folder
        """The working directory, with the configuration as config.yaml and the log as log; the ground removes it."""
        self.process = 0
        """Its number, for a signal."""
        self.status: int | None = None
        """How the process ended (a signal is negative); None while it runs."""
        self.cold = False
        """Whether the real command was executed, with imports of its own."""
        self.refused = False
        """Whether it ended before it answered once."""
        self._upstream = upstream
        self._first_call = len(upstream.calls)
        self._stop = stop
        self._ended = threading.Event()
        self._client = httpx.Client(
            base_url=f"http://{HOST}:{port}",
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=60,
            trust_env=False,
        )

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def log(self) -> str:
        """All that it has written so far, without colours."""
        with suppress(FileNotFoundError):
            return ANSI.sub("", (self.folder / "log").read_text(errors="replace"))
        return ""

    @property
    def error(self) -> str:
        """The last exception in the log, with what follows it up to an empty line; else the last lines."""
        log = self.log
        found = [match.start() for match in EXCEPTION.finditer(log)]
        if found:
            return log[found[-1] :].split("\n\n")[0].strip()
        return "\n".join([line for line in log.splitlines() if line.strip()][-5:])

    def models(self) -> list[dict[str, Any]]:
        """The deployments that were loaded: the entries of /v1/model/info."""
        return [*self._data("/v1/model/info")]

    def groups(self) -> list[str]:
        """What can be asked for by name, aliases too: the ids of /v1/models."""
        return [entry["id"] for entry in self._data("/v1/models")]

    def chat(self, model: str, text: str = "hello", **more: Any) -> Answer:
        """A chat completion; `more` joins the request's body."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return self.post("/v1/chat/completions", body)

    def embeddings(self, model: str, text: str = "hello") -> Answer:
        return self.post("/v1/embeddings", {"model": model, "input": [text]})

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, body: Any) -> Answer:
        return self._ask("POST", path, json=body)

    def upstream_calls(self) -> list[Call]:
        """What the upstream was asked since this start, by any run: runs at a time want models of different names."""
        return self._upstream.calls[self._first_call :]

    def began(self, process: int, cold: bool) -> None:
        """The ground's word that there is a process."""
        self.process, self.cold = process, cold

    def ended(self, status: int) -> None:
        """The ground's word that the process is gone."""
        self.status = status
        self._ended.set()

    def settle(self) -> None:
        """Wait until it has ended or answers."""
        deadline = time.monotonic() + SETTLED_SECONDS
        while not self._ended.wait(POLL_SECONDS):
            with suppress(httpx.TransportError):
                if self._client.get("/health/liveliness").status_code == 200:
                    return
            if time.monotonic() > deadline:
                raise GroundError(f"neither refused nor answering after {SETTLED_SECONDS:.0f} s:\n{self.error}")
        self.refused = True

    def ends(self, seconds: float) -> bool:
        """Whether the process is gone within this time."""
        return self._ended.wait(seconds)

    def close(self) -> None:
        if not self._ended.is_set():
            self._stop()
            if not self._ended.wait(SETTLED_SECONDS):
                raise GroundError("it was killed, and did not end")
        self._client.close()

    def _ask(self, method: str, path: str, **options: Any) -> Answer:
        if self.refused:
            raise GroundError(f"it did not start:\n{self.error}")
        answer = self._client.request(method, path, **options)
        try:
            body = answer.json()
        except ValueError:
            body = answer.text
        return Answer(answer.status_code, body, answer.headers)

    def _data(self, path: str) -> list[dict[str, Any]]:
        status, body, _ = self.get(path)
        if status != 200:
            raise GroundError(f"GET {path} answered {status}: {body}")
        data: list[dict[str, Any]] = body["data"]
        return data
