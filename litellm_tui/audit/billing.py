"""Whether a deployment's calls cost money, judged by its provider and address."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from litellm_tui.analysis.addresses import is_private
from litellm_tui.audit.subject import UNKNOWN, Entry, Subject

_LOCAL: Final = frozenset(
    {
        *("ollama", "ollama_chat", "hosted_vllm", "vllm", "llamafile", "lm_studio", "xinference", "oobabooga"),
        *("docker_model_runner", "lemonade", "infinity"),
    }
)
_OWN_DOMAINS: Final = (".local", ".lan", ".internal", ".home")


def is_billed(subject: Subject, entry: Entry) -> bool:
    """Whether a call of this deployment costs money, judged by its address and provider."""
    base = subject.resolve(entry.params.get("api_base"))
    provider = entry.params.get("custom_llm_provider") or entry.model.partition("/")[0]
    if base is UNKNOWN or (isinstance(provider, str) and provider in _LOCAL):
        return False
    if not isinstance(base, str) or not base:
        return bool(entry.model)
    try:
        host = urlsplit(base).hostname or ""
    except ValueError:
        return False
    return not is_own_network(host)


def is_own_network(host: str) -> bool:
    """Whether a host is in a private network or this machine, by its address or the domain of its name."""
    return is_private(host) or host.removesuffix(".").endswith(_OWN_DOMAINS)
