"""Whether a deployment's calls cost money, as far as its provider and address tell."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from litellm_tui.analysis.audit.subject import UNKNOWN, Entry, Subject

_LOCAL: Final = frozenset(
    {
        *("ollama", "ollama_chat", "hosted_vllm", "vllm", "llamafile", "lm_studio", "xinference", "oobabooga"),
        *("docker_model_runner", "lemonade", "infinity"),
    }
)
_PRIVATE: Final = re.compile(
    r"localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|::1|f[cd]|fe80"
)


def billed(subject: Subject, entry: Entry) -> bool:
    """Whether a call of this deployment costs money, as far as its address and provider tell."""
    base = subject.resolve(entry.params.get("api_base"))
    provider = entry.params.get("custom_llm_provider") or entry.model.partition("/")[0]
    if base is UNKNOWN or provider in _LOCAL:
        return False
    if not isinstance(base, str) or not base:
        return bool(entry.model)
    try:
        host = urlsplit(base).hostname or ""
    except ValueError:
        return False
    # a name without a dot is one of the own network
    return "." in host and not _PRIVATE.match(host) and not host.endswith((".local", ".lan", ".internal", ".home"))
