"""Proofs of the rules about what health checks cost: what a look at /health does, and what each check sends."""

from __future__ import annotations

import httpx

from litellm_tui.audit.catalogue.records import parse_version
from litellm_tui.audit.health_costs import ANSWER_TOKENS
from litellm_tui.audit.subject import Runtime
from litellm_tui.model.embedded import Asked
from tests.proving.case import Case, runs
from tests.proving.run import Run

_MODELS = """
  - {model_name: one, litellm_params: {model: openai/costs-one, api_base: '{upstream}', api_key: k}}
  - {model_name: two, litellm_params: {model: openai/costs-two, api_base: '{upstream}', api_key: k}}
"""
_LIMITED = "1.85"


def _looked_at(run: Run) -> None:
    """Without a key a look is refused and asks nobody; with one each deployment is asked once, for a short answer."""
    runs(run)
    with httpx.Client(base_url=run._client.base_url, trust_env=False, timeout=60) as stranger:
        assert stranger.get("/health").status_code >= 400
    mine = [call for call in run.upstream_calls() if call.body.get("model", "").startswith("costs-")]
    assert mine == []
    status, body, _ = run.get("/health")
    assert status == 200, body
    mine = [call for call in run.upstream_calls() if call.body.get("model", "").startswith("costs-")]
    assert sorted(call.body["model"] for call in mine) == ["costs-one", "costs-two"]
    version = next(
        said["litellm_version"] for said in _ready(run) if isinstance(said, dict) and "litellm_version" in said
    )
    limit = ANSWER_TOKENS if parse_version(version) >= parse_version(_LIMITED) else None
    assert {call.body.get("max_tokens") for call in mine} == {limit}


def _ready(run: Run) -> list[object]:
    return [run.get(path)[1] for path in ("/health/readiness/details", "/health/readiness")]


CASES: tuple[Case, ...] = (
    Case(
        "a probe of /health",
        f"model_list:{_MODELS}",
        finds={"probe-asks-health": 1},
        runtime=Runtime(
            "Deployment llm", ("litellm",), health=(Asked("the liveness probe", "/health", 30.0),), contained=True
        ),
        proof=_looked_at,
    ),
)
