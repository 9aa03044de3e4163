"""Addresses of gateways: which machine and which port they name."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from litellm_tui.analysis.addresses import is_this_machine


def host_of(url: str) -> str:
    """The host of an address, without brackets; empty where it names none."""
    return urlsplit(url).hostname or ""


def port_of(url: str) -> int:
    """The port of an address, or its scheme's own."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def is_local(url: str) -> bool:
    """Whether the address is one of this machine's."""
    host = host_of(url)
    return is_this_machine(host) or host.removesuffix(".") == socket.gethostname().lower()
