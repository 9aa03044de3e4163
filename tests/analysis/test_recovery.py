"""An outage that is over is told from a mixture of answers and failures, and from one that only its checks survive."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.health.verdicts import judge_deployments
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.configuration import Configuration
from litellm_tui.model.gateway import Gateway, HealthEntry, HealthReport
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Tally, Traffic
from tests.recorded import file_deployment, loaded_deployment, made_file

NOW = 1_800_000_000.0
ONE = loaded_deployment("g", "openai/m", "http://a:8000/v1", "id1")
EXPLODED = "litellm.InternalServerError: OpenAIException - upstream exploded"


def _state(failures: tuple[float, ...], answers: tuple[float, ...], healthy: bool = False) -> str:
    """The verdict on a deployment that failed and answered so many seconds ago."""
    tally = Tally(
        "model",
        "openai/m",
        ok=len(answers),
        failed=len(failures),
        last_ok=NOW - min(answers),
        last_failed=NOW - min(failures),
        error=EXPLODED,
        failures=tuple(NOW - age for age in failures[-3:]),
        answers=tuple(NOW - age for age in answers),
    )
    report = HealthReport((HealthEntry(ONE.model, ONE.api_base, ONE.id),), ()) if healthy else None
    gateway = Gateway(liveliness=_read("x"), deployments=_read((ONE,)), health=_read(report) if report else Reading())
    file = msgspec.structs.replace(
        made_file(general_settings={"health_check_interval": 5}),
        deployments=(file_deployment(ONE.group, ONE.model, ONE.api_base),),
    )
    snapshot = Snapshot(
        taken_at=NOW,
        configuration=Configuration(current=file),
        gateway=gateway,
        traffic=Traffic(tallies=(tally,), per_model=True),
    )
    return judge_deployments(snapshot, NOW, False)[0].verdict.state


def _read(value: Any) -> Reading[Any]:
    return Reading(value=value, seen_at=NOW - 1, tried_at=NOW - 1, interval=5.0)


def test_three_answers_in_a_row_end_an_outage() -> None:
    down = (16.0, 14.0, 12.0)
    assert _state(down, (90.0, 6.0, 4.0)) == "degraded"
    assert _state(down, (90.0, 6.0, 4.0, 2.0)) == "serving"


def test_a_cooldown_leaves_an_outage_few_failures() -> None:
    assert _state((19.0, 12.0), (6.0, 4.0, 2.0)) == "serving"


def test_an_answer_between_the_failures_makes_it_a_mixture() -> None:
    assert _state((16.0, 14.0, 12.0), (15.0, 6.0, 4.0, 2.0)) == "degraded"
    assert _state((86.0, 84.0, 72.0), (75.0, 6.0, 4.0, 2.0)) == "serving"


@pytest.mark.parametrize("age", [25.0, 45.0])
def test_a_check_that_succeeds_does_not_make_a_mixture_idle(age: float) -> None:
    assert _state((age + 4, age + 2, age), (age + 3, 6.0, 4.0, 2.0), healthy=True) == "degraded"


def test_answers_are_remembered_one_a_second_for_a_minute() -> None:
    counter = TrafficCounter()
    subject = counter._subject("model", "openai/m")
    for tenth in range(2000):
        subject.count(NOW + tenth / 10, 1, 0)
    (tally,) = counter.traffic(NOW + 200, lambda _: None).tallies
    assert tally.ok == 2000
    assert 60 <= len(tally.answers) <= 64
    assert NOW + 198 < tally.answers[-1] <= NOW + 200
