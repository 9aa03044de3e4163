"""Guardrails."""

from __future__ import annotations

from tests.proving.case import Case, Proof, refused, runs
from tests.proving.run import Run


def left_out(words: str) -> Proof:
    """The guardrail is left out, or ends the start in versions that leave none out; either says the words."""

    def proof(run: Run) -> None:
        assert run.refused or "starting WITHOUT this guardrail" in run.log, run.log[-2000:]
        assert words in run.log, run.log[-2000:]

    return proof


def guardrail(params: str) -> str:
    return f"guardrails:\n  - guardrail_name: g\n    litellm_params:\n      {params}\n"


CASES: tuple[Case, ...] = (
    Case(
        "guardrail-without-name",
        "guardrails:\n  - litellm_params: {guardrail: hide-secrets, mode: pre_call}\n",
        finds={"guardrail-shape": 2},
        proof=refused("guardrail_name"),
    ),
    Case(
        "guardrail-without-params",
        "guardrails:\n  - guardrail_name: g\n    guardrail: presidio\n    mode: pre_call\n",
        finds={"guardrail-shape": 2},
        proof=refused("litellm_params"),
    ),
    Case(
        "guardrail-params-listed",
        "guardrails:\n  - guardrail_name: g\n    litellm_params:\n      - guardrail: presidio\n",
        finds={"guardrail-shape": 3},
        proof=refused("has no attribute"),
    ),
    Case(
        "new-guardrail-in-the-old-place",
        "litellm_settings:\n  guardrails:\n    - guardrail_name: g\n"
        "      litellm_params: {guardrail: aim, mode: pre_call}\n",
        finds={"guardrail-shape": 3},
        proof=refused("error initializing guardrails"),
    ),
    Case(
        "old-guardrail-with-another-key",
        "litellm_settings:\n  guardrails:\n    - g: {callbacks: [], mode: pre_call}\n",
        finds={"guardrail-shape": 3},
        proof=refused("unexpected keyword argument"),
    ),
    Case(
        "old-guardrail",
        "litellm_settings:\n  guardrails:\n    - g: {callbacks: [], default_on: false}\n",
        finds={},
        proof=runs,
    ),
    Case(
        "presidio-without-its-address",
        guardrail("{guardrail: presidio, mode: pre_call, presidio_analyzer_api_base: 'http://127.0.0.1:9'}"),
        finds={"guardrail-prerequisite": 2},
        proof=refused("Missing `PRESIDIO_ANONYMIZER_API_BASE` from environment"),
    ),
    Case(
        "presidio-with-its-address",
        guardrail("{guardrail: presidio, mode: pre_call}"),
        env={"PRESIDIO_ANALYZER_API_BASE": "http://127.0.0.1:9", "PRESIDIO_ANONYMIZER_API_BASE": "http://127.0.0.1:9"},
        finds={},
        proof=runs,
    ),
    Case(
        "lasso-without-key",
        guardrail("{guardrail: lasso, mode: pre_call}"),
        finds={"guardrail-prerequisite": 2},
        proof=refused("Couldn't get Lasso api key"),
    ),
    Case(
        "guardrails-ai-without-guard",
        guardrail("{guardrail: guardrails_ai, mode: post_call, api_base: 'http://127.0.0.1:9'}"),
        finds={"guardrail-prerequisite": 2},
        proof=refused("Please pass the Guardrails AI guard name"),
    ),
    Case(
        "presidio-among-the-callbacks",
        "litellm_settings:\n  callbacks: [presidio]\n",
        finds={"guardrail-prerequisite": 2},
        proof=refused("Missing `PRESIDIO_ANALYZER_API_BASE` from environment"),
    ),
    Case(
        "guardrail-of-no-kind",
        guardrail("{guardrail: nosuchguard, mode: pre_call}"),
        finds={"guardrail-left-out": 4},
        proof=left_out("Unsupported guardrail"),
    ),
    Case(
        "guardrail-without-mode",
        guardrail("{guardrail: hide-secrets}"),
        finds={"guardrail-left-out": 3},
        proof=left_out("mode"),
    ),
)
