"""How a provider fails, in LiteLLM's own words. The forms were seen on 1.106.2, one per kind of provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

from litellm_tui.demo.running import Deployment

Fault = Literal["refused", "error", "auth", "rate_limit", "timeout"]
FAULTS: tuple[Fault, ...] = get_args(Fault)

_SITE = "/opt/litellm/lib/python3.11/site-packages"
_TYPES = {401: "authentication_error", 429: "throttling_error", 408: "invalid_request_error"}
_DEFAULT_HOSTS = {"gemini": "generativelanguage.googleapis.com", "openai": "api.openai.com"}


@dataclass(frozen=True)
class Failed:
    """One failed call: the exception's class and message, the HTTP status the proxy answers with, its traceback."""

    name: str
    message: str
    status: int
    trace: str

    @property
    def type(self) -> str:
        """`error.type` of the answer."""
        return _TYPES.get(self.status, "internal_server_error")


def failed(fault: Fault, deployment: Deployment) -> Failed:
    """What calling this deployment comes to."""
    provider = deployment.provider.capitalize() if deployment.provider != "openai" else "OpenAI"
    native = deployment.provider in ("openai", "hosted_vllm")
    host, port = _address(deployment)
    if fault == "refused":
        cannot = (
            f"Cannot connect to host {host}:{port} ssl:<ssl.SSLContext object at 0x7f1002a15fd0> "
            f"[Connect call failed ('{host}', {port})]"
        )
        if deployment.provider == "openai":
            message = "InternalServerError: OpenAIException - Connection error."
        elif deployment.provider == "azure":
            message = "AzureException APIConnectionError - Connection error."
        elif native:
            message = f"InternalServerError: {provider}Exception - {cannot}"
        else:
            message = f"{provider}Exception - {cannot}"
        return _made("InternalServerError" if native else "APIConnectionError", message, 500, _refused(host, port))
    if fault == "timeout":
        message = (
            f"Timeout Error: {provider}Exception - litellm.Timeout: Connection timed out. Timeout passed=120.0, "
            "time taken=120.004 seconds\n\nDeployment Info: request_timeout: 120\ntimeout: None"
        )
        return _made("Timeout", message, 408, "")
    name, status, said = {
        "error": ("InternalServerError", 500, "The server had an error while processing your request"),
        "auth": ("AuthenticationError", 401, "Incorrect API key provided"),
        "rate_limit": ("RateLimitError", 429, "Rate limit reached for requests per minute"),
    }[fault]
    if deployment.provider == "azure":
        return _made(name, f"AzureException {name} - {said}", status, "")
    return _made(name, f"{name}: {provider}Exception - {said}", status, "")


def _made(name: str, message: str, status: int, cause: str) -> Failed:
    message = f"litellm.{name}: {message}"
    trace = (
        "Traceback (most recent call last):\n"
        f"{cause}"
        f'  File "{_SITE}/litellm/main.py", line 740, in acompletion\n'
        "    raise exception_type(\n          ^^^^^^^^^^^^^^^\n"
        f'  File "{_SITE}/litellm/litellm_core_utils/exception_mapping_utils.py", line 2745, in exception_type\n'
        "    raise e  # it's already mapped\n    ^^^^^^^\n"
        f'  File "{_SITE}/litellm/litellm_core_utils/exception_mapping_utils.py", line 475, in '
        f"_map_openai_exception\n    raise {name}(\n"
        f"litellm.exceptions.{name}: {message}"
    )
    return Failed(name, message, status, trace)


def _refused(host: str, port: int) -> str:
    caret = "           " + "^" * 40
    return (
        f'  File "{_SITE}/aiohttp/connector.py", line 1322, in _wrap_create_connection\n'
        f"    sock = await aiohappyeyeballs.start_connection(\n{caret}\n"
        f'  File "{_SITE}/aiohappyeyeballs/impl.py", line 124, in start_connection\n    raise first_exception\n'
        f'  File "{_SITE}/aiohappyeyeballs/impl.py", line 210, in _connect_sock\n'
        "    await loop.sock_connect(sock, address)\n"
        '  File "uvloop/loop.pyx", line 2644, in sock_connect\n'
        '  File "uvloop/loop.pyx", line 1100, in uvloop.loop.Loop._sock_connect_cb\n'
        f"ConnectionRefusedError: [Errno 111] Connect call failed ('{host}', {port})\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        "Traceback (most recent call last):\n"
        f'  File "{_SITE}/litellm/llms/custom_httpx/aiohttp_transport.py", line 90, in map_aiohttp_exceptions\n'
        "    yield\n"
        f'  File "{_SITE}/litellm/llms/custom_httpx/aiohttp_transport.py", line 422, in handle_async_request\n'
        "    response = await self._make_aiohttp_request(\n               " + "^" * 33 + "\n"
        '  File "/opt/litellm/lib/python... (litellm_truncated skipped 12474 chars. Truncation is a stdout logging '
        "safeguard. Full, untruncated data is logged to logging callbacks (OTEL, Datadog, etc.) and at DEBUG level. "
        "To increase the truncation limit, set `MAX_STRING_LENGTH_STDOUT_LOG` in your env.) ...\n"
    )


def _address(deployment: Deployment) -> tuple[str, int]:
    parts = urlsplit(deployment.api_base or f"https://{_DEFAULT_HOSTS.get(deployment.provider, 'provider.example')}")
    return parts.hostname or "provider.example", parts.port or (443 if parts.scheme == "https" else 80)
