"""Fallbacks on the real LiteLLM: those that end the start, those that lead nowhere, those that are never followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.proving.case import Case, Proof, both, fails, refused, serves

if TYPE_CHECKING:
    from tests.proving.ground import Run

MODELS: Final = """\
model_list:
  - {model_name: good, litellm_params: {model: openai/good, api_base: "{upstream}", api_key: none}}
  - {model_name: bad, litellm_params: {model: openai/bad-err500, api_base: "{upstream}", api_key: none}}
  - {model_name: worse, litellm_params: {model: openai/worse-err500, api_base: "{upstream}", api_key: none}}
  - {model_name: third, litellm_params: {model: openai/third-err500, api_base: "{upstream}", api_key: none}}
  - {model_name: fourth, litellm_params: {model: openai/fourth-err500, api_base: "{upstream}", api_key: none}}
  - {model_name: fifth, litellm_params: {model: openai/fifth-err500, api_base: "{upstream}", api_key: none}}
  - {model_name: sixth, litellm_params: {model: openai/sixth-err500, api_base: "{upstream}", api_key: none}}
  - {model_name: short, litellm_params: {model: openai/short-errctx, api_base: "{upstream}", api_key: none}}
"""
"""Nine lines; `good` answers, `short` refuses every prompt as too long, the others fail."""

NOWHERE: Final = """\
router_settings:
  num_retries: 0
  fallbacks:
    - bad: good
    - worse: [ghost]
    - default: [good]
  context_window_fallbacks: {short: [good]}
"""

IDLE: Final = """\
router_settings:
  num_retries: 0
  fallbacks:
    - bad: [worse]
    - bad: [good]
    - worse: [third]
    - third: [fourth]
    - fourth: [fifth]
    - fifth: [sixth]
    - sixth: [sixth, good]
  model_group_alias:
    nick: sixth
litellm_settings:
  fallbacks:
    - short: [good]
"""


def passed_on(name: str) -> Proof:
    """A request for this name is answered by `good`, as a fallback."""

    def proof(run: Run) -> None:
        status, body, headers = run.chat(name)
        assert status == 200, body
        assert headers["x-litellm-model-group"] == "good"
        assert headers["x-litellm-attempted-fallbacks"] != "0"

    return proof


CASES: Final = (
    Case(
        "fallbacks-mapping",
        MODELS + "router_settings: {num_retries: 0, fallbacks: {bad: [good], worse: [good]}}\n",
        {"fallbacks-shape": 10},
        refused("is not a dictionary"),
        fixed=serves("bad", "worse"),
    ),
    Case(
        "fallbacks-two-in-one",
        MODELS + "router_settings:\n  num_retries: 0\n  content_policy_fallbacks: []\n"
        "  fallbacks:\n    - bad: [good]\n      worse: [good]\n    - {model: third, fallback_models: [good]}\n",
        {"fallbacks-shape": 14},
        refused("must have exactly one key"),
        fixed=serves("bad", "worse", "third"),
    ),
    Case(
        "fallbacks-to-nowhere",
        MODELS + NOWHERE,
        {"fallback-not-a-list": 13, "ghost-fallback": 14, "idle-fallback": 15, "fallbacks-shape": 16},
        both(fails("bad"), fails("worse", "ghost"), fails("third"), fails("short")),
        fixed=both(passed_on("bad"), passed_on("third"), passed_on("short")),
    ),
    Case(
        "fallbacks-never-followed",
        MODELS + IDLE,
        {
            "repeated-fallback": 14,
            "fallback-to-itself": 19,
            "long-fallback-chain": 13,
            "alias-without-fallback": 21,
            "fallbacks-in-two-places": 23,
        },
        both(fails("bad"), passed_on("worse"), passed_on("sixth"), fails("nick"), fails("short")),
        fixed=both(passed_on("sixth"), passed_on("worse")),
    ),
)
