"""Which names hold secrets, by the names that LiteLLM, its providers and its callbacks use."""

from __future__ import annotations

from typing import Final

_HOLD: Final = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
_DO_NOT: Final = ("MAX_TOKEN", "TOKENS", "KEY_MANAGEMENT", "KEYWORD", "COST_PER_TOKEN")
# whose values are secret in part: a header, an address with its password, a hook that anybody may call
_CARRY: Final = ("AUTHORIZATION", "COOKIE", "WEBHOOK", "DSN", "CONNECTION_STRING")


def names_a_secret(name: str) -> bool:
    """Whether a key or variable of this name holds a secret."""
    upper = name.upper()
    return any(word in upper for word in _HOLD) and not any(word in upper for word in _DO_NOT)


def may_carry_a_secret(name: str) -> bool:
    """Whether a value of this name is better not printed: it is a secret or holds one."""
    return names_a_secret(name) or any(word in name.upper() for word in _CARRY)
