"""The simulated proxy: answers requests from what it runs, what is broken, and how it feels."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from litellm_tui.demo import answers, cache
from litellm_tui.demo.faults import Failed, Fault, failed
from litellm_tui.demo.files import VERSION
from litellm_tui.demo.journal import Journal
from litellm_tui.demo.messages import Words
from litellm_tui.demo.routing import Call, Outcome, Router
from litellm_tui.demo.running import Deployment, Running
from litellm_tui.demo.server import Answer, Request

_OPEN = {"/health/liveliness", "/health/liveness", "/health/readiness"}
_COMPLETIONS = {"/v1/chat/completions": False, "/chat/completions": False, "/v1/embeddings": True, "/embeddings": True}
# a provider's own answer takes this long, in seconds; a refused connection hardly any
_FASTEST, _SLOWEST = 0.03, 0.12
# and so long to others than the console: an embedding, and a whole answer
_BRIEF, _LONG = (0.05, 0.2), (0.3, 2.4)
LOADING_TIMEOUT = 5.0


class Gateway:
    """One LiteLLM process. `respond` runs in many threads; all else is called with the simulation's lock held."""

    def __init__(
        self,
        journal: Journal,
        clock: Callable[[], float],
        lock: threading.RLock,
        pid: Callable[[], int],
        randomness: random.Random,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._lock = lock
        self._pid = pid
        self._random = randomness
        self.running: Running | None = None
        self.faults: dict[str, Fault] = {}
        self.cache_reachable = True
        self.database = "Not connected"
        self.hits, self.misses = 41_230, 67_810
        self._cache_since = clock() - 11 * 86400
        self._health: list[tuple[Deployment, Failed | None]] | None = None
        self._going = threading.Event()
        self._going.set()
        self._loaded = threading.Event()

    # --- its life -----------------------------------------------------------------------------------------------

    def begin(self, running: Running) -> None:
        """Hold a configuration; only the two open health calls answer until `ready`."""
        self.running = running
        self._health = None
        self._loaded.clear()

    def ready(self) -> None:
        """Answer everything, and have made the first round of health checks."""
        self.check_health()
        self._loaded.set()

    def end(self) -> None:
        """The process is gone: whoever waits in it goes without an answer."""
        self.running = None
        self._loaded.set()
        self._going.set()

    def hang(self) -> None:
        """Take connections and answer nothing, as after SIGSTOP."""
        self._going.clear()

    def resume(self) -> None:
        """Go on with everything that waited."""
        self._going.set()

    @property
    def hanging(self) -> bool:
        """Whether it is stopped."""
        return not self._going.is_set()

    def check_health(self) -> None:
        """One background round: what /health will say until the next."""
        if self.running is not None:
            self._health = [(entry, self._failure(entry)) for entry in self.running.deployments]

    def _failure(self, deployment: Deployment) -> Failed | None:
        fault = self.faults.get(deployment.id)
        return failed(fault, deployment) if fault else None

    # --- requests -----------------------------------------------------------------------------------------------

    def respond(self, request: Request) -> Answer | None:
        """Answer one request, None to drop the connection."""
        self._going.wait()
        path = request.path.partition("?")[0].rstrip("/") or "/"
        if path not in _OPEN:
            self._loaded.wait(LOADING_TIMEOUT)
        with self._lock:
            if self.running is None:
                return None
            answer = self._answer(request, path, self.running)
            words = Words(self._clock())
            self._say([words.access(request.client, request.method, request.path, answer.status)])
            return answer

    def traffic(self, call: Call, client: str) -> Outcome | None:
        """A request of somebody else's, seen in the log alone."""
        if self.running is None or self.hanging:
            return None
        now = self._clock()
        words = Words(now)
        path = "/v1/embeddings" if call.embedding else "/v1/chat/completions"
        if hit := self._from_cache(call):
            self._say([words.begun(), words.from_cache(hit), words.access(client, "POST", path, 200)])
            return None
        outcome = self._route(call, words)
        took = self._random.uniform(*(_BRIEF if call.embedding else _LONG)) if outcome.deployment else 0.0
        self._journal.write([Words(now - took).begun()], pid=self._pid(), time=now - took)
        status = outcome.failure.status if outcome.failure else 200
        self._say([*outcome.lines, words.access(client, "POST", path, status)])
        return outcome

    def _answer(self, request: Request, path: str, running: Running) -> Answer:
        if path in _OPEN:
            if request.method != "GET":
                return _json(405, {"detail": "Method Not Allowed"})
            if path.endswith("readiness"):
                return _json(self._readiness_status, {"status": "healthy", "db": self.database})
            return _json(200, "I'm alive!")
        documents: dict[str, Callable[[], tuple[int, Any]]] = {
            "/health/readiness/details": lambda: (
                self._readiness_status, answers.readiness_details(running, self.database)
            ),
            "/v1/models": lambda: (200, answers.models(running)),
            "/models": lambda: (200, answers.models(running)),
            "/v1/model/info": lambda: (200, answers.model_info(running)),
            "/model/info": lambda: (200, answers.model_info(running)),
            "/model_group/info": lambda: (200, answers.model_groups(running)),
            "/get/config/callbacks": lambda: (200, answers.callbacks(running)),
            "/health": lambda: (200, {} if self._health is None else answers.health(self._health)),
            "/cache/ping": lambda: self._ping(running),
            "/cache/redis/info": lambda: cache.redis_info(
                running, hits=self.hits, misses=self.misses, uptime=int(self._clock() - self._cache_since),
                reachable=self.cache_reachable,
            ),
        }  # fmt: skip
        if path not in documents and path not in _COMPLETIONS:
            return _json(404, {"detail": "Not Found"})
        if (request.method == "POST") != (path in _COMPLETIONS):
            return _json(405, {"detail": "Method Not Allowed"})
        if refusal := self._refusal(request, running):
            return refusal
        if path in _COMPLETIONS:
            return self._completion(request.body, embedding=_COMPLETIONS[path])
        return _json(*documents[path]())

    @property
    def _readiness_status(self) -> int:
        """A database that it was given and does not reach takes it out of the rotation."""
        return 200 if self.database in ("connected", "Not connected") else 503

    def _refusal(self, request: Request, running: Running) -> Answer | None:
        """Without a database this version fails on a missing key and looks for a wrong one in the database."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if given == running.master_key:
            return None
        reason = "No connected db." if given else "No api key passed in."
        self._say([Words(self._clock()).key_refused(reason, request.client)])
        if given:
            return _json(400, answers.error(reason, "no_db_connection", 400))
        return Answer(500, b"Internal Server Error", "text/plain; charset=utf-8", {"connection": "close"})

    def _ping(self, running: Running) -> tuple[int, Any]:
        status, document = cache.ping(running, reachable=self.cache_reachable)
        if status == 503 and cache.kind(running) == "redis":
            self._say(Words(self._clock()).cache_unreachable(cache.server(running), pinged=True))
        return status, document

    # --- completions --------------------------------------------------------------------------------------------

    def _completion(self, body: bytes, *, embedding: bool) -> Answer:
        try:
            data = json.loads(body)
        except ValueError:
            message = "Invalid JSON payload: unexpected character, expected a JSON value: line 1 column 1 (char 0)"
            return _json(400, answers.error(message, "invalid_request_error", 400, "request_body"))
        assert self.running is not None
        group = str(data.get("model")) if isinstance(data, dict) else "None"
        if not self.running.members(group):
            place = "/embeddings" if embedding else "/chat/completions"
            message = (
                f"{place}: Invalid model name passed in model={group}. Call `/v1/models` to view available models for "
                "your key."
            )
            return _bad_request(message)
        if mocked := [name for name in data if name.startswith("mock_testing_")]:
            # what this version says without general_settings.dangerously_allow_mock_testing_request_params
            return _bad_request(f"Mock testing request params are disabled on this proxy: {', '.join(mocked)}.")
        retries = data.get("num_retries")
        call = Call(
            group, embedding, not data.get("disable_fallbacks"), retries if isinstance(retries, int) else None
        )  # fmt: skip
        outcome = self._route(call, Words(self._clock()))
        self._say([Words(self._clock()).begun(), *outcome.lines])
        took = sum(self._random.uniform(_FASTEST, _SLOWEST) for _ in range(max(1, outcome.attempts)))
        if outcome.failure is not None:
            document = answers.error(outcome.message, outcome.failure.type, outcome.failure.status)
            headers = {"x-litellm-call-id": outcome.call_id, "x-litellm-response-cost": "0",
                       "x-litellm-key-spend": "0.0", "x-litellm-timeout": "120"}  # fmt: skip
            return _json(outcome.failure.status, document, headers, took)
        created = int(self._clock())
        if data.get("stream") and not embedding:
            events = answers.stream(outcome, created).encode()
            return Answer(200, events, "text/event-stream; charset=utf-8", _headers(outcome, took), took)
        document = answers.embedding(outcome) if embedding else answers.completion(outcome, created)
        return _json(200, document, _headers(outcome, took), took)

    def _route(self, call: Call, words: Words) -> Outcome:
        assert self.running is not None
        outcome = Router(self.running, self.faults, self._random).route(call, words)
        if cache.kind(self.running) == "redis":
            if not self.cache_reachable:
                outcome.lines += words.cache_unreachable(cache.server(self.running), pinged=False)
            else:
                self.misses += 1
        return outcome

    def _from_cache(self, call: Call) -> Deployment | None:
        """The deployment in whose place the cache answers, as some of the time; never for one that fails."""
        if self.running is None or not self.cache_reachable or cache.kind(self.running) != "redis":
            return None
        members = self.running.members(call.group)
        hit = not call.embedding and self._random.random() < 0.2
        if not hit or not members or any(entry.id in self.faults for entry in members):
            return None
        self.hits += 1
        return members[0]

    def _say(self, lines: list[str]) -> None:
        self._journal.write(lines, pid=self._pid())


def _headers(outcome: Outcome, took: float) -> dict[str, str]:
    assert outcome.deployment is not None
    headers = {
        "x-litellm-call-id": outcome.call_id,
        "x-litellm-model-id": outcome.deployment.id,
        "x-litellm-model-name": outcome.deployment.model,
        "x-litellm-model-api-base": outcome.deployment.api_base or "",
        "x-litellm-version": VERSION,
        "x-litellm-response-cost-original": "0.0",
        "x-litellm-key-spend": "0.0",
        "x-litellm-response-duration-ms": str(took * 1000),
        "x-litellm-overhead-duration-ms": str(min(6.4, took * 100)),
        "x-litellm-callback-duration-ms": "0.0",
        "x-litellm-model-group": outcome.group,
        "x-litellm-attempted-retries": str(outcome.retries),
        "x-litellm-attempted-fallbacks": str(outcome.fallbacks),
    }
    return {name: value for name, value in headers.items() if value}


def _bad_request(message: str) -> Answer:
    document = answers.error(message, "invalid_request_error", 400)
    document["error"]["provider_specific_fields"] = {"error": message}
    return _json(400, document)


def _json(status: int, document: Any, headers: Mapping[str, str] | None = None, delay: float = 0.0) -> Answer:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, headers=headers or {}, delay=delay)
