"""litellm_settings: what is not read there, and what is read otherwise than it is written."""

from __future__ import annotations

import pytest

from litellm_tui.model.edits import Move, Remove, Rename, SetValue
from tests.audit.reading import NEWEST, audited, found, lines

OLD = "1.77.7"


def section(*settings: str) -> str:
    return "\n".join(["litellm_settings:", *(f"  {line}" for line in settings), ""])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("service_callbacks: [prometheus_system]", "did you mean service_callback?"),
        ("routing_strategy: least-busy", "it is read in router_settings"),
        ("health_check_interval: 60", "it is read in general_settings"),
        ("context_window_fallback_dict: {a: b}", "argument of a single call"),
        ("prometheus_port: 9090", "no port of their own"),
        ("max_retries: 3", "num_retries"),
        ("log_level: debug", "here or anywhere"),
    ],
)
@pytest.mark.parametrize("version", [OLD, NEWEST])
def test_a_key_that_nothing_reads_is_told_with_where_it_belongs(line: str, words: str, version: str) -> None:
    [finding] = found(audited(section("drop_params: true", line), version=version), "unknown-litellm-key")
    assert finding.mark.line == 3
    assert words in finding.text
    assert finding.path == ("litellm_settings", line.partition(":")[0])


def test_a_key_of_another_version_is_told_with_its_span() -> None:
    text = section("key_alias_pattern: abc")
    [finding] = found(audited(text, version=OLD), "unknown-litellm-key")
    assert "it is read since 1." in finding.text
    assert not found(audited(text), "unknown-litellm-key")


def test_keys_that_are_read_are_left_alone() -> None:
    read = (
        "fallbacks: []",
        "num_retries: 3",
        "request_timeout: 600",
        "cache: false",
        "guardrails: []",
        "drop_params: true",
    )
    for version in (OLD, NEWEST):
        assert "unknown-litellm-key" not in lines(audited(section(*read), version=version))


@pytest.mark.parametrize(
    ("text", "edits", "decided"),
    [
        (
            section("cooldown_time: 30"),
            (Move(("litellm_settings", "cooldown_time"), ("router_settings", "cooldown_time")),),
            True,
        ),
        (
            section("routing_strategy: least-busy"),
            (Move(("litellm_settings", "routing_strategy"), ("router_settings", "routing_strategy")),),
            True,
        ),
        (
            section("master_key: os.environ/KEY"),
            (Move(("litellm_settings", "master_key"), ("general_settings", "master_key")),),
            False,
        ),
        (
            section("cooldown_time: 30") + "router_settings: {cooldown_time: 5}\n",
            (Remove(("litellm_settings", "cooldown_time")),),
            False,
        ),
        (section("cooldown_time: 30") + "router_settings: [x]\n", None, False),
        (
            section("service_callbacks: [prometheus_system]"),
            (Rename(("litellm_settings", "service_callbacks"), "service_callback"),),
            True,
        ),
        (
            section("service_callbacks: prometheus_system"),
            (Rename(("litellm_settings", "service_callbacks"), "service_callback"),),
            False,
        ),
        (
            section("service_callbacks: [a]", "service_callback: [b]"),
            (Remove(("litellm_settings", "service_callbacks")),),
            False,
        ),
        (section("log_level: x"), (Remove(("litellm_settings", "log_level")),), False),
    ],
)
def test_what_is_certainly_meant_is_mended_and_the_rest_asked(
    text: str, edits: tuple[object, ...] | None, decided: bool
) -> None:
    [finding] = found(audited(text), "unknown-litellm-key")
    assert (finding.fix.edits if finding.fix else None) == edits
    if finding.fix:
        assert (finding.fix.decision == "") is decided


@pytest.mark.parametrize(
    ("value", "said"),
    [('"true"', True), ("'on'", True), ("true", False), ('"false"', False), ("os.environ/JSON", False)],
)
def test_json_logs_must_be_true_itself(value: str, said: bool) -> None:
    findings = found(audited(section(f"json_logs: {value}")), "json-logs-as-text")
    assert bool(findings) is said
    if findings:
        assert findings[0].fix is not None
        assert findings[0].fix.edits == (SetValue(("litellm_settings", "json_logs"), True),)


def test_the_routers_timeout_overrules_the_request_timeout_before_1_91() -> None:
    text = section("request_timeout: 30") + "router_settings: {timeout: 10}\n"
    assert lines(audited(text, version="1.90.7"))["shadowed-request-timeout"] == [2]
    assert "shadowed-request-timeout" not in lines(audited(text, version="1.91.5"))
    same = section("request_timeout: 30") + "router_settings: {timeout: 30}\n"
    assert "shadowed-request-timeout" not in lines(audited(same, version=OLD))


@pytest.mark.parametrize(
    ("more", "env", "said"),
    [
        ("", {}, True),
        ("", None, False),
        ("", {"DATABASE_URL": "postgresql://db"}, False),
        ("general_settings: {database_url: os.environ/DB}\n", {"DB": "postgresql://db"}, False),
        ("general_settings: {database_url: os.environ/DB}\n", {}, True),
        ("general_settings: {database_url: os.environ/DB, key_management_system: local}\n", {}, False),
        ("environment_variables: {DATABASE_URL: 'postgresql://db'}\n", {}, False),
    ],
)
def test_a_budget_wants_a_database(more: str, env: dict[str, str] | None, said: bool) -> None:
    findings = lines(audited(section("max_budget: 10") + more, env=env))
    assert ("budget-without-database" in findings) is said


def test_a_budget_that_is_not_known_is_not_judged() -> None:
    text = section("max_budget: os.environ/BUDGET")
    assert "budget-without-database" in lines(audited(text, env={"BUDGET": "10"}))
    assert "budget-without-database" not in lines(audited(text, env={}))
    assert "budget-without-database" not in lines(audited(text))


def test_verbose_logging_is_advised_against_only_where_it_is_on() -> None:
    assert lines(audited(section("set_verbose: true")))["set-verbose"] == [2]
    assert "set-verbose" not in lines(audited(section("set_verbose: false")))


def test_verbose_logging_is_taken_out_as_the_finding_says() -> None:
    [finding] = found(audited(section("set_verbose: true", "drop_params: true")), "set-verbose")
    assert finding.fix is not None
    assert finding.fix.edits == (Remove(("litellm_settings", "set_verbose")),)


DATABASE = {"DATABASE_URL": "postgresql://db"}


@pytest.mark.parametrize(
    ("entries", "env", "severity"),
    [
        (["max_budget: 100"], DATABASE, "fatal"),
        (['max_budget: "100"'], DATABASE, "fatal"),
        (["max_budget: os.environ/BUDGET"], {**DATABASE, "BUDGET": "5"}, "fatal"),
        (["max_budget: 100", "budget_duration: os.environ/SPAN"], DATABASE, "fatal"),
        (["max_budget: 100"], None, "warning"),
        (["max_budget: os.environ/BUDGET"], None, "warning"),
        (["max_budget: 100"], {}, ""),
        (["max_budget: 0"], DATABASE, ""),
        (["max_budget: 100", "budget_duration: 30d"], DATABASE, ""),
        (["max_budget: 100", "budget_duration: os.environ/SPAN"], None, ""),
    ],
)
def test_a_budget_wants_its_duration_where_there_is_a_database(
    entries: list[str], env: dict[str, str] | None, severity: str
) -> None:
    findings = found(audited(section(*entries), env=env), "budget-without-duration")
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("entry", "env", "said"),
    [
        ("max_budget: ten", None, True),
        ("max_budget:", None, True),
        ("max_budget: [5]", None, True),
        ("max_budget: os.environ/BUDGET", {}, True),
        ("max_budget: os.environ/BUDGET", None, False),
        ("max_budget: os.environ/BUDGET", {"BUDGET": "1e3"}, False),
        ('max_budget: "100"', None, False),
    ],
)
def test_a_budget_is_a_number(entry: str, env: dict[str, str] | None, said: bool) -> None:
    findings = found(audited(section(entry), env=env), "budget-not-a-number")
    assert [finding.severity for finding in findings] == (["fatal"] if said else [])
    assert not found(audited(section(entry), env=env, version="1.89.7"), "budget-not-a-number")
