"""Fragments of the lists at the top level: a whole entry, one without each of its keys, and one of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.proving.corpus import Fragment

_CARD: Final = {
    "name": "a",
    "url": "http://127.0.0.1:9",
    "description": "d",
    "version": "1",
    "protocolVersion": "1.0",
    "skills": [],
    "capabilities": {},
    "defaultInputModes": ["text"],
    "defaultOutputModes": ["text"],
}
_ENTRIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "credential_list": {"credential_name": "c", "credential_values": {"api_key": "k"}, "credential_info": {}},
    "vector_store_registry": {
        "vector_store_name": "v",
        "litellm_params": {"vector_store_id": "i", "custom_llm_provider": "openai"},
    },
    "prompts": {
        "prompt_id": "p",
        "litellm_params": {"prompt_integration": "dotprompt", "prompt_id": "p", "dotprompt_content": "x"},
    },
    "agents": {"agent_name": "a", "agent_card_params": _CARD, "litellm_params": {}},
    "search_tools": {"search_tool_name": "s", "litellm_params": {"search_provider": "tavily", "api_key": "k"}},
    "mcp_tools": {"name": "t", "description": "d", "handler": "json.dumps", "input_schema": {}},
    "files_settings": {"custom_llm_provider": "openai", "api_key": "k"},
    "finetune_settings": {"custom_llm_provider": "openai", "api_key": "k"},
    "sandbox_tools": {"sandbox_tool_name": "s", "litellm_params": {"sandbox_provider": "e2b", "api_key": "k"}},
    "policy_attachments": {"policy": "p", "scope": "*"},
    "worker_registry": {"worker_id": "w", "name": "w", "url": "http://127.0.0.1:9"},
}
_BESIDE: Final[Mapping[str, Mapping[str, Any]]] = {
    "policy_attachments": {"policies": {"p": {"guardrails": {"add": []}}}}
}


def listed(kinds: Mapping[str, Any]) -> Iterator[Fragment]:
    """The entries of every list, then the policies, which are a mapping of names."""
    for section, entry in _ENTRIES.items():
        beside = _BESIDE.get(section, {})

        def fragment(name: str, item: Any, section: str = section, beside: Mapping[str, Any] = beside) -> Fragment:
            return Fragment(section, name, {section: [item], **beside})

        yield fragment("whole", entry)
        for name, item in _variants(entry, kinds, ""):
            yield fragment(name, item)
        for kind, value in kinds.items():
            yield fragment(f"entry={kind}", value)
    for kind, value in kinds.items():
        for key in ("inherit", "description", "guardrails", "condition"):
            policy = {"guardrails": {"add": []}, key: value}
            yield Fragment("policies", f"{key}={kind}", {"policies": {f"{key}-{kind}": policy}})
        for key in ("add", "remove"):
            yield Fragment(
                "policies", f"guardrails.{key}={kind}", {"policies": {f"{key}-{kind}": {"guardrails": {key: value}}}}
            )
        policy = {"guardrails": {"add": []}, "condition": {"model": value}}
        yield Fragment("policies", f"condition.model={kind}", {"policies": {f"condition-{kind}": policy}})


def _variants(entry: Mapping[str, Any], kinds: Mapping[str, Any], above: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, whole in entry.items():
        yield f"without {above}{key}", {name: value for name, value in entry.items() if name != key}
        for kind, value in kinds.items():
            yield f"{above}{key}={kind}", {**entry, key: value}
        if isinstance(whole, dict) and whole:
            for name, inside in _variants(whole, kinds, f"{key}."):
                yield name, {**entry, key: inside}
