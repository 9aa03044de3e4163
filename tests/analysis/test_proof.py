"""The proof of a restart: each check waits for what was seen after it, and says what failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from litellm_tui.actions.transaction.messages import sentence
from litellm_tui.analysis.change.proof import (
    CACHED_SECONDS,
    STEADY_SECONDS,
    CheckName,
    ExpectedProcess,
    ProofCheck,
    ProofState,
    is_new_process,
    prove,
    why_unproved,
)
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.configuration import ConfigFile, Configuration
from litellm_tui.model.database import Database
from litellm_tui.model.failures import Failure, NotAvailable, Unauthorized, Unreachable
from litellm_tui.model.gateway import CachePing, Gateway, Readiness
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Notice, Traffic
from tests.recorded import file_deployment, loaded_deployment, made_file

ORDERED = 1_800_000_000.0
STARTED = ORDERED + 1
ANSWERED = ORDERED + 9
NOW = ANSWERED + STEADY_SECONDS + 1
BEFORE = ExpectedProcess(ORDERED, invocation="old", main_pid=7, loaded=2, cached=True)
AFTER = msgspec.structs.replace(BEFORE, carried_out_at=STARTED, first_pid=8, answered_at=ANSWERED)
REFUSED = Unreachable("connection refused", kind="refused")


def read(value: Any, seen_at: float = NOW - 1, failure: Failure | None = None) -> Reading[Any]:
    """Tried a second ago; the value may be older."""
    return Reading(value=value, seen_at=seen_at, tried_at=NOW - 1, failure=failure, interval=15.0)


def unit(**more: Any) -> Service:
    given: dict[str, Any] = {"load_state": "loaded", "active_state": "active", "sub_state": "running", "main_pid": 8,
                             "started_at": STARTED, "invocation": "new"}  # fmt: skip
    return Service("litellm.service", "user", **(given | more))


def file(*models: str, cache: bool = True) -> ConfigFile:
    """Older than the process, with a group `one` and a group `two`."""
    entries = tuple(file_deployment(name, f"openai/{name}") for name in models or ("one", "two"))
    made = made_file(litellm_settings={"cache": cache, "cache_params": {"type": "redis"}})
    return msgspec.structs.replace(made, deployments=entries)


PROVED: dict[str, Reading[Any]] = {
    "liveliness": read("alive"),
    "readiness": read(Readiness("healthy", version="1.106.2")),
    "groups": read(("one", "two")),
    "deployments": read((loaded_deployment("one", "openai/one"), loaded_deployment("two", "openai/two"))),
    "cache_ping": read(CachePing("healthy", "redis", True)),
}


def seen(service: Service | Reading[Service] | None = None, file: ConfigFile | None = file(), **more: Any) -> Snapshot:  # noqa: B008
    """A gateway of which all is proved, but for what is given: readings, `notices`, `probes`."""
    notices, probes = more.pop("notices", ()), more.pop("probes", ())
    return Snapshot(
        taken_at=NOW,
        gateway=Gateway(**(PROVED | more)),
        service=service if isinstance(service, Reading) else read(service or unit()),
        configuration=Configuration(path="config.yaml", current=file, checked_at=NOW),
        traffic=Traffic(notices=notices),
        probes=probes,
    )


def proof(snapshot: Snapshot, expected: ExpectedProcess = AFTER, now: float = NOW) -> dict[CheckName, ProofCheck]:
    return {check.name: check for check in prove(snapshot, diagnose(snapshot, now), expected, now)}


def check(
    name: CheckName, snapshot: Snapshot, expected: ExpectedProcess = AFTER, now: float = NOW
) -> tuple[ProofState, str]:
    found = proof(snapshot, expected, now)[name]
    return found.state, found.text


def test_all_that_was_expected_is_a_proof() -> None:
    found = proof(seen())
    assert {name: one.state for name, one in found.items()} == dict.fromkeys(found, "ok")
    assert list(found) == ["unit", "answers", "ready", "deployments", "cache", "log", "probes", "steady"]
    assert found["deployments"].text == "2 of 2 deployments loaded"
    assert why_unproved(tuple(found.values())) == ""


def test_what_failed_is_the_cause_before_what_is_waited_for() -> None:
    waiting, failed = ProofCheck("ready", "waiting", "it does not say so"), ProofCheck("cache", "failed", "gone")
    assert why_unproved((waiting, ProofCheck("unit", "ok"))) == "it does not say so"
    assert why_unproved((waiting, failed)) == "gone"
    assert why_unproved((ProofCheck("unit", "not known", "no bus"),)) == ""


# --- the unit -----------------------------------------------------------------------------------------------------


def test_the_process_before_is_no_proof() -> None:
    old = seen(unit(main_pid=7, invocation="old", started_at=ORDERED - 900))
    assert not is_new_process(old.service.value, AFTER)
    assert check("unit", old)[0] == "waiting"
    # and what answers meanwhile is that one
    assert list(proof(old)) == ["unit", "answers"]


@pytest.mark.parametrize("at", [ORDERED - 1, STARTED - 0.5])
def test_a_unit_that_was_seen_before_the_order_was_carried_out_is_looked_at_again(at: float) -> None:
    broken = unit(active_state="activating", sub_state="auto-restart", main_pid=0)
    assert check("unit", seen(read(broken, at))) == ("waiting", "the unit was not looked at yet")


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({"active_state": "failed", "sub_state": "failed", "result": "exit-code", "exit_code": "exited",
          "exit_status": 3}, "exit-code, status 3"),
        ({"active_state": "activating", "sub_state": "auto-restart", "main_pid": 0, "result": "signal",
          "exit_code": "killed", "exit_status": 9}, "killed by SIGKILL"),
        ({"load_state": "not-found", "active_state": "inactive", "sub_state": "dead", "main_pid": 0}, "not there"),
        ({"main_pid": 9}, "started again"),
    ],
)  # fmt: skip
def test_a_unit_that_does_not_stay_up_fails_with_its_end(service: dict[str, Any], words: str) -> None:
    state, text = check("unit", seen(unit(**service), liveliness=read("alive", ORDERED - 1, REFUSED)))
    assert state == "failed"
    assert words in text
    assert text.count("litellm.service") == 1


def test_how_often_systemd_has_started_it_before_says_nothing() -> None:
    # it goes on counting when a unit is restarted while it waits for its next start
    silent = read("alive", ORDERED - 60, REFUSED)
    assert check("unit", seen(unit(restarts=5), liveliness=silent))[0] == "ok"


def test_a_kind_that_cannot_tell_two_processes_apart_is_judged_by_what_it_answers() -> None:
    custom = unit(main_pid=0, invocation="", started_at=None, restarts=None)
    expected = ExpectedProcess(ORDERED, carried_out_at=STARTED + 3, answered_at=ANSWERED)
    found = proof(seen(custom), expected)
    assert found["unit"].state == "not known"
    assert why_unproved(tuple(found.values())) == ""
    # while the order was being carried out, the one before may have answered
    assert check("answers", seen(custom, liveliness=read("alive", STARTED + 2)), expected)[0] == "waiting"


def test_a_process_of_another_machine_has_no_number_here_and_is_known_by_its_run() -> None:
    before = msgspec.structs.replace(BEFORE, invocation="abc 02:14", main_pid=0)
    after = msgspec.structs.replace(before, carried_out_at=STARTED, first_run="abc 02:20", answered_at=ANSWERED)
    far = unit(main_pid=0, invocation="abc 02:20")
    assert is_new_process(far, before)
    assert why_unproved(tuple(proof(seen(far), after).values())) == ""
    assert not is_new_process(unit(main_pid=0, invocation="abc 02:14"), before)
    stopped = unit(main_pid=0, invocation="abc 02:20", active_state="inactive", sub_state="dead")
    assert not is_new_process(stopped, before)
    assert "had to be started again" in check("unit", seen(unit(main_pid=0, invocation="abc 02:21")), after)[1]


def test_a_port_that_was_taken_before_the_restart_may_be_free_now() -> None:
    silent = read("alive", ORDERED - 60, REFUSED)
    old = (Notice("port taken", "127.0.0.1:4000", ORDERED - 30, ORDERED - 20),)
    assert check("unit", seen(liveliness=silent, notices=old))[0] == "ok"
    now = (Notice("port taken", "127.0.0.1:4000", ORDERED + 4, ORDERED + 4),)
    state, text = check("unit", seen(liveliness=silent, notices=now))
    assert (state, "127.0.0.1:4000" in text) == ("failed", True)


def test_a_service_that_cannot_be_looked_at_is_judged_by_its_answers() -> None:
    found = proof(seen(Reading(failure=Failure("no bus"), tried_at=NOW)))
    assert (found["unit"].state, found["unit"].text) == ("not known", "no bus")
    assert found["answers"].state == "ok"
    assert why_unproved(tuple(found.values())) == ""


@pytest.mark.parametrize(
    ("active", "sub", "words"),
    [("inactive", "dead", "is stopped"), ("activating", "start-pre", "is activating (start-pre)")],
)
def test_a_unit_in_between_is_waited_for(active: str, sub: str, words: str) -> None:
    state, text = check("unit", seen(unit(active_state=active, sub_state=sub, main_pid=0)))
    assert (state, text) == ("waiting", f"litellm.service {words}")


# --- what it answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [read("alive", STARTED - 0.5), read("alive", NOW - 3, REFUSED), Reading()])
def test_an_answer_of_before_or_none_is_waited_for(answer: Reading[str]) -> None:
    assert check("answers", seen(liveliness=answer))[0] == "waiting"


@pytest.mark.parametrize("name", ["readiness", "deployments"])
def test_what_was_read_of_the_process_before_is_waited_for(name: str) -> None:
    stale = msgspec.structs.replace(PROVED[name], seen_at=STARTED - 1)
    which: CheckName = "ready" if name == "readiness" else "deployments"
    more: dict[str, Any] = {name: stale}
    assert check(which, seen(**more))[0] == "waiting"


def test_a_deployment_that_is_missing_is_named() -> None:
    one = read((loaded_deployment("one", "openai/one"),))
    assert check("deployments", seen(deployments=one)) == (
        "failed", "1 of 2 loaded, without two (openai/two)"
    )  # fmt: skip
    many = file("one", "a", "b", "c", "d")
    assert check("deployments", seen(file=many, deployments=one))[1].endswith("c (openai/c) and 1 more")


def test_what_was_added_to_the_file_after_the_start_is_not_missed() -> None:
    younger = msgspec.structs.replace(file("one", "two", "three"), modified_at=STARTED + 2)
    assert check("deployments", seen(file=younger))[0] == "ok"


def test_nothing_loaded_is_a_failure_where_something_was() -> None:
    empty = msgspec.structs.replace(file(), deployments=())
    none: Reading[Any] = read(())
    state, text = check("deployments", seen(file=empty, deployments=none))
    assert state == "failed"
    assert "loaded nothing; 2 were before" in text
    nothing_before = msgspec.structs.replace(AFTER, loaded=0)
    assert check("deployments", seen(file=empty, deployments=none), nothing_before)[0] == "ok"


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (Unauthorized("HTTP 401", sent=True), "failed"),
        (NotAvailable("it is switched off"), "not known"),
        (Unreachable("no answer within 5 s", kind="timeout"), "waiting"),
    ],
)
def test_deployments_that_are_not_shown(failure: Failure, state: ProofState) -> None:
    found = check("deployments", seen(deployments=read(None, 0.0, failure)))
    assert found[0] == state
    assert failure.why in found[1]


def test_a_key_that_the_process_before_refused_may_be_right_now() -> None:
    refused = Unauthorized("HTTP 401", sent=True)
    old: Reading[Any] = Reading(failure=refused, tried_at=ORDERED - 3, interval=15.0)
    assert check("deployments", seen(groups=old, deployments=old))[0] == "waiting"
    # the groups are what a key is tried with
    assert check("deployments", seen(groups=read(None, 0.0, refused), deployments=Reading()))[0] == "failed"


def test_without_the_file_the_number_alone_is_told() -> None:
    state, text = check("deployments", seen(file=None))
    assert (state, text) == ("not known", "2 deployments loaded; the file is not known")


# --- cache, log, probes, time --------------------------------------------------------------------------------------


def test_a_cache_whose_ping_gets_no_answer_is_not_waited_for_for_ever() -> None:
    silent = read(None, 0.0, Unreachable("no answer within 4 s", kind="timeout"))
    assert check("cache", seen(cache_ping=silent), now=ANSWERED + CACHED_SECONDS - 1)[0] == "waiting"
    state, text = check("cache", seen(cache_ping=silent), now=ANSWERED + CACHED_SECONDS + 1)
    assert state == "failed"
    assert "no answer within 4 s" in text


def test_a_cache_that_was_healthy_must_be_so_again() -> None:
    gone = read(CachePing("unhealthy", "redis", False, error="connection refused"))
    assert check("cache", seen(cache_ping=gone), now=ANSWERED + CACHED_SECONDS - 1)[0] == "waiting"
    state, text = check("cache", seen(cache_ping=gone), now=ANSWERED + CACHED_SECONDS + 1)
    assert state == "failed"
    assert "healthy before" in text
    old: Reading[Any] = Reading(value=CachePing("healthy", "redis", True), seen_at=STARTED - 1, tried_at=STARTED - 1)
    assert check("cache", seen(cache_ping=old))[0] == "waiting"


@pytest.mark.parametrize(("expected", "cached"), [(msgspec.structs.replace(AFTER, cached=False), True), (AFTER, False)])
def test_a_cache_that_was_not_healthy_or_is_not_wanted_is_not_asked_for(
    expected: ExpectedProcess, cached: bool
) -> None:
    gone = read(CachePing("unhealthy", "redis", False, error="connection refused"))
    assert check("cache", seen(file=file(cache=cached), cache_ping=gone), expected)[0] == "ok"


def test_a_model_that_was_dropped_at_this_start_is_found_in_the_log() -> None:
    before = Notice("dropped", "two", ORDERED - 500, ORDERED - 500)
    assert check("log", seen(notices=(before,)))[0] == "ok"
    now = Notice("dropped", "two", ORDERED - 500, STARTED + 4, 2)
    state, text = check("log", seen(notices=(now,)))
    assert state == "failed"
    assert "dropped two" in text


def probe(group: str, ok: bool, at: float = ANSWERED + 1, **more: Any) -> ProbeResult:
    return ProbeResult(f"id-{group}-{ok}", group, f"openai/{group}", ok, at, **more)


@pytest.mark.parametrize(
    ("probes", "state", "words"),
    [
        ((), "waiting", "one was not asked yet"),
        ((probe("one", True, ORDERED - 5),), "waiting", "one was not asked yet"),
        ((probe("one", True),), "ok", "one answered"),
        ((probe("one", False, error="boom\nstack"), probe("one", True)), "ok", "one answered"),
        ((probe("one", False, error="boom\nstack"),), "failed", "a probe of one failed: boom"),
        # nothing was said
        ((probe("one", False, status=500),), "failed", "a probe of one failed: status 500"),
        # what no probe can be made of does not speak against it
        ((probe("one", False, skipped="image"),), "ok", "one answered"),
    ],
)
def test_a_group_that_is_to_be_probed(probes: tuple[ProbeResult, ...], state: ProofState, words: str) -> None:
    wanted = msgspec.structs.replace(AFTER, probes=("one",))
    assert check("probes", seen(probes=probes), wanted) == (state, words)


def test_a_group_that_cannot_be_probed_for_it_is_not_there() -> None:
    wanted = msgspec.structs.replace(AFTER, probes=("one", "ghost"))
    state, text = check("probes", seen(probes=(probe("one", True),)), wanted)
    assert (state, text) == ("failed", "ghost is to be probed, and no deployment of it is loaded")


def steady(at: float | None, now: float) -> ProofState:
    return check("steady", seen(), msgspec.structs.replace(AFTER, answered_at=at), now)[0]


def test_it_must_go_on_to_answer_for_a_while() -> None:
    assert steady(None, NOW) == "waiting"
    assert steady(ANSWERED, ANSWERED + STEADY_SECONDS - 0.1) == "waiting"
    assert steady(ANSWERED, ANSWERED + STEADY_SECONDS + 0.1) == "ok"


FLAWS: dict[str, Callable[[], Snapshot]] = {
    "unit": lambda: seen(unit(active_state="failed", sub_state="failed")),
    "deployments": lambda: seen(deployments=read((loaded_deployment("one", "openai/one"),))),
    "log": lambda: seen(notices=(Notice("dropped", "two", NOW - 1, NOW - 1),)),
}


@pytest.mark.parametrize("name", FLAWS)
def test_one_failure_is_enough(name: str) -> None:
    snapshot = FLAWS[name]()
    checks = prove(snapshot, diagnose(snapshot, NOW), AFTER, NOW)
    assert [one.name for one in checks if one.state == "failed"] == [name]
    assert why_unproved(checks) == next(one.text for one in checks if one.state == "failed")


# --- the database -------------------------------------------------------------------------------------------------

WITH_DATABASE = msgspec.structs.replace(AFTER, connected=True)


def _said(db: str, *, seen_at: float = NOW - 1, ready: bool = True) -> Snapshot:
    found = seen(readiness=read(Readiness("healthy", db=db, version="1.106.2", ready=ready), seen_at))
    return msgspec.structs.replace(found, database=Database(configured=True, source="DATABASE_URL"))


def test_the_database_that_was_connected_before_is_connected_again() -> None:
    assert check("database", _said("connected"), WITH_DATABASE) == ("ok", "database connected")
    assert "database" not in proof(_said("connected"))
    checks = prove(_said("connected"), diagnose(_said("connected"), NOW), WITH_DATABASE, NOW)
    assert sentence(checks, "applied") == "applied; 2 of 2 deployments loaded; database connected"


def test_what_readiness_said_before_the_restart_is_waited_for() -> None:
    assert check("database", _said("connected", seen_at=STARTED - 1), WITH_DATABASE)[0] == "waiting"


def test_a_database_that_does_not_come_back_fails_the_restart_after_a_while() -> None:
    soon, late = ANSWERED + CACHED_SECONDS - 1, ANSWERED + CACHED_SECONDS + 1
    assert check("database", _said("disconnected"), WITH_DATABASE, soon)[0] == "waiting"
    state, text = check("database", _said("disconnected"), WITH_DATABASE, late)
    assert state == "failed"
    assert "was connected before, and is lost" in text


def test_a_configuration_without_a_database_wants_none() -> None:
    none = msgspec.structs.replace(_said("Not connected"), database=Database(configured=False))
    assert check("database", none, WITH_DATABASE) == ("ok", "none is wanted")


def test_a_readiness_of_503_is_no_readiness_and_names_the_database() -> None:
    state, text = check("ready", _said("disconnected", ready=False))
    assert state == "waiting"
    assert text.endswith("its database is disconnected")
