"""The gateway and its unit: does it answer, and what does the unit say of why not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.operation import judge_gateway, judge_service
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.configuration import ConfigError, Configuration
from litellm_tui.model.diagnosis import Verdict
from litellm_tui.model.failures import Failure, Malformed, Unauthorized, Unreachable
from litellm_tui.model.gateway import Gateway
from litellm_tui.model.log import LogRecord
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Obstacle, Service, Worker
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Notice, Traffic
from litellm_tui.services.systemd.unit_state import service_from
from tests.analysis.test_problems import fault
from tests.recorded import VERSIONS

NOW = 1_800_000_000.0
REFUSED = Unreachable("connection refused", kind="refused")
TIMEOUT = Unreachable("no answer within 1.4 s", kind="timeout")


def _service(**more: Any) -> Service:
    given: dict[str, Any] = {"load_state": "loaded", "active_state": "active", "sub_state": "running", "main_pid": 7,
                             "started_at": NOW - 900}  # fmt: skip
    return Service("litellm.service", "user", **(given | more))


def _snapshot(
    failure: Failure | None,
    service: Service | None,
    answered: float | None = NOW - 20,
    notices: tuple[Notice, ...] = (),
    error: ConfigError | None = None,
    answered_at: float | None = None,
    **gateway: Any,
) -> Snapshot:
    alive: Reading[str] = Reading(
        value="alive" if answered is not None else None,
        seen_at=answered,
        failure=failure,
        failing_since=NOW - 15 if failure else None,
        tried_at=NOW - 1,
        took=1.4,
    )
    unit: Reading[Service] = Reading(value=service, seen_at=NOW - 1) if service else Reading(failure=Failure("no bus"))
    return Snapshot(
        taken_at=NOW,
        gateway=Gateway(liveliness=alive, **gateway),
        service=unit,
        configuration=Configuration(error=error),
        traffic=Traffic(notices=notices, answered_at=answered_at),
    )


def _judge(*arguments: Any, **more: Any) -> tuple[Verdict, Verdict]:
    snapshot = _snapshot(*arguments, **more)
    service = judge_service(snapshot, NOW)
    return judge_gateway(snapshot, NOW, service), service


def test_one_that_answers() -> None:
    gateway, service = _judge(None, _service())
    assert (gateway.state, gateway.severity, service.state, service.severity) == ("answering", "ok", "active", "ok")


def test_before_the_first_answer_nothing_is_claimed() -> None:
    gateway, _ = _judge(None, None, answered=None)
    assert (gateway.state, gateway.severity) == ("connecting", "unknown")


@pytest.mark.parametrize(("sent", "word"), [(True, "key refused"), (False, "key needed")])
def test_a_refused_key_is_the_gateways_own_fault(sent: bool, word: str) -> None:
    refused: Reading[Any] = Reading(failure=Unauthorized("HTTP 401", sent=sent), failing_since=NOW - 9)
    gateway, _ = _judge(None, _service(), groups=refused)
    assert (gateway.state, gateway.brief, gateway.since) == (word, word, NOW - 9)
    assert "--key-file" in gateway.do


def test_one_that_connects_and_says_nothing_hangs() -> None:
    gateway, service = _judge(TIMEOUT, _service())
    assert (gateway.state, gateway.since) == ("hanging", NOW - 15)
    assert "process 7" in gateway.reason
    assert service.severity == "ok"


def test_one_that_answers_others_meanwhile_is_overloaded_and_not_to_be_restarted() -> None:
    gateway, _ = _judge(TIMEOUT, _service(), answered_at=NOW - 2)
    assert (gateway.state, gateway.severity, gateway.since) == ("overloaded", "warn", NOW - 15)
    assert "a restart cuts off what it is answering" in gateway.do
    assert [evidence.speaks for evidence in gateway.evidence] == ["against", "for"]


@pytest.mark.parametrize("answered_at", [None, NOW - 3])
def test_an_answer_from_before_it_was_asked_proves_nothing(answered_at: float | None) -> None:
    assert _judge(TIMEOUT, _service(), answered_at=answered_at)[0].state == "hanging"


def test_a_young_process_is_starting_and_one_that_had_answered_is_not() -> None:
    young = _service(started_at=NOW - 10)
    assert _judge(REFUSED, young, answered=NOW - 30)[0].state == "starting"
    assert _judge(REFUSED, young, answered=NOW - 5)[0].state == "down"
    assert _judge(REFUSED, _service(started_at=NOW - 90), answered=None)[0].state == "down"


def test_something_else_on_the_port_is_not_litellm() -> None:
    gateway, _ = _judge(Malformed("HTML"), _service())
    assert gateway.state == "not LiteLLM"
    assert "--url" in gateway.do


def test_a_running_process_that_refuses_may_listen_elsewhere() -> None:
    gateway, _ = _judge(REFUSED, _service())
    assert (gateway.state, gateway.brief) == ("down", "refused")
    assert "names the one it listens on" in gateway.do


def test_without_a_unit_the_advice_is_about_the_address() -> None:
    gateway, service = _judge(REFUSED, None)
    assert service.state == "unknown"
    assert "--url" in gateway.do


@pytest.mark.parametrize(
    ("unit", "state"),
    [
        ({"active_state": "failed", "sub_state": "failed", "result": "signal", "exit_code": "killed",
          "exit_status": 9}, "killed"),
        ({"active_state": "failed", "sub_state": "failed", "result": "oom-kill", "exit_code": "killed"},
         "killed for memory"),
        ({"active_state": "failed", "sub_state": "failed", "result": "exit-code", "exit_code": "exited"}, "failed"),
        ({"active_state": "inactive", "sub_state": "dead", "started_at": None}, "stopped"),
        ({"load_state": "not-found", "active_state": "inactive"}, "not found"),
        ({"active_state": "activating", "sub_state": "auto-restart", "exit_code": "exited", "restarts": 2,
          "started_at": None}, "crash loop"),
        # one death is no loop
        ({"active_state": "activating", "sub_state": "auto-restart", "exit_code": "exited", "result": "exit-code",
          "started_at": None}, "failed"),
    ],
)  # fmt: skip
def test_a_unit_that_is_gone_says_how(unit: dict[str, Any], state: str) -> None:
    gateway, service = _judge(REFUSED, _service(**unit))
    assert (service.state, service.severity) == (state, "bad")
    assert gateway.severity == "bad"
    (problem,) = diagnose(_snapshot(REFUSED, _service(**unit)), NOW).problems
    assert (problem.place.kind, problem.hit) == ("service", "every request fails")


def test_what_systemd_gave_up_on_is_said() -> None:
    unit = _service(active_state="failed", sub_state="failed", result="start-limit-hit", exit_code="exited")
    assert "given up" in _judge(REFUSED, unit)[1].reason


def test_what_was_read_before_the_gateway_fell_silent_explains_nothing() -> None:
    snapshot = _snapshot(REFUSED, _service())
    old = Reading(value=snapshot.service.value, seen_at=NOW - 16)
    assert judge_service(Snapshot(NOW, gateway=snapshot.gateway, service=old), NOW).state == "unknown"


def test_an_answer_while_the_unit_is_stopped_comes_from_something_else() -> None:
    _, service = _judge(None, _service(active_state="inactive", sub_state="dead"))
    assert (service.state, service.severity) == ("not from this unit", "warn")


def test_a_file_that_does_not_parse_is_the_first_thing_to_mend_in_a_loop() -> None:
    unit = _service(active_state="activating", sub_state="auto-restart", exit_code="exited", started_at=None)
    _, service = _judge(REFUSED, unit, error=ConfigError("config.yaml", "expected ]", 3, 1))
    assert service.state == "crash loop"
    assert "config.yaml:3:1" in service.do


def test_an_address_in_use_is_the_cause_until_it_answers_again() -> None:
    taken = (Notice("port taken", "127.0.0.1', 4000", NOW - 12, NOW - 12),)
    assert _judge(REFUSED, _service(started_at=NOW - 14), notices=taken)[1].state == "port taken"
    assert _judge(Malformed("HTML"), _service(started_at=NOW - 14), notices=taken)[1].state == "port taken"
    assert _judge(None, _service(started_at=NOW - 5), answered=NOW - 1, notices=taken)[1].state == "active"
    # of an earlier process, and the gateway answered since
    assert _judge(REFUSED, _service(started_at=NOW - 5), answered=NOW - 11, notices=taken)[1].state == "active"


def test_a_process_that_systemd_had_to_start_again_is_worth_a_word_for_a_while() -> None:
    assert _judge(None, _service(restarts=1, started_at=NOW - 60), answered=NOW - 1)[1].state == "restarted"
    assert _judge(None, _service(restarts=1, started_at=NOW - 700), answered=NOW - 1)[1].state == "active"


def test_what_the_start_fails_on_is_the_cause_and_the_step() -> None:
    gone = Obstacle("EnvironmentFile missing", "/etc/a.env is not there", "put /etc/a.env back", "/etc/a.env")
    waits = {"active_state": "activating", "sub_state": "auto-restart", "started_at": None, "obstacles": (gone,)}
    for unit in (
        _service(**waits, result="resources"),
        _service(**waits, exit_code="exited", exit_status=203, restarts=3),
    ):
        gateway, service = _judge(REFUSED, unit)
        assert service.brief == "EnvironmentFile missing"
        assert "/etc/a.env is not there" in service.reason
        assert gateway.do == "put /etc/a.env back"
    stopped = _judge(REFUSED, _service(active_state="inactive", sub_state="dead", main_pid=0, obstacles=(gone,)))[1]
    assert stopped.state == "stopped"
    assert "would not start: /etc/a.env is not there" in stopped.reason


def test_workers_that_ended_are_told_while_the_others_serve() -> None:
    workers = (Worker(8, 2 << 20, NOW - 900), Worker(9, 2 << 20, NOW - 30))
    lost = _judge(None, _service(workers=workers, lost=(NOW - 700, NOW - 31)), answered=NOW - 1)[1]
    assert (lost.state, lost.severity, lost.since) == ("worker lost", "warn", NOW - 31)
    assert "1 worker ended" in lost.reason
    assert "2 workers now" in lost.reason
    killed = _judge(None, _service(workers=workers, oom_kills=2), answered=NOW - 1)[1]
    assert killed.brief == "worker out of memory"
    assert _judge(None, _service(workers=workers, lost=(NOW - 700,)), answered=NOW - 1)[1].state == "active"


@pytest.mark.parametrize(("front", "status", "step"), [
    ("nginx, 502", 502, "see whether LiteLLM runs"),
    ("a reverse proxy, 302 to https://sso.example.org", 302, "without a login"),
    ("nginx, 200, the page 'Sign in'", 200, "without a login"),
])  # fmt: skip
def test_what_answers_in_litellms_place_is_named_and_is_not_called_another_program(
    front: str, status: int, step: str
) -> None:
    answer = Malformed(f"something in front of LiteLLM answers: {front}", status=status, front=front)
    gateway, _ = _judge(answer, _service())
    assert (gateway.state, gateway.severity) == ("proxy answers", "bad")
    assert front in gateway.reason
    assert step in gateway.do
    assert "--url" in gateway.do
    # the health check passes the proxy, and what needs a key does not
    behind, _ = _judge(None, _service(), answered=NOW - 1, groups=Reading(failure=answer, tried_at=NOW - 1))
    assert behind.state == "proxy answers"


def test_a_dead_unit_behind_a_proxy_is_the_step() -> None:
    answer = Malformed("something in front of LiteLLM answers: nginx, 502", status=502, front="nginx, 502")
    gone = Obstacle("EnvironmentFile missing", "/etc/a.env is not there", "put /etc/a.env back", "/etc/a.env")
    unit = _service(active_state="activating", sub_state="auto-restart", result="resources", obstacles=(gone,))
    assert _judge(answer, unit)[0].do.startswith("put /etc/a.env back")


@pytest.mark.parametrize("answer", [REFUSED, Malformed("HTTP 404: is this LiteLLM?", status=404)])
def test_a_port_that_moved_is_said_with_the_new_one(answer: Failure) -> None:
    assert "listens on port 4017" in _judge(answer, _service(ports=(4017,)))[0].do
    assert "listens on port" not in _judge(answer, _service())[0].do
    # also while it is young; and it is not another one when it is the one that is asked
    young = _service(ports=(4017,), started_at=NOW - 3)
    assert "listens on port 4017" in _judge(answer, young, answered=None)[0].do
    asked = replace(_snapshot(answer, young, answered=None), address="127.0.0.1:4017")
    assert "listens on port" not in judge_gateway(asked, NOW, judge_service(asked, NOW)).do


# --- recorded units -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("key", "state"), [("killed", "killed"), ("crash-loop", "crash loop"), ("port", "port taken")])
def test_the_units_of_recorded_faults_are_named(version: str, key: str, state: str) -> None:
    recorded = fault(version, key)
    store, counter = LogStore(), TrafficCounter()
    intake = LogIntake(store, Redactor(), counter)
    intake.add_entries([
        Entry(NOW - 5, line["MESSAGE"], int(line.get("PRIORITY", 6)), 7, line.get("SYSLOG_IDENTIFIER", ""))
        for line in recorded["journal"]["json"]
    ])  # fmt: skip
    unit = service_from(recorded["unit"] | {"Id": "litellm.service", "LoadState": "loaded"}, "litellm.service", "user",
                        NOW)  # fmt: skip
    snapshot = _snapshot(REFUSED, unit, answered=NOW - 20)
    snapshot = Snapshot(
        NOW, gateway=snapshot.gateway, service=snapshot.service, traffic=counter.traffic(NOW, store.get)
    )
    (problem,) = diagnose(snapshot, NOW).problems
    assert (problem.place.kind, problem.cause) == ("service", state)


def _told(failure: Failure | None) -> Reading[str]:
    return Reading(value=None if failure else "HTTP 200", failure=failure, tried_at=NOW - 1, failing_since=NOW - 9)


def test_a_health_url_that_fails_beside_a_gateway_that_answers_is_a_problem_of_its_own() -> None:
    diagnosis = diagnose(_snapshot(None, _service(), health_url=_told(REFUSED)), NOW)
    assert diagnosis.gateway.state == "answering"
    (problem,) = [found for found in diagnosis.problems if found.key == "gateway:health_url"]
    assert (problem.severity, problem.since) == ("warn", NOW - 9)
    assert "connection refused" in problem.reason
    assert "takes the gateway for dead" in problem.hit


def test_a_health_url_that_answers_for_a_dead_gateway_is_a_contradiction() -> None:
    diagnosis = diagnose(_snapshot(REFUSED, _service(), health_url=_told(None)), NOW)
    assert diagnosis.gateway.state == "down"
    assert "answers all the same" in diagnosis.gateway.contradiction
    assert not [found for found in diagnosis.problems if found.key == "gateway:health_url"]


def test_without_a_health_url_nothing_is_said_of_one() -> None:
    diagnosis = diagnose(_snapshot(None, _service()), NOW)
    assert "health URL" not in str(diagnosis)


def test_an_address_in_use_is_no_cause_of_a_run_that_ended_otherwise() -> None:
    unit = _service(
        active_state="activating", sub_state="auto-restart", exit_code="exited", exit_status=3, started_at=None
    )
    taken = (Notice("port taken", "127.0.0.1', 4000", NOW - 30, NOW - 30),)
    ends = [
        LogRecord(n, NOW - 25 + 10 * n, "INFO", "systemd", "litellm.service: Main process exited, code=exited")
        for n in (0, 1)
    ]
    words = LogRecord(2, NOW - 16, "ERROR", "stdout", "ImportError: Could not import handler from hooks")

    def state(*records: LogRecord) -> str:
        snapshot = replace(_snapshot(REFUSED, unit, answered=NOW - 90, notices=taken), last_records=records)
        return judge_service(snapshot, NOW).brief

    assert state(ends[0]) == "port taken"
    assert state(ends[0], words, ends[1]) == "module file missing"
