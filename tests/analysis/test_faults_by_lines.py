"""The rows of docs/diagnosis.md that are held by lines: each is named, and none leaves the state at OK."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from litellm_tui.analysis.failures.incidents import find_incidents
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.snapshot import Snapshot
from tests.analysis.test_unnamed_failures import watched
from tests.lab.faults_lines import HELD, Held
from tests.logs.test_failed_requests import Fed, info

MODELS = (("fine", "openai/fine-m"), ("spare", "openai/spare-m"))


def _seen(*lines: str) -> Snapshot:
    """A gateway whose models all answered, and whose log has these lines since, three times."""
    fed = Fed()
    fed.write(*(info(f"litellm.acompletion(model={model})\u001b[32m 200 OK\u001b[0m") for _, model in MODELS))
    for _ in range(3):
        fed.write(*lines)
    now = fed.at + 3
    return replace(watched(fed.traffic(), now, models=MODELS), failures=fed.intake.incidents.failures(now))


@pytest.mark.parametrize("held", HELD, ids=lambda held: held.key)
def test_a_fault_is_named_by_its_lines_and_is_not_called_ok(held: Held) -> None:
    snapshot = _seen(*held.lines)
    found = diagnose(snapshot, snapshot.taken_at)
    incidents = find_incidents(snapshot.failures, found, snapshot.taken_at)
    assert {(one.failure_of, one.cause) for one in incidents} == {(held.whose, held.cause)}
    assert found.headline.word != "OK"


def test_without_such_lines_it_is_ok() -> None:
    snapshot = _seen()
    assert diagnose(snapshot, snapshot.taken_at).headline.word == "OK"
