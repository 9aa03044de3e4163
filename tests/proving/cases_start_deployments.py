"""Deployments that end the start in place of being left out."""

from __future__ import annotations

from tests.proving.case import Case, refused


def deployment(more: str) -> str:
    return (
        "model_list:\n  - model_name: m\n    litellm_params:\n      model: openai/m\n      api_base: '{upstream}'\n"
        f"      api_key: k\n{more}"
    )


CASES: tuple[Case, ...] = (
    Case(
        "setting-beside-a-complexity-router",
        deployment("      complexity_router_default_model: m\n      tier_boundaries: {}\n"),
        finds={"deployment-refused": 8},
        proof=refused("sets complexity_router_config settings directly: tier_boundaries"),
        since="1.106",
    ),
)
