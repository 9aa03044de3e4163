"""No request that failed is nobody's: from the lines of a log to the state, the problems and the sentences."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.failures.incidents import find_incidents
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.unnamed_failures import all_clear, unnamed_failures
from litellm_tui.analysis.routing.what_if import simulate_outage
from litellm_tui.model.configuration import ConfigError, Configuration
from litellm_tui.model.diagnosis import Diagnosis, Problem
from litellm_tui.model.gateway import (
    CachePing,
    DeploymentCounters,
    Gateway,
    HealthEntry,
    HealthReport,
    Metrics,
)
from litellm_tui.model.log import Log
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Traffic
from tests.logs.test_failed_requests import (
    ALONE,
    AUTH,
    CALL,
    DEBUG,
    PROXY,
    ROUTER,
    SOCKET,
    STREAM,
    WEIGHT,
    Fed,
    error,
    info,
)
from tests.logs.test_failed_requests import access as answered
from tests.recorded import file_deployment, loaded_deployment, made_file

GROUPS = ("weighted", "silent", "front", "spare", "fine")
MODELS = tuple((name, f"openai/{name}-m") for name in GROUPS)
EXPLODED = "litellm.InternalServerError: InternalServerError: OpenAIException - upstream exploded"
LONG = "litellm.ContextWindowExceededError: OpenAIException - This model's maximum context length is 4096 tokens"


def _ok(model: str) -> str:
    return info(f"litellm.acompletion(model={model})\u001b[32m 200 OK\u001b[0m")


def _tried(model: str, text: str) -> str:
    return info(f"litellm.acompletion(model={model})\x1b[31m Exception {text}\x1b[0m")


def _read(value: Any, at: float) -> Reading[Any]:
    return Reading(value=value, seen_at=at, tried_at=at, interval=15.0)


def watched(
    traffic: Traffic,
    now: float,
    *,
    models: tuple[tuple[str, str], ...] = MODELS,
    up: float = 900.0,
    health: HealthReport | None = None,
    interval: float | None = None,
    metrics: Metrics | None = None,
) -> Snapshot:
    """This traffic at a gateway that answers; its process has run for `up` seconds."""
    router: dict[str, Any] = {"fallbacks": [{"front": ["spare"]}], "model_group_alias": {"nick": "front"}}
    if "front" not in {group for group, _ in models}:
        router = {}
    file = made_file(router_settings=router, general_settings={"health_check_interval": interval} if interval else {})
    deployments = tuple(file_deployment(group, model, "http://a:8000/v1") for group, model in models)
    file = msgspec.structs.replace(file, deployments=deployments, modified_at=now - up - 60)
    loaded = tuple(loaded_deployment(group, model, "http://a:8000/v1", model) for group, model in models)
    names = tuple(dict.fromkeys(group for group, _ in models))
    gateway = Gateway(
        liveliness=_read("I'm alive!", now),
        deployments=_read(loaded, now),
        groups=_read(names, now),
        router=_read(router, now),
        health=_read(health, now) if health else Reading(),
        metrics=_read(metrics, now) if metrics else Reading(),
        cache_ping=_read(CachePing("healthy", "redis", True), now),
    )
    service = Service("litellm.service", "user", "loaded", "active", "running", main_pid=1, started_at=now - up)
    return Snapshot(
        now,
        gateway=gateway,
        configuration=Configuration(current=file),
        service=_read(service, now),
        log=Log(state="following", last=9),
        traffic=traffic,
    )


def judged(traffic: Traffic, now: float, **more: Any) -> Diagnosis:
    """What is thought of this traffic."""
    return diagnose(watched(traffic, now, **more), now)


def look(fed: Fed, after: float = 3.0, **more: Any) -> Diagnosis:
    return judged(fed.traffic(after), fed.at + after, **more)


def states(found: Diagnosis) -> dict[str, str]:
    return {group.name: group.verdict.state for group in found.groups}


def loud(found: Diagnosis) -> list[Problem]:
    return [problem for problem in found.problems if problem.severity in ("bad", "warn")]


def quiet(found: Diagnosis) -> list[Problem]:
    return [problem for problem in found.problems if problem.severity == "quiet"]


def _inside(fed: Fed, times: int = 4, named: bool = False, words: str = WEIGHT) -> None:
    for _ in range(times):
        if named:
            fed.write(info("No fallback model group found for lookup_groups=weighted. Fallbacks=None"))
        fed.write(error(ROUTER + words + DEBUG), error(PROXY + CALL + words), answered(500))


def _alias(fed: Fed, name: str = "nick", times: int = 4) -> None:
    for _ in range(times):
        text = EXPLODED + ALONE.format(name)
        fed.write(error(ROUTER + text + DEBUG), error(PROXY + CALL + text), answered(500))


# --- inside LiteLLM -----------------------------------------------------------------------------------------------


def test_failures_that_nothing_names_are_a_problem_of_somewhere() -> None:
    fed = Fed()
    fed.write(*(answered(200) for _ in range(8)))
    _inside(fed)
    found = look(fed)
    (problem,) = loud(found)
    assert problem.reason.startswith("4 of 12 requests fail in 5 min, and the log does not say where")
    assert WEIGHT in problem.reason
    assert found.headline.word == "DEGRADED"


@pytest.mark.parametrize("words", [WEIGHT, "unsupported operand type(s) for +: 'int' and 'str'"])
def test_a_weight_that_is_a_text_names_its_deployment_where_the_log_names_nothing(words: str) -> None:
    fed = Fed()
    fed.write(*(answered(200) for _ in range(8)))
    _inside(fed, words=words)
    snapshot = watched(fed.traffic(3.0), fed.at + 3)
    weighted = loaded_deployment("weighted", "openai/weighted-m", "http://a:8000/v1", "openai/weighted-m", weight="2")
    others = tuple(one for one in snapshot.gateway.deployments.value or () if one.group != "weighted")
    gateway = msgspec.structs.replace(snapshot.gateway, deployments=_read((weighted, *others), snapshot.taken_at))
    found = diagnose(msgspec.structs.replace(snapshot, gateway=gateway), snapshot.taken_at)
    (problem,) = loud(found)
    assert (problem.title, problem.cause, problem.place.kind) == ("weighted", "weight is no number", "deployment")
    assert "openai/weighted-m of weighted has weight as a text" in problem.reason
    assert found.headline.word == "DEGRADED"


def test_a_group_that_fails_inside_litellm_is_failing_where_the_log_names_it() -> None:
    fed = Fed()
    fed.write(*(_ok("openai/fine-m"), answered(200)) * 3)
    _inside(fed, named=True)
    found = look(fed)
    assert states(found)["weighted"] == "failing"
    (problem,) = loud(found)
    assert (problem.title, problem.severity) == ("weighted", "bad")
    assert WEIGHT in problem.reason


@pytest.mark.parametrize(("times", "before", "severity"), [(1, 20, "quiet"), (3, 20, "warn"), (1, 0, "warn")])
def test_a_single_failure_among_many_is_told_and_is_no_trouble(times: int, before: int, severity: str) -> None:
    fed = Fed()
    fed.write(*(answered(200) for _ in range(before)))
    _inside(fed, times)
    found = look(fed)
    assert [problem.severity for problem in found.problems] == [severity]
    assert found.headline.word != "OK"


def test_failures_that_are_over_are_a_note_and_leave_with_the_window() -> None:
    fed = Fed()
    _inside(fed)
    fed.at += 125
    fed.write(answered(200))
    assert [problem.severity for problem in look(fed).problems] == ["quiet"]
    assert look(fed, after=300).problems == ()


def test_failures_without_an_answer_since_are_not_over() -> None:
    fed = Fed()
    _inside(fed)
    assert [problem.severity for problem in look(fed, after=200).problems] == ["warn"]


def test_failures_of_a_process_that_is_gone_say_nothing_of_this_one() -> None:
    fed = Fed()
    _inside(fed)
    assert look(fed, up=1.0).problems == ()


# --- streams ------------------------------------------------------------------------------------------------------


def _silent(fed: Fed, group: str, models: tuple[str, ...]) -> None:
    middle = f"litellm.MidStreamFallbackError: {SOCKET}{ALONE.format(group)}"
    for model in models:
        fed.write(_ok(model), error(ROUTER + middle + DEBUG), error(f"Fallback also failed: {middle}"))
        fed.write(error(STREAM + SOCKET), answered(500))


def test_a_group_whose_streams_never_bring_a_word_is_failing() -> None:
    fed = Fed()
    _silent(fed, "silent", ("openai/silent-m",) * 4)
    found = look(fed)
    assert states(found)["silent"] == "failing"
    (row,) = [row for row in found.deployments if row.group == "silent"]
    assert (row.verdict.state, row.ok, row.failed) == ("failing", 0, 4)
    assert [(p.title, p.severity) for p in loud(found)] == [("silent", "bad")]


def test_streams_of_a_group_of_several_are_the_groups_failure() -> None:
    """Each deployment has just begun an answer: by themselves all of them look well."""
    fed = Fed()
    _silent(fed, "pool", ("openai/a", "openai/b") * 3)
    found = look(fed, models=(("pool", "openai/a"), ("pool", "openai/b")))
    assert states(found) == {"pool": "failing"}
    assert [(p.place.kind, p.severity) for p in loud(found)] == [("group", "bad")]


@pytest.mark.parametrize("status", [400, 500])
def test_what_a_cache_that_is_no_switch_breaks_is_told_by_the_cache_alone(status: int) -> None:
    fed = Fed()
    for _ in range(4):
        fed.write(error(PROXY + CALL + "'dict' object has no attribute 'cache'"), answered(status))
    snapshot = watched(fed.traffic(), fed.at + 3.0)
    # 1.77.7 answers 500, 1.106.2 answers 400
    assert [problem.cause for problem in diagnose(snapshot, snapshot.taken_at).problems] != ["cache is no switch"]
    ping = _read(CachePing("unhealthy"), snapshot.taken_at)
    broken = msgspec.structs.replace(snapshot, gateway=msgspec.structs.replace(snapshot.gateway, cache_ping=ping))
    found = diagnose(broken, broken.taken_at)
    assert [problem.cause for problem in found.problems] == ["cache is no switch"]


# --- aliases and fallbacks ----------------------------------------------------------------------------------------


def test_requests_by_an_alias_are_the_failures_of_its_group() -> None:
    fed = Fed()
    _alias(fed)
    found = look(fed)
    assert states(found)["front"] == "failing"
    (problem,) = loud(found)
    assert "takes over" not in problem.hit
    assert "nobody for nick" in problem.hit


def test_the_one_who_answers_in_its_place_is_the_same_everywhere() -> None:
    fed = Fed()
    fed.write(*(_ok("openai/spare-m"), answered(200)) * 3)
    for _ in range(4):
        fed.write(info(f"litellm.acompletion(model=openai/front-m)\u001b[31m Exception {EXPLODED}\u001b[0m"))
    found = look(fed)
    (group,) = [group for group in found.groups if group.name == "front"]
    (row,) = [row for row in found.deployments if row.group == "front"]
    (problem,) = loud(found)
    assert group.in_place == "spare answers in its place for front, nobody for nick"
    assert all(group.in_place in words for words in (group.verdict.reason, row.verdict.reason, problem.hit))
    assert group.served_by == "spare"
    # the simulation and the incident say the same of both of its names
    outlook = simulate_outage(watched(fed.traffic(), fed.at + 3.0), found.deployments, found.groups)
    assert outlook.routes["general", "front"].served_by == "spare"
    assert "nick" in outlook.unanswered
    failures = fed.intake.incidents.failures(fed.at + 3.0)
    assert {one.fallback for one in find_incidents(failures, found, fed.at) if one.subject == "front"} == {
        group.in_place
    }


def test_no_fallback_takes_over_while_the_callers_get_errors() -> None:
    fed = Fed()
    fed.write(*(_ok("openai/spare-m"), answered(200)) * 3)
    _alias(fed, "front")
    found = look(fed)
    assert states(found)["front"] == "failing"
    assert "answers in its place" not in loud(found)[0].hit


def test_a_name_that_no_group_has_is_told_with_its_failures() -> None:
    fed = Fed()
    _alias(fed, "nobody-knows-it")
    (problem,) = loud(look(fed))
    assert problem.title == "nobody-knows-it"


def test_the_names_of_a_wildcard_group_count_for_it() -> None:
    fed = Fed()
    _alias(fed, "lab/any-model")
    found = look(fed, models=(("lab/*", "openai/*"),))
    assert states(found) == {"lab/*": "failing"}
    assert len(loud(found)) == 1


# --- callers ------------------------------------------------------------------------------------------------------


def _refused(fed: Fed, times: int, client: str = "10.0.0.7:1") -> None:
    for _ in range(times):
        fed.write(error(f"{AUTH}Invalid proxy server token passed"), answered(401, client=client))


def test_a_caller_with_a_wrong_key_is_counted_and_degrades_nothing() -> None:
    fed = Fed()
    fed.write(*(_ok("openai/fine-m"), answered(200)) * 3)
    _refused(fed, 5)
    found = look(fed)
    assert loud(found) == []
    (problem,) = quiet(found)
    assert problem.reason.startswith("5 requests were refused in 5 min with 4xx")
    assert "10.0.0.7" in problem.hit


def test_all_callers_refused_is_a_problem_and_one_alone_is_not() -> None:
    fed = Fed()
    _refused(fed, 5)
    assert (loud(look(fed)), look(fed).headline.word) == ([], "ANSWERING")
    _refused(fed, 5, "10.0.0.8:1")
    assert [problem.cause for problem in loud(look(fed))] == ["every request is refused"]


def test_a_group_that_only_gets_requests_that_are_too_long_is_told_as_its_callers_own() -> None:
    fed = Fed()
    for _ in range(4):
        fed.write(info(f"litellm.acompletion(model=openai/fine-m)\u001b[31m Exception {LONG}\u001b[0m"))
        text = LONG + ALONE.format("fine")
        fed.write(error(PROXY + CALL + text), answered(400))
    found = look(fed)
    assert loud(found) == []
    (row,) = [row for row in found.deployments if row.group == "fine"]
    assert "by what the callers ask" in row.verdict.reason
    assert found.headline.word == "ANSWERING"


# --- what is known of silence -------------------------------------------------------------------------------------


def _counted(ok: float, started_at: float | None) -> Metrics:
    return Metrics((DeploymentCounters("openai/fine-m", ok=ok),), started_at=started_at)


def test_the_first_counts_of_a_young_process_are_its_requests() -> None:
    fed = Fed()
    metrics = _counted(12, fed.at - 24)
    fed.counter.add_metrics(metrics, fed.at)
    found = look(fed, up=27.0, metrics=metrics)
    verdicts = {row.group: row.verdict for row in found.deployments}
    assert verdicts["fine"].state == "serving"
    assert verdicts["spare"].reason.endswith("no request since its process started")


def test_of_an_old_process_the_first_counts_are_told_without_a_time() -> None:
    fed = Fed()
    metrics = _counted(12, fed.at - 9000)
    fed.counter.add_metrics(metrics, fed.at)
    verdicts = {row.group: row.verdict for row in look(fed, up=9003.0, metrics=metrics).deployments}
    assert "it has answered 12 requests since its process started" in verdicts["fine"].reason
    assert "no request" not in verdicts["spare"].reason


@pytest.mark.parametrize(
    ("seconds", "said"), [(10, "nothing that was seen"), (60, "since the console has watched"), (301, "in 5 min")]
)
def test_no_request_is_said_for_as_long_as_requests_are_seen(seconds: float, said: str) -> None:
    traffic = Traffic(counted=True, counted_since=1000.0)
    verdicts = [row.verdict for row in judged(traffic, 1000.0 + seconds).deployments]
    assert all(said in verdict.reason for verdict in verdicts)


# --- the age of a health report -----------------------------------------------------------------------------------

WELL = HealthReport(tuple(HealthEntry(f"openai/{group}-m", None, f"openai/{group}-m") for group in GROUPS), ())


def _fine(**more: Any) -> Any:
    found = judged(Traffic(), 100_000.0, health=WELL, **more)
    return next(row.verdict for row in found.deployments if row.group == "fine"), found


def test_a_check_of_up_to_an_hour_ago_proves_nothing_of_now() -> None:
    verdict, found = _fine(interval=3600, up=90_000.0)
    assert verdict.state == "unproven"
    assert "up to 1 h ago" in verdict.reason
    assert verdict.seen_at == 100_000.0 - 3615
    assert found.headline.word == "ANSWERING"
    (looked,) = [looked for looked in found.looked if looked.what == "health report"]
    assert looked.seen_at == 100_000.0 - 3615


def test_a_report_is_not_older_than_its_process_or_its_last_change() -> None:
    verdict, _ = _fine(interval=3600, up=120.0)
    assert (verdict.state, verdict.seen_at) == ("serving", 100_000.0 - 120)
    renewed = msgspec.structs.replace(WELL, renewed_at=100_000.0 - 40)
    found = judged(Traffic(), 100_000.0, health=renewed, interval=3600, up=90_000.0)
    verdict = next(row.verdict for row in found.deployments if row.group == "fine")
    assert (verdict.state, verdict.seen_at) == ("serving", 100_000.0 - 55)


def test_a_report_of_a_short_interval_is_of_now() -> None:
    verdict, found = _fine(interval=10, up=90_000.0)
    assert (verdict.state, verdict.seen_at) == ("serving", 100_000.0 - 25)
    assert found.headline.word == "OK"


# --- recovery -----------------------------------------------------------------------------------------------------


def test_a_group_of_several_that_answers_again_is_well() -> None:
    """At INFO a cooldown names the group alone; a healed group answers, and nothing is said of it any more."""
    fed = Fed()
    limited = "litellm.RateLimitError: RateLimitError: OpenAIException - rate limited"
    for _ in range(4):
        fed.write(error(PROXY + CALL + limited + ALONE.format("pool")), answered(429))
    models = (("pool", "openai/a"), ("pool", "openai/b"))
    assert states(look(fed, models=models)) == {"pool": "failing"}
    for _ in range(4):
        fed.write(_ok("openai/a"), answered(200), _ok("openai/b"), answered(200))
        fed.at += 2
    assert states(look(fed, models=models)) == {"pool": "serving"}
    assert loud(look(fed, models=models)) == []


def test_a_group_of_one_is_what_its_deployment_is() -> None:
    fed = Fed()
    for _ in range(4):
        fed.write(error(PROXY + CALL + EXPLODED + ALONE.format("fine")), answered(500))
    assert states(look(fed))["fine"] == "failing"
    for _ in range(4):
        fed.write(_ok("openai/fine-m"), answered(200))
        fed.at += 2
    assert states(look(fed))["fine"] == "serving"
    assert loud(look(fed)) == []


def test_nobody_says_that_nothing_is_wrong_beside_requests_that_fail() -> None:
    fed = Fed()
    fed.write(*(answered(200) for _ in range(20)))
    assert all_clear(look(fed).problems) == "nothing is wrong, as far as can be seen"
    _inside(fed, 1)
    assert "requests that fail are told below" in all_clear(look(fed).problems)


def test_an_alias_that_is_a_list_explains_the_failures_that_1_77_does_not_name() -> None:
    fed = Fed()
    text = "list indices must be integers or slices, not str"
    fed.write(error(PROXY + CALL + text), answered(500))
    now = fed.at + 3
    found = [
        list(unnamed_failures(Snapshot(now, traffic=fed.traffic()), now, (), causes))
        for causes in ((), ("alias is a list",))
    ]
    assert (len(found[0]), found[1]) == (1, [])


# --- refused callers ----------------------------------------------------------------------------------------------


def _with_refused(times: int, callers: int, answers: int = 30) -> Fed:
    fed = Fed()
    for number in range(times):
        fed.write(error(PROXY + AUTH + "Authentication Error, Invalid proxy server token passed."))
        fed.write(answered(401, client=f"10.0.0.{number % callers}:5000"))
    fed.write(*(answered(200) for _ in range(answers)))
    return fed


@pytest.mark.parametrize(
    ("times", "callers", "severity"), [(6, 2, "warn"), (6, 1, "quiet"), (2, 2, "quiet"), (3, 3, "quiet")]
)
def test_callers_who_are_refused_are_a_problem_with_their_share(times: int, callers: int, severity: str) -> None:
    found = look(_with_refused(times, callers))
    (problem,) = [problem for problem in found.problems if problem.key == "log:refused"]
    assert (problem.severity, problem.cause) == (severity, "requests refused")
    assert f"({times / (times + 30) * 100:.0f} % of all)" in problem.reason
    assert found.headline.word == ("DEGRADED" if severity == "warn" else "ANSWERING")


def test_refused_callers_of_whom_no_line_tells_are_a_problem_with_route_and_status() -> None:
    fed = Fed()
    for number in range(9):
        fed.write(answered(401, client=f"10.0.0.{number % 3}:5000"))
    fed.write(*(answered(200) for _ in range(20)))
    (problem,) = [problem for problem in loud(look(fed)) if problem.key == "log:refused"]
    assert problem.cause == "requests refused"
    assert "no line tells why of POST /v1/chat/completions (401)" in problem.reason
    assert "(31 % of all)" in problem.reason
    assert problem.hit == "callers at 10.0.0.0, 10.0.0.1, 10.0.0.2"


def test_requests_answered_with_429_without_a_line_are_told_by_it() -> None:
    fed = Fed()
    fed.write(*(answered(429) for _ in range(4)), answered(500))
    keys = {problem.key: problem.reason for problem in look(fed).problems}
    assert "with 429" in keys["log:failed:somewhere:429"]
    assert "log:failed:somewhere" in keys


def test_refused_callers_stand_above_what_nobody_is_hit_by() -> None:
    fed = _with_refused(9, 3)
    now = fed.at + 3
    snapshot = watched(fed.traffic(), now)
    router = {"fallbacks": [{"front": ["ghost"]}]}
    file = snapshot.configuration.current
    assert file
    snapshot = msgspec.structs.replace(
        snapshot,
        configuration=Configuration(
            current=msgspec.structs.replace(file, data={**file.data, "router_settings": router}),
            error=ConfigError("/etc/config.yaml", "expected ','", 12, 3),
        ),
        gateway=msgspec.structs.replace(
            snapshot.gateway,
            router=_read(router, now),
            cache_ping=_read(CachePing("unhealthy", "redis", server="127.0.0.1:6379"), now),
        ),
    )
    keys = [problem.key for problem in loud(diagnose(snapshot, now))]
    assert keys[0] == "log:refused"
    assert {"cache:", "configuration:parse"} <= {*keys}


def test_a_name_that_callers_ask_for_has_a_row_also_where_it_is_a_ghost_of_a_chain() -> None:
    fed = Fed()
    for _ in range(2):
        fed.write(
            error(f"{PROXY}{CALL}400: {{'error': 'x: Invalid model name passed in model=ghost. Call `/v1/models`'}}")
        )
        fed.write(answered(400))
    now = fed.at + 3
    snapshot = watched(fed.traffic(), now)
    router = {"fallbacks": [{"front": ["ghost"]}]}
    gateway = msgspec.structs.replace(snapshot.gateway, router=_read(router, now))
    file = snapshot.configuration.current
    assert file
    configuration = Configuration(current=msgspec.structs.replace(file, data={**file.data, "router_settings": router}))
    found = diagnose(msgspec.structs.replace(snapshot, gateway=gateway, configuration=configuration), now)
    causes = {(problem.title, problem.cause) for problem in found.problems}
    assert ("ghost", "no such group") in causes
    assert ("front", "ghost fallback") in causes


def _without_a_group(fed: Fed, model: str) -> None:
    for _ in range(3):
        fed.write(_tried(model, EXPLODED), error(ROUTER + EXPLODED + DEBUG), error(PROXY + CALL + EXPLODED))
        fed.write(answered(500))


TWINS = (("twin", "openai/twin-m"), ("twin", "openai/twin-m"), ("fine", "openai/fine-m"))


@pytest.mark.parametrize(("model", "models"), [("openai/fine-m", MODELS), ("openai/twin-m", TWINS)])
def test_what_the_deployments_of_a_model_tell_is_told_once(model: str, models: tuple[tuple[str, str], ...]) -> None:
    fed = Fed()
    _without_a_group(fed, model)
    found = look(fed, models=models)
    rows = [row for row in found.deployments if row.model == model]
    assert rows
    assert all(row.verdict.severity in ("bad", "warn") for row in rows)
    assert not [problem.key for problem in found.problems if problem.key.startswith("log:failed:")]


def test_the_failures_of_a_model_that_no_deployment_has_are_told() -> None:
    fed = Fed()
    _without_a_group(fed, "openai/elsewhere-m")
    fed.write(*(_ok("openai/fine-m") for _ in range(4)))
    found = look(fed)
    assert not [row.group for row in found.deployments if row.verdict.severity in ("bad", "warn")]
    (problem,) = loud(found)
    assert (problem.key, problem.title) == ("log:failed:model:openai/elsewhere-m", "openai/elsewhere-m")
    assert "upstream exploded" in problem.reason
