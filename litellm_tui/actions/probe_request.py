"""What a deployment is asked, by its mode. Nothing here touches the wire, and the screen may import it."""

from __future__ import annotations

from typing import Any, Final

from litellm_tui.model.gateway import LoadedDeployment

ENDPOINTS: Final = {
    "chat": "/v1/chat/completions",
    "completion": "/v1/completions",
    "embedding": "/v1/embeddings",
    "rerank": "/v1/rerank",
}
STREAMED: Final = ("/v1/chat/completions", "/v1/completions")
# Enough to prove that the model speaks; a reasoning model may spend them on thoughts, and ends with a finish_reason
MAX_TOKENS: Final = 5


def why_not(deployment: LoadedDeployment) -> str:
    """Why this deployment cannot be probed, in words; empty when it can.

    A mode that is not set is chat: /v1/model/info itself fills in the mode of every model that LiteLLM knows.
    """
    if not deployment.id or deployment.id.startswith("#"):
        return "the gateway gives it no id, so it cannot be asked for alone"
    if "*" in deployment.model or _is_expanded(deployment):
        return "a wildcard stands for many models: which of them to ask is not guessed"
    mode = deployment.mode or "chat"
    if mode not in ENDPOINTS:
        return f"its mode is {mode}: only chat, completion, embedding and rerank can be asked"
    return ""


def _is_expanded(deployment: LoadedDeployment) -> bool:
    """1.106 lists a wildcard as every model it may stand for, all with the same id."""
    prefix = deployment.model.partition("/")[0]
    several = len(deployment.names) > 1 and deployment.names[0] == deployment.model
    return several and all(name.startswith(f"{prefix}/") for name in deployment.names)


def request_for(mode: str | None, model: str, text: str, *, stream: bool = False) -> tuple[str, dict[str, Any]]:
    """Path and body of a request that asks `model` (a group or a deployment's id) in its mode."""
    path = ENDPOINTS[mode or "chat"]
    body: dict[str, Any] = {"model": model}
    if path == "/v1/chat/completions":
        body |= {"messages": [{"role": "user", "content": text}], "max_tokens": MAX_TOKENS}
    elif path == "/v1/completions":
        body |= {"prompt": text, "max_tokens": MAX_TOKENS}
    elif path == "/v1/embeddings":
        body |= {"input": [text]}
    else:
        body |= {"query": text, "documents": [text, "Something else."]}
    if stream and path in STREAMED:
        body["stream"] = True
    return path, body
