"""Every state of a deployment and of a group, and the evidence that leads to it."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_tui.analysis.diagnosis import diagnose
from litellm_tui.analysis.records import Deployment, State
from litellm_tui.analysis.verdicts import FAILURE_MEMORY, group_states, judge_deployments, mask
from litellm_tui.snapshot import (
    Configuration,
    FileDeployment,
    Gateway,
    HealthEntry,
    HealthReport,
    LoadedDeployment,
    Log,
    LogRecord,
    Reading,
    Snapshot,
    Unauthorized,
    Unreachable,
)
from tests.recorded import NOW, VERSIONS, file_deployment, loaded_deployment, made_file, records

A = "http://a:8000/v1"


def _read(value: Any) -> Reading[Any]:
    return Reading(value=value, seen_at=NOW - 2, tried_at=NOW - 2, interval=10)


def _snapshot(
    file: list[FileDeployment] | None,
    loaded: list[LoadedDeployment] | None,
    health: HealthReport | None = None,
    failures: tuple[LogRecord, ...] = (),
    **gateway: Any,
) -> Snapshot:
    readings: dict[str, Reading[Any]] = {"liveliness": _read("I'm alive!")}
    if loaded is not None:
        readings["deployments"] = _read(tuple(loaded))
    if health is not None:
        readings["health"] = _read(health)
    config = None
    if file is not None:
        base = made_file()
        config = type(base)(base.path, base.digest, 0.0, base.files, {}, {}, deployments=tuple(file))
    return Snapshot(
        taken_at=NOW,
        gateway=Gateway(**(readings | gateway)),
        configuration=Configuration(current=config),
        log=Log(recent_failures=failures),
    )


def _only(snapshot: Snapshot, saved: bool = False) -> Deployment:
    (row,) = judge_deployments(snapshot, NOW, saved)
    return row


def _healthy(*entries: HealthEntry) -> HealthReport:
    return HealthReport(healthy=entries, unhealthy=())


def _unhealthy(*entries: HealthEntry) -> HealthReport:
    return HealthReport(healthy=(), unhealthy=entries)


FILE, LOADED = file_deployment("g", "openai/m", A), loaded_deployment("g", "openai/m", A, "id1")


def test_one_whose_health_check_answers_serves() -> None:
    row = _only(_snapshot([FILE], [LOADED], _healthy(HealthEntry("openai/m", A, "id1"))))
    assert (row.verdict.state, row.verdict.seen_at) == ("serving", NOW - 2)


def test_one_whose_health_check_fails_is_failing_with_cause_and_next_step() -> None:
    entry = HealthEntry(
        "openai/m", A, "id1", "litellm.InternalServerError: OpenAIException - [Errno 111] Connect call failed."
    )
    verdict = _only(_snapshot([FILE], [LOADED], _unhealthy(entry))).verdict
    assert (verdict.state, verdict.brief, verdict.reason) == (
        "failing",
        "refused",
        "refused: [Errno 111] Connect call failed",
    )
    assert "start the upstream" in verdict.do


def test_a_health_entry_without_an_error_is_failing_too() -> None:
    verdict = _only(_snapshot([FILE], [LOADED], _unhealthy(HealthEntry("openai/m", A, "id1", status=503)))).verdict
    assert (verdict.state, verdict.brief) == ("failing", "503 unavailable")
    assert _only(_snapshot([FILE], [LOADED], _unhealthy(HealthEntry("openai/m", A, "id1")))).verdict.state == "failing"


def test_without_ids_the_health_report_is_matched_by_model_and_address() -> None:
    report = HealthReport(healthy=(HealthEntry("openai/m", A),), unhealthy=(HealthEntry("openai/m", "http://b"),))
    assert _only(_snapshot([FILE], [LOADED], report)).verdict.state == "serving"
    other = loaded_deployment("g", "openai/m", "http://b/")
    assert _only(_snapshot(None, [other], report)).verdict.state == "failing"


def test_the_health_of_another_deployment_is_not_this_ones() -> None:
    report = _unhealthy(HealthEntry("openai/m", A, "somebody else's"))
    assert _only(_snapshot([FILE], [LOADED], report)).verdict.state == "unproven"


def test_loaded_and_asked_by_nobody_is_unproven() -> None:
    verdict = _only(_snapshot([FILE], [LOADED])).verdict
    assert (verdict.state, verdict.severity) == ("unproven", "quiet")
    assert "background_health_checks" in verdict.do


def test_a_variable_that_is_not_set_is_named_as_the_cause() -> None:
    entry = FileDeployment(0, "g", "openai/m", FILE.mark, A, missing=("KIMI_KEY",))
    error = HealthEntry("openai/m", A, "id1", "AuthenticationError: 401 Incorrect API key")
    failing = _only(_snapshot([entry], [LOADED], _unhealthy(error))).verdict
    assert (failing.state, failing.reason, failing.brief) == ("failing", "KIMI_KEY is not set", "KIMI_KEY unset")
    assert "KIMI_KEY" in failing.do
    assert _only(_snapshot([entry], [LOADED])).verdict.state == "unproven"
    assert "KIMI_KEY is not set" in _only(_snapshot([entry], [LOADED])).verdict.reason
    # a refused connection has nothing to do with a key
    refused = HealthEntry("openai/m", A, "id1", "Connection refused")
    assert _only(_snapshot([entry], [LOADED], _unhealthy(refused))).verdict.brief == "refused"


def test_in_the_file_and_not_in_the_router() -> None:
    dropped = _only(_snapshot([FILE], [])).verdict
    assert (dropped.state, dropped.severity) == ("not loaded", "bad")
    assert "dropped at the start" in dropped.reason
    new = _only(_snapshot([FILE], []), saved=True).verdict
    assert (new.state, new.severity, new.pending) == ("not loaded", "quiet", True)


def test_in_the_router_and_not_in_the_file() -> None:
    gone = _only(_snapshot([], [LOADED])).verdict
    assert (gone.state, gone.severity) == ("not in file", "warn")
    saved = _only(_snapshot([], [LOADED]), saved=True).verdict
    assert (saved.state, saved.severity) == ("not in file", "quiet")
    # dead is worse than gone
    error = _unhealthy(HealthEntry("openai/m", A, "id1", "Connection refused"))
    assert _only(_snapshot([], [LOADED], error)).verdict.state == "failing"


def test_one_from_the_database_needs_no_file_and_without_a_file_nothing_is_missing_from_it() -> None:
    stored = LoadedDeployment("id1", "g", "openai/m", A, from_db=True, names=("g",))
    assert _only(_snapshot([], [stored])).verdict.state == "unproven"
    assert _only(_snapshot(None, [LOADED])).verdict.state == "unproven"


@pytest.mark.parametrize(
    ("gateway", "why"),
    [
        (
            {"liveliness": Reading(failure=Unreachable("connection refused"))},
            "the gateway does not answer: connection refused",
        ),
        ({"liveliness": Reading()}, "not asked yet"),
        ({"deployments": Reading(failure=Unauthorized("HTTP 401"))}, "HTTP 401"),
        ({"deployments": Reading()}, "not asked yet"),
    ],
)
def test_what_cannot_be_asked_is_unknown_with_its_reason(gateway: Any, why: str) -> None:
    row = _only(_snapshot([FILE], None, **gateway))
    assert (row.verdict.state, row.verdict.reason) == ("unknown", why)


def test_a_dead_gateways_old_answers_are_not_shown_as_current() -> None:
    report = _healthy(HealthEntry("openai/m", A, "id1"))
    down: dict[str, Any] = {
        "liveliness": Reading(value="I'm alive!", seen_at=NOW - 60, failure=Unreachable("connection refused"))
    }
    row = _only(_snapshot([FILE], [LOADED], report, **down))
    assert row.verdict.state == "unknown"
    assert row.listed is None


# --- the log as evidence -----------------------------------------------------------------------------------------


def _failure(group: str, age: float = 5, text: str = "") -> LogRecord:
    words = text or f"OpenAIException - Connection error. LiteLLM: model group '{group}' failed with the error above"
    return LogRecord(1, NOW - age, "ERROR", "router", words)


def test_a_failure_in_the_log_speaks_against_the_only_one_of_its_group() -> None:
    verdict = _only(_snapshot([FILE], [LOADED], failures=(_failure("g"),))).verdict
    assert (verdict.state, verdict.brief, verdict.seen_at) == ("failing", "no connection", NOW - 5)


def test_one_of_two_is_only_suspected() -> None:
    file = [FILE, file_deployment("g", "openai/n", A)]
    loaded = [LOADED, loaded_deployment("g", "openai/n", A)]
    rows = judge_deployments(_snapshot(file, loaded, failures=(_failure("g"),)), NOW, False)
    assert [row.verdict.state for row in rows] == ["degraded", "degraded"]


def test_an_old_failure_or_one_of_another_group_says_nothing() -> None:
    for failure in (_failure("g", FAILURE_MEMORY + 1), _failure("other")):
        assert _only(_snapshot([FILE], [LOADED], failures=(failure,))).verdict.state == "unproven"


def test_a_health_check_that_answers_goes_before_the_log() -> None:
    report = _healthy(HealthEntry("openai/m", A, "id1"))
    assert _only(_snapshot([FILE], [LOADED], report, (_failure("g"),))).verdict.state == "serving"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("journal", ["journal", "journal-plain"])
def test_the_recorded_log_tells_which_group_failed(version: str, journal: str) -> None:
    from litellm_tui.logstore import LogStore

    store = LogStore()
    for record, continues in records(version, journal):
        if record.text.strip() or record.stack:
            store.append(record, continues)
    failures = tuple(record for record in store.since(0) if record.level == "ERROR")
    last = max(record.time for record in failures)
    group = loaded_deployment("qwen-coder-vllm", "openai/m")
    snapshot = _snapshot(None, [group], failures=failures)
    (row,) = judge_deployments(snapshot, last + 1, False)
    assert (row.verdict.state, row.verdict.brief) == ("failing", "no connection")


# --- rows --------------------------------------------------------------------------------------------------------


def test_a_row_keeps_its_key_when_others_come_and_go() -> None:
    one, two, three = (file_deployment("g", "openai/m", A) for _ in range(3))
    keys = [row.key for row in judge_deployments(_snapshot([one, two, three], []), NOW, False)]
    assert len(set(keys)) == 3
    fewer = [row.key for row in judge_deployments(_snapshot([file_deployment("a", "b"), one, two], []), NOW, False)]
    assert fewer[1:] == keys[:2]


def test_whether_a_group_is_listed() -> None:
    assert _only(_snapshot([FILE], [LOADED], groups=_read(("g", "h")))).listed is True
    assert _only(_snapshot([FILE], [LOADED], groups=_read(("h",)))).listed is False
    assert _only(_snapshot([FILE], [LOADED])).listed is None


def test_an_alias_does_not_rename_the_group_it_lists() -> None:
    loaded = LoadedDeployment("id1", "alias", "openai/m", A, names=("alias", "g"))
    router = _read({"model_group_alias": {"alias": "g"}})
    assert _only(_snapshot(None, [loaded], router=router)).group == "g"


# --- groups ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "state"),
    [
        (["serving", "serving"], "serving"),
        (["serving", "failing"], "degraded"),
        (["serving", "degraded"], "degraded"),
        (["serving", "unproven"], "serving"),
        (["serving", "not loaded"], "serving"),
        (["failing", "failing"], "failing"),
        (["failing", "unproven"], "failing"),
        (["unproven"], "unproven"),
        (["not loaded"], "not loaded"),
        (["not in file"], "not in file"),
        (["unknown"], "unknown"),
        (["degraded", "degraded"], "degraded"),
        (["degraded", "failing"], "degraded"),
    ],
)
def test_the_state_of_a_group(members: list[State], state: State) -> None:
    from litellm_tui.analysis.records import Verdict

    rows = [Deployment(str(number), "g", "m", Verdict(member)) for number, member in enumerate(members)]
    assert group_states(rows) == {"g": state}


def test_only_failing_deployments_of_a_dead_group_are_masked() -> None:
    from litellm_tui.analysis.records import Verdict

    rows = [Deployment("1", "a", "m", Verdict("failing", "500")), Deployment("2", "a", "n", Verdict("unproven")),
            Deployment("3", "b", "o", Verdict("failing"))]  # fmt: skip
    masked = mask(rows, {"a": "c"})
    assert [row.verdict.state for row in masked] == ["masked", "unproven", "failing"]
    assert masked[0].verdict.reason == "500; c answers in its place"


def test_a_group_of_which_one_still_serves_is_not_masked() -> None:
    file = made_file(router_settings={"fallbacks": [{"g": ["h"]}]})
    loaded = [LOADED, loaded_deployment("g", "openai/n", A, "id2"), loaded_deployment("h", "openai/o", A, "id3")]
    report = HealthReport(
        healthy=(HealthEntry("", None, "id1"), HealthEntry("", None, "id3")),
        unhealthy=(HealthEntry("", None, "id2", "500"),),
    )
    snapshot = _snapshot(None, loaded, report, router=_read(file.section("router_settings")))
    states = {row.model: row.verdict.state for row in diagnose(snapshot, NOW).deployments}
    assert states == {"openai/m": "serving", "openai/n": "failing", "openai/o": "serving"}
