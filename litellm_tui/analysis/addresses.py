"""The meaning of the host in an address, without asking a name server."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# inet_aton(3), which resolvers fall back to: `127.1`, `0x7f.1`, `2130706433`
_SHORT: Final = re.compile(r"(?:0x[0-9a-f]{1,8}|\d{1,12})(?:\.(?:0x[0-9a-f]{1,8}|\d{1,12})){0,3}")


def ip_of(host: str) -> Address | None:
    """The IP address in a host, in any form that a resolver accepts; None for a name."""
    text = host.strip().removeprefix("[").removesuffix("]").partition("%")[0].lower()
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return _short(text)
    return getattr(found, "ipv4_mapped", None) or found


def is_this_machine(host: str) -> bool:
    """Whether the host means the machine that uses it: a loopback address, `localhost`, or the unspecified address."""
    if found := ip_of(host):
        return found.is_loopback or found.is_unspecified
    name = host.lower().removesuffix(".")
    return name == "localhost" or name.endswith(".localhost")


def is_private(host: str) -> bool:
    """Whether the host is in a private network or on this machine. A name without a dot counts as private."""
    if found := ip_of(host):
        return not found.is_global
    name = host.lower().removesuffix(".")
    return is_this_machine(name) or "." not in name


def _short(text: str) -> ipaddress.IPv4Address | None:
    if not _SHORT.fullmatch(text):
        return None
    try:
        *parts, last = (
            int(part, 16 if part.startswith("0x") else 8 if part.startswith("0") else 10) for part in text.split(".")
        )
    except ValueError:
        return None
    if any(part > 255 for part in parts) or last >= 256 ** (4 - len(parts)):
        return None
    number = last
    for place, part in enumerate(parts):
        number |= part << (24 - 8 * place)
    return ipaddress.IPv4Address(number)
