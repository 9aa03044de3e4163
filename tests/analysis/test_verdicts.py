"""Every state of a deployment and of a group, and the evidence that leads to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.evidence import FAILURE_MEMORY, PROBE_MEMORY
from litellm_tui.analysis.health.groups import Substitutes, judge_groups, mask_failing
from litellm_tui.analysis.health.marks import dated
from litellm_tui.analysis.health.states import verdict_of
from litellm_tui.analysis.health.verdicts import judge_deployments
from litellm_tui.model.configuration import Configuration, FileDeployment
from litellm_tui.model.diagnosis import Deployment, State
from litellm_tui.model.failures import Unauthorized, Unreachable
from litellm_tui.model.gateway import CachePing, Gateway, HealthEntry, HealthReport, LoadedDeployment
from litellm_tui.model.log import Log
from litellm_tui.model.probe import ProbeResult
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Tally, Traffic
from tests.recorded import NOW, file_deployment, loaded_deployment, made_file

A = "http://a:8000/v1"


def _read(value: Any) -> Reading[Any]:
    return Reading(value=value, seen_at=NOW - 2, tried_at=NOW - 2, interval=10)


def _snapshot(
    file: list[FileDeployment] | None,
    loaded: list[LoadedDeployment] | None,
    health: HealthReport | None = None,
    tallies: tuple[Tally, ...] = (),
    probes: tuple[ProbeResult, ...] = (),
    per_model: bool = False,
    expected: dict[str, str] | None = None,
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
        log=Log(state="following"),
        traffic=Traffic(tallies=tallies, per_model=per_model),
        probes=probes,
        expected_down=expected or {},
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
    # read two seconds ago, and asked up to an interval of 300 s and a round before that
    assert (row.verdict.state, row.verdict.seen_at) == ("serving", NOW - 2 - 315)


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
    assert _only(_snapshot([FILE], [LOADED], report)).verdict.state == "idle"


def test_loaded_and_asked_by_nobody_is_idle_and_not_called_well() -> None:
    verdict = _only(_snapshot([FILE], [LOADED])).verdict
    assert (verdict.state, verdict.severity) == ("idle", "quiet")
    assert "nothing that was seen has asked it" in verdict.reason


def test_a_green_report_without_requests_is_idle_where_requests_would_be_seen() -> None:
    report = _healthy(HealthEntry("openai/m", A, "id1"))
    verdict = _only(_snapshot([FILE], [LOADED], report, per_model=True)).verdict
    assert (verdict.state, verdict.severity) == ("idle", "ok")


def test_a_variable_that_is_not_set_is_named_as_the_cause() -> None:
    entry = FileDeployment(0, "g", "openai/m", FILE.mark, A, missing=("KIMI_KEY",))
    error = HealthEntry("openai/m", A, "id1", "AuthenticationError: 401 Incorrect API key")
    failing = _only(_snapshot([entry], [LOADED], _unhealthy(error))).verdict
    assert (failing.state, failing.reason, failing.brief) == ("failing", "KIMI_KEY is not set", "KIMI_KEY unset")
    assert "KIMI_KEY" in failing.do
    suspected = _only(_snapshot([entry], [LOADED])).verdict
    assert (suspected.state, suspected.severity, suspected.brief) == ("unproven", "warn", "KIMI_KEY unset")
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
    assert _only(_snapshot([], [stored])).verdict.state == "idle"
    assert _only(_snapshot(None, [LOADED])).verdict.state == "idle"


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


# --- real requests and probes as evidence -----------------------------------------------------------------------

REFUSED = "litellm.InternalServerError: OpenAIException - [Errno 111] Connect call failed ('127.0.0.1', 9199)"
GREEN = HealthEntry("openai/m", A, "id1")
RED = HealthEntry("openai/m", A, "id1", "litellm.InternalServerError: upstream exploded")


def _failing(kind: Any, name: str, age: float = 5, error: str = REFUSED, **more: Any) -> Tally:
    return Tally(kind, name, failed=4, last_failed=NOW - age, failing_since=NOW - age - 30, in_a_row=4, error=error,
                 **more)  # fmt: skip


def _answering(kind: Any, name: str, age: float = 5, **more: Any) -> Tally:
    return Tally(kind, name, ok=9, last_ok=NOW - age, **more)


def _probe(ok: bool, age: float = 5, **more: Any) -> ProbeResult:
    return ProbeResult("id1", "g", "openai/m", ok, NOW - age, took=0.5, error="" if ok else REFUSED, **more)


def test_requests_that_fail_name_cause_and_onset() -> None:
    verdict = _only(_snapshot([FILE], [LOADED], tallies=(_failing("model", "openai/m"),))).verdict
    assert (verdict.state, verdict.brief, verdict.seen_at, verdict.since) == ("failing", "refused", NOW - 5, NOW - 35)


def test_a_failure_of_its_group_speaks_against_the_only_one_of_it() -> None:
    verdict = _only(_snapshot([FILE], [LOADED], tallies=(_failing("group", "g"),))).verdict
    assert (verdict.state, verdict.brief, verdict.seen_at) == ("failing", "refused", NOW - 5)


def test_one_of_two_is_only_suspected() -> None:
    file = [FILE, file_deployment("g", "openai/n", A)]
    loaded = [LOADED, loaded_deployment("g", "openai/n", A)]
    rows = judge_deployments(_snapshot(file, loaded, tallies=(_failing("group", "g"),)), NOW, False)
    assert [row.verdict.state for row in rows] == ["degraded", "degraded"]
    # with a line for each attempt it is known which one it was
    tallies = (_failing("group", "g"), _failing("model", "openai/n"), _answering("model", "openai/m"))
    rows = judge_deployments(_snapshot(file, loaded, tallies=tallies, per_model=True), NOW, False)
    assert [row.verdict.state for row in rows] == ["serving", "failing"]


def test_an_old_failure_or_one_of_another_group_says_nothing() -> None:
    for tally in (_failing("group", "g", FAILURE_MEMORY + 1), _failing("group", "other")):
        assert _only(_snapshot([FILE], [LOADED], tallies=(tally,))).verdict.state == "idle"


def test_what_a_process_did_that_is_gone_says_nothing() -> None:
    service = Service("litellm.service", "user", "loaded", "active", "running", started_at=NOW - 3)
    old = _snapshot([FILE], [LOADED], tallies=(_failing("group", "g"),), probes=(_probe(True, 60),))
    fresh = msgspec.structs.replace(old, service=Reading(value=service, seen_at=NOW))
    assert _only(fresh).verdict.state == "idle"


def test_a_probe_that_failed_before_a_restart_is_a_doubt_until_something_answers() -> None:
    """The gateway was started again; the upstream that did not answer was not."""
    service = Service("litellm.service", "user", "loaded", "active", "running", started_at=NOW - 3)
    found = _snapshot([FILE], [LOADED], probes=(_probe(False, 60),))
    verdict = _only(msgspec.structs.replace(found, service=Reading(value=service, seen_at=NOW))).verdict
    assert (verdict.state, verdict.severity) == ("unproven", "warn")
    assert "before its process started" in verdict.reason
    since = Tally("model", "openai/m", ok=3, last_ok=NOW - 1)
    found = _snapshot([FILE], [LOADED], tallies=(since,), probes=(_probe(False, 60),))
    assert _only(msgspec.structs.replace(found, service=Reading(value=service, seen_at=NOW))).verdict.state == "serving"


@pytest.mark.parametrize("by", ["requests", "a probe"])
def test_a_red_report_is_contradicted_by_what_succeeds(by: str) -> None:
    tallies = (_answering("model", "openai/m"),) if by == "requests" else ()
    probes = (_probe(True),) if by == "a probe" else ()
    row = _only(_snapshot([FILE], [LOADED], _unhealthy(RED), tallies=tallies, probes=probes))
    assert (row.verdict.state, row.verdict.severity) == ("serving", "ok")
    assert "calls it unhealthy" in row.verdict.contradiction
    assert {(e.kind, e.speaks) for e in row.verdict.evidence} >= {("health report", "against")}


def test_a_green_report_is_contradicted_by_requests_that_fail() -> None:
    verdict = _only(_snapshot([FILE], [LOADED], _healthy(GREEN), tallies=(_failing("group", "g"),))).verdict
    assert (verdict.state, verdict.brief) == ("failing", "refused")
    assert "calls it healthy" in verdict.contradiction


def test_a_check_that_turned_red_after_the_last_success_is_believed() -> None:
    red = HealthEntry("openai/m", A, "id1", "[Errno 111] Connect call failed", red_since=NOW - 20, turned=True)
    before = (_answering("model", "openai/m", 60),)
    verdict = _only(_snapshot([FILE], [LOADED], _unhealthy(red), tallies=before)).verdict
    assert (verdict.state, verdict.brief) == ("failing", "refused")
    after = (_answering("model", "openai/m", 10),)
    assert _only(_snapshot([FILE], [LOADED], _unhealthy(red), tallies=after)).verdict.state == "serving"


def test_a_check_that_was_red_at_the_first_look_and_an_earlier_success_leave_a_doubt() -> None:
    red = HealthEntry("openai/m", A, "id1", "[Errno 111] Connect call failed", red_since=NOW)
    verdict = _only(_snapshot([FILE], [LOADED], _unhealthy(red), (_answering("model", "openai/m", 60),))).verdict
    assert (verdict.state, verdict.severity, verdict.brief) == ("unproven", "warn", "refused")
    fresh = _only(_snapshot([FILE], [LOADED], _unhealthy(red), (_answering("model", "openai/m", 5),))).verdict
    assert fresh.state == "serving"
    asked = _snapshot([FILE], [LOADED], _unhealthy(red), (_answering("model", "openai/m", 60),), (_probe(False),))
    assert _only(asked).verdict.state == "failing"


def test_a_green_check_that_is_surely_newer_than_the_last_failure_is_believed() -> None:
    report, failed = _healthy(GREEN), (_failing("group", "g", 40),)
    assert _only(_snapshot([FILE], [LOADED], report, failed)).verdict.state == "failing"
    made = made_file(general_settings={"health_check_interval": 10})
    import msgspec

    quick = msgspec.structs.replace(made, deployments=(FILE,))
    healed = msgspec.structs.replace(
        _snapshot([FILE], [LOADED], report, failed), configuration=Configuration(current=quick)
    )
    assert _only(healed).verdict.state == "serving"


def test_the_newest_of_probe_and_requests_decides() -> None:
    older, newer = (_failing("model", "openai/m", 60),), (_probe(True, 5),)
    assert _only(_snapshot([FILE], [LOADED], tallies=older, probes=newer)).verdict.state == "serving"
    answered, failed = (_answering("model", "openai/m", 60),), (_probe(False, 5),)
    assert _only(_snapshot([FILE], [LOADED], tallies=answered, probes=failed)).verdict.state == "failing"


def test_an_old_probe_and_one_that_was_not_made_say_nothing() -> None:
    old, skipped = _probe(False, PROBE_MEMORY + 1), _probe(False, skipped="image models are not probed")
    for probe in (old, skipped):
        assert _only(_snapshot([FILE], [LOADED], probes=(probe,))).verdict.state == "idle"


def test_some_of_many_requests_degrade_and_a_single_one_does_not() -> None:
    mixed = Tally("model", "openai/m", ok=20, failed=5, last_ok=NOW - 1, last_failed=NOW - 8, in_a_row=0, error=REFUSED)
    verdict = _only(_snapshot([FILE], [LOADED], tallies=(mixed,))).verdict
    assert (verdict.state, verdict.brief) == ("degraded", "refused")
    assert verdict.reason.startswith("5 of 25 attempts failed")
    of_group = msgspec.structs.replace(mixed, kind="group", name="g")
    whole = _only(_snapshot([FILE], [LOADED], tallies=(of_group,))).verdict
    assert "attempt" not in whole.reason, "the router retries within a request"
    once = Tally("model", "openai/m", ok=20, failed=1, last_ok=NOW - 9, last_failed=NOW - 8, in_a_row=1, error=REFUSED)
    assert _only(_snapshot([FILE], [LOADED], tallies=(once,))).verdict.state == "serving"
    healed = Tally("model", "openai/m", ok=20, failed=5, last_ok=NOW - 1, last_failed=NOW - 90, error=REFUSED)
    assert _only(_snapshot([FILE], [LOADED], tallies=(healed,))).verdict.state == "serving"


def test_the_callers_own_mistakes_are_not_the_deployments() -> None:
    error = "litellm.ContextWindowExceededError: This model's maximum context length is 4096 tokens"
    tally = _failing("group", "g", error=error)
    verdict = _only(_snapshot([FILE], [LOADED], tallies=(tally,))).verdict
    # told as failing, since every request fails, and no problem of the gateway's
    assert (verdict.state, verdict.severity, verdict.brief) == ("degraded", "quiet", "callers' own: context too long")
    assert "by what the callers ask, not by the deployment" in verdict.reason


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("litellm.UnsupportedParamsError: openai does not support parameters: ['top_k'], for model=m. To drop these, "
         "set `litellm.drop_params=True`", "unsupported parameter"),
        ("No deployments available for selected model, Try again in 5 seconds. Passed model=g. pre-call-checks=True, "
         "cooldown_list=[]", "own deployment limit"),
    ],
)  # fmt: skip
def test_what_the_gateway_refuses_by_itself_fails_the_group_and_not_the_deployment(error: str, cause: str) -> None:
    found = diagnose(_snapshot([FILE], [LOADED], tallies=(_failing("group", "g", error=error),)), NOW)
    (row,) = found.deployments
    assert (row.verdict.state, row.verdict.brief) == ("degraded", cause)
    assert "by the gateway itself, not by the deployment" in row.verdict.reason
    (group,) = found.groups
    assert (group.verdict.state, group.verdict.severity, group.verdict.brief) == ("failing", "bad", cause)
    assert "by the gateway itself" in group.verdict.reason
    assert [problem.cause for problem in found.problems if problem.severity in ("warn", "bad")] == [cause]


SWITCH = "Error code: 500 - {'error': {'message': \"'dict' object has no attribute 'cache'\", 'code': '500'}}"


def test_a_cache_that_breaks_every_request_is_told_once_and_blames_no_deployment() -> None:
    entry = HealthEntry("openai/m", A, model_id="id1", error="'dict' object has no attribute 'cache'")
    ping = Reading(value=CachePing("unhealthy", None, None), seen_at=NOW, tried_at=NOW)
    asked: list[dict[str, Any]] = [
        {"health": _unhealthy(entry)},
        {"probes": (msgspec.structs.replace(_probe(False), error=SWITCH),)},
    ]
    for seen in asked:
        snapshot = _snapshot([FILE], [LOADED], **seen, cache_ping=ping)
        row = _only(snapshot)
        assert (row.verdict.state, row.verdict.brief) == ("degraded", "cache is no switch")
        assert "by the cache, not by the deployment" in row.verdict.reason
        found = diagnose(snapshot, NOW)
        assert [problem.title for problem in found.problems if problem.severity in ("bad", "warn")] == ["cache"]
        assert found.headline.word == "DEGRADED"


def test_requests_that_the_upstream_refuses_are_not_surely_its_fault() -> None:
    error = "litellm.BadRequestError: OpenAIException - unknown parameter 'foo'"
    verdict = _only(_snapshot([FILE], [LOADED], tallies=(_failing("model", "openai/m", error=error),))).verdict
    assert (verdict.state, verdict.brief) == ("degraded", "400 bad request")
    assert "callers' own mistake" in verdict.reason


def test_a_group_whose_deployments_are_not_asked_for_a_while_is_cooling_down() -> None:
    error = "litellm.RateLimitError: No deployments available for selected model, Try again in 7 seconds."
    tally = _failing("group", "g", 2, error, cooling_until=NOW + 5)
    file, loaded = [FILE, file_deployment("g", "openai/n", A)], [LOADED, loaded_deployment("g", "openai/n", A)]
    rows = judge_deployments(_snapshot(file, loaded, tallies=(tally,)), NOW, False)
    assert [row.verdict.state for row in rows] == ["cooling down", "cooling down"]
    over = judge_deployments(_snapshot(file, loaded, tallies=(tally,)), NOW + 6, False)
    assert "cooling down" not in [row.verdict.state for row in over]


def test_a_health_check_that_asks_in_the_wrong_way_proves_nothing() -> None:
    embedding = loaded_deployment("nomic-embed", "openai/nomic-embed-text", A, "id1")
    report = _unhealthy(HealthEntry("", A, "id1", "litellm.BadRequestError: OpenAIException - 400 not a chat model"))
    verdict = _only(_snapshot(None, [embedding], report)).verdict
    assert (verdict.state, verdict.brief) == ("unproven", "health check unfit")
    assert "model_info.mode" in verdict.reason


def test_what_the_operator_expects_to_be_down_is_no_problem_and_keeps_its_evidence() -> None:
    expected = {"g": "no GPU on this machine"}
    verdict = _only(_snapshot([FILE], [LOADED], _unhealthy(RED), expected=expected)).verdict
    assert (verdict.state, verdict.severity, verdict.reason) == ("expected down", "quiet", "no GPU on this machine")
    assert any("without the mark: failing" in item.text for item in verdict.evidence)
    # it came back: what shows that stands beside the mark, whose words stay the operator's
    alive = _only(_snapshot([FILE], [LOADED], probes=(_probe(True),), expected=expected)).verdict
    assert alive.state == "serving"
    assert [item.text for item in alive.evidence if item.kind == "operator"] == [
        "marked as expected down: no GPU on this machine"
    ]
    # nothing was seen of it: it is expected down, and not idle
    unseen = _only(_snapshot([FILE], [LOADED], expected=expected)).verdict
    assert (unseen.state, "it answers" in str(unseen)) == ("expected down", False)


def test_a_mark_ends_when_it_says() -> None:
    for until, state in ((NOW + 60, "expected down"), (NOW - 60, "failing")):
        note = dated_note(until)
        found = _snapshot([FILE], [LOADED], _unhealthy(RED), expected={"g": note})
        assert _only(found).verdict.state == state


def dated_note(until: float) -> str:
    moment = datetime.fromtimestamp(until, UTC)
    return dated(f"moves until {moment:%Y-%m-%d %H:%M}", moment)


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
        (["serving", "idle"], "serving"),
        (["serving", "cooling down"], "degraded"),
        (["cooling down", "cooling down"], "cooling down"),
        (["cooling down", "failing"], "failing"),
        (["serving", "expected down"], "serving"),
        (["expected down", "expected down"], "expected down"),
        (["idle"], "idle"),
        (["serving", "not loaded"], "degraded"),
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
    rows = [Deployment(str(number), "g", "m", verdict_of(member)) for number, member in enumerate(members)]
    assert judge_groups(rows)["g"].state == state


def test_only_failing_deployments_of_a_dead_group_are_masked() -> None:
    rows = [Deployment("1", "a", "m", verdict_of("failing", "500")), Deployment("2", "a", "n", verdict_of("unproven")),
            Deployment("3", "b", "o", verdict_of("failing"))]  # fmt: skip
    masked = mask_failing(rows, Substitutes({"a": "c"}), {"a": "failing", "c": "serving"}, {})
    assert [row.verdict.state for row in masked] == ["masked", "unproven", "failing"]
    assert masked[0].verdict.reason == "500; c answers in its place"
    unproven = mask_failing(rows, Substitutes({"a": "c"}), {"a": "failing", "c": "idle"}, {})
    assert unproven[0].verdict.reason == "500; c is next in its place, and nothing has shown that it answers"


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
