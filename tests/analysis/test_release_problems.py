"""A release that is compromised or has a hole that is exploited: AT RISK, with the way out, while nothing fails."""

from __future__ import annotations

import pytest

from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.health.release_problems import OTHER_INSTALLED, release_problems
from litellm_tui.model.audit import Audit, Finding, Severity
from litellm_tui.model.configuration import ConfigError, Mark
from litellm_tui.model.reading import Reading
from litellm_tui.model.release import COMPROMISED, EXPLOITED, NOT_RUNNING, PLANTED
from litellm_tui.model.service_drift import Difference, DriftOrder, ServiceDrift
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.drift_poller import with_releases
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


def written(runs: str, names: str, order: DriftOrder = "recreate") -> ServiceDrift:
    image = Difference("image", "", runs, names, "/srv/gw/compose.yaml")
    return with_releases(ServiceDrift((image,), order=order, command="docker compose up -d gateway", image=names))


@pytest.mark.parametrize(
    ("runs", "names", "releases"),
    [
        ("berriai/litellm:v1.90.1-stable", "berriai/litellm:v1.95.4", ("1.90.1", "1.95.4")),
        ("berriai/litellm:main-latest", "berriai/litellm:v1.95.4", ("", "1.95.4")),
        ("berriai/litellm:v1.95.4", "other/litellm:v1.95.4", ("", "")),
        ("berriai/litellm:v1.95.4", "berriai/litellm:main-latest", ("", "")),
        ("own/gw:v1.95.4 (a1a1a1a1a1a1)", "own/gw:v1.95.4 (b2b2b2b2b2b2)", ("", "")),
    ],
)
def test_the_releases_are_those_that_the_tags_name(runs: str, names: str, releases: tuple[str, str]) -> None:
    assert written(runs, names).releases == releases


def test_an_image_that_is_written_and_does_not_run_is_a_note_like_an_installed_one(healthy: Snapshot) -> None:  # noqa: F811
    from msgspec.structs import replace

    def told(drift: ServiceDrift) -> list[str]:
        snapshot = replace(healthy, service_drift=Reading(drift, seen_at=NOW, tried_at=NOW))
        found = [one for one in diagnose(snapshot, NOW).problems if one.key == OTHER_INSTALLED]
        assert all(one.severity == "quiet" and "/srv/gw/compose.yaml names gw:v2.4.1" in one.reason for one in found)
        return [one.cause for one in found]

    readiness = healthy.gateway.readiness.value
    assert readiness is not None
    runs = readiness.version or "2.3.0"
    assert told(written("gw:v2.3.0", "gw:v2.4.1")) == [f"installed 2.4.1, runs {runs} until the next restart"]
    (only,) = told(written("gw:v2.3.0", "gw:v2.4.1", "another"))
    assert only == f"installed 2.4.1, runs {runs}: only docker compose up -d gateway brings it in"
    assert told(written(f"gw:v{runs}", f"gw:v{runs}")) == []
