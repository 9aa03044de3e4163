"""What a finding proposes is looked at before it is proposed, and what a file needs to start at all is said."""

from __future__ import annotations

import json

import pytest

from litellm_tui.analysis.audit_phrases import arithmetic
from litellm_tui.audit.proposed import edited
from litellm_tui.model.edits import Insert, Move, Remove, Rename, SetValue
from tests.audit.reading import audited, found

MODELS = "model_list:\n  - {model_name: a, litellm_params: {model: openai/gpt-4o, api_key: k}}\n"
KEYED = "general_settings: {master_key: sk-of-the-gateway-1}\n"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("litellm_settings: {routing_strategy: fastest}\n", "unknown-litellm-key"),
        ("litellm_settings: {model_group_alias: [x]}\n", "unknown-litellm-key"),
        ("routing_strategy: fastest\n", "unknown-section"),
    ],
)
def test_advice_that_would_end_the_start_is_not_given_as_it_stands(text: str, rule: str) -> None:
    [finding] = found(audited(MODELS + KEYED + text), rule)
    assert finding.fix is None
    assert "not as it stands: LiteLLM would then not start" in finding.do


def test_advice_that_leads_to_a_start_is_given() -> None:
    [finding] = found(
        audited(MODELS + KEYED + "litellm_settings: {routing_strategy: least-busy}\n"), "unknown-litellm-key"
    )
    assert finding.fix is not None
    assert "not as it stands" not in finding.do


def test_edits_are_made_in_a_copy() -> None:
    data = {"a": {"b": [1, {"c": 2}]}, "d": 3}
    kept = json.dumps(data)
    assert edited(data, [SetValue(("a", "b", 1, "c"), 5)]) == {"a": {"b": [1, {"c": 5}]}, "d": 3}
    assert edited(data, [Insert(("a", "b", 2), 7)]) == {"a": {"b": [1, {"c": 2}, 7]}, "d": 3}
    assert edited(data, [Insert(("e", "f"), 7)]) == {**data, "e": {"f": 7}}
    assert edited(data, [Rename(("a", "b"), "z")]) == {"a": {"z": [1, {"c": 2}]}, "d": 3}
    assert edited(data, [Remove(("a", "b", 0))]) == {"a": {"b": [{"c": 2}]}, "d": 3}
    assert edited(data, [Move(("d",), ("a", "d"))]) == {"a": {"b": [1, {"c": 2}], "d": 3}}
    assert edited(data, [Remove(("nowhere", 1))]) is None
    assert json.dumps(data) == kept


@pytest.mark.parametrize(
    ("text", "version", "names"),
    [
        (MODELS, "1.106.2", ("LITELLM_MASTER_KEY",)),
        (MODELS, "1.77.7", ()),
        (MODELS + KEYED, "1.106.2", ()),
        (MODELS + "general_settings: {master_key: os.environ/OUR_KEY}\n", "1.106.2", ("OUR_KEY",)),
        (MODELS.replace("openai/gpt-4o", "os.environ/WHICH") + KEYED, "1.77.7", ("WHICH",)),
        (MODELS.replace("openai/gpt-4o", "os.environ/WHICH"), "1.106.2", ("LITELLM_MASTER_KEY", "WHICH")),
    ],
)
def test_without_an_environment_what_the_start_needs_of_it_is_said_once(
    text: str, version: str, names: tuple[str, ...]
) -> None:
    result = audited(text, version=version)
    assert set(result.score.waits_for) == set(names)
    [said] = [said for said in result.unknown if said.startswith("the environment of LiteLLM")]
    assert all(said.count(name) == 1 for name in names)
    assert ("to start at all" in said) == bool(names)
    assert arithmetic(result.score).startswith("waits for the environment" if names else str(result.score.value)[:1])
    assert not [f for f in result.findings if f.severity == "fatal"]


def test_with_its_environment_the_score_waits_for_nothing() -> None:
    result = audited(MODELS, env={"LITELLM_MASTER_KEY": "sk-of-the-gateway-1"})
    assert result.score.waits_for == ()
    assert "of 10" in arithmetic(result.score)
    # a file that cannot start in any environment has its score
    assert audited("model_list: {a: b}\n").score.waits_for == ()
