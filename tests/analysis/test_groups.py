"""What the callers of a group get, and who answers in its place."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.health.groups import Substitutes, describe_groups, group_states, judge_groups, mask_failing
from litellm_tui.analysis.health.observation import Observation
from litellm_tui.analysis.health.states import verdict_of
from litellm_tui.model.diagnosis import Deployment, State
from tests.recorded import loaded_deployment


def _rows(*states: State, group: str = "g") -> list[Deployment]:
    return [Deployment(f"{group}{n}", group, f"m{n}", verdict_of(s, f"why {n}")) for n, s in enumerate(states)]


def test_one_dead_of_two_degrades_and_says_how_many() -> None:
    verdict = judge_groups(_rows("serving", "failing"))["g"]
    assert (verdict.state, verdict.severity) == ("degraded", "warn")
    assert verdict.reason == "1 of 2 deployments: why 1"


def test_all_dead_is_said_of_all() -> None:
    assert judge_groups(_rows("failing", "failing", "cooling down"))["g"].reason.startswith("all 3 deployments: ")


def test_the_groups_of_several_stay_apart() -> None:
    verdicts = judge_groups([*_rows("failing"), *_rows("serving", group="h")])
    assert group_states(verdicts) == {"g": "failing", "h": "serving"}


def test_what_only_a_restart_would_add_takes_nothing_from_the_callers() -> None:
    running = Deployment("a", "g", "m", verdict_of("serving"), loaded=loaded_deployment("g", "m"))
    added = Deployment("b", "g", "n", verdict_of("not loaded"))
    assert judge_groups([running, added])["g"].state == "serving"


def test_what_the_operator_expects_to_be_down_degrades_nothing() -> None:
    assert judge_groups(_rows("serving", "expected down"))["g"].state == "serving"
    assert judge_groups(_rows("failing", "expected down"))["g"].state == "failing"


@pytest.mark.parametrize("state", ["failing", "cooling down"])
def test_a_dead_group_that_a_fallback_answers_for_is_masked(state: State) -> None:
    rows = _rows(state)
    verdicts = judge_groups([*rows, *_rows("serving", group="spare")])
    substitutes = Substitutes({"g": "spare", "nick": "spare"})
    (masked,) = mask_failing(rows, substitutes, group_states(verdicts), {"nick": "g"})
    assert (masked.verdict.state, masked.verdict.severity) == ("masked", "warn")
    group, _ = describe_groups(verdicts, {"nick": "g", "other": "h"}, substitutes)
    assert (group.verdict.state, group.served_by, group.aliases) == ("masked", "spare", ("nick",))
    assert "spare answers in its place" in group.verdict.reason


def test_what_nobody_answers_for_is_not_masked() -> None:
    rows = _rows("failing")
    states = group_states(judge_groups(rows))
    assert mask_failing(rows, Substitutes({"h": "spare"}), states, {})[0].verdict.state == "failing"
    assert describe_groups(judge_groups(rows), {}, Substitutes({}))[0].served_by == ""


def test_an_alias_without_the_fallback_of_its_group_is_told_with_it() -> None:
    rows = _rows("failing")
    verdicts = judge_groups([*rows, *_rows("serving", group="spare")])
    group, _ = describe_groups(verdicts, {"nick": "g"}, Substitutes({"g": "spare"}))
    assert group.verdict.state == "masked"
    assert group.in_place == "spare answers in its place for g, nobody for nick"
    # once its callers are seen to fail, nothing hides them
    failing = Substitutes({"g": "spare"}, frozenset({"nick"}))
    group, _ = describe_groups(verdicts, {"nick": "g"}, failing)
    (row,) = mask_failing(rows, failing, group_states(verdicts), {"nick": "g"})
    assert (group.verdict.state, row.verdict.state, group.served_by) == ("failing", "failing", "")


def test_a_fallback_that_the_callers_do_not_get_does_not_take_over() -> None:
    rows = _rows("failing")
    verdicts = judge_groups([*rows, *_rows("serving", group="spare")])
    group, _ = describe_groups(verdicts, {}, Substitutes({"g": "spare"}, frozenset({"g"})))
    assert (group.verdict.state, group.in_place) == ("failing", "")


def test_a_group_whose_requests_all_fail_is_failing_whatever_its_deployments_look_like() -> None:
    broken = Observation(False, 9.0, "every request fails: timeout", None, 5.0)
    verdict = judge_groups(_rows("serving", "serving"), (("g", broken),))["g"]
    assert (verdict.state, verdict.severity, verdict.since) == ("failing", "bad", 5.0)
    some = judge_groups(_rows("serving", "idle"), (("g", broken._replace(partly=True)),))["g"]
    assert (some.state, some.severity) == ("degraded", "warn")
    # what its deployments tell by themselves is not told twice
    known = judge_groups(_rows("failing"), (("g", broken),))["g"]
    assert known.reason == judge_groups(_rows("failing"))["g"].reason


def test_a_group_that_fails_by_its_callers_own_doing_is_told_quietly() -> None:
    theirs = Observation(False, 9.0, "every request fails, by what the callers ask", None, 5.0, failure_of="caller")
    verdict = judge_groups(_rows("serving", "serving"), (("g", theirs),))["g"]
    assert (verdict.state, verdict.severity) == ("degraded", "quiet")
