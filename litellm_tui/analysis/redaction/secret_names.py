"""Which names have secret values, by the names that LiteLLM, its providers and its callbacks use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

_HOLD: Final = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
_DO_NOT: Final = ("MAX_TOKEN", "TOKENS", "KEY_MANAGEMENT", "KEYWORD", "COST_PER_TOKEN")
# names with partly secret values: a header, an address with its password, a hook that needs no other key
_CARRY: Final = ("AUTHORIZATION", "COOKIE", "WEBHOOK", "DSN", "CONNECTION_STRING", "DATABASE_URL", "DIRECT_URL")
_USER_PART: Final = re.compile(r"://([^\s/@]+)@")
_IN_QUERY: Final = re.compile(r"[?&](?:key|api_?key|code|token|sig|auth)=([^\s&#]+)", re.IGNORECASE)
# for a value of several lines, such as a private key; a shorter line is only a brace or a mark
_SHORTEST_LINE: Final = 8
_SCHEME: Final = re.compile(r"^(?:bearer|basic)\s+", re.IGNORECASE)


def names_a_secret(name: str) -> bool:
    """Whether the value of a key or variable with this name is a secret."""
    upper = name.upper()
    return any(word in upper for word in _HOLD) and not any(word in upper for word in _DO_NOT)


def secret_parts(name: str, value: str) -> Iterator[str]:
    """The parts of a value that must never be shown: all of it, by its name, or the credentials of an address in it."""
    if may_carry_a_secret(name):
        yield value
        yield _SCHEME.sub("", value)
        if "\n" in value:
            # a log splits it into lines
            yield from (line for line in map(str.strip, value.splitlines()) if len(line) >= _SHORTEST_LINE)
    for match in _USER_PART.finditer(value):
        user, colon, password = match[1].partition(":")
        # a user without a password is a token; with a password, the name of the user is no secret
        for secret in (password if colon else user,):
            yield secret
            yield unquote(secret)
    for match in _IN_QUERY.finditer(value):
        yield match[1]
        yield unquote(match[1])


def may_carry_a_secret(name: str) -> bool:
    """Whether the value of this name is a secret or contains one."""
    return names_a_secret(name) or any(word in name.upper() for word in _CARRY)
