"""Which problems began, got worse and ended, and which verdicts changed, from one diagnosis to the next."""

from __future__ import annotations

from msgspec.structs import replace

from litellm_tui.analysis.health.memory import Memory, recall, remember
from litellm_tui.analysis.history.events import began_and_ended
from litellm_tui.model.diagnosis import Deployment, Diagnosis, Headline, Place, Problem, Severity, Verdict

NOW = 1_800_000_000.0
QUIET = Verdict("answering", "ok")


def diagnosis(*problems: Problem, deployments: tuple[Deployment, ...] = ()) -> Diagnosis:
    return Diagnosis(Headline("", "ok"), QUIET, QUIET, QUIET, problems=problems, deployments=deployments)


def problem(cause: str = "refused", severity: Severity = "bad", since: float | None = NOW - 60) -> Problem:
    return Problem("deployment:a", severity, "a fails", cause, "it refuses", Place("deployment", "a"), since=since,
                   hit="its callers", do="start it")  # fmt: skip


def deployment(state: str, severity: Severity, since: float | None = None) -> Deployment:
    return Deployment("a", "small", "openai/small", Verdict(state, severity, since=since, brief="why"))


def test_what_lasts_has_begun_for_whoever_looks_first() -> None:
    (change,) = began_and_ended(None, diagnosis(problem()), NOW)
    assert (change.what, change.at, change.key, change.subject) == ("began", NOW - 60, "deployment:a", "deployment:a")
    assert (change.title, change.cause, change.do, change.hit) == ("a fails", "refused", "start it", "its callers")


def test_what_lasts_on_is_no_change() -> None:
    assert began_and_ended(diagnosis(problem()), diagnosis(problem()), NOW) == []


def test_an_onset_in_the_future_is_now() -> None:
    (change,) = began_and_ended(diagnosis(), diagnosis(problem(since=NOW + 500)), NOW)
    assert change.at == NOW


def test_notes_and_what_cannot_be_told_are_none() -> None:
    assert began_and_ended(diagnosis(), diagnosis(problem(severity="quiet"), problem(severity="unknown")), NOW) == []


def test_another_cause_or_a_worse_one_is_told_with_what_it_was() -> None:
    before = diagnosis(problem("slow", "warn"))
    (worse,) = began_and_ended(before, diagnosis(problem("slow", "bad", since=NOW - 5)), NOW)
    assert (worse.what, worse.at, worse.was, worse.severity) == ("worse", NOW - 5, "slow", "bad")
    (other,) = began_and_ended(before, diagnosis(problem("refused", "warn")), NOW)
    assert (other.what, other.was, other.cause, other.at) == ("worse", "slow", "refused", NOW)
    assert began_and_ended(diagnosis(problem("slow", "bad")), diagnosis(problem("slow", "warn")), NOW) == []


def test_an_end_is_told_once() -> None:
    ended = replace(problem(), solved_at=NOW - 2)
    (change,) = began_and_ended(diagnosis(problem()), diagnosis(ended), NOW)
    assert (change.what, change.at, change.was) == ("ended", NOW - 2, "refused")
    assert began_and_ended(diagnosis(ended), diagnosis(ended), NOW) == []
    assert began_and_ended(diagnosis(ended), diagnosis(), NOW) == []
    assert began_and_ended(None, diagnosis(ended), NOW) == []


def test_what_is_not_known_while_the_gateway_is_silent_ends_when_it_is_seen_to_have_ended() -> None:
    memory: Memory = {}
    shown: list[Diagnosis] = []
    for at, found, known in ((0, [problem()], True), (5, [], False), (10, [], False), (15, [], True), (16, [], True)):
        told = recall(memory, found, NOW + at)
        memory = remember(memory, told, NOW + at, known)
        shown.append(diagnosis(*told))
    changes = [[one.what for one in began_and_ended(a, b, NOW)] for a, b in zip([None, *shown], shown, strict=False)]
    assert changes == [["began"], [], [], [], ["ended"]]


def test_what_returns_has_begun_again() -> None:
    ended = replace(problem(), solved_at=NOW - 200)
    (change,) = began_and_ended(diagnosis(ended), diagnosis(problem(since=NOW - 1)), NOW)
    assert (change.what, change.at) == ("began", NOW - 1)


def test_a_verdict_of_another_rank_is_a_change_and_one_of_the_same_is_none() -> None:
    serving, failing = deployment("serving", "ok"), deployment("failing", "bad", since=NOW - 3)
    (change,) = began_and_ended(diagnosis(deployments=(serving,)), diagnosis(deployments=(failing,)), NOW)
    assert (change.what, change.was, change.at) == ("verdict", "serving", NOW - 3)
    assert change.title == "small (openai/small): serving → failing"
    idle, unknown = deployment("idle", "quiet"), deployment("unknown", "unknown")
    for other in (idle, unknown):
        assert began_and_ended(diagnosis(deployments=(serving,)), diagnosis(deployments=(other,)), NOW) == []
    assert began_and_ended(None, diagnosis(deployments=(failing,)), NOW) == []
