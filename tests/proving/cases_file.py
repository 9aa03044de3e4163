"""Proofs of the rules about the file as a whole."""

from __future__ import annotations

from tests.proving.case import Case, Proof, both, dropped, refused, runs, serves
from tests.proving.run import Run

_GOOD = "{model_name: good, litellm_params: {model: openai/good, api_base: '{upstream}', api_key: k}}"


def _sent(model: str, key: str) -> Proof:
    """A request for this model arrives with exactly this key."""

    def proof(run: Run) -> None:
        serves(model)(run)
        keys = [call.headers.get("authorization") for call in run.upstream_calls() if call.model == model]
        assert keys == [f"Bearer {key}"], keys

    return proof


def _router(**wanted: object) -> Proof:
    """The running router has these settings."""

    def proof(run: Run) -> None:
        runs(run)
        found = run.get("/get/config/callbacks").body["router_settings"]
        assert {name: found.get(name) for name in wanted} == wanted

    return proof


CASES: tuple[Case, ...] = (
    Case(
        "a model_list that is a mapping",
        "model_list:\n  a: {model: openai/a}\n",
        finds={"wrong-kind-of-section": 1},
        proof=refused("Error: "),
    ),
    Case(
        "litellm_settings that are a list",
        "model_list: []\nlitellm_settings:\n  - drop_params\n",
        finds={"wrong-kind-of-section": 2},
        proof=refused("AttributeError: 'list' object has no attribute 'items'"),
    ),
    Case(
        "general_settings that are a text",
        "general_settings: strict\n",
        finds={"wrong-kind-of-section": 1},
        proof=refused("AttributeError: 'str' object has no attribute 'get'"),
    ),
    Case(
        "environment_variables that are a list",
        "environment_variables: [A=b]\n",
        finds={"wrong-kind-of-section": 1},
        proof=refused("AttributeError: 'list' object has no attribute 'items'"),
    ),
    Case(
        "guardrails that are a mapping",
        "guardrails: {a: b}\n",
        finds={"wrong-kind-of-section": 1},
        proof=refused("AttributeError: 'str' object has no attribute 'get'"),
    ),
    Case(
        "what nobody reads",
        # the cooldown of the included file's router_settings is the default again: nothing is left of these
        "include: [more.yaml]\n"
        f"model_list: [{_GOOD.replace('good', 'lost')}]\n"
        "router_settings: {cooldown_time: 77}\n"
        "router_setting: {num_retries: 7}\n"
        "model_list:\n"
        "  - {model_name: shell, litellm_params: {model: openai/shell, api_base: '{upstream}', api_key: '${MY_KEY}'}}\n"
        "  - {model_name: a, litellm_params: {model: openai/a, api_base: '{upstream}', api_key: a os.environ/X}}\n",
        files={"more.yaml": "router_settings:\n  num_retries: 3\n"},
        env={"MY_KEY": "resolved"},
        finds={
            "repeated-key": 2,
            "unknown-section": 4,
            "shell-variable": 6,
            "embedded-reference": 7,
            "include-replaces": 1,
        },
        proof=both(
            dropped("lost"),
            _sent("shell", "${MY_KEY}"),
            _sent("a", "a os.environ/X"),
            _router(num_retries=3, cooldown_time=5),
        ),
        fixed=_sent("shell", "resolved"),
    ),
    Case(
        "router_settings that are a list",
        f"model_list: [{_GOOD}]\nrouter_settings:\n  - num_retries: 7\n",
        finds={"wrong-kind-of-section": 2},
        proof=both(serves("good"), _router(num_retries=2)),
    ),
)
