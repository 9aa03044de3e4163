"""A release that is compromised or has a hole that is exploited: AT RISK, with the way out, while nothing fails."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.release_problems import OTHER_INSTALLED, release_problems
from litellm_tui.model.audit import Audit, Finding, Severity
from litellm_tui.model.configuration import ConfigError, Mark
from litellm_tui.model.release import COMPROMISED, EXPLOITED, NOT_RUNNING, PLANTED
from litellm_tui.model.snapshot import Snapshot
from tests.analysis.test_headline import healthy  # noqa: F401  # the fixture
from tests.recorded import NOW

WAY_OUT = "upgrade to 1.84.0 or later"


def audit_with(*rules: str, severity: Severity = "error") -> Audit:
    findings = [
        Finding(rule, severity, rule, f"LiteLLM has {rule} {number}", Mark("/m", 1), do=WAY_OUT)
        for number, rule in enumerate(rules)
    ]
    return Audit("/c.yaml", "1.83.3", "", tuple(findings))


def test_a_hole_that_is_exploited_puts_a_gateway_at_risk(healthy: Snapshot) -> None:  # noqa: F811
    diagnosis = diagnose(healthy, NOW, audit=audit_with(EXPLOITED))
    assert (diagnosis.headline.word, diagnosis.headline.severity) == ("AT RISK", "warn")
    assert diagnosis.headline.advice == f"LiteLLM: 1 exploited hole; {WAY_OUT}"


@pytest.mark.parametrize("rule", [COMPROMISED, PLANTED])
def test_a_compromised_release_is_the_worst_that_there_is(healthy: Snapshot, rule: str) -> None:  # noqa: F811
    diagnosis = diagnose(healthy, NOW, audit=audit_with(EXPLOITED, rule))
    assert (diagnosis.headline.word, diagnosis.headline.severity) == ("AT RISK", "bad")
    assert [problem.severity for problem in diagnosis.problems] == ["bad", "warn"]
    assert "every secret" in diagnosis.problems[0].hit


def test_other_holes_are_for_the_audit_alone(healthy: Snapshot) -> None:  # noqa: F811
    assert diagnose(healthy, NOW, audit=audit_with("release-vulnerable")).headline.word == "OK"


def test_several_holes_are_one_problem_with_one_way_out() -> None:
    (problem,) = release_problems(audit_with(EXPLOITED, EXPLOITED, EXPLOITED))
    assert problem.cause == "3 exploited holes"
    assert problem.reason.endswith("(and 2 more: a shows them)")
    assert problem.do == WAY_OUT


def test_what_the_operator_has_silenced_is_no_problem() -> None:
    quiet = Audit("/c.yaml", "1.83.3", "", silenced=audit_with(EXPLOITED).findings)
    assert list(release_problems(quiet)) == []
    assert list(release_problems(None)) == []


def test_it_is_said_beside_a_file_that_does_not_parse(healthy: Snapshot) -> None:  # noqa: F811
    from msgspec.structs import replace

    broken = replace(healthy.configuration, error=ConfigError("/c.yaml", "a tab", 3, 2), current=None)
    diagnosis = diagnose(replace(healthy, configuration=broken), NOW, audit=audit_with(EXPLOITED))
    assert "1 exploited hole" in [problem.cause for problem in diagnosis.problems]


def test_what_is_installed_and_does_not_run_is_a_note(healthy: Snapshot) -> None:  # noqa: F811
    finding = Finding(
        NOT_RUNNING, "advice", "", "installed 1.109.3, runs 1.106.2 until the next restart", Mark("/m", 1)
    )
    diagnosis = diagnose(healthy, NOW, audit=Audit("/c.yaml", "1.109.3", "", (finding,)))
    (problem,) = [problem for problem in diagnosis.problems if problem.key == OTHER_INSTALLED]
    assert (problem.severity, problem.cause) == ("quiet", "installed 1.109.3, runs 1.106.2 until the next restart")
    assert diagnosis.headline.word != "AT RISK"
