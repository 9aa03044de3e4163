"""What the callers of a group get, and who answers in its place."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.health.groups import describe_groups, group_states, judge_groups, mask_failing
from litellm_tui.analysis.health.verdicts import verdict_of
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
    (masked,) = mask_failing(rows, {"g": "spare"}, group_states(verdicts))
    assert (masked.verdict.state, masked.verdict.severity) == ("masked", "warn")
    group, _ = describe_groups(verdicts, {"nick": "g", "other": "h"}, {"g": "spare"})
    assert (group.verdict.state, group.served_by, group.aliases) == ("masked", "spare", ("nick",))
    assert "spare answers in its place" in group.verdict.reason


def test_what_nobody_answers_for_is_not_masked() -> None:
    rows = _rows("failing")
    assert mask_failing(rows, {"h": "spare"}, group_states(judge_groups(rows)))[0].verdict.state == "failing"
    assert describe_groups(judge_groups(rows), {}, {})[0].served_by == ""
