"""What is marked on the last hour: each restart, save and incident once, at its own minute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from litellm_tui.analysis.health.tallies import hour_of, last_errors
from litellm_tui.analysis.health.timeline import MOST_EVENTS, Event, by_minute, noted
from litellm_tui.model.diagnosis import Place, Problem
from litellm_tui.model.service import Exit, Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import FailedKind, FailedOnce, Failures, FailureTally, Tally
from tests.ui import frozen
from tests.ui.frozen import NOW


def _at(snapshot: Snapshot, started: float | None, **more: Any) -> Snapshot:
    service = snapshot.service.value
    assert isinstance(service, Service)
    changed = msgspec.structs.replace(service, started_at=started, **more)
    return msgspec.structs.replace(snapshot, service=msgspec.structs.replace(snapshot.service, value=changed))


def _tally(kind: FailedKind, name: str, first: float, cause: str = "refused") -> FailureTally:
    return FailureTally(
        cause=cause, kind=kind, name=name, pattern="", voice="router", words="", first=first, last=NOW, sequence=1,
    )  # fmt: skip


def test_a_restart_is_marked_once_and_stays_for_an_hour(tmp_path: Path) -> None:
    snapshot = _at(frozen.healthy(tmp_path), NOW - 1800)
    events: tuple[Event, ...] = ()
    for second in range(5):
        # its start is computed from ticks and a clock, and may move by fractions
        events = noted(events, _at(snapshot, NOW - 1800 + second / 10), (), NOW + second)
    assert [(event.at, event.kind) for event in events] == [(NOW - 1800, "restart")]
    events = noted(events, _at(snapshot, NOW + 60), (), NOW + 61)
    assert [event.at for event in events] == [NOW - 1800, NOW + 60]
    assert [event.at for event in noted(events, _at(snapshot, NOW + 60), (), NOW + 1900)] == [NOW + 60]


def test_what_others_noted_before_is_marked_too(tmp_path: Path) -> None:
    events = noted((), _at(frozen.healthy(tmp_path), NOW - 100), (), NOW, starts=(NOW - 9000, NOW - 900, NOW - 100))
    assert [event.at for event in events] == [NOW - 900, NOW - 100]


def test_runs_that_ended_before_anybody_looked_are_marked_with_how(tmp_path: Path) -> None:
    ends = (
        Exit(NOW - 9000, began=NOW - 9900, code="exited", status=1),
        Exit(NOW - 600, began=NOW - 8000, code="killed", name="KILL", again=True),
        Exit(NOW - 300, began=NOW - 595, by="order"),
    )
    snapshot = _at(frozen.healthy(tmp_path), NOW - 290)
    events = noted((), snapshot, (), NOW, ends=ends)
    assert [(event.at, event.words) for event in events] == [
        (NOW - 600, "killed by SIGKILL after 2 h 3 min; started again by systemd"),
        (NOW - 595, "started"),
        (NOW - 300, "stopped by order after 4 min"),
        (NOW - 290, "started"),
    ]
    assert noted(events, snapshot, (), NOW + 1, ends=ends) == events, "each is marked once"


def test_the_end_of_a_service_that_stays_away_is_marked(tmp_path: Path) -> None:
    down = _at(frozen.healthy(tmp_path), None, active_state="failed", changed_at=NOW - 30)
    assert [(event.at, event.words) for event in noted((), down, (), NOW)] == [(NOW - 30, "ended by itself")]


def test_a_save_is_marked_with_the_name_of_the_file(tmp_path: Path) -> None:
    (save,) = [event for event in noted((), frozen.edited(tmp_path), (), NOW) if event.kind == "save"]
    assert (save.at, save.words) == (NOW - 60, "config.yaml saved")


def test_a_problem_whose_onset_becomes_known_better_moves_and_one_that_comes_again_is_another(tmp_path: Path) -> None:
    snapshot = frozen.healthy(tmp_path)

    def problem(since: float) -> Problem:
        return Problem("cache", "bad", "cache", "down", "", Place("cache"), since=since)

    events = noted((), snapshot, [problem(NOW - 10)], NOW)
    events = noted(events, snapshot, [problem(NOW - 40)], NOW)
    assert [event.at for event in events] == [NOW - 40]
    events = noted(events, snapshot, (), NOW + 100)
    events = noted(events, snapshot, [problem(NOW + 150)], NOW + 160)
    assert [event.at for event in events] == [NOW - 40, NOW + 150]


def test_one_failure_that_names_its_group_and_its_model_is_marked_once(tmp_path: Path) -> None:
    failures = Failures((
        _tally("model", "openai/big", NOW - 101), _tally("group", "big", NOW - 100),
        _tally("model", "openai/other", NOW - 500), _tally("group", "big", NOW - 300, "rate limit"),
    ))  # fmt: skip
    snapshot = msgspec.structs.replace(frozen.healthy(tmp_path), failures=failures)
    told = [(event.at, event.words) for event in noted((), snapshot, (), NOW)]
    assert told == [
        (NOW - 500, "refused: openai/other"), (NOW - 300, "rate limit: big"), (NOW - 100, "refused: big"),
    ]  # fmt: skip


def test_so_many_are_kept_and_no_more(tmp_path: Path) -> None:
    before = tuple(Event(NOW - 3000 + number, "save", "x", str(number)) for number in range(3 * MOST_EVENTS))
    assert len(noted(before, frozen.healthy(tmp_path), (), NOW)) == MOST_EVENTS


def test_minutes_are_those_of_the_clock_the_present_one_last() -> None:
    newest = int(NOW // 60)
    counts = by_minute(((newest - 60, 0, 9), (newest - 59, 0, 1), (newest, 0, 2), (newest, 1, 3)), NOW)
    assert len(counts) == 60
    assert (counts[0], counts[-1], sum(counts)) == (1, 5, 6)


def test_failures_of_a_group_of_one_stand_in_its_lines_or_in_those_of_its_group() -> None:
    own = Tally("model", "openai/big", hour=((1, 4, 1), (2, 3, 0)), errors=(FailedOnce(60.0, "own", 1),))
    group = Tally("group", "big", hour=((1, 0, 2), (3, 0, 1)), errors=(FailedOnce(180.0, "of the group", 2),))
    assert hour_of(own, group, alone=True) == ((1, 4, 2), (2, 3, 0), (3, 0, 1))
    assert hour_of(own, None, alone=True) == own.hour
    assert hour_of(None, group, alone=False) == group.hour
    # of several that have this model nothing is told of one alone
    assert hour_of(own, group, alone=False) == ()
    assert [error.words for error in last_errors(own, group)] == ["of the group"]
    assert [error.words for error in last_errors(own, None)] == ["own"]
