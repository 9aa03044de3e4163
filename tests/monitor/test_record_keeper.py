"""What each view tells that the record does not know yet: nothing is invented, and nothing is told twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from litellm_tui.analysis.history.facts import Outage, outage_after
from litellm_tui.model.audit import Audit, Finding
from litellm_tui.model.configuration import ConfigFile, Configuration
from litellm_tui.model.diagnosis import Deployment, Diagnosis, Group, Headline, Place, Problem, Verdict
from litellm_tui.model.failures import NotAvailable, Unreachable
from litellm_tui.model.gateway import DeploymentCounters, Gateway, LoadedDeployment, Metrics
from litellm_tui.model.history import Event, EventKind
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Exit, Service, Worker
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import FailedRequests, Traffic
from litellm_tui.monitor.record_keeper import RecordKeeper, Seen
from litellm_tui.storage.history.reader import HistoryReader
from litellm_tui.storage.history.writer import HistoryWriter

NOON = 1_760_000_400.0
ANSWERS = Verdict("answering", "ok")
KNOWN = Gateway(deployments=Reading((), seen_at=NOON))
SERVING = Deployment("a|openai/a", "small", "openai/a", Verdict("serving", "ok"), ok=0, failed=0)


def problem(key: str = "cache:", cause: str = "refused", since: float | None = NOON, **more: Any) -> Problem:
    return Problem(key, "bad", "cache", cause, "it refuses", Place("cache"), since=since, **more)


def diagnosis(*problems: Problem, gateway: Verdict = ANSWERS, **more: Any) -> Diagnosis:
    return Diagnosis(Headline("", "ok"), gateway, ANSWERS, ANSWERS, problems=problems, **more)


def config(digest: str, modified_at: float) -> Configuration:
    return Configuration(path="/c.yaml", current=ConfigFile("/c.yaml", digest, modified_at, ("/c.yaml",), {}, {}))


def service(started_at: float, pid: int = 7, **more: Any) -> Reading[Service]:
    found = Service("litellm.service", "user", "loaded", "active", "running", started_at=started_at, main_pid=pid,
                    invocation=f"run-{pid}", **more)  # fmt: skip
    return Reading(found, seen_at=NOON, tried_at=NOON, interval=1e9)


class Scene:
    """A keeper over a record of its own; `see` is one view at a time after noon."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "gateway" / "history.sqlite"
        self.keeper = self.anew()

    def anew(self) -> RecordKeeper:
        self.keeper = RecordKeeper(self.path, lambda text: text.replace("sk-secret", "…"))
        return self.keeper

    def see(
        self, at: float, found: Diagnosis | None = None, *, exits: Any = None, outages: Sequence[Outage] = (),
        **snapshot: Any,
    ) -> None:  # fmt: skip
        now = NOON + at
        seen = Snapshot(taken_at=now, **snapshot)
        assert self.keeper.keep(Seen(seen, found or diagnosis(), now, exits, tuple(outages))) == ""

    def events(self, *kinds: EventKind) -> list[Event]:
        return HistoryReader(self.path).events(0, kinds=kinds)[::-1]

    def times(self, *kinds: EventKind) -> list[tuple[float, float | None]]:
        return [(e.at - NOON, e.until - NOON if e.until is not None else None) for e in self.events(*kinds)]

    def values(self, subject: str, measure: Any, until: float, since: float = 0.0) -> list[float | None]:
        found = HistoryReader(self.path).series(subject, measure, NOON + since, NOON + until)
        return [value if value is None else round(value, 3) for _, value in found.points]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


# --- problems


def test_a_problem_is_recorded_from_its_onset_to_its_end(scene: Scene) -> None:
    scene.see(0)
    scene.see(10, diagnosis(problem(since=NOON + 7)))
    scene.see(15, diagnosis(problem(since=NOON + 7)))
    assert scene.times("problem") == [(7, None)]
    scene.see(20, diagnosis(problem(since=NOON + 7, solved_at=NOON + 18)))
    scene.see(25, diagnosis(problem(since=NOON + 7, solved_at=NOON + 18)))
    assert scene.times("problem") == [(7, 18)]


def test_a_problem_goes_on_over_a_kill_of_the_recorder(scene: Scene) -> None:
    scene.see(0, diagnosis(problem()))
    scene.keeper._writer._lock.release()  # type: ignore[union-attr]  # as a kill does
    scene.anew()
    scene.see(8, diagnosis(problem()))
    scene.see(13, diagnosis(problem()))
    assert scene.times("problem") == [(0, None)]
    scene.keeper.close(NOON + 2)
    scene.anew()
    scene.see(100, diagnosis(problem(solved_at=NOON + 60)))
    assert scene.times("problem") == [(0, 60)], "it ended while nobody recorded, as the memory knows"


def test_another_cause_is_another_event_and_a_cause_is_masked(scene: Scene) -> None:
    scene.see(0, diagnosis(problem(cause="slow")))
    scene.see(10, diagnosis(problem(cause="refused by sk-secret", since=NOON + 9)))
    scene.see(15, diagnosis(problem(cause="refused by sk-secret", since=NOON + 9)))
    first, second = scene.events("problem")
    assert (first.cause, first.until) == ("slow", NOON + 9)
    assert (second.cause, second.at, second.text) == ("refused by …", NOON + 9, "before: slow")


def test_what_stays_away_for_a_moment_has_not_ended_and_for_longer_has(scene: Scene) -> None:
    scene.see(0, diagnosis(problem()))
    scene.see(10, diagnosis(problem(solved_at=NOON + 9)))
    scene.see(15, diagnosis(problem()))
    assert scene.times("problem") == [(0, None)]
    scene.see(30, diagnosis(problem(solved_at=NOON + 29)))
    # the memory gives it its first onset again
    scene.see(70, diagnosis(problem()))
    assert scene.times("problem") == [(0, 29), (70, None)]


@pytest.mark.parametrize(("begun", "events"), [(17.0, [(0, 9), (20, None)]), (-5.0, [(0, None)])])
def test_what_another_run_of_the_service_meets_is_another_problem(
    scene: Scene, begun: float, events: list[tuple[float, float | None]]
) -> None:
    starting = problem(key="gateway:")
    scene.see(0, diagnosis(starting))
    scene.see(10, diagnosis(replace(starting, solved_at=NOON + 9)))
    scene.see(20, diagnosis(starting), service=service(NOON + begun))
    assert scene.times("problem") == events


def test_a_problem_that_came_and_went_between_two_views_is_told(scene: Scene) -> None:
    scene.see(0)
    scene.see(5, diagnosis(problem(since=NOON + 2, solved_at=NOON + 4)))
    scene.see(10, diagnosis(problem(since=NOON + 2, solved_at=NOON + 4)))
    assert scene.times("problem") == [(2, 4)]


def test_what_had_ended_before_anybody_recorded_is_no_event(scene: Scene) -> None:
    scene.see(0, diagnosis(problem(since=NOON - 90, solved_at=NOON - 60)))
    scene.see(5, diagnosis(problem(since=NOON - 90, solved_at=NOON - 60)))
    assert scene.events() == []


def test_what_is_not_known_any_more_ends_only_while_all_else_is_known(scene: Scene) -> None:
    down = Verdict("down", "bad", "no answer", brief="down")
    scene.see(0, diagnosis(problem()))
    for at in range(5, 400, 5):
        scene.see(at, diagnosis(gateway=down))
    assert scene.times("problem") == [(0, None)]
    for at in range(400, 540, 5):
        scene.see(at, gateway=KNOWN)
    assert scene.times("problem") == [(0, 400)]


@pytest.mark.parametrize("falls_silent", [False, True])
def test_what_a_killed_recorder_knew_the_end_of_is_not_what_begins_later(scene: Scene, falls_silent: bool) -> None:
    scene.see(0, diagnosis(problem()))
    scene.keeper._writer._lock.release()  # type: ignore[union-attr]  # as a kill does
    scene.anew()
    for at in (8, 13):
        scene.see(at, gateway=KNOWN)
    if falls_silent:
        scene.see(16, diagnosis(gateway=Verdict("down", "bad", "no answer", brief="down")))
    scene.see(20, diagnosis(problem(since=NOON + 19)), gateway=KNOWN)
    scene.see(25, diagnosis(problem(since=NOON + 19)), gateway=KNOWN)
    assert scene.times("problem") == [(0, 8), (19, None)]


def test_a_verdict_of_another_rank_is_an_event(scene: Scene) -> None:
    failing = replace(SERVING, verdict=Verdict("failing", "bad", brief="500", since=NOON + 3))
    scene.see(0, diagnosis(deployments=(SERVING,)))
    scene.see(5, diagnosis(deployments=(failing,)))
    (event,) = scene.events("verdict")
    assert (event.at, event.title, event.cause) == (NOON + 3, "small (openai/a): serving → failing", "500")


# --- runs


def test_starts_and_ends_are_told_once_with_their_reason(scene: Scene) -> None:
    running = Exit(NOON + 20, began=NOON - 600, code="killed", status=9, name="KILL")
    scene.see(0, service=service(NOON - 600), exits=())
    scene.see(20, service=service(NOON - 600), exits=(running,))
    scene.see(25, service=service(NOON + 22, 8), exits=(replace(running, again=True),))
    scene.see(30, service=service(NOON + 22.4, 8), exits=(replace(running, again=True),))
    assert scene.times("start") == [(-600, None), (22, None)]
    (end,) = scene.events("end")
    assert (end.at, end.severity) == (NOON + 20, "bad")
    assert end.title == "killed by SIGKILL after 10 min; started again by systemd"


def test_an_ordered_end_is_no_fault_and_ends_of_before_are_left_out(scene: Scene) -> None:
    old = Exit(NOON - 5000, began=NOON - 9000, code="exited", by="order")
    scene.see(0, exits=(old,))
    scene.see(5, exits=(old, Exit(NOON + 3, began=NOON - 4000, code="exited", by="order")))
    (end,) = scene.events("end")
    assert (end.at, end.severity, end.cause) == (NOON + 3, "quiet", "by order")


def test_what_ended_while_nobody_recorded_is_taken_up(scene: Scene) -> None:
    scene.see(0)
    scene.keeper.close(NOON + 2)
    scene.anew()
    ended = Exit(NOON + 50, began=NOON - 600, code="exited", status=1)
    scene.see(100, service=service(NOON + 60), exits=(ended,))
    assert scene.times("end", "start", "gap") == [(2, 100), (50, None), (60, None)]


def test_where_nobody_tells_of_ends_a_run_that_is_gone_has_ended(scene: Scene) -> None:
    unknown = NotAvailable("a process has no keeper")
    scene.see(0, service=service(NOON - 60), exits=unknown)
    scene.see(10, service=service(NOON + 8, 9), exits=unknown)
    scene.see(15, service=service(NOON + 8, 9), exits=unknown)
    (end,) = scene.events("end")
    assert (end.at, end.cause) == (NOON + 8, "how is not known: a process has no keeper")


def test_a_start_with_another_configuration_applies_it(scene: Scene) -> None:
    scene.see(0, service=service(NOON - 60), configuration=config("aaa", NOON - 100))
    scene.see(5, service=service(NOON - 60), configuration=config("bbb", NOON + 4))
    assert [event.at for event in scene.events("saved")] == [NOON + 4]
    assert scene.events("applied") == []
    scene.see(20, service=service(NOON + 10, 8), configuration=config("bbb", NOON + 4))
    scene.see(25, service=service(NOON + 10, 8), configuration=config("bbb", NOON + 4))
    assert [(event.at, event.subject) for event in scene.events("applied")] == [(NOON + 10, "/c.yaml")]
    scene.see(40, service=service(NOON + 30, 9), configuration=config("bbb", NOON + 4))
    assert len(scene.events("applied")) == 1, "a restart with the same file applies nothing"


# --- outages


def test_an_outage_lasts_from_the_first_refusal_to_the_first_answer(scene: Scene) -> None:
    alive: Reading[str] = Reading("alive", seen_at=NOON)
    gone = replace(alive, failure=Unreachable("refused"), failing_since=NOON + 3)
    stopping, down = Verdict("stopping", "warn"), Verdict("down", "bad", brief="killed")
    outage: Outage | None = None
    views = [
        (0, alive, ANSWERS), (4, gone, stopping), (5, gone, down), (9, gone, Verdict("starting", "warn")),
        (12, gone, Verdict("not read", "unknown")), (15, replace(alive, seen_at=NOON + 14), ANSWERS),
    ]  # fmt: skip
    for at, reading, verdict in views:
        found = diagnosis(gateway=verdict)
        outage = outage_after(outage, Snapshot(NOON + at, Gateway(liveliness=reading)), found, NOON + at)
        scene.see(at, found, outages=[outage] if outage else [])
    (event,) = scene.events("downtime")
    assert (event.at, event.until, event.cause) == (NOON + 3, NOON + 14, "killed")


def test_an_outage_goes_on_over_a_restart_of_the_recorder(scene: Scene) -> None:
    down = diagnosis(gateway=Verdict("down", "bad"))
    scene.see(0, down, outages=[Outage(NOON)])
    scene.keeper.close(NOON + 2)
    scene.anew()
    scene.see(8, down, outages=[Outage(NOON + 7)])
    scene.see(13, outages=[Outage(NOON + 7, NOON + 11)])
    assert scene.times("downtime") == [(0, 11)]
    scene.see(20, down, outages=[Outage(NOON + 18)])
    scene.see(25, outages=[Outage(NOON + 18, NOON + 19), Outage(NOON + 21, NOON + 22)])
    assert scene.times("downtime") == [(0, 11), (18, 19), (21, 22)]


# --- audits, probes, marks


def test_an_audit_is_told_when_it_finds_something_else(scene: Scene) -> None:
    sound = Audit("/c.yaml", "1.0", "installed")
    wrong = replace(sound, findings=(Finding("key-unset", "error", "t", "x", None),))  # type: ignore[arg-type]
    for at, audit in ((0, sound), (5, sound), (10, wrong), (15, wrong)):
        scene.see(at, diagnosis(audit=audit))
    assert [(event.at - NOON, event.title, event.severity) for event in scene.events("audit")] == [
        (0, "audit: nothing found", "quiet"), (10, "audit: 1 error", "warn")
    ]  # fmt: skip


def test_a_probe_is_told_once_and_one_of_before_is_not(scene: Scene) -> None:
    old = ProbeResult("id-1", "small", "openai/a", True, NOON - 900, 0.5)
    failed = ProbeResult("id-2", "small", "openai/b", False, NOON + 2, status=401, error="bad key sk-secret\nTrace")
    scene.see(0, probes=(old,))
    for at in (5, 10):
        scene.see(at, probes=(old, failed, ProbeResult("id-3", "s", "m", False, NOON + 3, skipped="no key")))
    (event,) = scene.events("probe")
    assert (event.at, event.title, event.cause) == (NOON + 2, "small (openai/b): failed (401)", "bad key …")


def test_a_mark_lasts_as_long_as_it_is_made(scene: Scene) -> None:
    scene.see(0)
    scene.see(5, expected_down={"small": "maintenance"})
    scene.see(10, expected_down={"small": "maintenance"})
    scene.see(15)
    (event,) = scene.events("mark")
    assert (event.at, event.until, event.cause) == (NOON + 5, NOON + 15, "maintenance")


# --- measurements


def traffic(*steps: tuple[int, int, int], **more: Any) -> Traffic:
    return Traffic(access_lines=True, steps=tuple((int(NOON) + at, ok, bad) for at, ok, bad in steps), **more)


def test_requests_are_counted_once_however_late_they_come(scene: Scene) -> None:
    scene.see(0, traffic=traffic((-20, 9, 9)))
    scene.see(15, traffic=traffic((-20, 9, 9), (10, 3, 1)))
    scene.see(20, traffic=traffic((-20, 9, 9), (10, 5, 1)))
    scene.see(34, traffic=traffic((10, 5, 1), (20, 2, 0)))
    assert scene.values("", "requests", 40) == [0, 6, 2, 0]
    assert scene.values("", "failed", 40) == [0, 1, 0, 0]
    assert scene.values("", "requests", 0, since=-30) == [None, None, None], "what was before it looked is not its own"


def test_a_recorder_that_was_killed_takes_up_what_the_log_still_tells(scene: Scene) -> None:
    scene.see(0, traffic=traffic())
    scene.see(15, traffic=traffic((10, 4, 0)))
    scene.keeper._writer._lock.release()  # type: ignore[union-attr]  # as a kill does
    scene.anew()
    scene.see(32, traffic=traffic((10, 9, 0), (20, 5, 0), (30, 1, 0)))
    assert scene.values("", "requests", 40) == [0, 4, 5, 1]


def test_a_groups_requests_are_its_answers_and_what_failed_for_it(scene: Scene) -> None:
    steps = ((int(NOON) + 10, 4, 2),)
    deployment = replace(SERVING, ok=4, failed=2, steps=steps)
    failed = FailedRequests("group", "alias", 1, steps=((int(NOON) + 10, 0, 1),))
    group = Group("small", ANSWERS, aliases=("alias",))
    scene.see(0, diagnosis(deployments=(SERVING,), groups=(group,)), traffic=traffic())
    scene.see(15, diagnosis(deployments=(deployment,), groups=(group,)), traffic=traffic((10, 4, 1), failed=(failed,)))
    assert scene.values(f"deployment:{SERVING.key}", "requests", 20) == [0, 6]
    assert scene.values("group:small", "requests", 20) == [0, 5]
    assert scene.values("group:small", "failed", 20) == [0, 1]
    assert scene.values("", "failed", 20) == [0, 1]


def test_what_cannot_be_seen_is_not_zero(scene: Scene) -> None:
    blind = replace(SERVING, ok=None, failed=None)
    scene.see(0, diagnosis(deployments=(blind,)))
    scene.see(15, diagnosis(deployments=(blind,)))
    assert scene.values(f"deployment:{SERVING.key}", "requests", 20) == [None, None]
    assert HistoryReader(scene.path).subjects() == []


def test_levels_are_those_of_sources_that_are_read(scene: Scene) -> None:
    gateway = Gateway(liveliness=Reading("alive", seen_at=NOON, took=0.25, interval=20.0))
    workers = tuple(Worker(pid, 5, NOON) for pid in (1, 2, 3))
    scene.see(0, gateway=gateway, service=service(NOON, memory=1 << 29, cpu_percent=12.5, workers=workers))
    scene.see(10, service=Reading(service(NOON).value, failure=NotAvailable("no"), interval=1e9))
    assert scene.values("", "answer_time", 20) == [0.25, None]
    assert scene.values("", "memory", 20) == [1 << 29, None]
    assert scene.values("", "cpu", 20) == [12.5, None]
    assert scene.values("", "processes", 20) == [3, None]


def test_metrics_tell_of_the_time_between_two_readings(scene: Scene) -> None:
    loaded = replace(SERVING, loaded=LoadedDeployment("id-1", "small", "openai/a"))
    found = diagnosis(deployments=(loaded,))
    for at, tokens in ((0.0, 10.0), (30.0, 40.0)):
        metrics = Metrics((DeploymentCounters("id-1", tokens_in=tokens),))
        scene.see(at, found, gateway=Gateway(metrics=Reading(metrics, seen_at=NOON + at)))
        scene.see(at + 5, found, gateway=Gateway(metrics=Reading(metrics, seen_at=NOON + at)))
    assert scene.values("group:small", "tokens_in", 40) == [None, 10, 10, 10]


# --- who records


def test_where_another_process_records_nothing_is_written_and_its_end_is_waited_for(scene: Scene) -> None:
    other = HistoryWriter.open(scene.path)
    assert isinstance(other, HistoryWriter)
    scene.see(0, diagnosis(problem()))
    assert not scene.keeper.writes
    assert scene.keeper.held is not None
    assert scene.events() == []
    other.close(NOON)
    scene.see(5, diagnosis(problem()))
    assert scene.keeper.writes
    assert scene.keeper.held is None
    assert scene.times("problem") == [(0, None)]
