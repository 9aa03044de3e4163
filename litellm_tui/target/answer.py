"""What answers at an address: LiteLLM, something else, or nothing, and then why. One request that costs nothing."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from typing import Final
from urllib.parse import urlsplit

import msgspec

ALIVE: Final = "LiteLLM"
# what LiteLLM's liveliness answers (litellm/proxy/health_endpoints/_health_endpoints.py)
_SAYS: Final = b"I'm alive!"
_LONGEST: Final = 4096
_LONGEST_REPORT: Final = 1 << 16


class AddressAnswer(msgspec.Struct, frozen=True):
    """`word` is LiteLLM, another server, or what went wrong, in two or three words; `text` is a sentence."""

    word: str
    text: str
    mend: str = ""


def ask_address(url: str, seconds: float = 0.3) -> AddressAnswer:
    """Ask the address whether LiteLLM answers there; takes at most some `seconds`."""
    found: list[AddressAnswer] = []
    # a look-up of a name cannot be given a time
    asking = threading.Thread(target=lambda: found.append(_ask(url, seconds)), daemon=True)
    asking.start()
    asking.join(seconds * 2)
    host = urlsplit(url).hostname or ""
    return found[0] if found else AddressAnswer("no answer", f"{host} did not answer in {seconds:g} s")


def _ask(url: str, seconds: float) -> AddressAnswer:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        # it is only asked whether it is there; no key is sent
        connection = (
            http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl._create_unverified_context())
            if secure
            else http.client.HTTPConnection(host, port, timeout=seconds)
        )
        try:
            connection.request("GET", f"{parts.path.rstrip('/')}/health/liveliness")
            answer = connection.getresponse()
            status, body = answer.status, answer.read(_LONGEST)
        finally:
            connection.close()
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            return AddressAnswer("no look-up", f"the name {host} cannot be looked up now ({error.strerror})")
        return AddressAnswer("no such host", f"there is no host of the name {host} ({error.strerror})",
                             "give --url http://HOST:PORT, such as http://127.0.0.1:4000")  # fmt: skip
    except ConnectionRefusedError:
        mend = "start the gateway, or give the port where it listens: --url http://HOST:PORT"
        return AddressAnswer("refused", f"nothing listens on port {port} of {host}", mend)
    except TimeoutError:
        return AddressAnswer("no answer", f"{host} did not answer on port {port} in {seconds:g} s")
    except ssl.SSLError as error:
        return AddressAnswer("no TLS", f"{host} speaks no TLS on port {port} ({error.reason or 'unknown error'})",
                             "try --url http://HOST:PORT")  # fmt: skip
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        return AddressAnswer("no HTTP", f"{host} gives no answer in HTTP on port {port} ({why})")
    if status == 200 and _SAYS in body:
        return AddressAnswer(ALIVE, "LiteLLM answers there")
    return AddressAnswer("another server", f"what answers on port {port} of {host} is not LiteLLM (HTTP {status})",
                         "give the address of the gateway itself: --url http://HOST:PORT")  # fmt: skip


def running_release(url: str, key: str = "", seconds: float = 1.0) -> str:
    """The release that the gateway reports; empty where it does not say. Takes at most some `seconds` for each of two
    requests.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    for path in ("/health/readiness/details", "/health/readiness"):
        connection = (
            http.client.HTTPSConnection(host, port, timeout=seconds)
            if secure
            else http.client.HTTPConnection(host, port, timeout=seconds)
        )
        try:
            connection.request("GET", f"{parts.path.rstrip('/')}{path}", headers=_login(key))
            body = connection.getresponse().read(_LONGEST_REPORT)
            found = msgspec.json.decode(body, type=_Report).litellm_version
        except (OSError, http.client.HTTPException, ValueError, RecursionError, msgspec.MsgspecError):
            continue
        finally:
            connection.close()
        if found:
            return found[:100]
    return ""


class _Report(msgspec.Struct):
    litellm_version: str | None = None


def _login(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key and key.isascii() and key.isprintable() else {}
