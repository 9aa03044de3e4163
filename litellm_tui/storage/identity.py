"""The identity of a gateway: what its folder and its files in the state folder are named after."""

from __future__ import annotations

import hashlib


def gateway_label(url: str, unit: str) -> str:
    """The gateway for people: its address and, where it has one, its unit."""
    return f"{url} {unit}".strip()


def gateway_name(url: str, unit: str) -> str:
    """A name for a file or a folder of this gateway: 16 hexadecimal digits, the same in every version."""
    return digest(gateway_label(url, unit))


def digest(text: str) -> str:
    """16 hexadecimal digits that stand for this text in the name of a file."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]
