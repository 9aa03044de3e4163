"""What is named of each recorded fault, from what a real LiteLLM wrote of it; and what is a problem at all."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.problems import ASKED
from litellm_tui.analysis.health.unnamed_failures import STREAMS_RECENT
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.collectors.gateway import client
from litellm_tui.logs.entry import Entry
from litellm_tui.logs.intake import LogIntake
from litellm_tui.logs.store import LogStore
from litellm_tui.logs.traffic_counter import TrafficCounter
from litellm_tui.model.configuration import ConfigError, ConfigFile, Configuration
from litellm_tui.model.diagnosis import Diagnosis, Problem
from litellm_tui.model.failures import Unreachable
from litellm_tui.model.gateway import CachePing, Gateway, HealthReport
from litellm_tui.model.log import Log
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Notice, Tally, Traffic
from tests.recorded import FOLDER, VERSIONS, file_deployment, loaded_deployment, made_file

NOW = 1_800_000_000.0
UPSTREAM = "http://127.0.0.1:9102/v1"
BASES = {
    "refuses": "http://127.0.0.1:9103/v1",
    "ciphered": "https://127.0.0.1:9102/v1",
    "nowhere": "http://no-such-host.invalid:9102/v1",
}
GROUPS = ("calm", "fails", "badkey", "absent", "torn", "garbled", "front", "spare", "only-checks", "only-requests",
          "keyed", "untyped", "ciphered", "nowhere", "refuses", "sleepy", "limited")  # fmt: skip
MODELS = (*((group, f"openai/{group}-m") for group in GROUPS), ("pool", "openai/pool-a"), ("pool", "openai/pool-b"))
BROKEN = ("key-unset", "no-provider", "tls", "dns", "alias-list", "ghost", "cache-local")


@cache
def fault(version: str, key: str) -> dict[str, Any]:
    """One recorded fault."""
    found: dict[str, Any] = json.loads((FOLDER / version / "faults" / f"{key}.json").read_text(encoding="utf-8"))
    return found


def _configured(key: str) -> ConfigFile:
    router: dict[str, Any] = {"fallbacks": [{"front": ["spare"]}], "model_group_alias": {"nickname": "calm"}}
    if key in BROKEN:
        router["fallbacks"].append({"calm": ["phantom"]})
        router["model_group_alias"] = {"nickname": ["calm", "spare"]}
    file = made_file(router_settings=router, litellm_settings={"cache": True})
    entries = tuple(
        msgspec.structs.replace(
            file_deployment(group, "untyped-m" if key in BROKEN and group == "untyped" else model,
                            BASES.get(group, UPSTREAM)),
            missing=("LAB_UNSET_KEY",) if key in BROKEN and group == "keyed" else (),
        )
        for group, model in MODELS
    )  # fmt: skip
    return msgspec.structs.replace(file, deployments=entries)


def look(version: str, key: str, form: str, default_level: bool = False, health: bool = True) -> Diagnosis:
    """What is thought a second after the recorded request; at the default level LiteLLM writes no INFO lines."""
    recorded = fault(version, key)
    store, counter = LogStore(), TrafficCounter()
    intake = LogIntake(store, Redactor(), counter)
    lines = [*recorded.get("start", {}).get(form, ()), *recorded["journal"].get(form, ())]
    kept = [line["MESSAGE"] for line in lines if not (default_level and _is_info(line["MESSAGE"]))]
    entries = [Entry(NOW - 3 + n / 1000, text, 6, 7, "litellm") for n, text in enumerate(kept)]
    if entries:
        intake.add_entries(entries)
    file = _configured(key)
    loaded = tuple(
        loaded_deployment(entry.group, entry.model, entry.api_base) for entry in file.deployments if "/" in entry.model
    )
    body = json.dumps(recorded.get("health") or {}).encode()
    report = client.HEALTH.decode(200, body) if health and recorded.get("health") else None
    assert report is None or isinstance(report, HealthReport)
    readings: dict[str, Any] = {
        "liveliness": _read("I'm alive!"),
        "deployments": _read(loaded),
        "groups": _read(tuple(dict.fromkeys(d.group for d in loaded))),
        "health": _read(report) if report else Reading(),
        "cache_ping": _read(CachePing("healthy", "redis", True)),
        "router": _read({name: file.section("router_settings")[name] for name in file.section("router_settings")}),
    }
    service = Service("litellm.service", "user", "loaded", "active", "running", main_pid=7, started_at=NOW - 900)
    snapshot = Snapshot(
        taken_at=NOW,
        gateway=Gateway(**readings),
        configuration=Configuration(current=msgspec.structs.replace(file, modified_at=NOW - 1000)),
        service=_read(service),
        log=intake.log(NOW),
        traffic=counter.traffic(NOW, store.get),
    )
    return diagnose(msgspec.structs.replace(snapshot, log=msgspec.structs.replace(snapshot.log, state="following")),
                    NOW)  # fmt: skip


def _is_info(message: str) -> bool:
    if message.startswith("{"):
        return '"level": "INFO"' in message and "HTTP/1.1" not in message
    return re.search(r"LiteLLM(?: \w+)*:INFO", message) is not None


def _read(value: Any) -> Reading[Any]:
    return Reading(value=value, seen_at=NOW - 1, tried_at=NOW - 1, took=0.01, interval=5.0)


def _about(diagnosis: Diagnosis, group: str) -> list[Problem]:
    """The loud problems of one group, its deployments included."""
    keys = {row.key for row in diagnosis.deployments if row.group == group} | {group}
    return [p for p in diagnosis.problems if p.place.key in keys and p.severity in ("bad", "warn")]


# --- what each recorded fault is called, whatever the form and the level of the log -------------------------------

NAMED = [
    ("refused", "refuses", "refused"),
    ("500", "fails", "500"),
    ("401", "badkey", "401 key refused"),
    ("404", "absent", "404 not found"),
    ("429", "limited", "429 rate limit"),
    ("hang", "sleepy", "timeout"),
    ("health-green", "only-requests", "500"),
    ("key-unset", "keyed", "LAB_UNSET_KEY unset"),
    ("no-provider", "untyped", "no provider"),
    ("tls", "ciphered", "TLS"),
    ("dns", "nowhere", "no such host"),
    ("ghost", "calm", "500"),
]


@pytest.mark.parametrize("default_level", [False, True])
@pytest.mark.parametrize("form", ["json", "plain"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("key", "group", "cause"), NAMED)
def test_a_recorded_fault_is_named_once_and_by_its_cause(
    version: str, form: str, default_level: bool, key: str, group: str, cause: str
) -> None:
    diagnosis = look(version, key, form, default_level)
    (problem,) = _about(diagnosis, group)
    assert problem.cause == cause
    assert problem.do
    assert f"group {group}" in problem.hit


@pytest.mark.parametrize("form", ["json", "plain"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("key", "group", "cause"), [n for n in NAMED if n[0] not in ("no-provider", "health-green")])
def test_the_log_alone_names_it_too(version: str, form: str, key: str, group: str, cause: str) -> None:
    """The health report may be five minutes old, or not asked for at all."""
    (problem,) = _about(look(version, key, form, health=False), group)
    assert problem.cause == cause


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("key", "group", "cause"), NAMED)
def test_a_fault_of_one_group_is_not_called_one_of_another(version: str, key: str, group: str, cause: str) -> None:
    """Every failure's line repeats the errors of all groups that cool down."""
    for form in ("json", "plain"):
        rows = look(version, key, form).deployments
        guilty = {row.group for row in rows if row.verdict.severity in ("bad", "warn")}
        expected = {group, *({"keyed", "untyped"} if key in BROKEN else ())}
        assert guilty == expected


@pytest.mark.parametrize("form", ["json", "plain"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_dead_primary_is_named_though_its_callers_are_served(version: str, form: str) -> None:
    (problem,) = _about(look(version, "masked", form, health=False), "front")
    assert (problem.severity, problem.cause) == ("warn", "500")
    assert "spare answers in its place" in problem.hit


@pytest.mark.parametrize("default_level", [False, True])
@pytest.mark.parametrize("form", ["json", "plain"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_pool_that_cools_down_is_one_problem_and_not_two(version: str, form: str, default_level: bool) -> None:
    (problem,) = _about(look(version, "cooling", form, default_level), "pool")
    assert problem.place.kind == "group"
    assert problem.cause in ("cooling down", "429 rate limit")


@pytest.mark.parametrize("form", ["json", "plain"])
@pytest.mark.parametrize(("version", "key"), [("1.106.2", "stream-cut"), ("1.106.2", "stream-error")])
def test_a_stream_that_breaks_without_a_name_is_a_problem_of_the_log(version: str, key: str, form: str) -> None:
    loud = [p for p in look(version, key, form).problems if p.severity in ("bad", "warn")]
    assert [(p.place.kind, p.cause) for p in loud] == [("log", "stream breaks")]


def test_a_stream_that_1_77_passes_off_as_finished_shows_nowhere() -> None:
    for form in ("json", "plain"):
        assert look("1.77.7", "stream-cut", form).problems == ()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("key", ["redis-stopped", "redis-hung"])
def test_what_is_written_of_redis_is_no_deployments_failure(version: str, key: str) -> None:
    for form in ("json", "plain"):
        diagnosis = look(version, key, form)
        assert {row.verdict.severity for row in diagnosis.deployments} <= {"ok", "quiet"}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_alias_that_is_a_list_says_how_many_requests_it_cost(version: str) -> None:
    for form in ("json", "plain"):
        (problem,) = [p for p in look(version, "alias-list", form).problems if p.place.kind == "alias"]
        assert (problem.cause, problem.severity) == ("alias is a list", "bad")
        assert "refused" in problem.hit


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_dropped_at_the_start_is_no_change_of_the_file(version: str) -> None:
    diagnosis = look(version, "no-provider", "json")
    assert diagnosis.drift == ()
    assert "configuration:drift" not in {problem.key for problem in diagnosis.problems}


# --- what is a problem at all -------------------------------------------------------------------------------------


def _world(*notices: Notice, errors: int = 0, tallies: tuple[Tally, ...] = (), **router: Any) -> Diagnosis:
    file = made_file(router_settings=router)
    loaded = (loaded_deployment("calm", "openai/calm-m", UPSTREAM, "id1"),)
    readings: dict[str, Any] = {"liveliness": _read("x"), "deployments": _read(loaded), "router": _read(router)}
    service = Service("litellm.service", "user", "loaded", "active", "running", main_pid=7, started_at=NOW - 60)
    snapshot = Snapshot(
        taken_at=NOW,
        gateway=Gateway(**readings),
        configuration=Configuration(
            current=msgspec.structs.replace(file, deployments=(file_deployment("calm", "openai/calm-m", UPSTREAM),))
        ),
        service=_read(service),
        log=Log(state="following", errors_per_minute=(0, 0, 0, 0, 0, 0, 0, 0, 0, errors)),
        traffic=Traffic(notices=notices, tallies=tallies, per_model=True),
    )
    return diagnose(snapshot, NOW)


def _strange(name: str, age: float = 5, times: int = 1) -> Notice:
    return Notice("no such group", name, NOW - age - 1, NOW - age, times)


def test_a_name_asked_for_in_vain_is_a_note() -> None:
    (problem,) = _world(_strange("gpt-9", times=4)).problems
    assert (problem.severity, problem.cause, problem.title) == ("quiet", "no such group", "gpt-9")
    assert "4 requests" in problem.reason


def test_a_client_that_invents_names_does_not_fill_the_list() -> None:
    found = _world(*(_strange(f"x{number}", times=number) for number in range(1, 80))).problems
    assert [problem.title for problem in found] == ["x79", "x78", "x77"]
    assert "76 other names" in found[0].reason


def test_a_name_asked_for_long_ago_or_of_a_process_that_is_gone_is_forgotten() -> None:
    assert _world(_strange("old", ASKED + 1), _strange("before the restart", 61)).problems == ()


def test_a_name_that_exists_by_now_is_no_stranger() -> None:
    assert _world(_strange("calm"), _strange("nick"), model_group_alias={"nick": "calm"}).problems == ()


def test_errors_that_nothing_explains_are_worth_a_word_and_others_are_not() -> None:
    (problem,) = _world(errors=3).problems
    assert (problem.cause, problem.severity) == ("errors", "quiet")
    assert _world(errors=2).problems == ()
    # of a failure that has just healed
    healed = Tally("model", "openai/calm-m", ok=9, failed=1, last_ok=NOW - 1, last_failed=NOW - 200, error="500")
    assert _world(errors=9, tallies=(healed,)).problems == ()
    assert [p.cause for p in _world(_strange("gpt-9", times=9), errors=9).problems] == ["no such group"]


def test_streams_that_broke_are_taken_back_after_a_minute() -> None:
    broke = Notice(
        "stream breaks", "litellm.APIConnectionError: the engine died", NOW - 50, NOW - STREAMS_RECENT + 1, 3
    )
    (problem,) = _world(broke).problems
    assert (problem.cause, problem.since) == ("stream breaks", NOW - 50)
    assert "3 streams" in problem.reason
    assert _world(msgspec.structs.replace(broke, last=NOW - STREAMS_RECENT - 1)).problems == ()


def test_a_ghost_alias_and_a_ghost_fallback_are_named() -> None:
    found = _world(model_group_alias={"nick": "nobody"}, fallbacks=[{"calm": ["phantom"]}]).problems
    assert {(p.title, p.cause) for p in found} == {("nick", "ghost alias"), ("calm", "ghost fallback")}


def test_the_worst_stands_first_and_each_has_a_key_of_its_own() -> None:
    failing = Tally("model", "openai/calm-m", failed=9, last_failed=NOW - 1, in_a_row=9, error="Connection refused")
    found = _world(_strange("gpt-9"), tallies=(failing,), fallbacks=[{"calm": ["phantom"]}]).problems
    assert [p.cause for p in found] == ["refused", "ghost fallback", "no such group"]
    assert len({p.key for p in found}) == len(found)


def test_behind_a_silent_gateway_only_the_gateway_is_a_problem() -> None:
    failing = Tally("model", "openai/calm-m", failed=9, last_failed=NOW - 1, in_a_row=9, error="Connection refused")
    silent: Reading[str] = Reading(
        failure=Unreachable("connection refused", kind="refused"), failing_since=NOW - 9, tried_at=NOW - 1
    )
    snapshot = Snapshot(
        taken_at=NOW,
        gateway=Gateway(liveliness=silent, deployments=_read((loaded_deployment("calm", "openai/calm-m"),))),
        traffic=Traffic(tallies=(failing,), per_model=True),
    )
    assert [(p.place.kind, p.cause, p.hit) for p in diagnose(snapshot, NOW).problems] == [
        ("gateway", "refused", "every request fails")
    ]


def test_a_secret_in_an_error_reaches_no_problem() -> None:
    store, counter = LogStore(), TrafficCounter()
    intake = LogIntake(store, Redactor({"mysecretvalue"}), counter)
    error = "litellm.AuthenticationError: Incorrect API key provided: sk-abcdef123456 mysecretvalue \\u001b[31m"
    lines = (
        f"litellm.proxy.proxy_server.async_data_generator(): Exception occured - {error}",
        f"litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - {error}\\nLiteLLM: model group "
        "'calm' failed with the error above",
        f"Error creating deployment: x You passed model=mysecretvalue/{error}",
        "litellm.proxy.proxy_server._handle_llm_api_exception(): Exception occured - 400: Invalid model name passed in "
        "model=sk-abcdef123456. Call `/v1/models`",
    )
    intake.add_entries(
        [Entry(NOW - 1, f'{{"level": "ERROR", "message": "{text}"}}', 3, 7, "litellm") for text in lines]
    )
    traffic = counter.traffic(NOW + 2, store.get)
    assert len(traffic.notices) == 3
    world = Snapshot(
        taken_at=NOW + 2,
        gateway=Gateway(liveliness=_read("x"), deployments=_read((loaded_deployment("calm", "openai/calm-m"),)),
                        router=_read({})),
        traffic=traffic,
    )  # fmt: skip
    diagnosis = diagnose(world, NOW + 2)
    assert {"401 key refused", "stream breaks", "no such group"} <= {p.cause for p in diagnosis.problems}
    said = msgspec.json.encode(diagnosis).decode()
    assert "sk-abcdef123456" not in said
    assert "mysecretvalue" not in said
    assert "\\u001b" not in said


def test_a_file_that_is_missing_is_no_error_of_syntax() -> None:
    for unread, cause in ((True, "cannot be read"), (False, "does not parse")):
        error = ConfigError("/etc/litellm/config.yaml", "No such file or directory", since=NOW - 5, unread=unread)
        gateway = Gateway(liveliness=_read("x"), deployments=_read(()))
        found = diagnose(Snapshot(NOW, gateway=gateway, configuration=Configuration(error=error)), NOW)
        (problem,) = [problem for problem in found.problems if problem.place.kind == "configuration"]
        assert (problem.cause, "/etc/litellm/config.yaml" in problem.reason) == (cause, True)
        assert ("put it back" in problem.do) is unread
