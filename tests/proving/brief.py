"""A start of LiteLLM up to the end of its start-up, without a port: ``PYTHON brief.py SEEN BIN/LITELLM ARGUMENTS``.

Does what ``litellm ARGUMENTS`` does, but where that would hand the app to uvicorn, only the app's own start-up is run.
What LiteLLM has then is written to SEEN as JSON, and the process ends with 0; a start that is refused ends as the
command does. Run inside LiteLLM's environment. Standard library and LiteLLM only.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import sys
from importlib import import_module
from typing import Any

BEFORE = frozenset(sys.modules)
"""What was imported before: with `--modules` as the last argument, only what has been since is written."""
STARTUP_FAILED = 3
"""uvicorn's status."""
# names that decide which requests are let through, and how many
LIMITS = re.compile(r"budget|limit|guardrail|moderat|auth|allow|block|banned|forbid|restrict|require|upperbound|public")
PLAIN = (bool, int, float, str, list, dict, tuple, type(None))


def start(seen: str, *, modules: bool) -> Any:
    """What stands for `uvicorn.run`."""

    def run(app: Any = None, **options: Any) -> None:
        options.pop("workers", None)
        status = asyncio.run(_started(app, options, seen, modules))
        sys.stdout.flush()
        sys.stderr.flush()
        # what runs in threads by now is not waited for
        os._exit(status)

    return run


async def _started(app: Any, options: dict[str, Any], seen: str, modules: bool) -> int:
    uvicorn: Any = import_module("uvicorn")
    config = uvicorn.Config(app, **options)
    config.load()
    lifespan = config.lifespan_class(config)
    await lifespan.startup()
    if lifespan.should_exit:
        return STARTUP_FAILED
    _write(seen, "\n".join(sys.modules.keys() - BEFORE) if modules else json.dumps(_look()))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _look() -> dict[str, Any]:
    litellm: Any = import_module("litellm")
    proxy: Any = import_module("litellm.proxy.proxy_server")
    registry: Any = import_module("litellm.proxy.guardrails.guardrail_registry")
    router = proxy.llm_router
    built = registry.IN_MEMORY_GUARDRAIL_HANDLER.IN_MEMORY_GUARDRAILS
    limits = {f"litellm.{name}": value for name, value in vars(litellm).items() if LIMITS.search(name)}
    limits |= {f"general.{name}": value for name, value in proxy.general_settings.items() if LIMITS.search(str(name))}
    deployments = [_plain(one) for one in (router.get_model_list() or [])] if router else []
    return {
        "deployments": [str(one.get("model_name")) for one in deployments],
        "rates": sorted(
            (str(one.get("model_name")), str(one["litellm_params"].get("rpm")), str(one["litellm_params"].get("tpm")))
            for one in deployments
        ),
        "guardrails": sorted(str(one.get("guardrail_name")) for one in built.values()),
        "callbacks": sorted(one if isinstance(one, str) else type(one).__name__ for one in litellm.callbacks),
        "limits": {name: repr(value) for name, value in limits.items() if isinstance(value, PLAIN)},
        "custom_auth": str(proxy.user_custom_auth is not None),
    }


def _plain(deployment: Any) -> dict[str, Any]:
    found: dict[str, Any] = deployment if isinstance(deployment, dict) else deployment.model_dump()
    return found


def main() -> None:
    _, seen, *command = sys.argv
    modules = command[-1] == "--modules"
    sys.argv = command[:-1] if modules else command
    sys.path[0] = os.path.dirname(command[0])
    uvicorn: Any = import_module("uvicorn")
    uvicorn.run = start(seen, modules=modules)
    # 1.109 collects all that its imports have made when it has started, which costs more than the start
    gc.collect = lambda generation=2: 0
    sys.exit(import_module("litellm.proxy.proxy_cli").run_server())


if __name__ == "__main__":
    main()
