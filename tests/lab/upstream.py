"""An upstream on loopback whose model names choose the fault: ``upstream.py [ADDRESS:]PORT [CERTIFICATE KEY]``.

It speaks as OpenAI, and to requests in their forms as Anthropic and as Ollama; with a certificate, in TLS.

A model whose name holds one of FAULTS fails that way. ``POST /control {"model": NAME, "fault": FAULT}`` gives
it another one at run time ("ok": none at all, null: back to what its name says; model "*": every model), and
``DELETE /control`` takes all of those back. With ``"only": "checks"`` the fault hits nothing but LiteLLM's own
health checks, with ``"only": "requests"`` everything but them. ``GET /calls`` counts what was asked for since the
start or since ``DELETE /calls``. Below ``/front-502`` and ``/front-login`` it is what may stand in front of a gateway:
a reverse proxy without a gateway behind it, and one that wants a login first.

Standard library only, so that it starts at once under any interpreter.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

TOO_LONG = "This model's maximum context length is 4096 tokens. Please reduce the length of the messages."
REFUSED = "Your request was rejected as a result of the safety system."
# Words that the providers answer with, as their documentation and reports have them.
NO_QUOTA = "You exceeded your current quota, please check your plan and billing details."
NO_CREDIT = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade."
RETIRED = "The model `retired-m` has been decommissioned and is no longer supported."
NO_MEMORY = "model requires more system memory (9.5 GiB) than is available (3.1 GiB)"
PAGE_502 = "<html><head><title>502 Bad Gateway</title></head><body><h1>502</h1><center>nginx</center></body></html>"
LOGIN = "<html><head><title>Sign in</title></head><body><form action='/login'>Log in to go on</form></body></html>"
ERRORS: dict[str, tuple[int, dict[str, Any] | str]] = {
    "err500": (500, {"message": "upstream exploded", "type": "server_error", "code": None}),
    "err503": (503, {"message": "no capacity left", "type": "server_error", "code": None}),
    "err429": (429, {"message": "rate limited, slow down", "type": "rate_limit_error", "code": "rate_limit"}),
    "err401": (
        401,
        {"message": "Incorrect API key provided", "type": "auth_error", "code": "invalid_api_key"},
    ),
    "err404": (
        404,
        {"message": "The model does not exist", "type": "request_error", "code": "model_not_found"},
    ),
    "errctx": (400, {"message": TOO_LONG, "type": "request_error", "code": "context_length_exceeded"}),
    "errpolicy": (400, {"message": REFUSED, "type": "invalid_request_error", "code": "content_policy_violation"}),
    "errquota": (429, {"message": NO_QUOTA, "type": "insufficient_quota", "code": "insufficient_quota"}),
    "errcredit": (400, {"type": "invalid_request_error", "message": NO_CREDIT}),
    "errpay": (402, {"message": "Insufficient credits. Add more using https://openrouter.ai/credits", "code": 402}),
    "errbalance": (402, {"message": "Insufficient Balance", "type": "unknown_error", "code": "invalid_request_error"}),
    "errretired": (
        400,
        {"message": RETIRED, "type": "invalid_request_error", "code": "model_decommissioned"},
    ),
    "err529": (529, {"type": "overloaded_error", "message": "Overloaded"}),
    "err403": (403, {"message": "This project has no access to the model", "type": "permission_error"}),
    "errmemory": (500, NO_MEMORY),
    "errpull": (404, "model 'unpulled-m' not found"),
}
# Streams that break in the middle: by a reset connection, by an error among the events. Others are answered.
BREAKS = ("cutoff", "errstream")
FAULTS = (*ERRORS, "slow", "hang", "garbage", "errpage", "mute", "tardy", *BREAKS)
SLOW_SECONDS = 5.0
HANG_SECONDS = 3600.0
ANSWER = ("Hello", " from", " the", " lab")
CUT_AFTER = 3
BREAK_SECONDS = 0.3
ONLY = ("checks", "requests")
# What LiteLLM's own health checks ask, word for word (litellm/proxy/health_check.py of 1.77.7 and 1.106.2).
CHECKS = frozenset({"Hey how's it going?", "What's 1 + 1?", "test from litellm"})


class Override(NamedTuple):
    fault: str
    seconds: float | None = None
    only: str | None = None


class State:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.overrides: dict[str, Override] = {}
        self.models: Counter[str] = Counter()
        self.endpoints: Counter[str] = Counter()

    def fault(self, model: str, check: bool) -> tuple[str | None, float | None]:
        with self.lock:
            override = self.overrides.get(model) or self.overrides.get("*")
        if override and override.only in (None, "checks" if check else "requests"):
            return (None if override.fault == "ok" else override.fault), override.seconds
        return next((name for name in FAULTS if name in model), None), None

    def count(self, endpoint: str, model: str) -> None:
        with self.lock:
            self.models[model] += 1
            self.endpoints[endpoint] += 1

    def calls(self) -> dict[str, Any]:
        with self.lock:
            return {
                "total": sum(self.models.values()),
                "models": dict(self.models),
                "endpoints": dict(self.endpoints),
            }

    def reset(self) -> None:
        with self.lock:
            self.models.clear()
            self.endpoints.clear()


STATE = State()


def is_check(body: dict[str, Any]) -> bool:
    """Whether the request is one of LiteLLM's own health checks."""
    messages, given = body.get("messages"), body.get("input")
    if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], dict):
        content = messages[0].get("content")
        # in Anthropic's form a text is a list of parts
        parts = content if isinstance(content, list) else [{"text": content}]
        return all(isinstance(part, dict) and part.get("text") in CHECKS for part in parts)
    return isinstance(given, list) and len(given) == 1 and given[0] in CHECKS


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "lab", ""
    # Head and body leave in two writes; with Nagle's algorithm each answer would wait for a delayed ACK.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def body(self) -> dict[str, Any]:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            value = json.loads(raw or b"{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def answer(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send(json.dumps(value).encode(), status, {"content-type": "application/json", **(headers or {})})

    def send(self, data: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        if self.path == "/calls":
            self.answer(STATE.calls())
        elif self.path == "/control":
            with STATE.lock:
                overrides = {model: override.fault for model, override in STATE.overrides.items()}
            self.answer({"faults": list(FAULTS), "overrides": overrides})
        elif self.path in ("/v1/models", "/models"):
            self.answer({"object": "list", "data": []})
        elif self.path.startswith("/front-"):
            status, page = (502, PAGE_502) if self.path.startswith("/front-502") else (200, LOGIN)
            self.send(page.encode(), status, {"content-type": "text/html"})
        else:
            self.answer({"error": {"message": f"no such path {self.path}"}}, 404)

    def do_DELETE(self) -> None:
        if self.path == "/calls":
            STATE.reset()
            self.answer(STATE.calls())
        elif self.path == "/control":
            with STATE.lock:
                STATE.overrides.clear()
            self.answer({"overrides": {}})
        else:
            self.answer({"error": {"message": f"no such path {self.path}"}}, 404)

    def do_POST(self) -> None:
        body = self.body()
        if self.path == "/control":
            self.control(body)
            return
        endpoint = self.path.split("?")[0].rstrip("/")
        while endpoint.startswith("/v1/"):
            endpoint = endpoint.removeprefix("/v1")
        model = str(body.get("model"))
        STATE.count(endpoint, model)
        fault, seconds = STATE.fault(model, is_check(body))
        if self.failed(fault, seconds):
            return
        if endpoint == "/chat/completions":
            self.chat(model, bool(body.get("stream")), fault, seconds)
        elif endpoint == "/embeddings":
            self.embeddings(model, body.get("input"))
        elif endpoint in ("/rerank", "/v2/rerank"):
            self.rerank(model, body.get("documents") or [])
        elif endpoint == "/messages":
            self.messages(model)
        elif endpoint == "/api/chat":
            self.ollama(model)
        else:
            self.answer({"error": {"message": f"no such path {self.path}"}}, 404)

    def control(self, body: dict[str, Any]) -> None:
        model, fault, seconds, only = (body.get(name) for name in ("model", "fault", "seconds", "only"))
        known = (fault is None or fault in (*FAULTS, "ok")) and (only is None or only in ONLY)
        if not isinstance(model, str) or not known:
            message = f"want a model and one of {', '.join(FAULTS)}, ok or null, for only {' or '.join(ONLY)}"
            self.answer({"error": {"message": message}}, 400)
            return
        with STATE.lock:
            if fault is None:
                STATE.overrides.pop(model, None)
            else:
                STATE.overrides[model] = Override(fault, float(seconds) if seconds is not None else None, only)
        self.answer({"model": model, "fault": fault})

    def failed(self, fault: str | None, seconds: float | None) -> bool:
        """Whether the fault has already settled the answer."""
        if fault in ERRORS:
            status, error = ERRORS[fault]
            self.answer({"type": "error", "error": error}, status, {"retry-after": "7"} if fault == "err429" else None)
            return True
        if fault == "garbage":
            self.send(b"<html><body><h1>It works!</h1></body></html>", 200, {"content-type": "text/html"})
            return True
        if fault == "errpage":
            self.send(PAGE_502.encode(), 502, {"content-type": "text/html"})
            return True
        if fault == "hang":
            time.sleep(HANG_SECONDS if seconds is None else seconds)
            self.close_connection = True
            return True
        if fault == "slow":
            time.sleep(SLOW_SECONDS if seconds is None else seconds)
        return False

    def chat(self, model: str, stream: bool, fault: str | None, seconds: float | None) -> None:
        common = {"id": "chatcmpl-lab", "created": int(time.time()), "model": model}
        if stream:
            self.stream(common, fault, seconds)
            return
        message = {"role": "assistant", "content": "".join(ANSWER)}
        self.answer(
            {
                **common,
                "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 11, "completion_tokens": 9, "total_tokens": 20},
            }
        )

    def stream(self, common: dict[str, Any], fault: str | None, seconds: float | None) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if fault == "mute":
            # A stream that is accepted, and never brings a word.
            self.wfile.flush()
            time.sleep(HANG_SECONDS if seconds is None else seconds)
            self.close_connection = True
            return
        if fault == "tardy":
            # The first word comes late, and then all is well.
            self.wfile.flush()
            time.sleep(SLOW_SECONDS if seconds is None else seconds)
        deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
        deltas += [({"content": word}, None) for word in ANSWER]
        deltas.append(({}, "stop"))
        for delta, reason in deltas[:CUT_AFTER] if fault in BREAKS else deltas:
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            event = {**common, "object": "chat.completion.chunk", "choices": [choice]}
            self.chunk(f"data: {json.dumps(event)}\n\n")
        if fault in BREAKS:
            # What was written shall be read first, or the client would never have had the beginning of an answer.
            time.sleep(BREAK_SECONDS)
        if fault == "cutoff":
            self.reset_connection()
            return
        if fault == "errstream":
            self.chunk(f"data: {json.dumps({'error': {'message': 'the engine died', 'code': 500}})}\n\n")
        self.chunk("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def reset_connection(self) -> None:
        """Gone in the middle, as when the upstream dies: neither the events nor the chunks have an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The server would shut it down in good order.
        os.close(self.connection.detach())
        self.close_connection = True

    def chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def embeddings(self, model: str, given: Any) -> None:
        inputs = given if isinstance(given, list) else [given]
        vector = [0.25, -0.5, 0.125]
        data = [{"object": "embedding", "index": n, "embedding": vector} for n, _ in enumerate(inputs)]
        usage = {"prompt_tokens": len(inputs), "total_tokens": len(inputs)}
        self.answer({"object": "list", "model": model, "data": data, "usage": usage})

    def messages(self, model: str) -> None:
        """An answer in Anthropic's form."""
        content = [{"type": "text", "text": "".join(ANSWER)}]
        usage = {"input_tokens": 11, "output_tokens": 9}
        about = {"id": "msg_lab", "type": "message", "role": "assistant", "model": model}
        self.answer({**about, "content": content, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage})

    def ollama(self, model: str) -> None:
        """An answer in Ollama's form."""
        message = {"role": "assistant", "content": "".join(ANSWER)}
        counts = {"prompt_eval_count": 11, "eval_count": 9, "total_duration": 5, "eval_duration": 3}
        made = {"model": model, "created_at": "2026-01-01T00:00:00Z"}
        self.answer({**made, "message": message, "done": True, "done_reason": "stop", **counts})

    def rerank(self, model: str, documents: list[Any]) -> None:
        results = [{"index": n, "relevance_score": round(0.9 / (n + 1), 3)} for n, _ in enumerate(documents)]
        meta = {"billed_units": {"search_units": 1}}
        self.answer({"id": "rerank-lab", "model": model, "results": results, "meta": meta})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A caller that gave up on a slow answer is the point of that answer.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


if __name__ == "__main__":
    address, _, number = sys.argv[1].rpartition(":")
    server = Server((address or "127.0.0.1", int(number)), Handler)
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
