"""One request as a client makes it, and what came of it: the only place where probes and load tests touch the wire.

What each answer looks like was seen on LiteLLM 1.77.7 and 1.106.2.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

from litellm_tui.actions.probe_stream import Stream
from litellm_tui.analysis.addresses import is_this_machine
from litellm_tui.collectors.gateway.client import LIVELINESS, TAG, unreachable
from litellm_tui.host import bounded

# What the gateway says by itself, before any deployment is asked
_REFUSALS: Final = ("auth_error", "no_db_connection", "token_not_found_in_db", "expired_key", "budget_exceeded")
# A request that got as far as a deployment carries this header, whether it succeeded or not; a refused one does not
_PASSED: Final = "x-litellm-call-id"
# a probe asks for a word or two, and thousands of numbers for an embedding
_MOST_OF_AN_ANSWER: Final = 16 << 20
_MOST_OF_A_STREAM: Final = 64 << 20
_MOST_OF_AN_EVENT: Final = 4 << 20


class Said(NamedTuple):
    """What one request came to. `error` is empty when it was answered; times are seconds.

    With `by_gateway` the fault is the gateway's own, and says nothing of a deployment. It may hold secrets.
    """

    took: float
    status: int = 0
    error: str = ""
    by_gateway: bool = False
    first_token: float | None = None
    headers: Mapping[str, str] = {}


class Asker:
    """One client for one gateway, with at most `connections` requests under way."""

    def __init__(self, url: str, key: str | None, connections: int) -> None:
        self._url = url
        self._key = key
        self._client = httpx.AsyncClient(
            # an http_proxy in the environment must not carry what is meant for this machine
            trust_env=not is_this_machine(urlsplit(url).hostname or ""),
            verify=url.startswith("https"),
            follow_redirects=False,
            # uvicorn drops an idle connection after 5 s: let go first, or a request may meet a closing one
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=4),
            headers={
                "User-Agent": "litellm-tui",
                "Accept-Encoding": "identity",
                **({"Authorization": f"Bearer {key}"} if key else {}),
            },
        )

    async def close(self) -> None:
        """Drop all connections, those with requests under way too."""
        await self._client.aclose()

    async def ask(self, path: str, body: Mapping[str, Any], timeout: float) -> Said:
        """Send one request and read the whole answer, within `timeout` seconds. Nothing is ever raised."""
        began = time.perf_counter()
        stream = Stream(began)
        status, headers = 0, dict[str, str]()
        try:
            async with (
                asyncio.timeout(timeout),
                self._client.stream("POST", f"{self._url}{path}?{TAG}", json=body, timeout=None) as response,
            ):
                status, headers = response.status_code, dict(response.headers)
                if status == 200 and headers.get("content-type", "").startswith("text/event-stream"):
                    async for line in _lines(response):
                        stream.take(line, time.perf_counter())
                    error, by_gateway = stream.complaint(), False
                else:
                    content = await bounded.body(response, _MOST_OF_AN_ANSWER)
                    error, by_gateway = self._judge(path, status, headers, content, bool(body.get("stream")))
        except TimeoutError:
            error, by_gateway = await self._timed_out(timeout, status, stream)
        except bounded.BodyRefused as failure:
            error, by_gateway = f"HTTP {status}, {failure}", _PASSED not in headers
        except httpx.HTTPError as failure:
            how = unreachable(failure).why
            # a status line that came tells that the gateway was there
            by_gateway = not status
            error = f"the stream broke {stream.progress()}: {how}" if status else f"the gateway: {how}"
        except (ValueError, httpx.InvalidURL) as failure:
            error, by_gateway = f"the gateway: {failure}", True
        return Said(time.perf_counter() - began, status, error, by_gateway, stream.first_token, headers)

    async def _timed_out(self, timeout: float, status: int, stream: Stream) -> tuple[str, bool]:
        """A model that hangs and a gateway that hangs look alike from here: its own liveliness tells them apart."""
        if status:
            return f"the stream timed out after {timeout:g} s: it stood still {stream.progress()}", False
        try:
            async with asyncio.timeout(LIVELINESS.timeout):
                url = f"{self._url}{LIVELINESS.path}?{TAG}"
                async with self._client.stream("GET", url, timeout=None) as response:
                    await bounded.beginning(response, bounded.SMALL)
        except TimeoutError:
            return f"the gateway itself hangs: no answer within {timeout:g} s, and none on {LIVELINESS.path}", True
        except httpx.HTTPError as failure:
            return f"no answer within {timeout:g} s, and the gateway: {unreachable(failure).why}", True
        except bounded.BodyRefused as failure:
            return f"no answer within {timeout:g} s, and the gateway on {LIVELINESS.path}: {failure}", True
        return f"it timed out after {timeout:g} s without an answer, while the gateway itself answers", False

    def _judge(
        self, path: str, status: int, headers: Mapping[str, str], content: bytes, streamed: bool
    ) -> tuple[str, bool]:
        """`(what is wrong with an answer, whether it is the gateway's own fault)`; empty words when nothing is."""
        kind = headers.get("content-type", "").partition(";")[0] or "no content type"
        try:
            data = msgspec.json.decode(content)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            if status == 500 and not self._key:
                # 1.106 without a database answers a missing key so
                return "the gateway says HTTP 500 without a reason: a key is needed", True
            text = " ".join(content[:600].decode(errors="replace").split()) or "nothing"
            return f"HTTP {status}, {kind}, not what LiteLLM says: {text[:300]}", _PASSED not in headers
        message, type_ = _error_of(data)
        if status == 200 and not message:
            if streamed:
                return f"asked for a stream, and got {kind}", False
            return ("" if _answers(path, data) else f"HTTP 200 without an answer in it: {str(data)[:300]}"), False
        message = message or str(data)[:300]
        if _PASSED not in headers and (type_ in _REFUSALS or type_.endswith("_model_access_denied")):
            how = "refused the key" if self._key else "wants a key"
            return f"the gateway {how} (HTTP {status}: {message})", True
        # the exception's class names the cause; 1.77 leaves it out of a rerank's error
        return message if message.startswith("litellm.") else f"HTTP {status}: {message}", False


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """The lines of a stream of server-sent events. Raises `BodyRefused` where the stream or a line exceeds its cap."""
    rest: list[bytes] = []
    length = 0
    async for part in bounded.chunks(response, _MOST_OF_A_STREAM):
        *ended, last = part.replace(b"\r", b"\n").split(b"\n")
        for line in ended:
            yield b"".join((*rest, line)).decode(errors="replace")
            rest, length = [], 0
        rest.append(last)
        length += len(last)
        if length > _MOST_OF_AN_EVENT:
            raise bounded.BodyRefused(f"an event of more than {bounded.size(_MOST_OF_AN_EVENT)}: not read")
    if length:
        yield b"".join(rest).decode(errors="replace")


def _error_of(data: Mapping[str, Any]) -> tuple[str, str]:
    """Message and type of LiteLLM's error object, wherever it stands."""
    error = data.get("error", data.get("detail"))
    if isinstance(error, dict):
        return str(error.get("message") or error), str(error.get("type") or "")
    return (str(error), "") if error else ("", "")


def _answers(path: str, data: Mapping[str, Any]) -> bool:
    if path == "/v1/embeddings":
        return bool(data.get("data"))
    if path == "/v1/rerank":
        return bool(data.get("results"))
    choices = data.get("choices")
    # an empty text is an answer: a reasoning model may have spent its tokens before it
    return isinstance(choices, list) and any(isinstance(choice, dict) for choice in choices)
