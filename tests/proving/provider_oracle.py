"""Asks LiteLLM itself for providers: ``PYTHON provider_oracle.py QUESTIONS ANSWERS``, inside LiteLLM's environment.

Reads a JSON list of [model, custom_llm_provider, api_base] from the one file, and writes a JSON list of the providers
that the router would load these deployments under to the other; null where it would drop one. Standard library and
LiteLLM only.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def loaded_under(litellm: Any, question: list[Any]) -> str | None:
    model, custom, api_base = question
    prefix = model.split("/")[0]
    if "/" in model and prefix in litellm._known_custom_logger_compatible_callbacks:
        # a prompt kept there names the model when it is used
        return str(prefix)
    try:
        found = litellm.get_llm_provider(model=model, custom_llm_provider=custom, api_base=api_base)[1]
    except litellm.exceptions.BadRequestError:
        return None
    return found if found in litellm.provider_list or _is_data(found) else None


def _is_data(name: str) -> bool:
    try:
        registry = import_module("litellm.llms.openai_like.json_loader").JSONProviderRegistry
    except ImportError:
        return False
    return bool(registry.exists(name))


def main() -> None:
    questions, answers = map(Path, sys.argv[1:])
    litellm: Any = import_module("litellm")
    litellm.suppress_debug_info = True
    asked = json.loads(questions.read_bytes())
    answers.write_text(json.dumps([loaded_under(litellm, question) for question in asked]), encoding="utf-8")


if __name__ == "__main__":
    main()
