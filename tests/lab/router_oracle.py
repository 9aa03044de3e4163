"""What the real router does: run by the Python of a LiteLLM environment, and by nothing else.

One JSON object a line comes in: `model_list`, `router` (the router_settings), `litellm` (the litellm_settings),
`cooling` (ids of deployments in cooldown) and `names`. One goes out: for each name the id of the deployment that
answered, or None, and how many fallbacks that took. A line with `error` says that the router does not start with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm  # type: ignore[import-not-found]

MESSAGES = [{"role": "user", "content": "hello"}]
SETTINGS = (
    "fallbacks",
    "default_fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "max_fallbacks",
)


async def ask(router: Any, name: str) -> dict[str, Any]:
    try:
        response = await router.acompletion(model=name, messages=MESSAGES, num_retries=0)
    except Exception as error:  # noqa: BLE001 - any of them is the answer
        return {"served": None, "error": f"{type(error).__name__}: {error}"[:200]}
    hidden = response._hidden_params
    attempted = (hidden.get("additional_headers") or {}).get("x-litellm-attempted-fallbacks")
    return {"served": hidden.get("model_id"), "fallbacks": attempted}


async def answer(case: dict[str, Any]) -> dict[str, Any]:
    # as the proxy does: litellm_settings become attributes of the module, router_settings arguments of the router
    for name in SETTINGS:
        setattr(litellm, name, case["litellm"].get(name))
    try:
        router = litellm.Router(model_list=case["model_list"], num_retries=0, **case["router"])
    except Exception as error:  # noqa: BLE001 - any of them is the answer
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    for identity in case["cooling"]:
        router.cooldown_cache.add_deployment_to_cooldown(identity, RuntimeError("down"), 500, 600.0)
    try:
        return {"names": {name: await ask(router, name) for name in case["names"]}}
    finally:
        router.discard()


def main() -> None:
    # whatever LiteLLM prints must not come between the answers
    answers, sys.stdout = sys.stdout, sys.stderr
    logging.disable(logging.CRITICAL)
    litellm.suppress_debug_info = True
    loop = asyncio.new_event_loop()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(loop.run_until_complete(answer(json.loads(line)))), file=answers, flush=True)


if __name__ == "__main__":
    main()
