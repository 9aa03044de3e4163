"""Sends one message to one receiver, and says what came of it without anything that may be a secret."""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from litellm_tui.analysis.notify.forms import plain, request
from litellm_tui.analysis.notify.words import head, lines
from litellm_tui.host.fed_command import feed
from litellm_tui.host.file_thread import FileThread
from litellm_tui.model.failures import Failure
from litellm_tui.model.notification import Message
from litellm_tui.model.notify_settings import COMMAND_SECONDS, Apprise, Webhook
from litellm_tui.notify.receivers import Address

if TYPE_CHECKING:
    import httpx

# what says that it is not the message: busy, too many, not now
_LATER: Final = (408, 409, 421, 423, 425, 429)
# wrong keys and addresses are mended, and what waits is told then
_MENDED: Final = (401, 402, 403, 404, 405, 407, 410)
_LONGEST_WAIT: Final = 3600.0
APPRISE_MISSING: Final = "the library apprise is not installed: pip install 'litellm-tui[apprise]'"


class Result(NamedTuple):
    """`why` is empty where it was sent. With `never` the receiver does not take it; `wait` is what it has asked for."""

    why: str = ""
    never: bool = False
    wait: float = 0.0
    said: str = ""


Send = Callable[[Address, Message], Awaitable[Result]]


async def send(address: Address, message: Message) -> Result:
    """Send it, within the receiver's patience."""
    receiver = address.receiver
    if isinstance(receiver.webhook, Webhook):
        return await _post(address, receiver.webhook, message)
    if isinstance(receiver.apprise, Apprise):
        return await _apprise(address, receiver.apprise, message)
    status = await feed(address.words, plain(message), COMMAND_SECONDS)
    if isinstance(status, Failure):
        return Result(status.why)
    if status:
        return Result(f"it ended with {status}" if status > 0 else f"it was ended by signal {-status}")
    return Result(said="it ended with 0")


async def _post(address: Address, hook: Webhook, message: Message) -> Result:
    # imported where it is needed first: the first painting of the console does not wait for it
    import httpx

    asked = request(hook.form, address.url.reveal(), address.key.reveal(), message)
    try:
        # where no TLS is spoken, the trusted certificates need not be loaded, which takes longer than the rest;
        # a redirect could lead the message and its key elsewhere: none is followed, and no body is read
        async with (
            asyncio.timeout(hook.timeout),
            httpx.AsyncClient(
                timeout=hook.timeout,
                follow_redirects=False,
                trust_env=not _is_here(asked.url),
                verify=urlsplit(asked.url).scheme != "http",
            ) as client,
            client.stream("POST", asked.url, content=asked.body, headers=dict(asked.headers)) as answer,
        ):
            return _judged(answer)
    except (TimeoutError, httpx.TimeoutException):
        return Result(f"no answer in {hook.timeout:g} s")
    except httpx.ConnectError as error:
        tls = isinstance(error.__cause__, ssl.SSLError) or "certificate" in str(error).lower()
        return Result("no TLS, or a certificate that is not trusted" if tls else "no connection")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        # their texts hold the address
        return Result(f"not sent ({type(error).__name__})")


def _is_here(url: str) -> bool:
    """Whether it is this machine, for which no proxy is asked."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _judged(answer: httpx.Response) -> Result:
    status = answer.status_code
    if 200 <= status < 300:
        return Result(said=f"HTTP {status}")
    wait = answer.headers.get("retry-after", "")
    seconds = float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 6 else 0.0
    never = 400 <= status < 500 and status not in (*_LATER, *_MENDED)
    return Result(f"HTTP {status}", never, min(seconds, _LONGEST_WAIT))


async def _apprise(address: Address, settings: Apprise, message: Message) -> Result:
    thread = FileThread("apprise")
    try:
        async with asyncio.timeout(settings.timeout):
            return await thread.run(_notify, address.url.reveal(), message)
    except TimeoutError:
        return Result(f"no answer in {settings.timeout:g} s")
    finally:
        thread.stop()


def _notify(url: str, message: Message) -> Result:
    try:
        library: Any = importlib.import_module("apprise")
    except ImportError:
        return Result(APPRISE_MISSING)
    # what it writes to its log may hold the address, and would be printed over the console
    logging.getLogger("apprise").propagate = False
    logging.getLogger("apprise").addHandler(logging.NullHandler())
    service = library.Apprise()
    if not service.add(url):
        return Result("apprise knows no such address")
    kind = "failure" if message.severity == "bad" else "warning"
    kind = {"ended": "success", "test": "info"}.get(message.event, kind)
    sent = service.notify(title=head(message), body="\n".join(lines(message)), notify_type=kind, body_format="text")
    return Result(said="sent") if sent else Result("apprise could not send it")
