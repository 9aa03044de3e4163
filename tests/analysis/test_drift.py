"""What a restart would change: the file's deployments and router settings against those that run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.change.drift import deployment_differences, match_deployments, router_differences
from litellm_tui.collectors.gateway import client
from tests.recorded import VERSIONS, decoded, file_deployment, loaded_deployment, made_file

A, B = "http://a:8000/v1", "http://b:8000/v1"


def _ids(pairs: list[Any]) -> list[tuple[str | None, str | None]]:
    return [(entry.model if entry else None, loaded.id if loaded else None) for entry, loaded in pairs]


def test_deployments_are_paired_whatever_their_order() -> None:
    file = [file_deployment("g", "m1", A), file_deployment("g", "m2", A), file_deployment("h", "m1", A)]
    loaded = [
        loaded_deployment("h", "m1", A, "3"), loaded_deployment("g", "m2", A, "2"), loaded_deployment("g", "m1", A, "1")
    ]  # fmt: skip
    assert _ids(match_deployments(file, loaded)) == [("m1", "1"), ("m2", "2"), ("m1", "3")]


def test_a_slash_at_the_end_of_the_address_makes_no_other_deployment() -> None:
    ((entry, loaded),) = match_deployments([file_deployment("g", "m", A + "/")], [loaded_deployment("g", "m", A)])
    assert entry
    assert loaded
    assert deployment_differences(entry, loaded) == ()


def test_an_edited_address_or_model_stays_the_same_deployment() -> None:
    file = [file_deployment("g", "m", B), file_deployment("h", "new", A)]
    loaded = [loaded_deployment("g", "m", A, "1"), loaded_deployment("h", "old", A, "2")]
    pairs = match_deployments(file, loaded)
    assert _ids(pairs) == [("m", "1"), ("new", "2")]
    words = [deployment_differences(entry, running) for entry, running in pairs if entry and running]
    assert words == [(f"api_base: {A} → {B}",), ("model: old → new",)]


def test_an_exact_match_goes_before_an_edited_one() -> None:
    file = [file_deployment("g", "m", "http://edited"), file_deployment("g", "m", A)]
    loaded = [loaded_deployment("g", "m", A, "exact"), loaded_deployment("g", "m", B, "other")]
    assert _ids(match_deployments(file, loaded)) == [("m", "other"), ("m", "exact")]


def test_equal_deployments_are_paired_in_their_order() -> None:
    file = [file_deployment("g", "m", A), file_deployment("g", "m", A)]
    loaded = [
        loaded_deployment("g", "m", A, "1"),
        loaded_deployment("g", "m", A, "2"),
        loaded_deployment("g", "m", A, "3"),
    ]
    assert _ids(match_deployments(file, loaded)) == [("m", "1"), ("m", "2"), (None, "3")]


def test_what_is_on_one_side_only_stays_alone() -> None:
    assert _ids(match_deployments([file_deployment("new", "m")], [loaded_deployment("old", "m", id="1")])) == [
        ("m", None),
        (None, "1"),
    ]
    assert match_deployments([], []) == []


@given(
    st.lists(st.tuples(*[st.sampled_from("ab")] * 3), max_size=6),
    st.lists(st.tuples(*[st.sampled_from("ab")] * 3), max_size=6),
)
def test_every_deployment_is_in_exactly_one_pair(
    file: list[tuple[str, str, str]], loaded: list[tuple[str, str, str]]
) -> None:
    entries = [file_deployment(*item) for item in file]
    running = [loaded_deployment(*item, str(number)) for number, item in enumerate(loaded)]
    pairs = match_deployments(entries, running)
    assert [entry for entry, _ in pairs if entry] == entries
    assert sorted(found.id for _, found in pairs if found) == sorted(found.id for found in running)
    exact = sum(min(file.count(item), loaded.count(item)) for item in set(file))
    matched = sum((e.group, e.model, e.api_base) == (r.group, r.model, r.api_base) for e, r in pairs if e and r)
    assert matched == exact


@pytest.mark.parametrize(
    ("file", "loaded", "words"),
    [
        ({"rpm": 100}, {"rpm": 100}, ()),
        ({"rpm": "100"}, {"rpm": 100}, ()),
        ({"rpm": 100}, {"rpm": 100.0}, ()),
        ({"rpm": 200}, {"rpm": 100}, ("rpm: 100 → 200",)),
        ({}, {"rpm": 100, "tpm": None}, ("rpm: 100 → none",)),
        ({"timeout": 5}, {}, ("timeout: none → 5",)),
        ({}, {"timeout": 5.0, "use_in_pass_through": True}, ("timeout: 5.0 → none",)),
        ({"aws_session_token": "•••", "aws_access_name": "a"}, {"aws_access_name": "*"}, ()),
        ({"api_base": "http://u:hunter22@h"}, {"api_base": "http://h"}, ("api_base: http://h → http://•••@h",)),
        ({"tags": ["a", "b"]}, {"tags": "['a', 'b']"}, ()),
        ({"rpm": 16**5000}, {"rpm": 5}, ("rpm: 5 → a very long number",)),
        ({"stream": True}, {"stream": "true"}, ()),
        ({"stream": True}, {"stream": False}, ("stream: False → True",)),
        ({"api_version": "2024-10-21"}, {"api_version": "2024-06-01"}, ("api_version: 2024-06-01 → 2024-10-21",)),
        ({"extra_headers": {"a": 1}}, {"extra_headers": {"a": 2}}, ()),
        ({"api_key": "•••"}, {}, ()),
        ({"rpm": None}, {"rpm": None}, ()),
        ({"rpm": 10**400}, {"rpm": 5.0}, (f"rpm: 5.0 → {10**400}",)),
    ],
)
def test_parameters_that_both_sides_show_are_compared(file: Any, loaded: Any, words: tuple[str, ...]) -> None:
    assert deployment_differences(file_deployment("g", "m", **file), loaded_deployment("g", "m", **loaded)) == words


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_router_runs_what_its_file_says(version: str) -> None:
    router = decoded(version, "get-config-callbacks", client.ROUTER)
    settings = {
        "routing_strategy": "simple-shuffle", "allowed_fails": 3, "cooldown_time": 60,
        "model_group_alias": {"gpt-4": "llama3.1:latest"},
        "fallbacks": [
            {"llama3.1:latest": ["qwen2.5-coder:7b"]},
            {"qwen2.5-coder:7b": ["qwen-coder-vllm", "gpt-oss:120b-cloud"]},
            {"kimi-k2:1t-cloud": ["nonexistent-model"]},
        ],
        "context_window_fallbacks": [{"llama3.1:latest": ["gpt-oss:120b-cloud"]}],
    }  # fmt: skip
    litellm = {"num_retries": 1, "request_timeout": 60}
    assert router_differences(made_file(router_settings=settings, litellm_settings=litellm), router) == ()
    changed = {**settings, "cooldown_time": 30, "model_group_alias": {"gpt-4": "gpt-oss:120b-cloud"}}
    words = router_differences(made_file(router_settings=changed, litellm_settings=litellm), router)
    assert words == ("model_group_alias of gpt-4", "cooldown_time: 60 → 30") or set(words) == {
        "model_group_alias of gpt-4", "cooldown_time: 60.0 → 30",
    }  # fmt: skip


@pytest.mark.parametrize("section", ["router_settings", "litellm_settings"])
def test_default_fallbacks_are_those_of_the_star(section: str) -> None:
    file = made_file(router_settings={"fallbacks": [{"a": ["b"]}]})
    file.data.setdefault(section, {})["default_fallbacks"] = ["c"]
    assert router_differences(file, {"fallbacks": [{"a": ["b"]}, {"*": ["c"]}]}) == ()
    assert router_differences(file, {"fallbacks": [{"a": ["b"]}]}) == ("fallbacks of *",)
    assert router_differences(file, {"fallbacks": [{"a": ["b"]}, {"*": ["d"]}]}) == ("fallbacks of *",)


def test_default_fallbacks_alone() -> None:
    file = made_file(litellm_settings={"default_fallbacks": ["c"]})
    assert router_differences(file, {"fallbacks": [{"*": ["c"]}]}) == ()
    assert router_differences(file, {"fallbacks": []}) == ("fallbacks of *",)


def test_router_settings_win_over_litellm_settings() -> None:
    file = made_file(router_settings={"num_retries": 2}, litellm_settings={"num_retries": 5})
    assert router_differences(file, {"num_retries": 2}) == ()
    assert router_differences(made_file(litellm_settings={"num_retries": 5}), {"num_retries": 2}) == (
        "num_retries: 2 → 5",
    )


@pytest.mark.parametrize(
    ("settings", "router", "words"),
    [
        ({}, {"fallbacks": [{"a": ["b"]}]}, ("fallbacks of a",)),
        ({}, {"model_group_alias": {"x": "a"}}, ("model_group_alias of x",)),
        ({}, {"fallbacks": [], "model_group_alias": {}}, ()),
        # a default of the router's own is no difference
        ({}, {"num_retries": 2, "cooldown_time": 5, "routing_strategy": "simple-shuffle"}, ()),
        ({"cooldown_time": 9}, {}, ()),
        ({"fallbacks": [{"a": ["b", "c"]}]}, {"fallbacks": [{"a": ["c", "b"]}]}, ("fallbacks of a",)),
        ({"timeout": "os.environ/T"}, {"timeout": 60}, ()),
        ({"timeout": "60"}, {"timeout": 60.0}, ()),
        ({"retry_policy": {"Timeouts": 2}}, {"retry_policy": None}, ("retry_policy of Timeouts",)),
        # the proxy names every error, also those without a number
        ({"retry_policy": {"Timeouts": 2}}, {"retry_policy": {"Timeouts": 2, "RateLimits": None}}, ()),
        ({"retry_after": 3, "enable_tag_filtering": True}, {"retry_after": 0}, ("retry_after: 0 → 3",)),
    ],
)  # fmt: skip
def test_router_settings_are_compared_where_the_proxy_shows_them(
    settings: Any, router: Any, words: tuple[str, ...]
) -> None:
    assert router_differences(made_file(router_settings=settings), router) == words


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["fallbacks", "default_fallbacks", "context_window_fallbacks", "model_group_alias",
                        "num_retries", "timeout", "retry_policy", "allowed_fails", "routing_strategy"])  # fmt: skip


@given(st.dictionaries(KEYS, ODD), st.dictionaries(KEYS, ODD), st.dictionaries(KEYS, ODD))
def test_settings_of_any_shape_are_compared_without_raising(settings: Any, litellm: Any, router: Any) -> None:
    words = router_differences(made_file(router_settings=settings, litellm_settings=litellm), router)
    assert all(isinstance(word, str) for word in words)


@pytest.mark.parametrize("value", [5, True, "text", {"a": ["b"]}, [5], [["a"]], 1.5])
def test_fallbacks_that_are_no_list_of_mappings_are_a_difference_and_no_crash(value: Any) -> None:
    for default in ({}, {"default_fallbacks": ["c"]}):
        file = made_file(router_settings={"fallbacks": value, **default})
        router_differences(file, {"fallbacks": [{"a": ["b"]}]})
        router_differences(file, {"fallbacks": None})
    assert router_differences(made_file(router_settings={"fallbacks": 5}), {"fallbacks": [{"a": ["b"]}]})
