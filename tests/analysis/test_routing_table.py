"""Fallback chains and aliases: in order, with the state and the flaw of every target."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.routing.chains import resolve_chains
from litellm_tui.analysis.routing.table import Routing, alias_target
from litellm_tui.model.diagnosis import Chain, State
from tests.recorded import made_file

GROUPS: dict[str, State] = {"a": "failing", "b": "failing", "c": "serving", "d": "degraded", "openai/*": "serving"}


def _resolve(settings: dict[str, Any], running: dict[str, Any] | None = None, **litellm: Any) -> tuple[Chain, ...]:
    wanted = Routing.of_file(made_file(router_settings=settings, litellm_settings=litellm))
    return resolve_chains(wanted, Routing.of_router(running) if running is not None else None, GROUPS)


def _shape(chains: tuple[Chain, ...]) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    return [(c.kind, c.source.name, [(t.name, t.state, t.flaw) for t in c.targets]) for c in chains]


def test_a_chain_keeps_the_order_of_its_targets_and_their_states() -> None:
    chains = _resolve({"fallbacks": [{"a": ["b", "c"]}, {"b": ["d"]}]})
    assert _shape(chains) == [
        ("general", "a", [("b", "failing", ""), ("c", "serving", "")]),
        ("general", "b", [("d", "degraded", "")]),
    ]


def test_every_kind_has_its_own_chains() -> None:
    chains = _resolve(
        {
            "fallbacks": [{"a": ["c"]}],
            "context_window_fallbacks": [{"a": ["d"]}],
            "content_policy_fallbacks": [{"b": ["c"]}],
            "default_fallbacks": ["c"],
            "model_group_alias": {"x": "c"},
        }
    )
    assert [(chain.kind, chain.source.name) for chain in chains] == [
        ("general", "a"), ("context window", "a"), ("content policy", "b"), ("default", "*"), ("alias", "x"),
    ]  # fmt: skip


def test_router_settings_win_entirely_over_litellm_settings() -> None:
    assert _shape(_resolve({"fallbacks": [{"a": ["c"]}]}, fallbacks=[{"b": ["c"]}])) == [
        ("general", "a", [("c", "serving", "")])
    ]
    assert [chain.source.name for chain in _resolve({}, fallbacks=[{"b": ["c"]}])] == ["b"]


def test_a_star_among_the_fallbacks_is_the_default() -> None:
    (chain,) = _resolve({"fallbacks": [{"*": ["c"]}]})
    assert (chain.kind, chain.source.name) == ("default", "*")


def test_a_target_that_does_not_exist_is_a_ghost() -> None:
    (chain,) = _resolve({"fallbacks": [{"a": ["nobody", "c"]}]})
    assert [(t.flaw, t.state) for t in chain.targets] == [("ghost", "failing"), ("", "serving")]


def test_a_source_that_does_not_exist_never_fires() -> None:
    (chain,) = _resolve({"fallbacks": [{"nobody": ["c"]}]})
    assert chain.source.flaw == "ghost"
    assert "never fires" in chain.note


def test_a_wildcard_group_takes_every_name_it_matches() -> None:
    (chain,) = _resolve({"fallbacks": [{"a": ["openai/gpt-9", "anthropic/x"]}]})
    assert [(t.flaw, t.state) for t in chain.targets] == [("", "serving"), ("ghost", "failing")]


def test_a_cycle_is_marked_at_every_target_that_leads_back() -> None:
    chains = _resolve({"fallbacks": [{"a": ["b", "c"]}, {"b": ["d"]}, {"d": ["a"]}]})
    flaws = {(chain.source.name, target.name): target.flaw for chain in chains for target in chain.targets}
    assert flaws == {("a", "b"): "cycle", ("a", "c"): "", ("b", "d"): "cycle", ("d", "a"): "cycle"}


def test_a_group_that_falls_back_to_itself_is_a_cycle() -> None:
    (chain,) = _resolve({"fallbacks": [{"a": ["a"]}]})
    assert chain.targets[0].flaw == "cycle"


def test_a_cycle_elsewhere_is_no_cycle_of_this_chain() -> None:
    chains = _resolve({"fallbacks": [{"a": ["b"]}, {"b": ["c"]}, {"c": ["b"]}]})
    assert {chain.source.name: chain.targets[0].flaw for chain in chains} == {"a": "", "b": "cycle", "c": "cycle"}


def test_an_alias_may_be_a_target_and_shows_what_it_stands_for() -> None:
    chains = _resolve({"model_group_alias": {"x": "c"}, "fallbacks": [{"a": ["x"]}]})
    (target,) = chains[0].targets
    assert (target.name, target.alias_of, target.state, target.flaw) == ("x", "c", "serving", "")


@pytest.mark.parametrize(
    ("value", "target"),
    [("c", "c"), ({"model": "c", "hidden": True}, "c"), (["c"], None), ({}, None), (None, None), (5, None)],
)
def test_what_an_alias_stands_for(value: Any, target: str | None) -> None:
    assert alias_target(value) == target


def test_an_alias_to_a_list_fails_every_request() -> None:
    (chain,) = _resolve({"model_group_alias": {"x": ["a", "c"]}})
    assert (chain.kind, chain.source.state, chain.targets[0].flaw) == ("alias", "failing", "malformed")
    assert "a list" in chain.note
    assert "every request of this name fails" in chain.note


def test_an_alias_to_nobody_or_to_another_alias_is_a_ghost() -> None:
    chains = _resolve({"model_group_alias": {"x": "nobody", "y": "x", "z": "c"}})
    assert {chain.source.name: chain.targets[0].flaw for chain in chains} == {"x": "ghost", "y": "ghost", "z": ""}


# --- file against router -----------------------------------------------------------------------------------------


def test_each_chain_says_whether_it_runs() -> None:
    settings = {"fallbacks": [{"a": ["c"]}, {"b": ["c"]}, {"d": ["c"]}], "model_group_alias": {"x": "c", "y": "c"}}
    running = {"fallbacks": [{"a": ["c"]}, {"b": ["d"]}], "model_group_alias": {"x": "c", "y": "d"}}
    applied = {chain.source.name: chain.applied for chain in _resolve(settings, running)}
    assert applied == {"a": True, "b": False, "d": False, "x": True, "y": False}


def test_what_runs_and_is_gone_from_the_file_is_shown_as_such() -> None:
    running = {
        "fallbacks": [{"a": ["c"]}, {"*": ["c"]}],
        "context_window_fallbacks": [{"a": ["c"]}],
        "model_group_alias": {"x": "c"},
    }
    chains = _resolve({}, running)
    assert [(chain.kind, chain.applied) for chain in chains] == [
        ("general", False), ("context window", False), ("default", False), ("alias", False),
    ]  # fmt: skip
    assert all("not in the file any more" in chain.note for chain in chains)


def test_default_fallbacks_of_the_file_are_the_star_of_the_router() -> None:
    (chain,) = _resolve({}, {"fallbacks": [{"*": ["c"]}]}, default_fallbacks=["c"])
    assert (chain.kind, chain.applied) == ("default", True)


def test_content_policy_fallbacks_cannot_be_seen_from_outside() -> None:
    (chain,) = _resolve({"content_policy_fallbacks": [{"a": ["c"]}]}, {"fallbacks": []})
    assert chain.applied is None


def test_without_a_router_nothing_is_said_of_what_runs() -> None:
    (chain,) = _resolve({"fallbacks": [{"a": ["c"]}]}, None)
    assert chain.applied is None


# --- who answers in the place of the dead ------------------------------------------------------------------------


# --- any shape ---------------------------------------------------------------------------------------------------

NAME = st.sampled_from(["a", "b", "c", "nobody", "openai/x", "*", ""])
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | NAME,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME | st.just("model"), inner, max_size=3),
    max_leaves=8,
)
SETTINGS = st.dictionaries(
    st.sampled_from(
        ["fallbacks", "default_fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "model_group_alias"]
    ),
    ODD,
)


@given(SETTINGS, SETTINGS, st.none() | SETTINGS)
def test_settings_of_any_shape_never_raise(settings: Any, litellm: Any, running: Any) -> None:
    chains = _resolve(settings, running, **litellm)
    for chain in chains:
        assert isinstance(chain.source.name, str)
        assert all(isinstance(target.name, str) for target in chain.targets)


@pytest.mark.parametrize(
    "value",
    [
        "a",
        5,
        True,
        {"a": "c"},
        {"a": {"model": "c"}},
        [["a"]],
        ["a"],
        [{"a": "c"}],
        [{}],
        [{"a": ["c"], "b": ["c"]}],
    ],
)
def test_malformed_fallbacks_are_named_and_read_as_far_as_they_can_be(value: Any) -> None:
    routing = Routing.of_file(made_file(router_settings={"fallbacks": value}))
    assert routing.malformed
    assert isinstance(resolve_chains(routing, None, GROUPS), tuple)


@pytest.mark.parametrize("value", [[{"a": None}], [{"a": [{"model": "c"}]}], [{"a": []}], [], None])
def test_what_the_router_takes_is_not_malformed(value: Any) -> None:
    assert not Routing.of_file(made_file(router_settings={"fallbacks": value})).malformed


def test_a_table_that_is_no_list_keeps_the_router_from_starting() -> None:
    # seen on 1.77.7 and 1.106.2: "Item 'a' is not a dictionary", "must have exactly one key, but has 2 keys"
    for value in ({"a": ["c"]}, [{"a": ["c"], "b": ["c"]}]):
        routing = Routing.of_file(made_file(router_settings={"fallbacks": value}))
        assert "does not start" in routing.malformed[0]
    routing = Routing.of_file(made_file(router_settings={"context_window_fallbacks": [{"a": ["c"], "b": ["c"]}]}))
    assert "does not start" not in routing.malformed[0]
    assert routing.chains["context window"] == {"a": ["c"]}


def test_the_first_of_two_chains_of_a_group_counts_and_the_last_default() -> None:
    routing = Routing({"fallbacks": [{"a": ["b"]}, {"a": ["c"]}, {"*": ["b"]}], "default_fallbacks": ["d"]}, {})
    assert (routing.chains["general"], routing.default) == ({"a": ["b"]}, ["d"])


def test_the_hop_limit_is_what_is_set_or_five() -> None:
    assert Routing({}, {}).max_fallbacks == 5
    assert Routing({"max_fallbacks": 2}, {"max_fallbacks": 3}).max_fallbacks == 2
    assert Routing({}, {"max_fallbacks": 0}).max_fallbacks == 0
    assert Routing({"max_fallbacks": "many"}, {}).max_fallbacks == 5


def test_what_a_running_router_does_not_show_comes_from_the_file() -> None:
    file = made_file(
        router_settings={"fallbacks": [{"a": ["b"]}], "max_fallbacks": 2},
        litellm_settings={"content_policy_fallbacks": [{"a": ["c"]}]},
    )
    routing = Routing.of_router({"fallbacks": [{"a": ["d"]}]}, file)
    assert routing.chains == {"general": {"a": ["d"]}, "context window": {}, "content policy": {"a": ["c"]}}
    assert routing.max_fallbacks == 2


# --- what is said of a chain -------------------------------------------------------------------------------------


def test_the_alias_trap_is_named() -> None:
    chains = _resolve({"fallbacks": [{"a": ["c"]}, {"y": ["c"]}], "model_group_alias": {"x": "a", "y": "a", "z": "c"}})
    notes = {chain.source.name: chain.note for chain in chains if chain.kind == "alias"}
    assert notes == {"x": "requests for x do not get the fallbacks of a", "y": "", "z": ""}


def test_a_chain_of_chains_beyond_the_hop_limit_says_who_is_never_asked() -> None:
    names = "abcdefg"
    wanted = Routing({"fallbacks": [{one: [other]} for one, other in pairwise(names)]}, {})
    notes = {c.source.name: c.note for c in resolve_chains(wanted, None, dict.fromkeys(names, "serving"))}
    assert notes["a"] == "cut off after 5 hops: g never asked"
    assert notes["b"] == ""
