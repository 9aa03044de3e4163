"""Callbacks and Prometheus."""

from __future__ import annotations

import pytest

from litellm_tui.audit.subject import Runtime
from litellm_tui.model.edits import SetValue
from tests.audit.reading import NEWEST, audited, found, lines

OLD = "1.77.7"


def settings(line: str) -> str:
    return f"litellm_settings:\n  {line}\n"


@pytest.mark.parametrize(
    ("line", "severity", "listed"),
    [
        ("success_callback: langfuse", "error", ["langfuse"]),
        ("failure_callback: sentry", "error", ["sentry"]),
        ("success_callback: langfuse, prometheus", "error", ["langfuse", "prometheus"]),
        ("success_callback: nosuchthing", "error", None),
        ("success_callback: mine.handler", "fatal", ["mine.handler"]),
        ("success_callback:", "fatal", None),
        ("success_callback: 5", "fatal", None),
        ("callbacks: prometheus", "fatal", ["prometheus"]),
        ("callbacks: sentry", "fatal", None),
        ("callbacks:", "fatal", None),
        ("callbacks: {langfuse: {}}", "fatal", None),
    ],
)
def test_callbacks_must_be_a_list(line: str, severity: str, listed: list[str] | None) -> None:
    [finding] = found(audited(settings(line)), "callback-as-text")
    assert (finding.severity, finding.mark.line) == (severity, 2)
    path = ("litellm_settings", line.partition(":")[0])
    assert (finding.fix.edits if finding.fix else None) == (None if listed is None else (SetValue(path, listed),))


@pytest.mark.parametrize(
    "line",
    [
        "callbacks: mine.handler",
        "success_callback: []",
        "success_callback: [langfuse]",
        "success_callback: {langfuse: {}}",
    ],
)
def test_what_works_is_left_alone(line: str) -> None:
    assert (
        not {"callback-as-text", "callback-of-wrong-kind", "unknown-callback"} & lines(audited(settings(line))).keys()
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("callbacks: [{langfuse: {}}]", True),
        ("callbacks: [5]", True),
        ("success_callback: [null]", True),
        ("success_callback: [{langfuse: {}}]", False),
    ],
)
def test_an_item_must_be_a_name(line: str, said: bool) -> None:
    assert ("callback-of-wrong-kind" in lines(audited(settings(line)))) is said


@pytest.mark.parametrize(
    ("line", "severity", "words"),
    [
        ("callbacks: [promethues]", "fatal", "did you mean prometheus?"),
        ("callbacks: [Langfuse]", "fatal", "did you mean langfuse?"),
        ("callbacks: [sentry]", "fatal", "success_callback and failure_callback"),
        ("callbacks: [prometheus_system]", "fatal", "service_callback"),
        ("success_callback: [prometheus_system]", "warning", "service_callback"),
        ("success_callback: [nosuchthing]", "warning", "is no callback"),
        ("success_callback: [sentry]", "", ""),
        ("callbacks: [otel, langfuse, mine.handler]", "", ""),
        ("service_callback: [whatever]", "", ""),
    ],
)
def test_a_name_that_is_not_known_is_fatal_in_callbacks_only(line: str, severity: str, words: str) -> None:
    findings = found(audited(settings(line)), "unknown-callback")
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    assert all(words in finding.text for finding in findings)
    assert all(finding.fix is None or finding.fix.decision for finding in findings)


def test_a_callback_that_came_later_is_unknown_before() -> None:
    text = settings("callbacks: [websearch_interception]")
    assert "unknown-callback" in lines(audited(text, version=OLD))
    assert "unknown-callback" not in lines(audited(text))


@pytest.mark.parametrize(
    ("version", "env", "severity"),
    [
        (OLD, {}, "error"),
        ("1.79.3", {}, "error"),
        (OLD, None, "advice"),
        (OLD, {"LITELLM_LICENSE": "x"}, ""),
        ("1.80.0", {}, ""),
        (NEWEST, {}, ""),
    ],
)
@pytest.mark.parametrize("key", ["callbacks", "success_callback"])
def test_prometheus_needed_a_licence_before_1_80(
    key: str, version: str, env: dict[str, str] | None, severity: str
) -> None:
    findings = found(audited(settings(f"{key}: [prometheus]"), version=version, env=env), "prometheus-needs-licence")
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


@pytest.mark.parametrize(("packages", "said"), [({"litellm"}, True), ({"prometheus-client"}, False), (None, False)])
def test_prometheus_needs_its_package(packages: set[str] | None, said: bool) -> None:
    runtime = Runtime("u", packages=None if packages is None else frozenset(packages))
    assert (
        "prometheus-package-missing" in lines(audited(settings("callbacks: [prometheus]"), runtime=runtime))
    ) is said
    assert "prometheus-package-missing" not in lines(audited(settings("callbacks: [prometheus]")))


def test_a_scraper_needs_a_key_since_1_84() -> None:
    text = settings("callbacks: [prometheus]")
    assert lines(audited(text))["metrics-need-key"] == [2]
    assert "metrics-need-key" not in lines(audited(text, version="1.83.14"))
    said = audited(text + "  require_auth_for_metrics_endpoint: true\n")
    assert "metrics-need-key" not in lines(said)
    assert any("Prometheus" in praise.text for praise in said.right)


@pytest.mark.parametrize(("env", "said"), [({}, True), (None, True), ({"LITELLM_LICENSE": "x"}, False)])
def test_enterprise_callbacks_need_a_licence(env: dict[str, str] | None, said: bool) -> None:
    assert ("callback-needs-licence" in lines(audited(settings("callbacks: [hide_secrets]"), env=env))) is said
