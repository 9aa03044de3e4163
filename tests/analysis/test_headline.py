"""Every word of the header, and what leads to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.headline import sparkline
from litellm_tui.model.configuration import ConfigError, Configuration
from litellm_tui.model.diagnosis import Headline
from litellm_tui.model.failures import Failure, Malformed, NotAvailable, Unauthorized, Unreachable
from litellm_tui.model.gateway import CachePing, Gateway, HealthReport
from litellm_tui.model.log import Log
from litellm_tui.model.reading import Reading
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Traffic
from tests.recorded import CONFIG, NOW, gateway_of, loaded_file, service_of

SOUND = CONFIG.replace("nonexistent-model", "gpt-4")
REFUSED = Unreachable("connection refused", kind="refused")
SILENT = Unreachable("no answer within 1.4 s", kind="timeout")


@pytest.fixture
def healthy(tmp_path: Path) -> Snapshot:
    """The recorded proxy with all its deployments well, and no fallback that does not exist."""
    gateway = gateway_of("1.106.2")
    router = msgspec.json.decode(msgspec.json.encode(gateway.router.value).replace(b"nonexistent-model", b"gpt-4"))
    gateway = msgspec.structs.replace(gateway, router=msgspec.structs.replace(gateway.router, value=router))
    report = gateway.health.value
    assert report
    well = HealthReport(healthy=(*report.healthy, *report.unhealthy), unhealthy=())
    file = loaded_file(tmp_path / "config.yaml", SOUND, KIMI_KEY="x", LITELLM_MASTER_KEY="x")
    return Snapshot(
        taken_at=NOW,
        gateway=msgspec.structs.replace(gateway, health=msgspec.structs.replace(gateway.health, value=well)),
        configuration=Configuration(current=msgspec.structs.replace(file, modified_at=NOW - 7200)),
        service=Reading(value=service_of("1.106.2"), seen_at=NOW - 1, interval=2.0),
    )


def _with(snapshot: Snapshot, **readings: Any) -> Snapshot:
    changed = {name: Reading(**given) if isinstance(given, dict) else given for name, given in readings.items()}
    return msgspec.structs.replace(snapshot, gateway=msgspec.structs.replace(snapshot.gateway, **changed))


def _service(snapshot: Snapshot, seen_at: float = NOW - 0.5, **fields: Any) -> Snapshot:
    value: Service = msgspec.structs.replace(service_of("1.106.2"), **fields)
    return msgspec.structs.replace(snapshot, service=Reading(value=value, seen_at=seen_at, interval=2.0))


def _silent(snapshot: Snapshot, failure: Failure = REFUSED, since: float = NOW - 8) -> Snapshot:
    return _with(
        snapshot, liveliness={"value": "I'm alive!", "seen_at": since - 1, "failure": failure, "failing_since": since}
    )


def _headline(snapshot: Snapshot) -> Headline:
    return diagnose(snapshot, NOW).headline


def _texts(headline: Headline) -> list[str]:
    return [part.text for part in headline.parts]


def test_ok(healthy: Snapshot) -> None:
    headline = _headline(healthy)
    assert (headline.word, headline.severity, headline.advice) == ("OK", "ok", "")
    assert _texts(headline) == ["7 deployments serving", "cache healthy", "up 1 h"]


def test_answering_while_no_health_is_proven(healthy: Snapshot) -> None:
    headline = _headline(_with(healthy, health={"failure": NotAvailable("off")}))
    assert (headline.word, headline.severity) == ("ANSWERING", "quiet")
    assert _texts(headline)[0] == "7 deployments loaded, the health of 7 is not proven"


def test_answering_from_somewhere_else_than_the_unit(healthy: Snapshot) -> None:
    headline = _headline(_service(healthy, active_state="inactive", sub_state="dead", main_pid=0))
    assert (headline.word, headline.severity) == ("AT RISK", "warn")
    assert "another service" in headline.advice


def test_answering_while_the_models_cannot_be_read(healthy: Snapshot) -> None:
    file_less = msgspec.structs.replace(healthy, configuration=Configuration())
    headline = _headline(_with(file_less, deployments={"failure": Malformed("HTTP 500: odd")}))
    assert headline.word == "ANSWERING"
    assert headline.severity == "unknown"


def test_starting_until_the_models_were_read(healthy: Snapshot) -> None:
    file_less = msgspec.structs.replace(healthy, configuration=Configuration())
    assert _headline(_with(file_less, deployments={})).word == "STARTING"


def test_degraded_by_a_dead_deployment_with_the_next_step(healthy: Snapshot) -> None:
    headline = _headline(_with(healthy, health=gateway_of("1.106.2").health))
    assert (headline.word, headline.severity) == ("DEGRADED", "bad")
    assert "failing" in _texts(headline)[1]
    assert headline.advice.startswith("qwen-coder-vllm: refused; start the upstream")


@pytest.mark.parametrize(
    ("ping", "severity", "advice"),
    [
        (CachePing("unhealthy", "redis", server="127.0.0.1:6379"), "warn", "start Redis"),
        (NotAvailable("no cache is configured"), "warn", "restart to apply"),
    ],
)
def test_degraded_by_the_cache_alone(healthy: Snapshot, ping: Any, severity: str, advice: str) -> None:
    reading = {"failure": ping} if isinstance(ping, Failure) else {"value": ping, "seen_at": NOW}
    headline = _headline(_with(healthy, cache_ping=reading))
    assert (headline.word, headline.severity) == ("DEGRADED", severity)
    assert advice in headline.advice


def test_at_risk_by_a_broken_file(healthy: Snapshot) -> None:
    configuration = msgspec.structs.replace(
        healthy.configuration, error=ConfigError("/etc/config.yaml", "expected ',' or ']'", 12, 3)
    )
    headline = _headline(msgspec.structs.replace(healthy, configuration=configuration))
    assert (headline.word, headline.severity) == ("AT RISK", "warn")
    assert "config broken, line 12: expected ',' or ']'" in _texts(headline)
    assert "/etc/config.yaml:12:3" in headline.advice


def test_a_file_saved_after_the_start_is_said_and_is_no_fault(healthy: Snapshot) -> None:
    file = healthy.configuration.current
    assert file
    later = msgspec.structs.replace(file, modified_at=NOW - 5)
    headline = _headline(msgspec.structs.replace(healthy, configuration=Configuration(current=later)))
    assert headline.word == "OK"
    assert "config saved after the start" in _texts(headline)
    router = {**(healthy.gateway.router.value or {}), "num_retries": 7}
    changed = _with(healthy, router={"value": router, "seen_at": NOW})
    headline = _headline(msgspec.structs.replace(changed, configuration=Configuration(current=later)))
    assert (headline.word, headline.severity) == ("OK", "ok")
    assert "config saved, 1 change not applied" in _texts(headline)


def test_a_new_deployment_that_waits_for_a_restart_is_no_fault(healthy: Snapshot, tmp_path: Path) -> None:
    text = SOUND.replace(
        "litellm_settings:", "  - model_name: new\n    litellm_params: {model: openai/new}\nlitellm_settings:"
    )
    file = loaded_file(tmp_path / "more.yaml", text, KIMI_KEY="x", LITELLM_MASTER_KEY="x")
    later = msgspec.structs.replace(file, modified_at=NOW - 5)
    headline = _headline(msgspec.structs.replace(healthy, configuration=Configuration(current=later)))
    assert (headline.word, headline.severity) == ("OK", "ok")
    assert _texts(headline)[:2] == ["config saved, 1 change not applied", "7 deployments serving"]


def test_errors_in_the_log_are_counted(healthy: Snapshot) -> None:
    log = Log(errors_per_minute=(9, 0, 0, 0, 0, 0, 1, 2, 0, 4))
    assert "7 error lines in 5 min ▁▃▅▁█" in _texts(_headline(msgspec.structs.replace(healthy, log=log)))
    quiet = Log(errors_per_minute=(9, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    assert not any("error" in text for text in _texts(_headline(msgspec.structs.replace(healthy, log=quiet))))


@pytest.mark.parametrize(
    ("minutes", "rising"),
    [
        ((0, 0, 0, 0, 0, 1, 2, 3, 4, 5), True),
        ((1, 1, 1, 1, 1, 1, 1, 1, 4, 9), True),
        # many, and as many as before
        ((1, 1, 1, 1, 3, 3, 3, 3, 3, 3), False),
        # more than in the minutes before them, and falling by now
        ((0, 0, 0, 0, 0, 2, 5, 14, 8, 5), False),
        ((3, 3, 3, 3, 3, 3, 3, 3, 3, 3), False),
        ((9, 9, 9, 9, 9, 3, 3, 3, 3, 3), False),
        # too few to be a trend
        ((0, 0, 0, 0, 0, 0, 0, 1, 2, 3), False),
    ],
)
def test_that_errors_rise_is_said_only_where_they_do(healthy: Snapshot, minutes: tuple[int, ...], rising: bool) -> None:
    seen = msgspec.structs.replace(
        healthy, log=Log(errors_per_minute=minutes), traffic=Traffic(since=healthy.taken_at - 900)
    )
    told = next(text for text in _texts(_headline(seen)) if "error lines in 5 min" in text)
    assert told.endswith(" rising") == rising
    # what was not watched before cannot be compared with
    young = msgspec.structs.replace(seen, traffic=Traffic(since=healthy.taken_at - 120))
    assert not any("rising" in text for text in _texts(_headline(young)))


def test_a_sparkline_has_a_bar_per_value() -> None:
    assert sparkline((0, 0)) == "▁▁"
    assert sparkline((0, 7)) == "▁█"
    assert sparkline(()) == ""


def test_connecting_before_the_first_answer() -> None:
    assert _headline(Snapshot(taken_at=NOW)).word == "CONNECTING"


@pytest.mark.parametrize(("sent", "word"), [(True, "KEY REFUSED"), (False, "KEY NEEDED")])
def test_a_key_that_is_refused_or_missing(healthy: Snapshot, sent: bool, word: str) -> None:
    headline = _headline(_with(healthy, groups={"failure": Unauthorized("HTTP 401: no", sent=sent)}))
    assert (headline.word, headline.severity) == (word, "bad")
    assert "LITELLM_PROXY_API_KEY" in headline.advice
    assert _texts(headline)[0] == "HTTP 401: no"


def test_not_litellm(healthy: Snapshot) -> None:
    headline = _headline(_silent(healthy, Malformed("/health/liveliness said '<html>': is this LiteLLM?")))
    assert (headline.word, headline.severity) == ("NOT LITELLM", "bad")
    assert "--port" in headline.advice


def test_hanging_names_the_process(healthy: Snapshot) -> None:
    headline = _headline(_service(_silent(healthy, SILENT), main_pid=4321))
    assert (headline.word, headline.severity) == ("HANGING", "bad")
    assert "no answer within 1.4 s (process 4321), for 8 s" in _texts(headline)[0]
    assert "SIGSTOP" in headline.advice


@pytest.mark.parametrize(
    ("fields", "fault", "advice"),
    [
        (
            {
                "active_state": "failed",
                "sub_state": "failed",
                "result": "exit-code",
                "exit_code": "exited",
                "exit_status": 3,
                "main_pid": 0,
            },
            "litellm.service failed (exit-code, status 3)",
            "R starts it again",
        ),
        (
            {
                "active_state": "failed",
                "sub_state": "failed",
                "result": "signal",
                "exit_code": "killed",
                "exit_status": 9,
                "main_pid": 0,
            },
            "litellm.service failed (killed by SIGKILL)",
            "R starts it again",
        ),
        (
            {
                "active_state": "activating",
                "sub_state": "auto-restart",
                "result": "signal",
                "exit_code": "killed",
                "exit_status": 9,
            },
            "litellm.service ended (killed by SIGKILL), systemd starts it again",
            "R starts it again",
        ),
        (
            {"active_state": "inactive", "sub_state": "dead", "main_pid": 0},
            "litellm.service is inactive",
            "R starts it again",
        ),
        (
            {"load_state": "not-found", "active_state": "inactive", "main_pid": 0},
            "litellm.service is not there any more",
            "put it back",
        ),
        ({}, "litellm.service is active", "not on this port"),
    ],
)
def test_down_says_what_became_of_the_unit(healthy: Snapshot, fields: Any, fault: str, advice: str) -> None:
    headline = _headline(_service(_silent(healthy), **fields))
    assert (headline.word, headline.severity) == ("DOWN", "bad")
    assert _texts(headline)[:2] == ["connection refused, for 8 s", fault]
    assert advice in headline.advice


def test_down_without_a_unit(healthy: Snapshot) -> None:
    lost = msgspec.structs.replace(_silent(healthy), service=Reading(failure=NotAvailable("no unit was found")))
    headline = _headline(lost)
    assert headline.word == "DOWN"
    assert "no unit is known here" in headline.advice


def test_what_was_read_of_the_unit_before_the_silence_says_nothing_about_it(healthy: Snapshot) -> None:
    headline = _headline(_service(_silent(healthy), seen_at=NOW - 30))
    assert _texts(headline)[0] == "connection refused, for 8 s"
    assert not any("is active" in text for text in _texts(headline))


def test_starting_while_a_young_process_does_not_answer(healthy: Snapshot) -> None:
    headline = _headline(_service(_silent(healthy), started_at=NOW - 4))
    assert (headline.word, headline.severity) == ("STARTING", "warn")
    assert "has run for 4 s" in _texts(headline)[0]
    assert _headline(_service(_silent(healthy), active_state="activating", sub_state="start")).word == "STARTING"


def test_a_process_that_answered_and_stopped_or_is_old_is_not_starting(healthy: Snapshot) -> None:
    answered = _silent(healthy, since=NOW - 3)
    assert _headline(_service(answered, started_at=NOW - 20)).word == "DOWN"
    assert _headline(_service(_silent(healthy, since=NOW - 90), started_at=NOW - 80)).word == "DOWN"


def test_stopping(healthy: Snapshot) -> None:
    headline = _headline(_service(_silent(healthy), active_state="deactivating", sub_state="stop-sigterm"))
    assert (headline.word, headline.severity) == ("STOPPING", "warn")


def test_the_state_of_the_file_is_said_while_the_gateway_is_down(healthy: Snapshot) -> None:
    broken = msgspec.structs.replace(
        _silent(healthy), configuration=Configuration(error=ConfigError("c.yaml", "the file is empty", 1, 1))
    )
    assert "config broken, line 1: the file is empty" in _texts(_headline(broken))


def test_an_unreadable_unit_is_said_and_is_no_fault_of_the_gateway(healthy: Snapshot) -> None:
    unknown = msgspec.structs.replace(healthy, service=Reading(failure=NotAvailable("no bus")))
    headline = _headline(unknown)
    assert headline.word == "OK"
    assert "service unknown" in _texts(headline)


def test_no_deployments_at_all(healthy: Snapshot) -> None:
    empty = msgspec.structs.replace(
        _with(healthy, deployments={"value": (), "seen_at": NOW}), configuration=Configuration()
    )
    assert "no deployments" in _texts(_headline(empty))


@pytest.mark.parametrize("failure", [REFUSED, SILENT, Malformed("x"), Unauthorized("x"), NotAvailable("x")])
def test_every_failure_of_every_source_has_a_word(failure: Failure) -> None:
    for field in Gateway.__struct_fields__:
        for service in (None, service_of("1.106.2")):
            reading: Reading[Any] = Reading(failure=failure, failing_since=NOW - 1, tried_at=NOW)
            snapshot = Snapshot(
                NOW,
                gateway=Gateway(**{field: reading}),
                service=Reading(value=service, seen_at=NOW if service else None),
            )
            assert _headline(snapshot).word
