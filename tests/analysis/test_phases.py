"""The check's phases: what each rests on, and what it says when the one before it has failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from litellm_tui.analysis.change.changes import LookSummary, carried_over, changes_since, summarize_look
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.phases import Phase, check_phases
from litellm_tui.model.audit import Audit, Finding, Severity
from litellm_tui.model.configuration import ConfigError, Configuration, Mark
from litellm_tui.model.failures import Denied, NotAvailable, Unauthorized, Unreachable
from litellm_tui.model.gateway import CachePing
from litellm_tui.model.log import Log
from litellm_tui.model.reading import Reading
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.model.traffic import Traffic
from tests.recorded import CONFIG, NOW, VERSIONS, loaded_file, snapshot_of

NAMES = (
    "file", "audit", "references", "service", "port", "gateway", "key", "models", "routing", "cache", "database", "log",
)  # fmt: skip


@pytest.fixture(params=VERSIONS)
def snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> Snapshot:
    file = loaded_file(tmp_path / "config.yaml", CONFIG, LITELLM_MASTER_KEY="x")
    return msgspec.structs.replace(
        snapshot_of(request.param, file), log=Log(source="journalctl", state="following", last=9)
    )


def _phases(snapshot: Snapshot, minutes: int = 10) -> dict[str, Phase]:
    found = check_phases(snapshot, diagnose(snapshot, NOW), NOW, minutes)
    assert tuple(phase.name for phase in found) == NAMES
    return {phase.name: phase for phase in found}


def _with(snapshot: Snapshot, **readings: Any) -> Snapshot:
    return msgspec.structs.replace(snapshot, gateway=msgspec.structs.replace(snapshot.gateway, **readings))


def _outcomes(snapshot: Snapshot) -> dict[str, str]:
    return {name: phase.outcome for name, phase in _phases(snapshot).items()}


def test_the_recorded_proxy_phase_by_phase(snapshot: Snapshot) -> None:
    assert _outcomes(snapshot) == {
        "file": "ok", "audit": "skipped", "references": "warning", "service": "ok", "port": "ok", "gateway": "ok",
        "key": "ok", "models": "broken", "routing": "warning", "cache": "ok", "database": "ok", "log": "ok",
    }  # fmt: skip
    found = _phases(snapshot)
    assert "KIMI_KEY" in found["references"].text
    assert "nonexistent-model" not in found["routing"].text or "ghost" in found["routing"].text
    assert all(phase.do for phase in found.values() if phase.outcome in ("warning", "broken"))


def test_behind_a_gateway_that_does_not_answer_nothing_is_claimed(snapshot: Snapshot) -> None:
    refused: Reading[str] = Reading(
        failure=Unreachable("connection refused", kind="refused"), failing_since=NOW - 5, tried_at=NOW
    )
    found = _outcomes(_with(snapshot, liveliness=refused))
    assert (found["port"], found["gateway"]) == ("broken", "broken")
    assert {found[name] for name in ("key", "models", "routing", "cache")} == {"skipped"}


def test_a_gateway_that_hangs_listens(snapshot: Snapshot) -> None:
    silent: Reading[str] = Reading(
        failure=Unreachable("no answer within 1.4 s", kind="timeout"), failing_since=NOW - 5, tried_at=NOW
    )
    found = _outcomes(_with(snapshot, liveliness=silent))
    assert (found["port"], found["gateway"]) == ("ok", "broken")


def test_one_that_answers_others_meanwhile_is_a_warning_and_cannot_be_asked_more(snapshot: Snapshot) -> None:
    silent: Reading[str] = Reading(
        failure=Unreachable("no answer within 1.4 s", kind="timeout"), failing_since=NOW - 5, tried_at=NOW, took=1.4
    )
    busy = msgspec.structs.replace(snapshot, traffic=Traffic(answered_at=NOW - 1))
    found = _outcomes(_with(busy, liveliness=silent))
    assert (found["port"], found["gateway"]) == ("ok", "warning")
    assert {found[name] for name in ("key", "models", "routing", "cache")} == {"skipped"}


def test_a_refused_key_is_broken_and_hides_the_rest(snapshot: Snapshot) -> None:
    refused: Reading[Any] = Reading(failure=Unauthorized("HTTP 401: the key was refused", sent=True), tried_at=NOW)
    found = _outcomes(_with(snapshot, groups=refused, deployments=refused))
    assert (found["gateway"], found["key"], found["models"]) == ("ok", "broken", "skipped")


def test_a_dead_cache_is_a_warning_because_requests_go_on(snapshot: Snapshot) -> None:
    down: Reading[CachePing] = Reading(value=CachePing("unhealthy", "redis"), seen_at=NOW, tried_at=NOW)
    assert _phases(_with(snapshot, cache_ping=down))["cache"].outcome == "warning"


def test_a_broken_file_and_a_missing_one(snapshot: Snapshot) -> None:
    broken = msgspec.structs.replace(snapshot.configuration, error=ConfigError("config.yaml", "expected ','", 12, 3))
    phase = _phases(msgspec.structs.replace(snapshot, configuration=broken))["file"]
    assert (phase.outcome, phase.text) == ("broken", "config.yaml:12:3: expected ','")
    missing = Configuration(why_unwatched="no configuration file was found")
    found = _outcomes(msgspec.structs.replace(snapshot, configuration=missing))
    assert (found["file"], found["references"]) == ("skipped", "skipped")


def test_errors_of_the_log_are_counted_over_what_was_read(snapshot: Snapshot) -> None:
    minutes = (*[0] * 45, 7, *[0] * 12, 2, 1)
    log = Log(state="following", last=9, errors_per_minute=minutes)
    traffic = Traffic(since=NOW - 7200)
    noisy = msgspec.structs.replace(snapshot, log=log, traffic=traffic)
    assert _phases(noisy)["log"] == Phase(
        "log", "warning", "3 errors in 10 min", "read them: litellm-tui, then 2 and n"
    )
    assert _phases(noisy, 60)["log"].text == "10 errors in 60 min"
    short = msgspec.structs.replace(noisy, traffic=Traffic(since=NOW - 90))
    assert _phases(short)["log"].text == "3 errors in the last 1 min, which is all that was read"
    denied = Log(state="ended", failure=Denied("no right"), last=-1)
    assert _phases(msgspec.structs.replace(snapshot, log=denied))["log"].outcome == "skipped"


# --- what is different from the last look ------------------------------------------------------------------------


def test_the_same_look_twice_changes_nothing(snapshot: Snapshot) -> None:
    found = summarize_look(snapshot, diagnose(snapshot, NOW), NOW)
    assert changes_since(found, found) == ()
    assert changes_since(None, found) == ()


def test_every_lasting_change_is_told_once() -> None:
    before = LookSummary(NOW - 86400, "1.77.7", "a", NOW - 90000, ("g (openai/m)", "h (openai/n)"), "healthy")
    after = LookSummary(NOW, "1.106.2", "b", NOW - 600, ("g (openai/m)", "i (openai/o)"), "down")
    assert changes_since(before, after) == (
        "LiteLLM 1.77.7 → 1.106.2", "restarted 10 min ago", "the configuration file is another",
        "added: i (openai/o)", "removed: h (openai/n)", "cache: healthy → down",
    )  # fmt: skip


def test_what_is_wrong_now_and_was_not_then_is_a_change() -> None:
    before = LookSummary(NOW - 60, gateway="answering", problems={"group:g": "g: refused", "cache:": "cache: down"})
    after = LookSummary(NOW, gateway="answering", problems={"group:g": "g: 401 key refused", "group:h": "h: 500"})
    assert changes_since(before, after) == ("g: refused → 401 key refused", "new: h: 500", "over: cache: down")
    # behind a gateway that does not answer nothing is known to be over
    dead = LookSummary(NOW, gateway="down", problems={"gateway:": "gateway down: refused"})
    assert changes_since(before, dead) == ("the gateway: answering → down", "new: gateway down: refused")
    assert changes_since(LookSummary(NOW - 60), after) == ()


def test_what_a_look_could_not_see_is_kept_from_the_look_before() -> None:
    before = LookSummary(NOW - 60, "1.106.2", "a", NOW - 900, ("g (m)",), "healthy", gateway="answering", problems={})
    kept = carried_over(before, LookSummary(NOW, gateway="down", problems={}))
    assert (kept.at, kept.version, kept.deployments, kept.gateway) == (NOW, "1.106.2", ("g (m)",), "down")
    assert carried_over(None, kept) is kept


def test_what_was_not_seen_is_no_change(snapshot: Snapshot) -> None:
    known = LookSummary(NOW - 60, "1.106.2", "a", NOW - 90000, ("g (openai/m)",), "healthy")
    assert changes_since(known, LookSummary(NOW)) == ()
    assert changes_since(LookSummary(NOW - 60), known) == ()
    blind = _with(snapshot, deployments=Reading(failure=NotAvailable("x")), readiness=Reading())
    assert summarize_look(blind, diagnose(blind, NOW), NOW).deployments is None


@pytest.mark.parametrize(
    ("severity", "outcome"), [("fatal", "broken"), ("error", "warning"), ("warning", "ok"), ("advice", "ok")]
)
def test_what_the_audit_found_is_a_phase_of_its_own(snapshot: Snapshot, severity: Severity, outcome: str) -> None:
    finding = Finding("some-rule", severity, "title", "what is wrong", Mark("config.yaml", 3))
    audit = Audit("config.yaml", "1.106.2", "", (finding,))
    found = check_phases(snapshot, diagnose(snapshot, NOW, audit=audit), NOW, 10)
    phase = next(phase for phase in found if phase.name == "audit")
    assert phase.outcome == outcome
    assert ("what is wrong" in phase.text) == (outcome != "ok")


def test_a_fatal_finding_is_a_problem_before_anything_restarts(snapshot: Snapshot) -> None:
    finding = Finding("some-rule", "fatal", "title", "what is wrong", Mark("config.yaml", 3), do="mend it")
    problems = diagnose(snapshot, NOW, audit=Audit("config.yaml", "1.106.2", "", (finding,))).problems
    mine = next(problem for problem in problems if problem.place.kind == "audit")
    assert (mine.cause, mine.severity) == ("LiteLLM would not start", "warn")
    assert "config.yaml:3" in mine.reason
    assert "mend it" in mine.do
