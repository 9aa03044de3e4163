"""Every word for the database, from what LiteLLM's readiness and Postgres say of it.

The bodies are what `health_readiness` of 1.77.7 and 1.106.2 answered with a stand-in for Prisma's client: LiteLLM's own
client cannot be had without its engine.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.change.preflight import preflight_checks
from litellm_tui.analysis.health.database import LONGEST_MIGRATION, judge_database
from litellm_tui.analysis.health.database_report import figures
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.phases import check_phases
from litellm_tui.collectors.gateway import client
from litellm_tui.collectors.postgres import TABLES
from litellm_tui.commands.status_document import exit_status
from litellm_tui.model.configuration import Configuration
from litellm_tui.model.database import Database, Migration, PostgresAnswer, Refused
from litellm_tui.model.diagnosis import Diagnosis, Verdict
from litellm_tui.model.failures import Crashed, Failure, Malformed, Unauthorized, Unreachable
from litellm_tui.model.gateway import Gateway, Readiness
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Failures, FailureTally, Subject
from tests.recorded import file_deployment, loaded_deployment, made_file

NOW = 1_800_000_000.0
OLD = b'"cache":null,"litellm_version":"1.77.7","success_callbacks":[],"use_aiohttp_transport":true}'
SAID: dict[str, tuple[int, bytes]] = {
    "none": (200, b'{"status":"healthy","db":"Not connected"}'),
    "connected": (200, b'{"status":"healthy","db":"connected"}'),
    "disconnected": (503, b'{"status":"healthy","db":"disconnected"}'),
    "disconnected, tolerated": (200, b'{"status":"healthy","db":"disconnected"}'),
    "stalled": (503, b'{"status":"healthy","db":"stalled"}'),
    "shutting down": (503, b'{"status":"shutting_down"}'),
    "1.77 none": (200, b'{"status":"healthy","db":"Not connected",' + OLD),
    "1.77 connected": (200, b'{"status":"connected","db":"connected",' + OLD),
    "1.77 refused": (503, b'{"detail":"Service Unhealthy (All connection attempts failed)"}'),
    "1.77 tolerated": (200, b'{"status":"unknown","db":"connected",' + OLD),
}
ANSWER = PostgresAnswer("15.18", 0.004, used=12, most=97, own=10)
GIVEN = Database(configured=True, source="DATABASE_URL", place="127.0.0.1:5432", local=True)
REFUSED = Unreachable("Postgres at 127.0.0.1:5432 refuses the connection", kind="refused")


def read(value: Any, age: float = 1.0) -> Reading[Any]:
    return Reading(value=value, seen_at=NOW - age, tried_at=NOW - age, interval=15.0)


def readiness(said: str) -> Any:
    found = client.READINESS.decode(*SAID[said])
    assert isinstance(found, Readiness)
    return found


def failing(failure: Failure, since: float = 5.0, answered: bool = False) -> Reading[Any]:
    seen = NOW - 100 if answered else None
    return Reading(
        value=ANSWER if answered else None, seen_at=seen, failure=failure, failing_since=NOW - since, tried_at=NOW - 1
    )


def seen(said: str, database: Database = GIVEN, answer: Reading[Any] | None = None, age: float = 1.0) -> Snapshot:
    """A gateway with one model that answers, whose readiness said this."""
    gateway = Gateway(
        liveliness=read("alive"),
        readiness=read(readiness(said), age) if said else Reading(),
        groups=read(("one",)),
        deployments=read((loaded_deployment("one", "openai/one"),)),
    )
    database = msgspec.structs.replace(database, answer=answer) if answer is not None else database
    file = msgspec.structs.replace(made_file(), deployments=(file_deployment("one", "openai/one"),))
    configuration = Configuration("config.yaml", file, checked_at=NOW)
    return Snapshot(taken_at=NOW, gateway=gateway, configuration=configuration, database=database)


def down(snapshot: Snapshot) -> Snapshot:
    refused: Reading[str] = Reading(failure=Unreachable("refused", kind="refused"), failing_since=NOW - 9, tried_at=NOW)
    return msgspec.structs.replace(snapshot, gateway=Gateway(liveliness=refused))


def judge(*given: Any, **more: Any) -> Verdict:
    return judge_database(seen(*given, **more), NOW)


def thought(*given: Any, **more: Any) -> Diagnosis:
    return diagnose(seen(*given, **more), NOW)


def words(diagnosis: Diagnosis) -> list[str]:
    return [part.text for part in diagnosis.headline.parts]


# --- without one ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["none", "1.77 none"])
def test_a_gateway_without_a_database_is_as_calm_as_before(said: str) -> None:
    found = thought(said, Database(configured=False))
    assert (found.database.state, found.database.severity) == ("off", "quiet")
    assert not [problem for problem in found.problems if problem.place.kind == "database"]
    assert not any("database" in text for text in words(found))
    assert not any("atabase" in spot.what for spot in found.blind_spots)
    assert not any(looked.what == "Postgres" for looked in found.looked)
    snapshot = seen(said, Database(configured=False))
    (phase,) = [p for p in check_phases(snapshot, found, NOW, 10) if p.name == "database"]
    assert phase.outcome == "ok"
    assert not [check for check in preflight_checks(snapshot, found) if check.name == "database"]


def test_where_nothing_says_whether_there_is_one_nothing_is_claimed() -> None:
    found = thought("", Database())
    assert (found.database.state, found.database.severity) == ("unknown", "quiet")
    assert not any("database" in text for text in words(found))
    assert judge("shutting down", Database()).severity == "quiet"


def test_one_that_only_the_saved_file_names_comes_with_a_restart() -> None:
    found = judge("none", msgspec.structs.replace(GIVEN, configured=False, pending=True))
    assert (found.state, found.severity, found.pending) == ("off", "quiet", True)
    assert "restart" in found.do


def test_one_that_only_a_newer_environment_file_names_comes_with_a_restart_too() -> None:
    """LiteLLM ends its start without a database that it was given; unless that is tolerated, it was not given this."""
    newer = msgspec.structs.replace(GIVEN, newer=True)
    assert (judge("none", newer).state, judge("none", newer).pending) == ("off", True)
    assert judge("disconnected", newer).state == "lost"
    assert judge("connected", newer).state == "connected"
    assert judge("none", msgspec.structs.replace(newer, tolerated=True)).state == "lost"


# --- LiteLLM's own word --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "word", "severity"),
    [
        ("connected", "connected", "ok"),
        ("1.77 connected", "connected", "ok"),
        ("disconnected", "lost", "bad"),
        ("disconnected, tolerated", "lost", "bad"),
        ("1.77 refused", "lost", "bad"),
        ("1.77 tolerated", "lost", "bad"),
        ("none", "lost", "bad"),
        ("1.77 none", "lost", "bad"),
        ("stalled", "slow", "warn"),
    ],
)
def test_readiness_alone_has_a_word_for_it(said: str, word: str, severity: str) -> None:
    found = judge(said)
    assert (found.state, found.severity) == (word, severity)
    assert bool(found.do) == (severity != "ok")


@pytest.mark.parametrize("said", ["none", "disconnected", "1.77 refused", "1.77 tolerated", "disconnected, tolerated"])
def test_a_lost_database_is_never_all_well(said: str) -> None:
    found = thought(said)
    assert exit_status(found) == 2
    assert found.headline.word == "DEGRADED"
    assert "database lost" in words(found)
    (problem,) = [problem for problem in found.problems if problem.place.kind == "database"]
    assert "virtual keys are refused" in problem.hit


def test_litellms_own_words_stand_in_the_reason() -> None:
    assert "All connection attempts failed" in judge("1.77 refused").reason
    assert "readiness says disconnected" in judge("disconnected").reason


def test_a_database_that_only_readiness_tells_of_is_known_too() -> None:
    assert judge("disconnected", Database(configured=False)).state == "lost"
    found = thought("connected", Database())
    assert found.database.state == "connected"
    assert any("address is not known" in spot.what for spot in found.blind_spots)


def test_where_requests_are_let_through_without_it_the_words_are_others() -> None:
    found = thought("disconnected, tolerated", msgspec.structs.replace(GIVEN, tolerated=True))
    assert (found.database.state, found.database.severity) == ("lost", "warn")
    (problem,) = [problem for problem in found.problems if problem.place.kind == "database"]
    assert "every key is let in" in problem.hit
    assert exit_status(found) == 1


# --- both sources --------------------------------------------------------------------------------------------------


def test_both_agree_that_it_is_well() -> None:
    found = judge("connected", answer=read(ANSWER))
    assert (found.state, found.severity, found.contradiction) == ("connected", "ok", "")
    assert "Postgres 15.18 answers in < 10 ms" in found.reason
    snapshot = seen("connected", answer=read(ANSWER))
    (phase,) = [p for p in check_phases(snapshot, diagnose(snapshot, NOW), NOW, 10) if p.name == "database"]
    assert phase.outcome == "ok"
    assert "12 of 97 connections, 10 of LiteLLM's role" in phase.text


@pytest.mark.parametrize("said", ["disconnected", "none"])
def test_one_that_litellm_has_lost_while_postgres_answers_is_mended_by_a_restart(said: str) -> None:
    found = judge(said, answer=read(ANSWER))
    assert (found.state, found.severity) == ("lost", "bad")
    assert "Postgres itself answers" in found.contradiction
    assert "R connects it" in found.do
    snapshot = seen(said, answer=read(ANSWER))
    checks = [c for c in preflight_checks(snapshot, diagnose(snapshot, NOW)) if c.name == "database"]
    assert [check.state for check in checks] == ["note"]


@pytest.mark.parametrize(
    ("failure", "word", "brief"),
    [
        (REFUSED, "refuses", "Postgres refuses"),
        (Unreachable("slow", kind="timeout"), "no answer", "Postgres hangs"),
        (Refused("no", code="28P01"), "refuses", "password refused"),
        (Refused("no", code="3D000"), "refuses", "no such database"),
        (Refused("no", code="57P03"), "refuses", "not ready"),
        (Refused("no", code="53300"), "out of connections", "no connection left"),
        (Refused("no", code="53100"), "refuses", "no room"),
        (Refused("no", code="42501"), "refuses", "no right"),
        (Refused("no", code="XX000"), "refuses", "Postgres refuses"),
        (Malformed("what?"), "refuses", "not Postgres"),
    ],
)
def test_why_postgres_does_not_serve_it(failure: Failure, word: str, brief: str) -> None:
    found = judge("disconnected", answer=failing(failure))
    assert (found.state, found.brief, found.severity) == (word, brief, "bad")
    assert failure.why in found.reason
    assert "readiness says disconnected" in found.reason
    assert found.do
    assert found.since == NOW - 5


def test_what_litellm_repeats_does_not_hide_that_postgres_is_down() -> None:
    found = judge("1.77 connected", answer=failing(REFUSED, since=60))
    assert (found.state, found.severity) == ("refuses", "bad")
    assert "readiness says connected, which LiteLLM may repeat for 2 min" in found.contradiction
    assert judge("connected", answer=failing(REFUSED, since=10)).state == "refuses"


def test_litellms_word_counts_once_it_cannot_be_an_old_one() -> None:
    """Readiness was asked anew long after Postgres began to refuse the console."""
    password = Refused("password authentication failed", code="28P01")
    found = judge("connected", answer=failing(password, since=600))
    assert (found.state, found.severity, found.brief) == ("connected", "warn", "password refused")
    assert found.contradiction == password.why
    assert judge("1.77 connected", answer=failing(password, since=600)).state == "connected"
    # 1.77 goes on to say connected for ever, where it lets requests through
    tolerated = msgspec.structs.replace(GIVEN, tolerated=True)
    assert judge("1.77 connected", tolerated, answer=failing(REFUSED, since=600)).state == "refuses"


@pytest.mark.parametrize(
    "failure",
    [
        Unreachable("no such host", kind="dns"),
        Unreachable("no answer", kind="timeout"),
        Refused("no pg_hba.conf entry for host", code="28000"),
    ],
)
def test_what_only_the_console_does_not_reach_is_no_fault_of_the_database(failure: Failure) -> None:
    elsewhere = msgspec.structs.replace(GIVEN, place="db:5432", local=False)
    found = thought("connected", elsewhere, answer=failing(failure))
    assert (found.database.state, found.database.severity) == ("connected", "ok")
    assert found.database.contradiction == failure.why
    assert exit_status(found) == 0
    assert any("speed of the database" in spot.what for spot in found.blind_spots)
    lost = judge("disconnected", elsewhere, answer=failing(failure))
    assert lost.state == "lost"
    assert f"from here {failure.why}" in lost.reason
    assert judge_database(down(seen("", elsewhere, answer=failing(failure))), NOW).severity == "unknown"


def test_one_that_answered_the_console_before_and_is_gone_is_gone_for_litellm_too() -> None:
    elsewhere = msgspec.structs.replace(GIVEN, place="db:5432", local=False)
    gone = failing(Unreachable("Postgres at db:5432 refuses the connection", kind="refused"), answered=True)
    assert judge("connected", elsewhere, answer=gone).state == "refuses"


def test_a_gateway_that_is_down_may_be_so_for_its_database() -> None:
    found = diagnose(down(seen("", answer=failing(REFUSED))), NOW)
    assert (found.database.state, found.database.severity) == ("refuses", "bad")
    assert "LiteLLM does not start without it" in found.database.reason
    assert "database refuses" in words(found)
    well = diagnose(down(seen("", answer=read(ANSWER))), NOW)
    assert (well.database.state, well.database.severity) == ("answers", "quiet")
    assert not any("database" in text for text in words(well))


def test_a_fault_of_the_console_is_none_of_the_database() -> None:
    crash = Crashed("it failed", "ValueError", "postgres.py:1")
    assert judge("connected", answer=failing(crash)).severity == "ok"


# --- what Postgres answers -----------------------------------------------------------------------------------------


def answering(**more: Any) -> Reading[Any]:
    return read(msgspec.structs.replace(ANSWER, **more))


FAILED = Migration("20250202_failed", NOW - 3600, "ERROR: relation already exists")


def test_a_failed_migration_warns_while_it_runs_and_is_the_cause_when_it_does_not() -> None:
    found = judge("connected", answer=answering(unfinished=(FAILED,)))
    assert (found.state, found.severity, found.since) == ("migrations failed", "warn", FAILED.started_at)
    assert "relation already exists" in found.reason
    assert "prisma migrate resolve" in found.do
    assert judge("disconnected", answer=answering(unfinished=(FAILED,))).severity == "bad"
    stopped = diagnose(down(seen("", answer=answering(unfinished=(FAILED,)))), NOW)
    assert (stopped.database.state, stopped.database.severity) == ("migrations failed", "bad")


def test_a_migration_under_way_is_no_fault_and_one_that_was_killed_is() -> None:
    begun = Migration("20250303_long", NOW - 30)
    database = msgspec.structs.replace(GIVEN, answer=answering(unfinished=(begun,)))
    assert judge("connected", database).severity == "ok"
    assert "migration 20250303_long is under way" in list(figures(database, NOW))
    killed = Migration("20250303_long", NOW - LONGEST_MIGRATION - 1)
    assert judge("connected", answer=answering(unfinished=(killed,))).state == "migrations failed"


def test_missing_tables_break_it_unless_a_migration_is_making_them() -> None:
    found = judge("connected", answer=answering(missing=TABLES))
    assert (found.state, found.brief, found.severity) == ("migrations failed", "tables missing", "bad")
    assert judge("connected", answer=answering(missing=TABLES, unfinished=(Migration("m", NOW - 1),))).severity == "ok"


def test_one_that_takes_no_writes() -> None:
    assert judge("connected", answer=answering(standby=True)).state == "read-only"
    found = judge("connected", answer=answering(read_only=True))
    assert (found.state, found.severity) == ("read-only", "bad")


def test_one_that_is_slow() -> None:
    found = judge("connected", answer=answering(answered_in=2.5))
    assert (found.state, found.severity) == ("slow", "warn")
    assert "2.5 s" in found.reason
    stalled = judge("stalled", answer=answering())
    assert (stalled.state, "Postgres 15.18 answers" in stalled.contradiction) == ("slow", True)


@pytest.mark.parametrize("few", [{"used": 90}, {"own": 19, "own_most": 20}])
def test_when_few_connections_are_left_it_is_said_before_the_last_one_goes(few: dict[str, int]) -> None:
    found = thought("connected", answer=answering(**few))
    assert (found.database.state, found.database.severity) == ("connected", "warn")
    assert "database connected: few connections left" in words(found)


def test_the_spend_log_is_told_by_its_estimate() -> None:
    database = msgspec.structs.replace(GIVEN, answer=answering(spend_rows=12_345_678, spend_bytes=8 << 30))
    assert "spend log about 12,345,678 rows, 8 GB" in list(figures(database, NOW))
    database = msgspec.structs.replace(GIVEN, answer=answering())
    assert "spend log not estimated yet (ANALYZE)" in list(figures(database, NOW))


# --- the others ----------------------------------------------------------------------------------------------------


def test_a_restart_without_a_database_is_refused_unless_that_is_tolerated() -> None:
    snapshot = seen("connected", answer=failing(REFUSED))
    (check,) = [c for c in preflight_checks(snapshot, diagnose(snapshot, NOW)) if c.name == "database"]
    assert check.state == "refused"
    assert "would not start again without its database" in check.text
    tolerated = msgspec.structs.replace(GIVEN, tolerated=True)
    snapshot = seen("connected", tolerated, answer=failing(REFUSED))
    (check,) = [c for c in preflight_checks(snapshot, diagnose(snapshot, NOW)) if c.name == "database"]
    assert check.state == "note"


def test_a_key_that_is_refused_while_the_database_is_away_may_be_a_good_one() -> None:
    snapshot = seen("disconnected", answer=failing(REFUSED))
    refused: Reading[Any] = Reading(failure=Unauthorized("401", sent=True), tried_at=NOW - 1, failing_since=NOW - 1)
    snapshot = msgspec.structs.replace(snapshot, gateway=msgspec.structs.replace(snapshot.gateway, groups=refused))
    found = diagnose(snapshot, NOW)
    assert found.gateway.state == "key refused"
    assert "a virtual key cannot be looked up" in found.gateway.do
    assert "database refuses" in words(found)


def test_what_cannot_be_asked_is_a_blind_spot_with_its_reason() -> None:
    token = Database(configured=True, source="IAM_TOKEN_DB_AUTH", unasked="LiteLLM logs in with a token of AWS")
    found = thought("connected", token)
    assert found.database.state == "connected"
    assert any("token of AWS" in spot.what for spot in found.blind_spots)


def test_the_phase_of_the_check_names_both_sides() -> None:
    snapshot = seen("disconnected", answer=read(ANSWER))
    (phase,) = [p for p in check_phases(snapshot, diagnose(snapshot, NOW), NOW, 10) if p.name == "database"]
    assert phase.outcome == "broken"
    assert "readiness says disconnected" in phase.text
    assert "but Postgres itself answers" in phase.text


# --- what the log tells --------------------------------------------------------------------------------------------


def logged(cause: str, text: str, age: float = 5.0, times: int = 3, subject: Subject = "database") -> FailureTally:
    """Errors of one kind in the last two minutes, the newest so many seconds old."""
    last = NOW - age
    counts = ((int(last // 60), times),)
    return FailureTally(cause, "", "", "", "other", text, last - 30.0, last, 7, counts, subject=subject)


def judge_log(said: str, *tallies: FailureTally, age: float = 1.0, **more: Any) -> Verdict:
    snapshot = msgspec.structs.replace(seen(said, age=age, **more), failures=Failures(tallies))
    return judge_database(snapshot, NOW)


@pytest.mark.parametrize(("cause", "text", "state", "severity"), [
    ("database unreachable", "P1001: Can't reach database server at `db`:`5432`", "lost", "bad"),
    ("database login refused", "P1000: Authentication failed against database server", "refuses", "bad"),
    ("database out of connections", "FATAL: sorry, too many clients already", "out of connections", "bad"),
    ("database pool timeout", "P2024 Timed out fetching a new connection from the connection pool", "slow", "warn"),
    ("database disk full", "could not extend file: No space left on device", "refuses", "bad"),
    ("database tables missing", 'relation "LiteLLM_SpendLogs" does not exist', "migrations failed", "bad"),
    ("database read-only", "cannot execute INSERT in a read-only transaction", "read-only", "bad"),
])  # fmt: skip
@pytest.mark.parametrize("said", ["connected", "1.77 connected"])
def test_errors_in_the_log_count_while_readiness_still_says_connected(
    said: str, cause: str, text: str, state: str, severity: str
) -> None:
    verdict = judge_log(said, logged(cause, text))
    assert (verdict.state, verdict.severity, verdict.since) == (state, severity, NOW - 35.0)
    assert text[:40] in verdict.reason
    assert "3 errors in 2 min" in verdict.reason
    assert verdict.do
    assert "readiness says connected" in verdict.contradiction
    assert any(one.kind == "traffic" and one.speaks == "against" for one in verdict.evidence)
    (problem,) = [p for p in thought_log(said, logged(cause, text)).problems if p.place.kind == "database"]
    assert text[:40] in problem.reason


def thought_log(said: str, *tallies: FailureTally) -> Diagnosis:
    return diagnose(msgspec.structs.replace(seen(said), failures=Failures(tallies)), NOW)


def test_a_single_error_is_told_more_quietly_and_an_old_one_not_at_all() -> None:
    once = logged("database unreachable", "P1001: Can't reach database server", times=1)
    assert judge_log("connected", once).severity == "warn"
    for old in (logged("database disk full", "could not extend file", age=121.0),
                logged("database unreachable", "P1001: Can't reach it", age=20.0),
                logged("timeout", "no answer in time", subject="cache")):  # fmt: skip
        assert judge_log("connected", old).state == "connected"
    # 1.77.7 repeats its word for two minutes
    assert judge_log("1.77 connected", logged("database unreachable", "P1001: no", age=20.0)).state == "lost"


def test_readiness_that_says_lost_gets_its_reason_from_the_log() -> None:
    verdict = judge_log("disconnected", logged("database unreachable", "P1001: Can't reach database server at `db`"))
    assert (verdict.state, verdict.severity) == ("lost", "bad")
    assert "P1001" in verdict.reason


def test_what_postgres_itself_says_is_not_replaced_by_the_log() -> None:
    full = failing(Refused("no connection is left", code="53300"), answered=True)
    verdict = judge_log("connected", logged("database pool timeout", "P2024"), answer=full)
    assert verdict.state == "out of connections"
    assert (
        judge_log("none", logged("no database", "No connected db."), database=Database(configured=False)).state == "off"
    )


def test_an_error_of_the_process_before_says_nothing() -> None:
    service = Service("u", "user", "loaded", "active", "running", main_pid=1, started_at=NOW - 3)
    before = msgspec.structs.replace(
        seen("connected"), failures=Failures((logged("database disk full", "could not extend file"),)),
        service=read(service),
    )  # fmt: skip
    assert judge_database(before, NOW).state == "connected"
