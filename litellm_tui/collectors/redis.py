"""Asks the Redis server itself: LiteLLM needs seconds to notice that it is down, and answers nothing meanwhile.

Only PING, INFO, CLUSTER INFO and CONFIG GET are sent, after AUTH with the login of the cache; nothing is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.failures import Crashed, Failure, Malformed, Unreachable
from litellm_tui.model.reading import Reading

PREFIX: Final = "os.environ/"
PORT: Final = 6379
_LAST_PORT: Final = 65535
_REFUSAL: Final = re.compile(r"-([A-Z]{3,20})\b")


class Address(NamedTuple):
    """The address of a Redis server; `tls` means TLS from the first byte."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def address(file: ConfigFile, environment: Mapping[str, str]) -> Address | None:
    """The address of the cache: from `cache_params`, or from the REDIS_* variables that LiteLLM reads itself.

    None where there is no cache of type redis, or one of several nodes.
    """
    settings = file.section("litellm_settings")
    params = settings.get("cache_params")
    params = params if isinstance(params, dict) else {}
    # anything but true is taken for the cache itself (litellm/proxy/proxy_server.py)
    if settings.get("cache") is not True or params.get("type", "redis") not in ("redis", "redis-semantic"):
        return None
    if params.get("redis_startup_nodes") or params.get("sentinel_nodes"):
        return None

    def value(name: str, variable: str) -> Any:
        return _given(params, environment, name, variable)

    if url := value("url", "REDIS_URL"):
        with contextlib.suppress(ValueError):
            parts = urlsplit(str(url))
            if parts.hostname:
                return Address(parts.hostname, parts.port or PORT, parts.scheme == "rediss")
        return None
    host, port = value("host", "REDIS_HOST"), value("port", "REDIS_PORT")
    try:
        number = int(port or PORT)
    except (TypeError, ValueError, OverflowError):
        return None
    # a number that is no port of TCP cannot be asked
    return Address(str(host), number, bool(params.get("ssl"))) if host and 0 < number <= _LAST_PORT else None


def _given(params: Mapping[str, Any], environment: Mapping[str, str], name: str, variable: str) -> Any:
    """A parameter of the cache, else the variable that LiteLLM reads in its place."""
    given = params.get(name)
    if isinstance(given, str) and given.startswith(PREFIX):
        given = environment.get(given.removeprefix(PREFIX))
    return given or environment.get(variable) or None


class Login(NamedTuple):
    """The way in by the cache's settings: user, password, the file of authorities, and whether TLS is checked."""

    user: str = ""
    password: str = ""
    authority: str = ""
    checked: bool = True

    def __repr__(self) -> str:
        return "Login(…)"


def login(file: ConfigFile, environment: Mapping[str, str]) -> Login | None:
    """The login of the cache, from `cache_params`, the URL, or the REDIS_* variables; None where none is set."""
    found = file.section("litellm_settings").get("cache_params")
    params = found if isinstance(found, dict) else {}

    def value(name: str) -> Any:
        return _given(params, environment, name, f"REDIS_{name.upper()}")

    user, password = value("username"), value("password")
    if url := value("url"):
        user = password = None
        with contextlib.suppress(ValueError):
            parts = urlsplit(str(url))
            user, password = unquote(parts.username or ""), unquote(parts.password or "")
    checked = str(value("ssl_cert_reqs") or "required").lower() not in ("none", "cert_none")
    authority = str(value("ssl_ca_certs") or "")
    if not password and not authority and checked:
        return None
    return Login(str(user or ""), str(password or ""), authority, checked)


def is_down(answer: Reading[str]) -> bool:
    """Whether the server is known to be down: it has answered before, or its machine refuses the connection.

    A host or port that only LiteLLM's own network reaches proves nothing about Redis.
    """
    failure = answer.failure
    if failure is None or isinstance(failure, Crashed):
        return False
    return answer.seen_at is not None or (isinstance(failure, Unreachable) and failure.kind in ("refused", "timeout"))


async def ping(where: Address, timeout: float) -> str | Failure:
    """The answer to a PING within `timeout` seconds: `PONG`, or the name of a refusal, such as NOAUTH."""
    writer = None
    try:
        async with asyncio.timeout(timeout):
            # no certificate is checked: only liveness is asked, and nothing secret is sent
            context = ssl._create_unverified_context() if where.tls else None
            reader, writer = await asyncio.open_connection(where.host, where.port, ssl=context)
            writer.write(b"PING\r\n")
            line = await reader.readline()
    except TimeoutError:
        how = "gives no answer" if writer is not None else "does not take the connection"
        return Unreachable(f"Redis at {where} {how} within {timeout:g} s", kind="timeout")
    except ConnectionRefusedError:
        return Unreachable(f"Redis at {where} refuses the connection", kind="refused")
    except ConnectionError as error:
        return Unreachable(f"Redis at {where}: {error}", kind="closed")
    except socket.gaierror as error:
        return Unreachable(f"Redis at {where}: no such host ({error.strerror})", kind="dns")
    except (OSError, ValueError) as error:
        return Unreachable(f"Redis at {where}: {error}", kind="tls" if isinstance(error, ssl.SSLError) else "other")
    finally:
        if writer is not None:
            writer.transport.abort()
    said = line.decode(errors="replace").strip()
    if said == "+PONG":
        return "PONG"
    # a server that refuses (NOAUTH, LOADING, NOPERM, …) is alive
    if refusal := _REFUSAL.match(said):
        return refusal[1]
    if not said:
        return Unreachable(f"Redis at {where} closes the connection without a word", kind="closed")
    return Malformed(f"what listens at {where} is not Redis")
