"""No false alarm on a healthy gateway, no billable call by looking: watched beside the whole session, see `calm`."""

from __future__ import annotations

import os

import pytest

from tests.lab.calm import LONG_SECONDS, VARIABLE, Calm, calm_seconds
from tests.lab.conftest import _FOUND
from tests.lab.environments import Environment

pytestmark = pytest.mark.parametrize("environment", _FOUND, ids=lambda found: found.version if found else "none")


@pytest.fixture
def calm(lab_possible: None, calm_labs: dict[Environment, Calm], environment: Environment) -> Calm:
    calm = calm_labs[environment]
    calm.join()
    return calm


def test_no_billable_call_is_made_by_looking(calm: Calm) -> None:
    # It has looked: at the models, and at whether it may ask for their health.
    assert {row["group"] for row in calm.idle["deployments"]} == {"dear", "embed"}
    assert "background_health_checks is off" in calm.idle["health_note"]
    assert calm.calls == {"total": 0, "models": {}, "endpoints": {}}


def test_it_was_watched_for_as_long_as_it_says_with_as_many_workers(calm: Calm, long: bool) -> None:
    assert calm.lasted >= calm_seconds()
    if long and VARIABLE not in os.environ:
        assert calm.lasted >= LONG_SECONDS == 600
    if calm.workers > 1:
        assert calm.processes == calm.workers


def test_no_false_alarm_on_healthy_mixed_traffic(calm: Calm) -> None:
    # Otherwise it was not healthy, and an alarm would have been right.
    assert all(calm.stood_still(failed.moment) for failed in calm.failed), (calm.statuses, calm.failed)
    if calm.failed:
        pytest.skip(f"the machine stood still for so long that the gateway failed its clients: {calm.statuses}")
    assert sum(calm.statuses.values()) > calm_seconds()
    assert calm.settled, "it was never said to be well"
    assert calm.said
    for line in calm.said:
        loud = [problem for problem in line["problems"] if problem["severity"] in ("bad", "warn")]
        if calm.stood_still(line["time"]):
            # neither it nor the Redis behind it answers in time then, and LiteLLM says so of Redis as well
            assert {problem["key"] for problem in loud} <= {"gateway:", "cache:"}, line
            continue
        assert not loud, line
        assert line["headline"]["word"] in ("OK", "ANSWERING"), line["headline"]
