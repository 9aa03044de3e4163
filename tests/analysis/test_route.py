"""Where a request goes; that the real router agrees is shown in tests/lab/test_router.py."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.routing.route import Route, never_asked, predict_route
from litellm_tui.analysis.routing.router_simulation import (
    RULES_1_77,
    RULES_1_106,
    DeploymentIndex,
    IndexedDeployment,
    RouterRules,
    rules_for,
)
from litellm_tui.analysis.routing.table import FallbackKind, Routing
from litellm_tui.analysis.routing.what_if import OutageSimulation, simulate_outage
from litellm_tui.model.diagnosis import SEVERITY, Deployment, Group, State, Verdict
from litellm_tui.model.gateway import Gateway, Readiness
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from tests.recorded import made_file

MEMBERS = [IndexedDeployment(f"{name}#0", name, f"openai/{name}-up", f"id-{name}") for name in "abcdefg"]


def _route(
    settings: dict[str, Any],
    down: str,
    name: str = "a",
    kind: FallbackKind = "general",
    rules: RouterRules = RULES_1_106,
    members: list[IndexedDeployment] | None = None,
) -> Route:
    failing: dict[str, FallbackKind] = {f"{group}#0": "general" for group in down}
    return predict_route(Routing(settings, {}), DeploymentIndex(members or MEMBERS), failing, name, kind, rules)


def _line(names: str) -> dict[str, Any]:
    return {"fallbacks": [{one: [other]} for one, other in pairwise(names)]}


def test_a_group_that_lives_answers_itself() -> None:
    route = _route({"fallbacks": [{"a": ["b"]}]}, "")
    assert (route.served_by, route.members, route.hops, route.cause) == ("a", ("a#0",), (), "")


def test_the_hops_are_told_in_order_each_with_why_it_was_left() -> None:
    route = _route({"fallbacks": [{"a": ["b", "nobody", "c", "d"]}]}, "ab")
    assert route.served_by == "c"
    assert [(hop.name, hop.group, hop.why) for hop in route.hops] == [
        ("a", "a", "down"), ("b", "b", "down"), ("nobody", "", "no model group has this name"),
    ]  # fmt: skip


def test_one_living_deployment_keeps_its_group_alive() -> None:
    pair = [IndexedDeployment("a#0", "a"), IndexedDeployment("a#1", "a"), IndexedDeployment("b#0", "b")]
    settings = {"fallbacks": [{"a": ["b"]}]}
    assert _route(settings, "a", members=pair).members == ("a#1",)
    both: dict[str, FallbackKind] = {"a#0": "general", "a#1": "general"}
    route = predict_route(Routing(settings, {}), DeploymentIndex(pair), both, "a")
    assert (route.served_by, route.hops[0].why) == ("b", "all 2 deployments are down")


def test_the_fallbacks_of_a_fallback_are_followed() -> None:
    assert _route({"fallbacks": [{"a": ["b"]}, {"b": ["c"]}]}, "ab").served_by == "c"


def test_a_chain_of_chains_ends_after_five_hops_and_one_list_does_not() -> None:
    assert _route(_line("abcdef"), "abcde").served_by == "f"
    route = _route(_line("abcdefg"), "abcdef")
    assert (route.served_by, route.cause, route.reason) == (
        None,
        "hop limit",
        "cut off after 5 hops, at f: g never asked",
    )
    assert _route({"fallbacks": [{"a": [*"bcdefg"]}]}, "abcdef").served_by == "g"
    for rules in (RULES_1_106, RULES_1_77):
        assert _route({"fallbacks": [{"a": [*"bcdefg"]}]}, "abcdefg", rules=rules).cause == "all down"
    assert never_asked(Routing(_line("abcdefg"), {}), DeploymentIndex(MEMBERS), "a") == ("g",)
    assert never_asked(Routing(_line("abcdefg"), {}), DeploymentIndex(MEMBERS), "b") == ()


def test_the_alias_trap() -> None:
    settings = {"fallbacks": [{"a": ["b"]}], "model_group_alias": {"x": "a", "y": {"model": "a", "hidden": True}}}
    assert _route(settings, "", "x").served_by == "a"
    for alias in ("x", "y"):
        route = _route(settings, "a", alias)
        assert (route.served_by, route.cause) == (None, "alias trap")
        assert route.reason == f"{alias} is an alias: it does not get the fallbacks of a"
    assert _route({**settings, "fallbacks": [{"a": ["b"]}, {"x": ["c"]}]}, "a", "x").served_by == "c"


def test_an_alias_may_be_a_target() -> None:
    assert _route({"fallbacks": [{"a": ["x"]}], "model_group_alias": {"x": "c"}}, "a").served_by == "c"


@pytest.mark.parametrize(
    ("settings", "down", "cause", "words"),
    [
        ({}, "a", "no fallback", "nothing is configured to take over"),
        ({"fallbacks": [{"a": ["nobody", "none"]}]}, "a", "ghost", "nobody, none: no such model group"),
        ({"fallbacks": [{"a": ["b"]}, {"b": ["a"]}]}, "ab", "cycle", "b: down, and the chain leads back to a"),
        ({"fallbacks": [{"a": ["a"]}]}, "a", "cycle", "a falls back to itself"),
        ({"fallbacks": [{"a": ["b", "c"]}]}, "abc", "all down", "all 2 it falls back to fail: b, c"),
        ({"fallbacks": [{"a": ["b"]}], "max_fallbacks": 0}, "a", "hop limit", "no hop is allowed (max_fallbacks 0)"),
    ],
)
def test_why_nobody_answers(settings: dict[str, Any], down: str, cause: str, words: str) -> None:
    route = _route(settings, down)
    assert (route.served_by, route.cause, route.reason) == (None, cause, words)


def test_a_name_that_does_not_exist() -> None:
    route = _route({}, "", "nobody")
    assert (route.served_by, route.cause, route.reason) == (None, "no such group", "no model group has this name")


def test_the_default_chain_takes_over_where_a_group_has_none() -> None:
    settings = {"fallbacks": [{"a": ["b"]}], "default_fallbacks": ["c"]}
    assert _route(settings, "d", "d").served_by == "c"
    assert _route(settings, "a").served_by == "b"
    assert _route({**settings, "fallbacks": [{"a": []}]}, "a").served_by is None


def test_wildcards_take_the_longest_pattern_that_fits() -> None:
    members = [*MEMBERS, IndexedDeployment("w#0", "openai/*", "openai/*"), IndexedDeployment("s#0", "*", "openai/*")]
    assert _route({}, "", "openai/gpt", members=members).served_by == "openai/*"
    assert _route({}, "", "anything", members=members).served_by == "*"
    # without its provider a name has the chain, and with it too
    assert _route({"fallbacks": [{"gpt": ["b"]}]}, "w", "openai/gpt", members=members).served_by == "b"


def test_a_deployment_may_be_asked_for_by_its_id_and_by_its_model() -> None:
    assert _route({}, "", "id-b").served_by == "b"
    assert _route({}, "", "openai/c-up").served_by == "c"


def test_a_prompt_that_is_too_long_has_chains_of_its_own() -> None:
    settings = {"fallbacks": [{"a": ["b"]}, {"c": ["b"]}], "context_window_fallbacks": [{"a": ["d"]}]}
    route = _route(settings, "", kind="context window")
    assert (route.served_by, route.hops[0].why) == ("d", "the prompt is too long for it")
    left = _route(settings, "", "c", kind="context window")
    assert (left.served_by, left.cause) == (None, "other kind")
    assert _route({"fallbacks": [{"a": ["b"]}]}, "", kind="context window").served_by == "b"
    # what fails on the way there goes on by the general chains
    assert _route({**settings, "fallbacks": [{"d": ["e"]}]}, "d", kind="context window").served_by == "e"


def test_the_versions_differ() -> None:
    assert [rules_for(version) for version in ("1.77.7", "1.77", "1.106.2", None, "?")] == [
        RULES_1_77, RULES_1_77, RULES_1_106, RULES_1_106, RULES_1_106,
    ]  # fmt: skip
    # 1.106 tries nothing twice: it goes on to d, where 1.77 runs in circles until the hops are used up
    circle = {"fallbacks": [{"a": ["b", "c"]}, {"b": ["a", "d"]}]}
    assert _route(circle, "ab").served_by == "d"
    assert _route(circle, "ab", rules=RULES_1_77).served_by == "c"
    # 1.106 answers for a group that does not exist by the default, and knows `*` in the other tables
    listed = {"model_group_alias": {"x": ["a"]}, "default_fallbacks": ["b"]}
    assert _route(listed, "", "x").served_by == "b"
    assert _route(listed, "", "x", rules=RULES_1_77).served_by is None
    starred = {"context_window_fallbacks": [{"*": ["b"]}]}
    assert _route(starred, "", kind="context window").served_by == "b"
    assert _route(starred, "", kind="context window", rules=RULES_1_77).served_by is None


# --- what if -----------------------------------------------------------------------------------------------------


def _deployment(group: str, state: State = "serving") -> Deployment:
    return Deployment(f"{group}#0", group, f"openai/{group}", Verdict(state, SEVERITY[state]))


def _snapshot(**router: Any) -> Snapshot:
    known = Gateway(router=Reading(router, 1.0), readiness=Reading(Readiness("healthy", version="1.106.2"), 1.0))
    return Snapshot(1.0, gateway=known)


def test_what_if_counts_what_is_dead_already_and_what_is_marked() -> None:
    rows = [_deployment("a", "failing"), _deployment("b"), _deployment("c"), _deployment("d", "failing")]
    snapshot = _snapshot(fallbacks=[{"a": ["b", "c"]}], model_group_alias={"x": "b"})
    before = simulate_outage(snapshot, rows, ())
    assert (before.routes["general", "a"].served_by, before.unanswered, before.through) == ("b", ("d",), ())
    marked = simulate_outage(snapshot, rows, (), ["b"])
    assert marked.routes["general", "a"].served_by == "c"
    assert (marked.unanswered, marked.through) == (("b", "d", "x"), ("b", "x"))


def test_what_if_asks_each_kind_by_its_own_chains() -> None:
    rows = [_deployment(name) for name in "abc"]
    outlook = simulate_outage(_snapshot(context_window_fallbacks=[{"a": ["b"]}]), rows, (), ["b"])
    assert outlook.routes["context window", "a"].served_by is None
    assert outlook.routes["general", "a"].served_by == "a"


def test_what_if_knows_a_group_that_fails_as_a_whole() -> None:
    rows = [_deployment("a"), _deployment("b"), _deployment("c")]
    snapshot = _snapshot(fallbacks=[{"a": ["b"]}], model_group_alias={"x": "c"})
    # none of its deployments shows it: the failure is inside the gateway
    groups = [Group("a", Verdict("masked", "warn")), Group("b", rows[1].verdict), Group("c", Verdict("failing", "bad"))]
    outlook = simulate_outage(snapshot, rows, groups)
    assert outlook.routes["general", "a"].served_by == "b"
    assert (outlook.unanswered, outlook.through) == (("c", "x"), ())
    assert simulate_outage(snapshot, rows, groups, ["b"]).through == ("a", "b")
    # its callers are seen to fail, though the router would go on to its fallback
    seen = [Group("a", Verdict("failing", "bad"), unserved=("a",)), *groups[1:]]
    route = simulate_outage(snapshot, rows, seen).routes["general", "a"]
    assert (route.served_by, route.cause) == (None, "seen to fail")
    assert "b would take over, and the log shows that requests for a fail" in route.reason


def test_without_any_routing_nothing_is_foretold() -> None:
    assert simulate_outage(Snapshot(1.0), [_deployment("a")], (), ["a"]) == OutageSimulation({})


# --- any shape ---------------------------------------------------------------------------------------------------

NAME = st.sampled_from(["a", "b", "c", "nobody", "openai/x", "*", "x", ""])
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | NAME,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAME | st.just("model"), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("fallbacks", "default_fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "model_group_alias")


@given(
    st.dictionaries(st.sampled_from((*KEYS, "max_fallbacks")), ODD),
    st.dictionaries(st.sampled_from(KEYS), ODD),
    st.sets(st.sampled_from("abc")),
    NAME,
    st.sampled_from(("general", "context window", "content policy")),
    st.sampled_from((RULES_1_106, RULES_1_77)),
)
def test_settings_of_any_shape_end_in_a_group_or_in_a_reason(
    settings: Any, litellm: Any, down: set[str], name: str, kind: FallbackKind, rules: RouterRules
) -> None:
    failing: dict[str, FallbackKind] = {f"{group}#0": "general" for group in down}
    route = predict_route(Routing(settings, litellm), DeploymentIndex(MEMBERS[:3]), failing, name, kind, rules)
    assert (route.served_by is None) == bool(route.reason) == bool(route.cause)
    assert (route.served_by is not None) == bool(route.members)
    assert not {key for key in route.members if key in failing}


def test_a_wide_and_circular_routing_is_foretold_in_few_steps() -> None:
    # every group falls back to every other, and all are down: 1.77 would ask 9 ** 5 times
    names = [f"g{number}" for number in range(10)]
    routing = Routing({"fallbacks": [{name: names} for name in names]}, {})
    members = [IndexedDeployment(name, name) for name in names]
    for rules in (RULES_1_106, RULES_1_77):
        route = predict_route(routing, DeploymentIndex(members), dict.fromkeys(names, "general"), "g0", rules=rules)
        assert len(route.hops) == 10


def test_a_made_file_is_read_like_a_running_router() -> None:
    settings = {"fallbacks": [{"a": ["b"]}]}
    one, other = Routing.of_file(made_file(router_settings=settings)), Routing.of_router(settings)
    down: dict[str, FallbackKind] = {"a#0": "general"}
    assert predict_route(one, DeploymentIndex(MEMBERS), down, "a") == predict_route(
        other, DeploymentIndex(MEMBERS), down, "a"
    )
