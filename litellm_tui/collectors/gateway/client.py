"""Sends GET requests to the gateway and decodes each answer into a value or a `Failure`.

Shapes: LiteLLM 1.77.7 and 1.106.2. No request here is billed: a caller asks GET /health only where it is cached.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpcore  # noqa: F401  # httpx loads it with the first client, on the event loop
import httpx
import msgspec

from litellm_tui.analysis.addresses import is_this_machine
from litellm_tui.collectors.gateway import answers, metrics
from litellm_tui.collectors.gateway.front import in_front
from litellm_tui.host import bounded
from litellm_tui.model.failures import Failure, Malformed, NotAvailable, Unauthorized, Unreachable


class Endpoint(NamedTuple):
    """One endpoint. `interval` and `timeout` are seconds; `decode` gets the status and the body of a usable answer.

    `timeout` is for the whole answer, of which at most `limit` bytes are read.
    """

    field: str
    path: str
    keyed: bool
    interval: float
    timeout: float
    decode: Callable[[int, bytes], Any]
    limit: int = bounded.MEDIUM


# a deployment takes some 3 KB, and thousands of them can be loaded
_MANY: Final = bounded.LARGE

# A liveliness interval and twice its timeout stay under 5 s together: so soon a gateway is known to hang, after two
# timeouts in a row.
LIVELINESS: Final = Endpoint("liveliness", "/health/liveliness", False, 1.5, 1.4, answers.liveliness)
READINESS: Final = Endpoint("readiness", "/health/readiness", False, 15.0, 3.0, answers.readiness)
READINESS_DETAILS: Final = Endpoint("readiness", "/health/readiness/details", True, 15.0, 3.0, answers.readiness)
GROUPS: Final = Endpoint("groups", "/v1/models", True, 15.0, 3.0, answers.groups, _MANY)
DEPLOYMENTS: Final = Endpoint("deployments", "/v1/model/info", True, 15.0, 5.0, answers.deployments, _MANY)
ROUTER: Final = Endpoint("router", "/get/config/callbacks", True, 15.0, 3.0, answers.router)
HEALTH: Final = Endpoint("health", "/health", True, 5.0, 5.0, answers.health, _MANY)
CACHE_PING: Final = Endpoint("cache_ping", "/cache/ping", True, 10.0, 4.0, answers.cache_ping)
# With Redis down this call blocks LiteLLM's whole event loop for 7 s, and as long as Redis hangs (seen on 1.106.2): it
# is made rarely, and only directly after a ping that succeeded.
REDIS_INFO: Final = Endpoint("redis", "/cache/redis/info", True, 30.0, 5.0, answers.redis_info)
# some 40 KB per deployment: read rarely
METRICS: Final = Endpoint("metrics", "/metrics/", True, 30.0, 5.0, metrics.decode, 64 << 20)
# the profile's health URL: a whole address, where not only LiteLLM may answer
HEALTH_URL: Final = Endpoint("health_url", "", False, 10.0, 3.0, lambda status, _: f"HTTP {status}")

# long answers that seldom change: an equal one is not decoded again
KEPT: Final = (GROUPS, DEPLOYMENTS, ROUTER, HEALTH)

# the query of every request; LiteLLM ignores it, and its access lines then tell the polling from traffic
TAG: Final = "from=litellm-tui"


# from this length on an answer is decoded in a thread: it takes longer than a key stroke may wait
_LONG: Final = 1 << 20
# bytes read of an answer of which only the status and the beginning of an error count
_EXCERPT: Final = 1 << 16


class Answer(NamedTuple):
    """The result of one request, and how long it took in seconds."""

    result: Any
    took: float


class GatewayClient:
    """One keep-alive client for one gateway. At most a handful of connections, one request per endpoint."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self._url = url
        self._key = key
        # by path: the status and the body of the last usable answer, and its decoded value
        self._known: dict[str, tuple[int, bytes, Any]] = {}
        self._requests: dict[str, httpx.Request] = {}
        _without_sniffio()
        local = is_this_machine(urlsplit(url).hostname or "")
        self._client = httpx.AsyncClient(
            # an http_proxy of the environment must not get requests to this machine
            trust_env=not local,
            # building a CA store costs 20 ms, which a plain http address does not need
            verify=url.startswith("https"),
            follow_redirects=False,
            # uvicorn closes an idle connection after 5 s: it is closed here before, or a request may meet a closing one
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=4),
            headers={"User-Agent": "litellm-tui", "Accept-Encoding": "identity"},
        )

    async def get(self, endpoint: Endpoint, url: str = "") -> Answer:
        """Ask one endpoint of this gateway, or a `url`. Every failure is returned as a `Failure`."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(endpoint.timeout), self._asked(endpoint, url) as response:
                if endpoint is HEALTH_URL:
                    body = await bounded.beginning(response, _EXCERPT)
                else:
                    body = await bounded.body(response, endpoint.limit)
        except TimeoutError:
            why = f"no answer within {endpoint.timeout:g} s from {_where(url or self._url)}"
            return Answer(Unreachable(why, kind="timeout"), time.perf_counter() - started)
        except httpx.HTTPError as error:
            return Answer(_at(unreachable(error), url or self._url), time.perf_counter() - started)
        except bounded.BodyRefused as error:
            what = f"{endpoint.path or 'the health URL'}: HTTP {response.status_code}, {error}"
            return Answer(Malformed(what, status=response.status_code), time.perf_counter() - started)
        except (ValueError, httpx.InvalidURL) as error:
            return Answer(Unreachable(f"{endpoint.path or url}: {error}"), time.perf_counter() - started)
        took = time.perf_counter() - started
        known = self._known.get(endpoint.path)
        if known is not None and not url and known[0] == response.status_code and known[1] == body:
            # an equal answer stays the same object: what was derived from it stays valid
            return Answer(known[2], took)
        if front := _in_front(endpoint, response, body):
            why = f"something in front of LiteLLM answers: {front}"
            return Answer(Malformed(why, status=response.status_code, front=front), took)
        if refusal := _refusal(endpoint, response.status_code, body, bool(self._key)):
            return Answer(refusal, took)
        try:
            if len(body) < _LONG:
                result = endpoint.decode(response.status_code, body)
            else:
                result = await asyncio.to_thread(endpoint.decode, response.status_code, body)
            if endpoint in KEPT and not url:
                self._known[endpoint.path] = response.status_code, body, result
            return Answer(result, took)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
            what = response.headers.get("content-type", "no content type").partition(";")[0]
            said = answers.excerpt(str(error), 300)
            return Answer(
                Malformed(f"{endpoint.path}: HTTP {response.status_code}, {what}, not what LiteLLM says ({said})",
                          status=response.status_code), took
            )  # fmt: skip

    @contextlib.asynccontextmanager
    async def _asked(self, endpoint: Endpoint, url: str) -> AsyncIterator[httpx.Response]:
        """The answer whose body is still to be read; the request is made once and sent every time."""
        where = url or f"{self._url}{endpoint.path}?{TAG}"
        if where not in self._requests:
            headers = {"Authorization": f"Bearer {self._key}"} if endpoint.keyed and self._key else {}
            self._requests[where] = self._client.build_request("GET", where, headers=headers, timeout=None)
        response = await self._client.send(self._requests[where], stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    def use_key(self, key: str) -> None:
        """Send this key from now on; what was answered under another one is not taken for equal."""
        self._key = key
        self._requests.clear()
        self._known.clear()

    def use_url(self, url: str) -> None:
        """Ask at this address from now on; it is on the same machine as the one before."""
        self._url = url
        self._requests.clear()
        self._known.clear()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _without_sniffio() -> None:
    """httpcore looks for sniffio anew at each request: where there is none, on every folder of `sys.path`."""
    if "sniffio" not in sys.modules and importlib.util.find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]


def _where(url: str) -> str:
    """Host and port of an address, for a sentence."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or url
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{host}:{port}"


def _at(failure: Unreachable, url: str) -> Unreachable:
    """The failure with the address that was asked."""
    words = f"no connection to {_where(url)}: {failure.why}"
    if failure.kind == "closed":
        words = f"{_where(url)}: {failure.why}"
    return msgspec.structs.replace(failure, why=words)


def unreachable(error: httpx.HTTPError) -> Unreachable:
    """Name the kind of failure, from the exception and the operating system's error below it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return Unreachable("connection refused", kind="refused")
        if isinstance(cause, socket.gaierror):
            return Unreachable(f"the host name cannot be resolved: {cause.strerror}", kind="dns")
        cause = cause.__cause__ or cause.__context__
    text = str(error)
    if "SSL" in text or "certificate" in text.lower():
        return Unreachable(f"TLS: {text}", kind="tls")
    if "refused" in text.lower() or "All connection attempts failed" in text:
        return Unreachable("connection refused", kind="refused")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return Unreachable(
            f"the connection was closed before an answer came ({text or type(error).__name__})", kind="closed"
        )
    return Unreachable(text or type(error).__name__)


def _in_front(endpoint: Endpoint, response: httpx.Response, body: bytes) -> str:
    """What answered in LiteLLM's place. Not every version has every endpoint: a page of 404 there says nothing."""
    if endpoint is HEALTH_URL or (response.status_code == 404 and endpoint not in (LIVELINESS, READINESS, GROUPS)):
        return ""
    return in_front(response.status_code, response.headers, body)


def _refusal(endpoint: Endpoint, status: int, body: bytes, sent: bool) -> Failure | None:
    """The failure that a status means, by what both versions were seen to answer; None for a body to decode."""
    if status == 200 or (status == 503 and endpoint in (CACHE_PING, REDIS_INFO, READINESS, READINESS_DETAILS)):
        return None
    text = body.decode(errors="replace")
    said = f"{endpoint.path}: HTTP {status}".removeprefix(": ")
    if status in (401, 403) or (status == 400 and "no_db_connection" in text):
        return Unauthorized(f"{said}: {'the key was refused' if sent else 'a key is needed'}", sent=sent)
    if endpoint.keyed and not sent and status == 500 and not text.startswith("{"):
        # LiteLLM 1.106 without a database answers so when the key is missing
        return Unauthorized(f"{said} without a reason: a key is needed", sent=False)
    if status == 404 and endpoint in (LIVELINESS, READINESS):
        return Malformed(f"{said}: is this LiteLLM?", status=status)
    if status == 404 and endpoint == METRICS:
        return NotAvailable('off: litellm_settings.callbacks does not name "prometheus"')
    if status == 404:
        return NotAvailable(f"{said}: not in this version")
    message = answers.message(body)
    if "not initialized" in message or "DB not connected" in message:
        return NotAvailable(f"{said}: needs a database")
    return Malformed(f"{said}: {answers.excerpt(message)}", status=status)
