"""Which names hold secrets, by the names that LiteLLM, its providers and its callbacks use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

_HOLD: Final = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
_DO_NOT: Final = ("MAX_TOKEN", "TOKENS", "KEY_MANAGEMENT", "KEYWORD", "COST_PER_TOKEN")
# whose values are secret in part: a header, an address with its password, a hook that anybody may call
_CARRY: Final = ("AUTHORIZATION", "COOKIE", "WEBHOOK", "DSN", "CONNECTION_STRING")
_USER_PART: Final = re.compile(r"://([^\s/@]+)@")
_IN_QUERY: Final = re.compile(r"[?&](?:key|api_?key|code|token|sig|auth)=([^\s&#]+)", re.IGNORECASE)
# of a value of several lines, such as a private key; a shorter one is a brace or a mark
_SHORTEST_LINE: Final = 8
_SCHEME: Final = re.compile(r"^(?:bearer|basic)\s+", re.IGNORECASE)


def names_a_secret(name: str) -> bool:
    """Whether a key or variable of this name holds a secret."""
    upper = name.upper()
    return any(word in upper for word in _HOLD) and not any(word in upper for word in _DO_NOT)


def secret_parts(name: str, value: str) -> Iterator[str]:
    """What of a value of this name must never be shown: all of it, or the credentials of an address in it."""
    if may_carry_a_secret(name):
        yield value
        yield _SCHEME.sub("", value)
        if "\n" in value:
            # a log takes it apart
            yield from (line for line in map(str.strip, value.splitlines()) if len(line) >= _SHORTEST_LINE)
    for match in _USER_PART.finditer(value):
        user, colon, password = match[1].partition(":")
        # a user without a password is a token; with one the name of the user is none
        for secret in (password if colon else user,):
            yield secret
            yield unquote(secret)
    for match in _IN_QUERY.finditer(value):
        yield match[1]
        yield unquote(match[1])


def may_carry_a_secret(name: str) -> bool:
    """Whether a value of this name is better not printed: it is a secret or holds one."""
    return names_a_secret(name) or any(word in name.upper() for word in _CARRY)
