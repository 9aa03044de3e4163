"""The service in full: the same rows for every kind, and "not known" where a kind does not know."""

from __future__ import annotations

import re
from pathlib import Path

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
from litellm_tui.model.service_minutes import ServiceMinute
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.target.profile import Profile
from litellm_tui.ui.panes.registry import entry_of
from litellm_tui.ui.panes.service import Service
from litellm_tui.ui.service_curves import curve_rows
from litellm_tui.ui.signs import UNICODE
from litellm_tui.ui.view import View, utc_clock
from litellm_tui.ui.widgets.strip import service_spans
from tests.ui import frozen
from tests.ui.drawn import Drawn
from tests.ui.frozen import Frozen
from tests.ui.scene import settled
from tests.waiting import eventually

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


# --- curves --------------------------------------------------------------------------------------------------------


def _minutes(now: float, seen: int, began: int | None = None) -> tuple[ServiceMinute, ...]:
    """So many minutes until now, the memory growing; another run began so many minutes ago."""
    newest = int(now // 60)
    return tuple(
        ServiceMinute(
            newest - back,
            (400 - 10 * back) << 20,
            5.0 if back != 3 else 90.0,
            now - 60 * back if back == began else None,
        )
        for back in range(seen - 1, -1, -1)
    )


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_memory_and_processor_of_the_last_half_hour_are_curves(tmp_path: Path, size: tuple[int, int]) -> None:
    snapshot = structs.replace(frozen.healthy(tmp_path), service_minutes=_minutes(frozen.NOW, 30, began=8))
    app = Frozen(snapshot)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("5")
        await eventually(lambda: "processor" in Drawn(app).text)
        await settled(pilot)
        drawn = Drawn(app)
        lines = drawn.text.splitlines()
        memory, processor = lines[drawn.row_of("memory  ")], lines[drawn.row_of("processor  ")]
        found = re.search(r"memory +211 MB +([▁-█|]{30})   110 MB to 400 MB", memory)
        assert found, memory
        curve = found[1]
        # a stroke where a run began, eight minutes ago, and it grows
        assert curve.index("|") == 29 - 8
        bars = curve.replace("|", "")
        assert list(bars) == sorted(bars)
        assert bars[0] < bars[-1]
        found = re.search(r"processor +2 % +([▁-█|]{30})   at most 90 %", processor)
        assert found, processor
        assert found[1][29 - 3] > "▆"
        assert set(found[1]) - {found[1][29 - 3], "|"} == {"▁"}
        # the two stand below each other
        assert memory.index(curve) == processor.index(found[1])
        assert re.search(r"runs +2 runs in 30 minutes   the last began 8 min ago, \d\d:\d\d:\d\d", drawn.text)


def test_what_was_seen_for_some_minutes_is_so_long_and_a_gap_is_blank() -> None:
    minutes = _minutes(NOW, 5)
    view = _view(_reading(scope="user", memory=400 << 20, cpu_percent=3.0, main_pid=4))
    few = view._replace(snapshot=structs.replace(view.snapshot, service_minutes=(*minutes[:2], *minutes[3:])))
    ((_, text, _), *_) = curve_rows(few, few.snapshot.service.value)  # type: ignore[arg-type]  # it is there
    assert len(text) == 8 + 2 + 5
    assert text[-3] == " "
    assert " " not in text[-2:]
    # what is older than half an hour is not drawn
    late = view._replace(snapshot=few.snapshot, now=NOW + 1800)
    ((_, text, _), *_) = curve_rows(late, late.snapshot.service.value)  # type: ignore[arg-type]  # it is there
    assert text.strip() == "400 MB"


def test_one_that_was_killed_says_so_by_its_signal() -> None:
    found = _pairs(_view(_reading(active_state="failed", exit_code="killed", exit_status=9, result="signal")))
    assert found["last"].partition(" ")[2].strip() == "killed by SIGKILL"
    assert "signal 9" not in str(found)


async def test_the_names_of_its_columns_stay_above_it(tmp_path: Path) -> None:
    app = Frozen(frozen.healthy(tmp_path))
    async with app.run_test(size=(120, 24)) as pilot:
        await settled(pilot)
        await pilot.press("5")
        await eventually(lambda: "is now   since" in Drawn(app).text, "the head is drawn")
        await settled(pilot)
        lines = Drawn(app).text.split("\n")
        place = next(number for number, line in enumerate(lines) if "5 Service" in line) + 1
        assert lines[place].strip("┃ ").startswith("what          is now   since, from or why")
        assert lines[place + 1].strip("┃▌ ").startswith("unit")
        await pilot.press("end")
        await settled(pilot)
        assert Drawn(app).text.split("\n")[place] == lines[place]
