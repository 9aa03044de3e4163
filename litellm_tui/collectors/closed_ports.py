"""Servers that nobody serves: where a connection is refused at once. One that is slow, or not reached, is not said."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Final

_SECONDS: Final = 0.5


def all_refuse(addresses: Iterable[tuple[str, int]]) -> bool:
    """Whether every one of them refuses a connection now; blocks for half a second each at most."""
    found = list(addresses)
    return bool(found) and all(_refuses(host, port) for host, port in found)


def _refuses(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _SECONDS).close()
    except ConnectionRefusedError:
        return True
    except (OSError, UnicodeError):
        return False
    return False
