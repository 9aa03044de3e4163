"""Two configurations compared key by key: what differs, whatever the order, and no secret in what is shown."""

from __future__ import annotations

from typing import Any

from litellm_tui.analysis.fleet.keys import key_differences, key_words, values_by_key
from litellm_tui.model.fleet import KeyValue

ASKED = "a question"


def _config(**changes: Any) -> dict[str, Any]:
    return {
        "model_list": [
            {
                "model_name": "small",
                "litellm_params": {"model": "openai/small", "api_key": "sk-one-0123456789", "rpm": 5},
            },
            {"model_name": "large", "litellm_params": {"model": "openai/large", "api_key": "os.environ/LARGE_KEY"}},
        ],
        "router_settings": {"num_retries": 2, "fallbacks": [{"small": ["large"]}]},
        "general_settings": {"master_key": "sk-master-0123456789"},
    } | changes


def _told(**members: dict[str, Any]) -> dict[str, dict[str, KeyValue]]:
    return {name: values_by_key(data, ASKED) for name, data in members.items()}


def _words(**members: dict[str, Any]) -> list[str]:
    return [key_words(one) for one in key_differences("web", _told(**members))]


def test_equal_configurations_differ_in_nothing_whatever_the_order_of_models_and_keys() -> None:
    other = _config()
    other["model_list"] = [dict(reversed(entry.items())) for entry in reversed(other["model_list"])]
    assert _words(a=_config(), b=other) == []


def test_a_key_is_told_with_its_values_the_most_frequent_first() -> None:
    other = _config(router_settings={"num_retries": 3, "fallbacks": [{"small": ["large"]}]})
    assert _words(a=other, b=_config(), c=_config()) == ["router_settings.num_retries: 2 on b and c; 3 on a"]


def test_a_key_that_only_one_has_is_told_as_such() -> None:
    other = _config(litellm_settings={"drop_params": True})
    assert _words(a=_config(), b=other) == ["litellm_settings.drop_params: not set on a; true on b"]


def test_a_model_is_named_by_group_and_model() -> None:
    other = _config()
    other["model_list"][0]["litellm_params"]["rpm"] = 9
    assert _words(a=_config(), b=other) == ["model_list.small (openai/small).litellm_params.rpm: 5 on a; 9 on b"]


def test_two_entries_of_one_name_are_told_apart() -> None:
    other = _config()
    other["model_list"] = [*other["model_list"], other["model_list"][0]]
    assert all(line.startswith("model_list.small (openai/small) #2.") for line in _words(a=_config(), b=other))
    assert _words(a=_config(), b=other)


def test_another_secret_is_a_difference_and_not_shown() -> None:
    other = _config(general_settings={"master_key": "sk-other-0123456789"})
    told = _told(a=_config(), b=other)
    (line,) = _words(a=_config(), b=other)
    assert line == ("general_settings.master_key: (not shown) on a; another value, (not shown) on b")
    assert "sk-" not in repr(told)


def test_the_name_of_a_variable_is_shown_and_its_digest_is_of_one_question_alone() -> None:
    key = "model_list.large (openai/large).litellm_params.api_key"
    one, other = values_by_key(_config(), ASKED), values_by_key(_config(), "another question")
    assert one[key].text == "os.environ/LARGE_KEY"
    assert one[key].digest != other[key].digest


def test_a_secret_in_a_list_and_in_an_address_is_masked() -> None:
    data = _config(
        litellm_settings={"callbacks": [{"api_key": "hidden-value-1"}], "proxy": "http://user:hidden-value-2@host/"}
    )
    assert "hidden-value" not in repr(values_by_key(data, ASKED))


def test_a_file_that_contains_itself_ends() -> None:
    loop: dict[str, Any] = {"a": 1}
    loop["again"] = loop
    assert values_by_key({"general_settings": loop}, ASKED)


def test_what_is_no_list_of_models_is_a_value() -> None:
    assert _words(a=_config(model_list="none"), b=_config(model_list=[3]))
