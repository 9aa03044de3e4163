"""Digests of what a configuration says, for comparing two machines: no path, comment or order of keys is in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from litellm_tui.analysis.redaction.secret_names import may_carry_a_secret
from litellm_tui.model.configuration import ConfigFile

# of SHA-256, in hexadecimal digits: enough to tell two files apart
_DIGITS: Final = 16
# no configuration that LiteLLM reads is nested as deep; a file may refer to itself by an anchor
_DEEPEST: Final = 40


def content_digest(file: ConfigFile) -> str:
    """Of the whole configuration with its includes merged, secrets included."""
    return _digest(_plain(file.data, secrets=True))


def section_digests(file: ConfigFile) -> dict[str, str]:
    """By top-level key. Values that may be secrets are left out: a short one could be guessed from a digest of few
    values.
    """
    return {str(name): _digest(_plain({name: value}, secrets=False)) for name, value in file.data.items()}


def plain_value(value: Any) -> Any:
    """A value in what JSON has, secrets included."""
    return _plain(value, secrets=True)


def _digest(plain: Any) -> str:
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _plain(value: Any, *, secrets: bool, depth: int = 0) -> Any:
    """The value in what JSON has; whatever else YAML gives is told by its type and its text."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {
            f"{type(key).__name__}:{key}": _plain(item, secrets=secrets, depth=depth + 1)
            for key, item in value.items()
            if secrets or not (may_carry_a_secret(str(key)) and not isinstance(item, Mapping | list))
        }
    if isinstance(value, list):
        return [_plain(item, secrets=secrets, depth=depth + 1) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return f"{type(value).__name__}:{value}"
