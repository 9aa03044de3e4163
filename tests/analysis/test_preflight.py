"""What speaks against a restart before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from litellm_tui.analysis.change.preflight import PreflightCheck, preflight_checks
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.model.audit import Audit, Finding, Severity
from litellm_tui.model.configuration import ConfigError, Configuration, Mark
from litellm_tui.model.diagnosis import Diagnosis
from litellm_tui.model.failures import NotAvailable
from litellm_tui.model.gateway import Gateway, Metrics
from litellm_tui.model.reading import Reading
from litellm_tui.model.release import PLANTED
from litellm_tui.model.service import Service
from litellm_tui.model.snapshot import Snapshot
from tests.recorded import file_deployment, loaded_deployment, made_file

NOW = 1_800_000_000.0
FILE = replace(made_file(), deployments=(file_deployment("one", "openai/one"),))


def seen(configuration: Configuration | None = None, service: Service | None = None, **gateway: Any) -> Snapshot:
    return Snapshot(
        taken_at=NOW,
        gateway=Gateway(**gateway),
        configuration=configuration or Configuration("config.yaml", FILE, checked_at=NOW),
        service=Reading(value=service, seen_at=NOW),
    )


def look(snapshot: Snapshot, diagnosis: Diagnosis | None = None) -> dict[str, list[PreflightCheck]]:
    """The checks by their names."""
    found: dict[str, list[PreflightCheck]] = {}
    for check in preflight_checks(snapshot, diagnosis or diagnose(snapshot, NOW, {}, Audit("config.yaml", "", "", ()))):
        found.setdefault(check.name, []).append(check)
    return found


def audited(*severities: Severity) -> Diagnosis:
    """What is thought of a file with findings of these severities."""
    findings = tuple(
        Finding(f"rule-{number}", severity, "", f"setting {number} is wrong", Mark("config.yaml", number + 1))
        for number, severity in enumerate(severities)
    )
    return diagnose(seen(), NOW, {}, Audit("config.yaml", "", "", findings))


def test_a_sound_file_passes() -> None:
    found = look(seen())
    assert found["file"] == [PreflightCheck("file", "ok", "config.yaml parses: 1 deployment")]
    assert found["audit"][0].state == "ok"
    assert {check.state for group in found.values() for check in group} <= {"ok", "note"}


def test_a_file_that_litellm_cannot_read_is_refused_with_its_place() -> None:
    error = ConfigError("config.yaml", "while parsing a flow sequence", 3, 7)
    (check,) = look(seen(Configuration("config.yaml", FILE, error)))["file"]
    assert check.state == "refused"
    assert "config.yaml:3:7: while parsing a flow sequence" in check.text


def test_a_file_that_is_not_known_is_no_refusal() -> None:
    (check,) = look(seen(Configuration(why_unwatched="no configuration file was found")))["file"]
    assert (check.state, "no configuration file was found" in check.text) == ("note", True)


def test_a_finding_that_ends_the_start_is_refused() -> None:
    found = look(seen(), audited("error", "fatal", "warning"))["audit"]
    assert [check.state for check in found] == ["refused", "note"]
    assert found[0].text == "LiteLLM would not start: setting 1 is wrong (config.yaml:2:1)"


def test_other_findings_are_told_and_not_all_of_them() -> None:
    found = look(seen(), audited("error", "error", "error", "error", "error"))["audit"]
    assert [check.state for check in found] == ["note"] * 4
    assert found[-1].text.startswith("and 2 more")
    assert [check.state for check in look(seen(), audited("warning", "advice"))["audit"]] == ["ok"]


def test_what_a_compromised_release_planted_is_never_one_of_those_left_out() -> None:
    diagnosis = audited("error", "error", "error", "error")
    assert diagnosis.audit is not None
    planted = Finding(PLANTED, "error", "", "/e/litellm_init.pth is there", Mark("/e/litellm_init.pth", 1))
    with_it = replace(diagnosis.audit, findings=(*diagnosis.audit.findings, planted))
    found = look(seen(), replace(diagnosis, audit=with_it))["audit"]
    assert found[0].text == "/e/litellm_init.pth is there (/e/litellm_init.pth:1:1)"


def test_a_file_that_was_not_audited_yet_says_so() -> None:
    (check,) = look(seen(), diagnose(seen(), NOW))["audit"]
    assert (check.state, check.text) == ("note", "the file was not audited yet")


def test_what_will_change_is_named() -> None:
    loaded: Reading[Any] = Reading(value=(loaded_deployment("two", "openai/two"),), seen_at=NOW)
    alive: Reading[str] = Reading(value="alive", seen_at=NOW)
    service = Service("litellm.service", "user", "loaded", "active", "running", started_at=NOW - 900)
    younger = replace(FILE, modified_at=NOW - 5)
    snapshot = seen(Configuration("config.yaml", younger), service, deployments=loaded, liveliness=alive)
    (check,) = look(snapshot)["changes"]
    assert check.state == "note"
    assert "added: one" in check.text
    assert "removed: two" in check.text


def test_a_unit_that_is_gone_is_refused() -> None:
    gone = Service("litellm.service", "user", "not-found", "inactive", "dead")
    (check,) = look(seen(service=gone))["unit"]
    assert (check.state, "litellm.service is not there" in check.text) == ("refused", True)
    stopped = replace(gone, load_state="loaded")
    assert "unit" not in look(seen(service=stopped))


@pytest.mark.parametrize(
    ("metrics", "state", "words"),
    [
        (Reading(value=Metrics(in_flight=3.0), seen_at=NOW), "note", "3 requests in flight will be cut off"),
        (Reading(value=Metrics(in_flight=0.0), seen_at=NOW), "ok", "none is in flight"),
        (Reading(value=Metrics(), seen_at=NOW), "note", "is not known"),
        (Reading(value=Metrics(in_flight=0.0), failure=NotAvailable("off")), "note", "is not known"),
    ],
)
def test_who_is_cut_off_is_said_where_it_is_known(metrics: Reading[Any], state: str, words: str) -> None:
    (check,) = look(seen(metrics=metrics))["requests"]
    assert check.state == state
    assert words in check.text
