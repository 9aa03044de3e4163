"""Since when a problem lasts, whether it is new, and when it has ended."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.health.memory import (
    FLAPPING_SECONDS,
    SOLVED_SECONDS,
    Memory,
    Remembered,
    mark_seen,
    merge_remembered,
    recall,
    remember,
)
from litellm_tui.model.diagnosis import Place, PlaceKind, Problem, Severity

NOW = 1_800_000_000.0


def _problem(key: str = "deployment:a", since: float | None = None, kind: PlaceKind = "deployment") -> Problem:
    return Problem(key, "bad", "a", "refused", "it refuses", Place(kind, "a"), since=since)


def _look(memory: Memory, problems: list[Problem], now: float, known: bool = True) -> tuple[Memory, list[Problem]]:
    shown = recall(memory, problems, now)
    return remember(memory, shown, now, known), list(shown)


def test_a_problem_that_lasts_keeps_its_onset_and_is_new_until_it_was_looked_at() -> None:
    memory, (first,) = _look({}, [_problem()], NOW)
    assert (first.since, first.new) == (NOW, True)
    memory, (second,) = _look(memory, [_problem()], NOW + 500)
    assert (second.since, second.new) == (NOW, True)
    _, (third,) = _look(mark_seen(memory), [_problem()], NOW + 1000)
    assert (third.since, third.new) == (NOW, False)


def test_evidence_that_knows_of_an_earlier_onset_is_believed_and_of_a_later_one_is_not() -> None:
    memory, (first,) = _look({}, [_problem(since=NOW - 60)], NOW)
    assert first.since == NOW - 60
    # the log was rotated, and its oldest line is younger
    _, (second,) = _look(memory, [_problem(since=NOW + 10)], NOW + 20)
    assert second.since == NOW - 60


def test_one_that_ended_is_listed_as_solved_for_half_an_hour() -> None:
    memory, _ = _look({}, [_problem(since=NOW - 60)], NOW)
    memory, _ = _look(memory, [], NOW + 10)
    memory, (solved,) = _look(memory, [], NOW + 11)
    assert (solved.solved_at, solved.since) == (NOW + 10, NOW - 60)
    memory, (solved,) = _look(memory, [], NOW + 10 + SOLVED_SECONDS)
    assert solved.solved_at == NOW + 10
    memory, shown = _look(memory, [], NOW + 11 + SOLVED_SECONDS)
    assert shown == []
    assert memory == {}


def test_one_that_comes_back_at_once_had_not_ended() -> None:
    memory, _ = _look({}, [_problem()], NOW)
    memory = mark_seen(memory)
    memory, _ = _look(memory, [], NOW + 5)
    memory, (again,) = _look(memory, [_problem()], NOW + 5 + FLAPPING_SECONDS)
    assert (again.since, again.new, again.solved_at) == (NOW, False, None)


def test_one_that_comes_back_later_is_a_new_one() -> None:
    memory, _ = _look({}, [_problem()], NOW)
    memory, _ = _look(mark_seen(memory), [], NOW + 5)
    memory, (again,) = _look(memory, [_problem()], NOW + 6 + FLAPPING_SECONDS)
    assert (again.since, again.new) == (NOW + 6 + FLAPPING_SECONDS, True)


def test_the_latest_solved_stands_first_behind_what_lasts() -> None:
    memory, _ = _look({}, [_problem("x:1"), _problem("x:2"), _problem("x:3")], NOW)
    memory, _ = _look(memory, [_problem("x:2"), _problem("x:3")], NOW + 1)
    memory, _ = _look(memory, [_problem("x:3")], NOW + 2)
    _, shown = _look(memory, [_problem("x:3")], NOW + 3)
    assert [problem.key for problem in shown] == ["x:3", "x:2", "x:1"]


def test_nothing_behind_a_silent_gateway_is_called_solved_and_what_can_be_told_is() -> None:
    before = [_problem("deployment:a"), _problem("configuration:parse", kind="configuration")]
    memory, _ = _look({}, before, NOW)
    memory, _ = _look(memory, [_problem("gateway:", kind="gateway")], NOW + 10, known=False)
    memory, shown = _look(memory, [_problem("gateway:", kind="gateway")], NOW + 11, known=False)
    assert {p.key for p in shown if p.solved_at} == {"configuration:parse"}
    # and it is the same problem when the gateway is back
    _, (back, *_) = _look(memory, [_problem("deployment:a")], NOW + 4000)
    assert (back.key, back.since) == ("deployment:a", NOW)


KEYS = st.sampled_from(["deployment:a", "group:b", "gateway:", "service:"])
KINDS: dict[str, PlaceKind] = {"deployment:a": "deployment", "group:b": "group", "gateway:": "gateway",
                               "service:": "service"}  # fmt: skip
LOOKS = st.lists(st.tuples(st.sets(KEYS), st.booleans(), st.floats(0.1, 900.0), st.booleans()), max_size=30)


@given(LOOKS)
def test_whatever_comes_and_goes_the_memory_stays_true(looks: list[tuple[set[str], bool, float, bool]]) -> None:
    memory: Memory = {}
    now, always = NOW, True
    for keys, known, step, saw in looks:
        now += step
        always = always and "deployment:a" in keys
        memory, shown = _look(memory, [_problem(key, kind=KINDS[key]) for key in sorted(keys)], now, known)
        lasting = [problem for problem in shown if problem.solved_at is None]
        assert {problem.key for problem in lasting} == keys
        assert len({problem.key for problem in shown}) == len(shown)
        for problem in shown:
            assert problem.since is not None
            assert NOW < problem.since <= now
            if problem.solved_at is not None:
                assert problem.since <= problem.solved_at <= now
                assert now - problem.solved_at <= SOLVED_SECONDS
        if always:
            assert next(p for p in lasting if p.key == "deployment:a").since == NOW + looks[0][2]
        for key, kept in memory.items():
            assert kept.solved_at is None or key not in keys
            if not known and key not in keys and KINDS[key] in ("deployment", "group"):
                assert kept.solved_at is None or kept.solved_at < now
        if saw:
            memory = mark_seen(memory)
            assert not any(problem.new for problem in recall(memory, lasting, now))


@given(LOOKS)
def test_a_memory_survives_being_written_and_read(looks: list[tuple[set[str], bool, float, bool]]) -> None:
    memory: Memory = {}
    now = NOW
    for keys, known, step, _ in looks:
        now += step
        memory, _ = _look(memory, [_problem(key, kind=KINDS[key]) for key in sorted(keys)], now, known)
    assert msgspec.json.decode(msgspec.json.encode(memory), type=dict[str, Remembered]) == memory


def _became(cause: str = "timeout", severity: Severity = "bad", since: float | None = None) -> Problem:
    return msgspec.structs.replace(_problem(since=since), cause=cause, severity=severity)


def test_a_problem_that_has_become_another_one_is_new_and_has_an_onset_of_its_own() -> None:
    memory, _ = _look({}, [_problem(since=NOW - 60)], NOW)
    memory = mark_seen(memory)
    memory, (other,) = _look(memory, [_became()], NOW + 100)
    assert (other.since, other.new) == (NOW + 100, True)
    memory, (again,) = _look(mark_seen(memory), [_became()], NOW + 200)
    assert (again.since, again.new) == (NOW + 100, False)


def test_the_onset_of_another_trouble_is_not_that_of_the_one_before() -> None:
    """The log knows since when requests fail, and not since when they fail in this way."""
    memory, _ = _look({}, [_problem(since=NOW - 60)], NOW)
    memory, (other,) = _look(memory, [_became(since=NOW - 60)], NOW + 100)
    assert other.since == NOW
    # nor is it at any later look
    memory, (other,) = _look(memory, [_became(since=NOW - 60)], NOW + 200)
    assert other.since == NOW
    stored = msgspec.json.decode(msgspec.json.encode(memory), type=dict[str, Remembered])
    assert _look(stored, [_became(since=NOW - 60)], NOW + 300)[1][0].since == NOW
    # and the next one begins where it ends
    _, (third,) = _look(memory, [_became("TLS", since=NOW - 60)], NOW + 300)
    assert third.since == NOW + 200
    _, (later,) = _look(_look({}, [_problem()], NOW)[0], [_became(since=NOW + 40)], NOW + 100)
    assert later.since == NOW + 40


def test_of_a_cache_or_a_database_another_state_is_another_trouble() -> None:
    down = msgspec.structs.replace(_problem("cache:", since=NOW - 60, kind="cache"), state="down")
    memory, _ = _look({}, [down], NOW)
    failing = msgspec.structs.replace(down, state="failing")
    memory, (other,) = _look(mark_seen(memory), [failing], NOW + 10)
    assert (other.since, other.new) == (NOW, True)
    assert _look(memory, [failing], NOW + 20)[1][0].since == NOW


def test_the_memory_of_two_consoles_keeps_the_onsets_of_two_troubles_apart() -> None:
    before = Remembered(_problem(), NOW, NOW + 10)
    now = Remembered(_became(), NOW + 20, NOW + 30, not_before=NOW + 20)
    assert merge_remembered(before, now).first_seen == NOW + 20
    assert merge_remembered(Remembered(_became(), NOW + 5, NOW + 25), now).first_seen == NOW + 20


def test_what_becomes_worse_is_new_and_what_becomes_better_is_not() -> None:
    memory, _ = _look({}, [_became("refused", "warn")], NOW)
    memory, (worse,) = _look(mark_seen(memory), [_problem()], NOW + 10)
    assert worse.new
    _, (better,) = _look(mark_seen(memory), [_became("refused", "warn")], NOW + 20)
    assert not better.new
