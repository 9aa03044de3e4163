"""The rows of a fleet, worst first, and what differs across it; from documents alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.fleet.link_states import failure
from litellm_tui.analysis.fleet.rows import STALE_SECONDS, fleet_of
from litellm_tui.model.fleet import FleetRow, Member, Seen, StatusDocument

NOW = 1_900_000_000.0


def _document(**changes: Any) -> StatusDocument:
    plain: dict[str, Any] = {
        "format": 1, "written_at": NOW, "exit_status": 0, "litellm_version": "1.106.2",
        "headline": {"word": "SERVING", "parts": [{"text": "2 deployments serving"}, {"text": "up 3 h"}]},
        "rates": {"requests_per_minute": 10.0, "failed_per_minute": 0.0, "error_lines_per_minute": 0.0},
        "configuration": {"digest": "aaaaaaaabbbbbbbb", "sections": {"model_list": "1", "router_settings": "1"}},
    }  # fmt: skip
    return msgspec.convert(plain | changes, StatusDocument)


def _seen(name: str, document: StatusDocument | None = None, group: str = "", **more: Any) -> Seen:
    return Seen(Member(name, f"host-{name}", group), document, NOW if document is not None else None, **more)


def _rows(*seen: Seen, now: float = NOW) -> dict[str, FleetRow]:
    return {row.name: row for row in fleet_of(seen, now).rows}


def test_the_worst_stands_first_and_what_has_not_answered_last() -> None:
    bad = [{"severity": "bad"}, {"severity": "warn"}, {"severity": "quiet"}, {"severity": "bad", "solved_at": 1.0}]
    fleet = fleet_of(
        [
            _seen("asked"),
            _seen("well", _document()),
            _seen("broken", _document(exit_status=2, problems=bad)),
            _seen("warned", _document(exit_status=1, problems=bad[1:2])),
            _seen("gone", failure=failure("host down", "host-gone"), failing_since=NOW - 120),
        ],
        NOW,
    )
    assert [row.name for row in fleet.rows] == ["gone", "broken", "warned", "well", "asked"]
    assert [row.problems for row in fleet.rows] == [None, 2, 1, 0, None]
    assert fleet.rows[0].state == "HOST DOWN"
    assert fleet.rows[0].sentence.endswith(", for 2 min")
    assert fleet.rows[0].do
    assert fleet.status == 3


def test_a_row_says_the_state_in_the_sentence_of_the_other_side() -> None:
    rates = {"failed_per_minute": 0.0, "error_lines_per_minute": 14.2}
    row = _rows(_seen("a", _document(rates=rates)), now=NOW + 12)["a"]
    assert (row.state, row.sentence) == ("SERVING", "2 deployments serving · up 3 h")
    assert (row.errors_per_minute, row.version, row.digest, row.age) == (14.2, "1.106.2", "aaaaaaaa", 12.0)


def test_what_has_fallen_silent_is_not_shown_as_of_now() -> None:
    row = _rows(_seen("a", _document()), now=NOW + STALE_SECONDS + 1)["a"]
    assert (row.state, row.status) == ("SILENT", 3)
    assert "before: 2 deployments serving" in row.sentence


def test_what_was_told_before_the_link_was_lost_stays_with_its_age() -> None:
    row = _rows(_seen("a", _document(), failure=failure("link lost", "host-a")), now=NOW + 60)["a"]
    assert (row.status, row.version, row.age, row.problems) == (3, "1.106.2", 60.0, None)


def test_equal_members_differ_in_nothing() -> None:
    fleet = fleet_of([_seen("a", _document(), "pair"), _seen("b", _document(), "pair")], NOW)
    assert (fleet.differences, fleet.status) == ((), 0)


def test_the_rarer_version_stands_out_and_is_a_warning() -> None:
    old = _document(litellm_version="1.77.7")
    fleet = fleet_of([_seen("a", _document()), _seen("b", _document()), _seen("c", old)], NOW)
    assert fleet.differences == ("versions of LiteLLM differ: 1.106.2 on a and b; 1.77.7 on c",)
    assert fleet.status == 1
    assert {row.name: row.differs for row in fleet.rows} == {"a": (), "b": (), "c": ("LiteLLM 1.77.7",)}


@pytest.mark.parametrize(("group", "differs"), [("pair", True), ("", False)])
def test_configurations_are_compared_within_a_group(group: str, differs: bool) -> None:
    other = _document(configuration={"digest": "cccccccc", "sections": {"model_list": "1", "router_settings": "2"}})
    fleet = fleet_of([_seen("a", _document(), group), _seen("b", _document(), group), _seen("c", other, group)], NOW)
    assert bool(fleet.differences) is differs
    if differs:
        assert fleet.differences == (
            "configurations of pair should be equal and differ, in router_settings: aaaaaaaa on a and b; cccccccc on c",
        )


def test_another_secret_alone_is_said_to_be_one() -> None:
    other = _document(configuration={"digest": "cccccccc", "sections": {"model_list": "1", "router_settings": "1"}})
    text = fleet_of([_seen("a", _document(), "pair"), _seen("b", other, "pair")], NOW).differences[0]
    assert "in values that are secret" in text


def _models(**states: str) -> list[dict[str, Any]]:
    return [
        {"group": group, "model": f"openai/{group}", "verdict": {"state": state}} for group, state in states.items()
    ]


def test_a_model_that_is_dead_on_one_and_alive_on_another() -> None:
    one = _document(deployments=_models(small="failing", large="serving", idle="idle"))
    two = _document(deployments=_models(small="serving", large="serving", idle="failing"))
    fleet = fleet_of([_seen("a", one), _seen("b", two)], NOW)
    assert fleet.differences == ("small (openai/small) is dead on a and serving on b",)
    assert {row.name: row.differs for row in fleet.rows} == {"a": ("small dead",), "b": ()}


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(120, "2 min ahead of"), (118.4, "2 min ahead of"), (-40, "40 s behind"), (-39.6, "40 s behind"), (3, "")],
)
def test_a_clock_that_differs(ahead: float, words: str) -> None:
    fleet = fleet_of([_seen("a", _document(written_at=NOW + ahead)), _seen("b", _document())], NOW)
    expected = (f"the clock of a is {words} this machine's",) if words else ()
    assert fleet.differences == expected


@pytest.mark.parametrize(
    ("ahead", "round_trip", "differs"),
    [(-8, 0.2, True), (-8, 9.0, False), (8, 0.2, True), (-40, 9.0, True), (4.5, 0.0, False)],
)
def test_a_slow_link_is_not_taken_for_a_clock_that_differs(ahead: float, round_trip: float, differs: bool) -> None:
    seen = _seen("a", _document(written_at=NOW + ahead), round_trip=round_trip)
    assert bool(fleet_of([seen], NOW).differences) is differs


def test_what_cannot_be_reached_differs_in_nothing() -> None:
    lost = _seen("b", _document(litellm_version="1.77.7"), failure=failure("link lost", "host-b"))
    assert fleet_of([_seen("a", _document()), lost], NOW).differences == ()
