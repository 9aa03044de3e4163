"""Proofs of the rules about the entries of model_list."""

from __future__ import annotations

from collections import Counter

from tests.proving.case import Case, Proof, both, dropped, fails, refused, runs, serves
from tests.proving.run import Run

_ASKED = 12


def _shared(group: str, *models: str) -> Proof:
    """Requests for the group go to these models, and to no other."""

    def proof(run: Run) -> None:
        before = len(run.upstream_calls())
        for _ in range(_ASKED):
            assert run.chat(group).status == 200, group
        counts = Counter(call.model for call in run.upstream_calls()[before:])
        assert set(counts) == set(models), counts

    return proof


def _mostly(group: str, model: str) -> Proof:
    """Requests for the group go to this model, but for what a weight of 1000 to 1 leaves to chance."""

    def proof(run: Run) -> None:
        before = len(run.upstream_calls())
        for _ in range(_ASKED):
            assert run.chat(group).status == 200, group
        counts = Counter(call.model for call in run.upstream_calls()[before:])
        assert counts[model] >= _ASKED - 3, counts

    return proof


def _ids(run: Run) -> None:
    runs(run)
    ids = Counter(entry["model_info"]["id"] for entry in run.models())
    # two with the same id, and two identical ones
    assert sorted(ids.values()) == [2, 2], ids


def _tagged(status: int) -> Proof:
    """A request with the deployment's tag ends with this status."""

    def proof(run: Run) -> None:
        got, body, _ = run.chat("tagged", metadata={"tags": ["free"]})
        assert got == status, (got, body)

    return proof


def _to(name: str, more: str = "", info: str = "", group: str = "") -> str:
    params = f"model: openai/{name}, api_base: '{{upstream}}', api_key: k{more and ', ' + more}"
    tail = f", model_info: {info}" if info else ""
    return f"  - {{model_name: {group or name}, litellm_params: {{{params}}}{tail}}}\n"


CASES: tuple[Case, ...] = (
    Case(
        "no litellm_params",
        f"model_list:\n{_to('good')}  - model_name: a\n",
        finds={"no-litellm-params": 3},
        proof=refused("KeyError: 'litellm_params'"),
    ),
    Case(
        "no model",
        f"model_list:\n{_to('good')}  - {{model_name: a, litellm_params: {{api_key: k}}}}\n",
        finds={"no-model": 3},
        proof=refused("KeyError: 'model'"),
    ),
    Case(
        "a model that is no text",
        "model_list:\n  - {model_name: a, litellm_params: {model: 5}}\n",
        finds={"no-model": 2},
        proof=refused("TypeError: argument of type 'int' is not iterable"),
    ),
    Case(
        "a model from nowhere",
        "model_list:\n  - {model_name: a, litellm_params: {model: os.environ/NOT_SET}}\n",
        finds={"unset-model": 2},
        proof=refused("TypeError: argument of type 'NoneType' is not iterable"),
    ),
    Case(
        "no model_name",
        "model_list:\n  - {litellm_params: {model: openai/a, api_key: k}}\n",
        finds={"no-model-name": 2},
        proof=refused("KeyError: 'model_name'"),
    ),
    Case(
        "a model_name that is a number",
        "model_list:\n  - {model_name: 4, litellm_params: {model: openai/a, api_key: k}}\n",
        finds={"no-model-name": 2},
        proof=refused("TypeError: "),
    ),
    Case(
        "an empty model_info",
        f"model_list:\n{_to('good').rstrip()[:-1]}, model_info: }}\n",
        finds={"empty-model-info": 2},
        proof=refused("AttributeError: 'NoneType' object has no attribute 'get'"),
        fixed=serves("good"),
    ),
    Case(
        "what is dropped",
        "model_list:\n"
        + _to("good")
        + "  - {model_name: bare, litellm_params: {model: llama3, api_base: '{upstream}', api_key: k}}\n"
        + "  - {model_name: vendor, litellm_params: {model: meta-llama/Llama-3, api_key: k}}\n"
        + "  - {model_name: untold, litellm_params: {model: deepseek-chat, api_key: k}}\n"
        + "  - {model_name: other, litellm_params: {model: a, custom_llm_provider: nonesuch, api_key: k}}\n"
        + "  - {model_name: newer, litellm_params: {model: gpt-99, api_key: k}}\n"
        + "  - {model_name: empty, litellm_params: {model: '', api_key: k}}\n"
        + _to("number", "organization: 12345")
        + _to("word", "rpm: many")
        + _to("part", "tpm: 1.5")
        + _to("free", "input_cost_per_token: free"),
        env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        finds={"no-provider": 3, "wrong-type": 9},
        proof=both(
            dropped("bare", "vendor", "untold", "other", "newer", "empty"),
            dropped("number", "word", "part", "free"),
            serves("good"),
        ),
    ),
    Case(
        "what is dropped and can be mended",
        "model_list:\n"
        + "  - {model_name: spelt, litellm_params: {model: Hosted-VLLM/spelt, api_base: '{upstream}', api_key: k}}\n"
        + _to("date", "api_version: 2024-02-01"),
        finds={"no-provider": 2, "wrong-type": 3},
        proof=dropped("spelt", "date"),
        fixed=serves("spelt", "date"),
    ),
    Case(
        "tags that are a text",
        "model_list:\n" + _to("good") + _to("tags", "tags: free"),
        finds={"wrong-type": 3},
        since="1.83",
        proof=dropped("tags"),
        fixed=serves("good", "tags"),
        otherwise=serves("tags"),
    ),
    Case(
        "how a group shares its load",
        "model_list:\n"
        + _to("w1", "weight: '2'", group="text")
        + _to("w2", "weight: 1", group="text")
        + _to("p1", "weight: 1", group="partial")
        + _to("p2", group="partial")
        + _to("r1", "rpm: 50", group="limited")
        + _to("r2", group="limited")
        + _to("i1", info="{rpm: 1000}", group="info")
        + _to("i2", info="{rpm: 1}", group="info"),
        finds={"weight-not-a-number": 2, "partial-weights": 5, "limits-in-model-info": 8},
        proof=both(
            fails("text"),
            _shared("partial", "p1"),
            _shared("limited", "r1"),
            _shared("info", "i1", "i2"),
        ),
        fixed=both(serves("text"), _mostly("info", "i1")),
    ),
    Case(
        "weights that are all 0",
        "model_list:\n" + _to("z1", "weight: 0", group="zero") + _to("z2", "weight: 0", group="zero"),
        finds={"no-weight-left": 2},
        until="1.102",
        proof=fails("zero", "division by zero"),
        otherwise=serves("zero"),
    ),
    Case(
        "ids and tags",
        "model_list:\n"
        + _to("a", info="{id: same}")
        + _to("b", info="{id: same}")
        + _to("twin", group="twins")
        + _to("twin", group="twins"),
        finds={"repeated-id": 3, "identical-deployments": 5},
        proof=_ids,
    ),
    Case(
        "tags in model_info",
        "router_settings: {enable_tag_filtering: true}\nmodel_list:\n"
        + _to("tagged", info="{tags: [free]}")
        + _to("paid", "tags: [paid]", group="tagged"),
        finds={"tags-in-model-info": 3},
        proof=_tagged(401),
    ),
)
