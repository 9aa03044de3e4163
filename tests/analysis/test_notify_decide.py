"""What is told to whom, and when: standings of problems, beliefs of receivers, rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from litellm_tui.analysis.notify.decide import Decision, decide
from litellm_tui.analysis.notify.standing import Standings, bounded, observed
from litellm_tui.model.diagnosis import Deployment, Diagnosis, Headline, PlaceKind, Verdict
from litellm_tui.model.notification import Belief, Standing
from litellm_tui.model.notify_settings import Rule
from tests.notify.loopback import NOW, diagnosis, problem

ALL = (Rule(),)
BERLIN = {"Europe/Berlin": ZoneInfo("Europe/Berlin")}


class Receiver:
    """Looks, and remembers what it was told."""

    def __init__(self, rules: Sequence[Rule] = ALL) -> None:
        self.rules = rules
        self.standings: Standings = {}
        self.beliefs: dict[str, Belief] = {}

    def look(self, found: Diagnosis, now: float, *, known: bool = True, mask: Callable[[str], str] = str) -> list[str]:
        self.standings = observed(self.standings, found, known, now, mask)
        return [f"{one.event} {one.standing.key}" for one in self.told(now)]

    def told(self, now: float) -> list[Decision]:
        found = list(decide(self.standings, self.beliefs, self.rules, BERLIN, now))
        for one in found:
            standing = one.standing
            self.beliefs[standing.key] = Belief(standing.key, standing.severity, one.event != "ended", now, standing)
        return found


def test_what_begins_is_told_once_and_its_end_too() -> None:
    one = Receiver()
    assert one.look(diagnosis(problem()), NOW) == ["began group:small"]
    assert one.look(diagnosis(problem()), NOW + 5) == []
    assert one.look(diagnosis(), NOW + 10) == []
    assert one.look(diagnosis(), NOW + 71) == ["ended group:small"]
    assert one.look(diagnosis(), NOW + 200) == []


def test_what_returns_soon_had_not_ended() -> None:
    one = Receiver()
    one.look(diagnosis(problem()), NOW)
    assert one.look(diagnosis(), NOW + 10) == []
    assert one.look(diagnosis(problem()), NOW + 40) == []
    assert one.look(diagnosis(problem()), NOW + 200) == []


def test_what_returns_later_is_told_anew() -> None:
    one = Receiver()
    one.look(diagnosis(problem()), NOW)
    one.look(diagnosis(), NOW + 10)
    assert one.look(diagnosis(), NOW + 75) == ["ended group:small"]
    assert one.look(diagnosis(problem(since=NOW + 100)), NOW + 100) == ["began group:small"]


def test_what_gets_worse_is_told_and_what_gets_better_is_not() -> None:
    one = Receiver()
    assert one.look(diagnosis(problem(severity="warn")), NOW) == ["began group:small"]
    (worse,) = (one.look(diagnosis(problem()), NOW + 5),)
    assert worse == ["worse group:small"]
    assert one.look(diagnosis(problem(severity="warn")), NOW + 10) == []
    assert one.look(diagnosis(problem()), NOW + 15) == []


def test_a_note_is_told_to_nobody_and_ends_what_was_wrong() -> None:
    one = Receiver()
    assert one.look(diagnosis(problem(severity="quiet")), NOW) == []
    one.look(diagnosis(problem()), NOW + 5)
    one.look(diagnosis(problem(severity="quiet")), NOW + 10)
    assert one.look(diagnosis(problem(severity="quiet")), NOW + 75) == ["ended group:small"]


def test_an_end_is_told_only_where_the_beginning_was() -> None:
    one = Receiver((Rule(severity="bad"),))
    assert one.look(diagnosis(problem(severity="warn")), NOW) == []
    assert one.look(diagnosis(), NOW + 100) == []
    assert one.look(diagnosis(), NOW + 200) == []


def test_of_what_is_behind_a_silent_gateway_nothing_is_known() -> None:
    one = Receiver()
    one.look(diagnosis(problem()), NOW)
    down = problem("gateway:", kind="gateway")
    assert one.look(diagnosis(down, answering=False), NOW + 5, known=False) == ["began gateway:"]
    assert one.look(diagnosis(down, answering=False), NOW + 500, known=False) == []
    assert one.look(diagnosis(), NOW + 505) == []
    assert sorted(one.look(diagnosis(), NOW + 600)) == ["ended gateway:", "ended group:small"]


def test_a_gateway_that_starts_is_no_problem_and_ends_none() -> None:
    one = Receiver()
    stopped = problem("service:", kind="service")
    assert one.look(diagnosis(stopped, answering=False), NOW, known=False) == ["began service:"]
    starting = Diagnosis(
        Headline("STARTING", "warn"), Verdict("starting", "warn"), Verdict("running", "ok"), Verdict("off", "quiet"),
        problems=(problem("gateway:", "warn", kind="gateway"),),
    )  # fmt: skip
    for after in range(5, 200, 5):
        assert one.look(starting, NOW + after, known=False) == []
    assert one.look(diagnosis(), NOW + 200) == []
    assert one.look(diagnosis(), NOW + 270) == ["ended service:"]
    hangs = diagnosis(problem("gateway:", kind="gateway"), answering=False)
    assert one.look(hangs, NOW + 300, known=False) == ["began gateway:"]


def test_the_end_is_that_of_the_evidence() -> None:
    one = Receiver()
    one.look(diagnosis(problem()), NOW)
    gone = diagnosis(problem(solved_at=NOW + 7))
    one.look(gone, NOW + 10)
    one.standings = observed(one.standings, gone, True, NOW + 90, str)
    (ended,) = one.told(NOW + 90)
    assert (ended.standing.since, ended.standing.ended_at) == (NOW, NOW + 7)


def test_what_began_while_nobody_looked_is_another_one() -> None:
    one = Receiver()
    one.look(diagnosis(problem()), NOW)
    later = NOW + 3 * 86400
    one.look(diagnosis(problem(since=later - 60)), later)
    assert one.standings["group:small"].since == later - 60


def test_only_what_lasts_is_told() -> None:
    one = Receiver((Rule(lasting=30),))
    assert one.look(diagnosis(problem(since=None)), NOW) == []
    assert one.look(diagnosis(problem(since=None)), NOW + 29) == []
    assert one.look(diagnosis(problem(since=None)), NOW + 30) == ["began group:small"]
    # what was there before the console was is older than the console
    other = Receiver((Rule(lasting=30),))
    assert other.look(diagnosis(problem(since=NOW - 100)), NOW) == ["began group:small"]


def _berlin(hour: int, minute: int = 0) -> float:
    return datetime(2026, 11, 30, hour, minute, tzinfo=BERLIN["Europe/Berlin"]).timestamp()


def test_in_quiet_hours_nothing_is_told_and_after_them_what_is_still_so() -> None:
    one = Receiver((Rule(quiet_hours="22:00-07:00", zone="Europe/Berlin"),))
    assert one.look(diagnosis(problem("group:a", since=_berlin(21, 58))), _berlin(21, 59)) == ["began group:a"]
    night = [problem("group:b", since=_berlin(23)), problem("group:c", since=_berlin(23))]
    assert one.look(diagnosis(*night), _berlin(23)) == []
    assert one.look(diagnosis(night[0]), _berlin(23, 30)) == []
    # it is 7 o'clock: quiet no more; what began and ended in between is told to nobody
    morning = _berlin(7) + 86400
    assert sorted(one.look(diagnosis(night[0]), morning)) == ["began group:b", "ended group:a"]


@pytest.mark.parametrize(("hour", "told"), [(11, True), (12, False), (13, True)])
def test_a_span_of_one_day_has_its_first_minute_and_not_its_last(hour: int, told: bool) -> None:
    one = Receiver((Rule(quiet_hours="12:00-13:00", zone="Europe/Berlin"),))
    assert bool(one.look(diagnosis(problem()), _berlin(hour))) is told


def test_one_problem_is_told_at_most_once_in_so_many_minutes_and_the_last_word_is_true() -> None:
    one = Receiver((Rule(once_in_minutes=15),))
    assert one.look(diagnosis(problem("group:a"), problem("group:b")), NOW) == ["began group:a", "began group:b"]
    there = True
    told = []
    # it comes and goes every two minutes
    for step in range(1, 40):
        now = NOW + 60 * step
        there = step % 4 < 2
        told += one.look(diagnosis(problem("group:b"), *([problem("group:a", since=now)] if there else [])), now)
    assert not there
    assert 1 <= len(told) <= 40 / 15 + 1
    assert one.look(diagnosis(problem("group:b")), NOW + 10_000) == (
        [] if told[-1:] == ["ended group:a"] else ["ended group:a"]
    )


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (Rule(subjects=("deployment",)), ["deployment:d1"]),
        (Rule(subjects=("gateway", "cache")), ["cache:", "gateway:"]),
        (Rule(groups=("qwen*",)), ["deployment:d1", "group:qwen-big"]),
        (Rule(groups=("qwen",)), ["deployment:d1"]),
        (Rule(severity="bad"), ["deployment:d1", "gateway:", "group:qwen-big"]),
        (Rule(severity="bad", groups=("qwen-*",)), ["group:qwen-big"]),
    ],
)
def test_a_rule_is_about_what_it_says(rule: Rule, told: list[str]) -> None:
    row = Deployment("d1", "qwen", "openai/qwen", Verdict("failing", "bad"))
    kinds: Mapping[str, PlaceKind] = {"gateway:": "gateway", "cache:": "cache", "deployment:d1": "deployment"}
    found = [
        problem(key, "warn" if key == "cache:" else "bad", kind=kinds.get(key, "group"))
        for key in ("gateway:", "cache:", "deployment:d1", "group:qwen-big")
    ]
    one = Receiver((rule,))
    assert sorted(one.look(diagnosis(*found, deployments=(row,)), NOW)) == [f"began {key}" for key in told]


def test_what_a_receiver_was_told_ends_for_it_whatever_its_rules_are_now() -> None:
    one = Receiver()
    one.look(diagnosis(problem()), NOW)
    one.rules = (Rule(subjects=("cache",)),)
    one.look(diagnosis(), NOW + 5)
    assert one.look(diagnosis(), NOW + 70) == ["ended group:small"]


def test_a_clock_that_is_set_back_keeps_nothing_back() -> None:
    one = Receiver((Rule(once_in_minutes=15),))
    one.look(diagnosis(problem()), NOW)
    back = NOW - 86400
    one.look(diagnosis(), back)
    assert one.look(diagnosis(), back + 61) == ["ended group:small"]


def test_texts_are_masked_bounded_and_in_one_line() -> None:
    long = problem(cause="x\ny\x1b[31m zq9", reason="r" * 5000)
    one = Receiver()
    one.look(diagnosis(long), NOW, mask=lambda text: text.replace("zq9", "•••"))
    (standing,) = one.standings.values()
    assert isinstance(standing, Standing)
    assert standing.cause == "x y [31m •••"
    assert len(standing.reason) == 1500
    assert bounded("a" * 10, 10) == "a" * 10
