"""The service in full: the same rows for every kind, and "not known" where a kind does not know."""

from __future__ import annotations

import pytest
from msgspec import structs

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.release_problems import OTHER_INSTALLED
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.store import LogStore
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.found import Found
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service as Seen
from litellm_tui.model.service_kinds import Custom, ServiceSettings, Tools
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.target.profile import Profile
from litellm_tui.ui.panes.registry import entry_of
from litellm_tui.ui.panes.service import Service
from litellm_tui.ui.signs import UNICODE
from litellm_tui.ui.view import View, utc_clock
from litellm_tui.ui.widgets.strip import service_spans

NOW = 1_795_280_000.0


def _view(reading: Reading[Seen], kind: ServiceSettings | None = None) -> View:
    profile = Profile(
        "box", "here", Found("http://127.0.0.1:1", "test"), Tools(), unit=Found("litellm", "test"), service=kind
    )
    snapshot = Snapshot(taken_at=NOW, service=reading)
    return View(snapshot, diagnose(snapshot, NOW), LogStore(), profile, UNICODE, NOW, utc_clock, Redactor(()))


def _pairs(view: View) -> dict[str, str]:
    rows = ("".join(span[0] for span in row.spans) for row in Service(entry_of("service")).rows(view, 100))
    return {name: rest.strip() for name, _, rest in (row.strip().partition(" ") for row in rows)}


def _reading(**more: object) -> Reading[Seen]:
    given = {"unit": "litellm", "scope": "custom", "load_state": "loaded", "active_state": "active",
             "sub_state": "running", **more}  # fmt: skip
    return Reading(value=Seen(**given), seen_at=NOW, tried_at=NOW, interval=2.0)  # type: ignore[arg-type]


def test_what_a_kind_cannot_know_is_said_to_be_not_known() -> None:
    found = _pairs(_view(_reading(), Custom(("true",))))
    assert found["unit"] == "litellm (custom)"
    assert found["state"].startswith("active (running)")
    assert [found[name].split("  ")[0] for name in ("up", "process", "memory", "restarts")] == ["not known"] * 4


def test_another_release_that_is_installed_than_runs_is_told_beside_its_service() -> None:
    view = _view(_reading(scope="user"))
    other = Problem(OTHER_INSTALLED, "quiet", "LiteLLM", "installed 1.109.3, runs 1.106.2 until the next restart", "",
                    Place("audit"), "", "")  # fmt: skip
    assert "release" not in _pairs(view)
    problems = (*view.diagnosis.problems, other)
    found = _pairs(view._replace(diagnosis=structs.replace(view.diagnosis, problems=problems)))
    assert found["release"].startswith("installed 1.109.3, runs 1.106.2 until the next restart   R brings it in")


@pytest.mark.parametrize(
    ("more", "exit_shown"),
    [
        ({}, "not known"),
        ({"exit_code": "killed", "exit_status": 9, "result": "signal"}, "killed by SIGKILL"),
    ],
)
def test_how_it_ended_is_told_where_it_is_known(more: dict[str, object], exit_shown: str) -> None:
    found = _pairs(
        _view(_reading(scope="process", active_state="failed", sub_state="failed", note="it is stale", **more))
    )
    assert found["last"] == f"exit     {exit_shown}"
    assert "it is stale" in found["state"]
    assert "process" not in found


def test_a_container_says_who_starts_it_again_and_how_its_own_check_stands() -> None:
    view = _view(_reading(scope="compose", restarts=3, health="unhealthy", memory=1 << 20, started_at=NOW - 60))
    found = _pairs(view)
    assert "by Docker" in found["restarts"]
    assert "unhealthy" in found["state"]
    line = "".join(text for text, _ in service_spans(view))
    assert "unhealthy" in line
    assert "3 restarts" in line


def test_the_line_below_leaves_out_what_is_not_known() -> None:
    line = "".join(text for text, _ in service_spans(_view(_reading())))
    assert line == "litellm active (running)"


def test_a_refusal_stands_in_the_place_of_the_service() -> None:
    found = _pairs(_view(Reading(failure=NotAvailable("the engine is off"), tried_at=NOW)))
    assert found["service"] == "not known   the engine is off"
