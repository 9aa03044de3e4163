"""The rules about the entries of model_list, and the provider that LiteLLM tells from a model."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_tui.audit.providers import find_provider
from litellm_tui.collectors.litellm_source.catalogues import shipped
from litellm_tui.model.edits import Edit, Move, Remove, SetValue
from tests.audit.reading import NEWEST, audited, found, lines

OLD = "1.77.7"


def listed(*entries: str) -> str:
    return "model_list:\n" + "".join(f"  - {entry}\n" for entry in entries)


def deployment(model: str = "openai/a", more: str = "", name: str = "a", info: str = "") -> str:
    params = f"model: {model}" + (f", {more}" if more else "")
    return f"{{model_name: {name}, litellm_params: {{{params}}}{f', model_info: {info}' if info else ''}}}"


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ("text", "no-litellm-params"),
        ("null", "no-litellm-params"),
        ("{model_name: a}", "no-litellm-params"),
        ("{model_name: a, litellm_params: }", "no-litellm-params"),
        ("{model_name: a, litellm_params: [openai/a]}", "no-litellm-params"),
        ("{model_name: a, litellm_params: {api_key: k}}", "no-model"),
        ("{model_name: a, litellm_params: {model: }}", "no-model"),
        ("{model_name: a, litellm_params: {model: 5}}", "no-model"),
        ("{litellm_params: {model: openai/a}}", "no-model-name"),
        ("{model_name: , litellm_params: {model: openai/a}}", "no-model-name"),
        ("{model_name: 4, litellm_params: {model: openai/a}}", "no-model-name"),
        ("{model_name: a, litellm_params: {model: openai/a}, model_info: }", "empty-model-info"),
        ("{model_name: a, litellm_params: {model: openai/a}, model_info: []}", "empty-model-info"),
    ],
)
def test_an_entry_that_ends_the_start_is_found(entry: str, rule: str) -> None:
    result = audited(listed(deployment(name="b"), entry))
    assert {finding.rule: finding.mark.line for finding in result.findings if finding.severity == "fatal"} == {rule: 3}


def test_a_model_from_a_variable_ends_the_start_only_when_it_is_known_to_be_unset() -> None:
    text = listed(deployment("os.environ/MODEL"))
    assert lines(audited(text, env={}))["unset-model"] == [2]
    for env in (None, {"MODEL": "openai/a"}):
        assert "unset-model" not in lines(audited(text, env=env))
    managed = f"{text}general_settings: {{key_management_system: azure_key_vault}}\n"
    assert "unset-model" not in lines(audited(managed, env={}))


@pytest.mark.parametrize(
    ("text", "rule", "edits"),
    [
        (
            "{model_name: a, litellm_params: {model: openai/a}, model_info: }",
            "empty-model-info",
            (Remove(("model_list", 0, "model_info")),),
        ),
        (
            deployment("Hosted-VLLM/a"),
            "no-provider",
            (SetValue(("model_list", 0, "litellm_params", "model"), "hosted_vllm/a"),),
        ),
        (
            deployment("azure/a", "api_base: 'https://a', api_version: 2024-02-01"),
            "wrong-type",
            (SetValue(("model_list", 0, "litellm_params", "api_version"), "2024-02-01"),),
        ),
        (
            deployment("openai/a", "tags: free"),
            "wrong-type",
            (SetValue(("model_list", 0, "litellm_params", "tags"), ["free"]),),
        ),
        (
            deployment("openai/a", "weight: '2'"),
            "weight-not-a-number",
            (SetValue(("model_list", 0, "litellm_params", "weight"), 2),),
        ),
    ],
)
def test_what_is_mechanical_is_mended_without_asking(text: str, rule: str, edits: tuple[Edit, ...]) -> None:
    (finding,) = found(audited(listed(text)), rule)
    assert finding.fix is not None
    assert finding.fix.edits == edits
    assert not finding.fix.decision


@pytest.mark.parametrize(
    ("model", "more", "severity"),
    [
        ("llama3", "api_base: 'http://127.0.0.1:8000/v1'", "error"),
        ("meta-llama/Llama-3-8B", "", "error"),
        ("deepseek-chat", "", "error"),
        ("openai", "", "error"),
        ("''", "", "error"),
        ("gpt-oss:20b", "", "error"),
        ("a", "custom_llm_provider: nonesuch", "error"),
        ("gpt-99", "", "warning"),
        ("claude-3-opus-20240229", "", "warning"),
        ("openai/a", "", None),
        ("gpt-4o", "", None),
        ("'*'", "", None),
        ("a", "custom_llm_provider: openai", None),
        ("a", "custom_llm_provider: os.environ/PROVIDER", None),
        ("a", "api_base: 'https://api.groq.com/openai/v1'", None),
        ("a", "api_base: os.environ/BASE", None),
        ("os.environ/MODEL", "", None),
        ("langfuse/a", "", None),
    ],
)
def test_a_deployment_is_said_to_be_dropped_only_when_it_is(model: str, more: str, severity: str | None) -> None:
    findings = found(audited(listed(deployment(model, more))), "no-provider")
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


@pytest.mark.parametrize(
    "text",
    [
        listed(deployment("mine/a"))
        + "litellm_settings: {custom_provider_map: [{provider: mine, custom_handler: a.b}]}\n",
        listed(deployment("llama3")) + "litellm_settings: {use_litellm_proxy: true}\n",
        listed(deployment("llama3", info="{litellm_provider: openai}")),
    ],
)
def test_what_else_can_tell_a_provider_is_looked_at(text: str) -> None:
    assert not found(audited(text), "no-provider")


@pytest.mark.parametrize(
    ("model", "more"), [("meta-llama/Llama-3-8B", ""), ("Snowflake/arctic", "api_base: 'http://127.0.0.1:8000/v1'")]
)
def test_a_vendor_that_is_written_like_a_provider_is_not_taken_for_it(model: str, more: str) -> None:
    (finding,) = found(audited(listed(deployment(model, more))), "no-provider")
    assert finding.fix is not None
    assert finding.fix.decision


def test_a_name_that_only_a_newer_map_may_know_is_dropped_where_none_is_fetched() -> None:
    text = listed(deployment("gpt-99"))
    (finding,) = found(audited(text, env={"LITELLM_LOCAL_MODEL_COST_MAP": "True"}), "no-provider")
    assert finding.severity == "error"


@pytest.mark.parametrize("version", [OLD, NEWEST])
def test_every_prefix_and_every_name_of_the_map_has_its_provider(version: str) -> None:
    spans = shipped()
    catalogue = spans.at(version)
    prefixed = {
        name: find_provider(f"{name}/model", catalogue, spans).name for name in catalogue.providers - {"ragflow"}
    }
    assert prefixed == {name: name for name in prefixed}
    known = [name for name in catalogue.models if "/" not in name and name.startswith(("gpt-4", "text-embedding-3"))]
    assert known
    assert {find_provider(name, catalogue, spans).state for name in known} == {"known"}


@pytest.mark.parametrize("value", [5, ["openai"], {"a": 1}, True])
def test_an_odd_provider_or_address_is_left_alone(value: Any) -> None:
    spans = shipped()
    catalogue = spans.at(NEWEST)
    assert find_provider("a", catalogue, spans, custom=value).state == "unsure"
    assert find_provider("a", catalogue, spans, api_base=value).state == "unsure"


@pytest.mark.parametrize(
    "more",
    [
        "rpm: many",
        "rpm: 6.5",
        "tpm: [1]",
        "max_retries: 2024-02-01",
        "api_key: 12345",
        "api_base: [a]",
        "vertex_project: 1234567890",
        "timeout: [1]",
        "input_cost_per_token: free",
        "tags: [1]",
    ],
)
def test_a_value_of_the_wrong_type_is_found(more: str) -> None:
    (finding,) = found(audited(listed(deployment(more=more))), "wrong-type")
    assert finding.path[-1] == more.split(":", maxsplit=1)[0]
    assert "12345" not in finding.text + finding.do


@pytest.mark.parametrize(
    "more",
    [
        "rpm: '6'",
        "rpm: 6.0",
        "rpm: true",
        "rpm: os.environ/RPM",
        "tpm: ",
        "timeout: '30'",
        "api_key: os.environ/KEY",
        "input_cost_per_token: '0.1'",
        "tags: [free]",
    ],
)
def test_a_value_that_litellm_converts_is_left_alone(more: str) -> None:
    assert not found(audited(listed(deployment(more=more))), "wrong-type")


@pytest.mark.parametrize(
    "more",
    [
        "timeout: {connect: 5}",
        "vertex_credentials: [a]",
        "aws_session_tags: [{Key: team}]",
        "timeout_by_service_tier: {flex: slow}",
        "configurable_clientside_auth_params: api_base",
    ],
)
def test_a_value_that_is_no_plain_one_has_a_type_too(more: str) -> None:
    assert found(audited(listed(deployment(more=more))), "wrong-type")


@pytest.mark.parametrize("info", ["base_model: 4", "tier: gold", "team_id: 12", "input_cost_per_token: low", "id: [a]"])
def test_a_value_of_model_info_has_a_type(info: str) -> None:
    [finding] = found(audited(listed(deployment(info=f"{{{info}}}"))), "wrong-type")
    assert finding.path[-1] == info.partition(":")[0]


@pytest.mark.parametrize("info", ["id: 12", "tier: paid", "base_model: os.environ/BASE", "team_id: ", "mode: 5"])
def test_a_value_of_model_info_that_is_taken_is_left_alone(info: str) -> None:
    assert not found(audited(listed(deployment(info=f"{{{info}}}"))), "wrong-type")


@pytest.mark.parametrize(("time", "fits"), [("'00:30'", True), ("'7pm'", False), ("'25:00'", False), ("0:30", False)])
def test_a_daily_reset_is_a_time_of_the_day(time: str, fits: bool) -> None:
    text = listed(deployment(more=f"daily_reset_time: {time}"))
    assert (not found(audited(text, version="1.109.3"), "wrong-type")) == fits
    assert not found(audited(text), "wrong-type"), "an older release has no such field"


def test_a_list_of_providers_that_replaces_the_own_one_drops_the_others() -> None:
    text = listed(deployment()) + "litellm_settings: {provider_list: %s}\n"
    assert found(audited(text % "[azure]"), "no-provider")
    assert not found(audited(text % "[openai]"), "no-provider")


def test_tags_as_a_text_were_no_fault_before_they_were_checked() -> None:
    assert not found(audited(listed(deployment(more="tags: free")), version=OLD), "wrong-type")


def test_weights_that_are_not_looked_at_are_no_fault() -> None:
    late = listed(deployment(), deployment(more="weight: 'x'"))
    assert not found(audited(late, version=OLD), "weight-not-a-number")
    assert lines(audited(late))["weight-not-a-number"] == [3]
    by_cost = late + "router_settings: {routing_strategy: least-busy}\n"
    assert not found(audited(by_cost), "weight-not-a-number")


@pytest.mark.parametrize(
    ("values", "version", "line"),
    [
        (("weight: 1", ""), NEWEST, 3),
        (("", "weight: 1"), NEWEST, 2),
        (("rpm: 10", ""), OLD, 3),
        (("", "weight: 1"), OLD, 3),
        (("weight: 1", "weight: 0"), NEWEST, None),
        (("weight: 1", "weight: 2"), OLD, None),
        (("", ""), NEWEST, None),
        (("", "rpm: 10"), OLD, None),
        (("weight: 1, order: 1", "order: 2"), NEWEST, None),
    ],
)
def test_a_deployment_without_a_weight_among_others_is_found(
    values: tuple[str, ...], version: str, line: int | None
) -> None:
    result = audited(listed(*(deployment(f"openai/{n}", more) for n, more in enumerate(values))), version=version)
    assert lines(result).get("partial-weights") == ([line] if line else None)


def test_weights_that_are_all_zero_fail_up_to_1_102() -> None:
    text = listed(deployment("openai/a", "weight: 0"), deployment("openai/b", "weight: 0"))
    assert lines(audited(text, version=OLD))["no-weight-left"] == [2]
    assert "no-weight-left" not in lines(audited(text))


def test_limits_in_model_info_move_to_where_the_shuffle_looks() -> None:
    shared = listed(deployment("openai/a", info="{rpm: 1}"), deployment("openai/b", info="{rpm: 9}"))
    first, second = found(audited(shared), "limits-in-model-info")
    assert first.fix is not None
    assert first.fix.edits == (
        Move(("model_list", 0, "model_info", "rpm"), ("model_list", 0, "litellm_params", "rpm")),
    )
    assert not first.fix.decision
    assert second.mark.line == 3
    assert not found(audited(listed(deployment(info="{rpm: 1}"))), "limits-in-model-info"), "nothing is shared"
    alone = listed(deployment("openai/a", info="{rpm: 1}"), deployment("openai/b"))
    (finding,) = found(audited(alone), "limits-in-model-info")
    assert finding.fix is not None
    assert finding.fix.decision, "the other would get no requests"


def test_tags_in_model_info_matter_only_with_tag_routing() -> None:
    text = listed(deployment(info="{tags: [free]}"))
    assert not found(audited(text), "tags-in-model-info")
    (finding,) = found(audited(text + "router_settings: {enable_tag_filtering: true}\n"), "tags-in-model-info")
    assert finding.fix is not None
    assert isinstance(finding.fix.edits[0], Move)


def test_an_id_is_of_one_deployment_only() -> None:
    same = listed(deployment("openai/a", info="{id: 1}"), deployment("openai/b", info="{id: '1'}"))
    assert lines(audited(same))["repeated-id"] == [3]
    assert "repeated-id" not in lines(audited(listed(deployment(info="{id: a}"), deployment(info="{id: b}"))))


def test_deployments_are_identical_by_name_and_parameters() -> None:
    same = listed(deployment(more="api_key: k"), deployment(more="api_key: k"))
    assert lines(audited(same))["identical-deployments"] == [3]
    for other in (deployment(more="api_key: l"), deployment(name="b", more="api_key: k"), deployment(info="{id: x}")):
        assert "identical-deployments" not in lines(audited(listed(deployment(more="api_key: k"), other)))


def test_what_is_right_is_said() -> None:
    said = [praise.text for praise in audited(listed(deployment("openai/a"), deployment("openai/b"))).right]
    assert "every deployment names its provider" in said
    assert any("shares the load" in text for text in said)


@pytest.mark.parametrize(
    ("organization", "said"),
    [("[o1, o2]", False), ("o1", False), ("[o1, 5]", True), ("[]", True), ("5", True), ("{a: b}", True)],
)
def test_organizations_may_be_a_list(organization: str, said: bool) -> None:
    text = listed(deployment(more=f"api_key: k, organization: {organization}"))
    assert ("wrong-type" in lines(audited(text))) is said
