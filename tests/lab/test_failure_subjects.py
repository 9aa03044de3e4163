"""Refusals and failures that a real LiteLLM makes by itself: each incident says whose it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.lab import Lab
from tests.lab.config import default_config, deployment
from tests.lab.core import request
from tests.lab.environments import Environment

COMMAND = (sys.executable, "-m", "litellm_tui.cli", "incidents", "--json")
ENV = {"LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}


def _config(mcp: bool) -> dict[str, Any]:
    made = default_config()
    made["model_list"] += [
        deployment("narrow", "openai/narrow", rpm=1),
        deployment("tagged", "openai/tagged", tags=["paid"]),
        deployment("plain", "ollama_chat/plain"),
    ]
    made["litellm_settings"] |= {"num_retries": 0, "callbacks": ["langsmith"]}
    made["router_settings"] |= {"routing_strategy": "usage-based-routing-v2", "enable_tag_filtering": True}
    if mcp:
        made["mcp_servers"] = {"files": {"url": "http://127.0.0.1:@refused@/mcp", "transport": "http"}}
    return made


def _ask(lab: Lab, model: str, key: str | None = None, **more: Any) -> int:
    headers = {"authorization": f"Bearer {lab.key() if key is None else key}"} if key != "" else {}
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], **more}
    return request("POST", f"{lab.url()}/v1/chat/completions", headers=headers, body=body).status


def _incidents(lab: Lab) -> list[dict[str, Any]]:
    done = lab.run([*COMMAND], user=True, check=False, env=ENV)
    found: list[dict[str, Any]] = json.loads(done.stdout)["incidents"]
    return found


@pytest.mark.parametrize("plain", [False, True], ids=["json", "plain"])
def test_what_litellm_refuses_by_itself_is_not_laid_on_an_upstream(
    boot_lab: Callable[..., Lab], lab_environment: Environment, plain: bool
) -> None:
    # the package mcp in the environment of 1.77.7 cannot be imported
    mcp = lab_environment.order >= (1, 100)
    config = _config(mcp)
    config["litellm_settings"]["json_logs"] = not plain
    lab = boot_lab(litellm=lab_environment, config=config)
    assert _ask(lab, "llama3.1:latest") == 200
    # nobody's key, no key, and what is no key
    assert _ask(lab, "llama3.1:latest", key="sk-nobody-has-this") >= 400
    assert _ask(lab, "llama3.1:latest", key="no-key-at-all") >= 400
    # its own limits, tags and parameters
    assert [_ask(lab, "narrow") for _ in range(4)][-1] == 429
    assert _ask(lab, "tagged", metadata={"tags": ["free"]}) >= 400
    assert _ask(lab, "plain", logit_bias={"1": 1}) == 400
    assert _ask(lab, "nobody-serves-this") >= 400
    # a cache that answers and takes nothing in
    lab.redis("config", "set", "maxmemory", "1mb")
    for number in range(3):
        assert _ask(lab, "llama3.1:latest", temperature=number / 10) == 200

    wanted = {
        ("gateway", "own deployment limit"),
        ("gateway", "tags not allowed"),
        ("gateway", "unsupported parameter"),
        ("caller", "no such group"),
        ("cache", "Redis is full"),
        *([("mcp", "MCP server unreachable")] if mcp else []),
    }

    def told() -> set[tuple[str, str]]:
        return {(one["failure_of"], one["cause"]) for one in _incidents(lab)}

    lab.wait("the incidents", lambda: told() >= wanted, pause=1.0, timeout=60)
    found = _incidents(lab)
    print("\n".join(f"{one['failure_of']}: {one['cause']}: {one['subject']}: {one['words'][:100]}" for one in found))
    # without a database a key that is not the master key cannot be looked up
    keys = [
        one for one in found if one["cause"] in ("no database", "malformed key", "unknown key", "key check refused")
    ]
    assert keys
    told_of = {one["failure_of"] for one in found}
    assert "upstream" not in told_of
    assert plain or told_of <= {"gateway", "caller", "cache", "mcp", "database", "side service"}
    assert all("api_base" not in one["do"] for one in found)
