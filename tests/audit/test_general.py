"""general_settings."""

from __future__ import annotations

import pytest

from litellm_tui.model.edits import Edit, Move, SetValue
from tests.audit.reading import NEWEST, audited, found, lines

OLD = "1.77.7"


def settings(*entries: str) -> str:
    return "\n".join(["general_settings:", *(f"  {entry}" for entry in entries), ""])


@pytest.mark.parametrize(
    ("text", "env", "line"),
    [
        ("model_list: []\n", {}, 1),
        (settings("alerting_threshold: 3"), {}, 1),
        (settings("master_key:"), {"LITELLM_MASTER_KEY": "sk-good"}, 2),
        (settings("master_key: os.environ/NOWHERE"), {"LITELLM_MASTER_KEY": "sk-good"}, 2),
        (settings("master_key: sk-1234"), None, 2),
        (settings("master_key: ' '"), None, 2),
        ("model_list: []\nenvironment_variables: {LITELLM_MASTER_KEY: sk-good}\n", {}, 1),
        (settings("alerting_threshold: 3") + "environment_variables: {LITELLM_MASTER_KEY: sk-good}\n", {}, 0),
        ("model_list: []\n", None, 0),
        ("model_list: []\n", {"LITELLM_MASTER_KEY": "sk-good"}, 0),
        (settings("master_key: os.environ/KEY"), {"KEY": "sk-good"}, 0),
        (settings("master_key: os.environ/KEY"), None, 0),
        (settings("master_key: sk-12345"), {}, 0),
        (settings("key_management_system: hashicorp_vault"), {}, 0),
    ],
)
def test_a_master_key_is_needed(text: str, env: dict[str, str] | None, line: int) -> None:
    assert lines(audited(text, env=env)).get("unsafe-master-key", [0]) == [line]
    assert lines(audited(text, env=env, version=OLD)).get("open-gateway", [0]) == [line]
    assert "open-gateway" not in lines(audited(text, env=env))


@pytest.mark.parametrize(
    ("entry", "env"),
    [
        ("dangerously_permit_weak_or_unset_master_key: true", {}),
        ("alerting_threshold: 3", {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}),
    ],
)
def test_a_gateway_that_is_open_on_purpose_is_a_warning(entry: str, env: dict[str, str]) -> None:
    [finding] = found(audited(settings(entry), env=env), "unsafe-master-key")
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    ("more", "severities"),
    [("", ["fatal"]), ("general_settings: {}\n", ["fatal"]), (settings("alerting_threshold: 3"), [])],
)
def test_a_master_key_that_the_file_exports_comes_too_late(more: str, severities: list[str]) -> None:
    text = "model_list: []\nenvironment_variables: {LITELLM_MASTER_KEY: sk-good-key-1}\n" + more
    assert [finding.severity for finding in found(audited(text), "unsafe-master-key")] == severities
    known = {"LITELLM_MASTER_KEY": "sk-good-key-1"}
    assert not found(audited(text, env=known), "unsafe-master-key")


def test_the_check_of_the_master_key_came_with_1_104() -> None:
    assert "unsafe-master-key" in lines(audited("model_list: []\n", env={}, version="1.104.9"))
    assert "open-gateway" in lines(audited("model_list: []\n", env={}, version="1.103.11"))
    assert "open-gateway" not in lines(audited(settings("custom_auth: mine.auth"), env={}, version=OLD))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("disable_adding_master_key_hash_to_db: true", "no code reads it any more"),
        ("use_client_credentials_pass_through_routes: true", "no code reads it"),
        ("request_timeout: 60", "it is read in litellm_settings"),
        ("cooldown_time: 30", "it is read in router_settings"),
        ("background_health_check: true", "did you mean background_health_checks?"),
        ("enable_metrics: true", "here or anywhere"),
    ],
)
def test_a_key_that_nothing_reads_is_told(entry: str, words: str) -> None:
    [finding] = found(audited(settings(entry)), "unknown-general-key")
    assert finding.mark.line == 2
    assert words in finding.text


@pytest.mark.parametrize(
    ("entry", "section", "decided"),
    [
        ("request_timeout: 60", "litellm_settings", True),
        ("num_retries: 3", "litellm_settings", True),
        ("cooldown_time: 30", "router_settings", True),
        ("cache: true", "litellm_settings", False),
        ("callbacks: [prometheus]", "litellm_settings", False),
    ],
)
def test_a_key_of_another_section_is_moved_there(entry: str, section: str, decided: bool) -> None:
    key = entry.partition(":")[0]
    [finding] = found(audited(settings(entry)), "unknown-general-key")
    assert finding.fix is not None
    assert finding.fix.edits == (Move(("general_settings", key), (section, key)),)
    assert (finding.fix.decision == "") is decided


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("master_key: 123456", True),
        ("database_url: [x]", True),
        ("master_key: '123456'", False),
        ("master_key:", False),
    ],
)
def test_a_key_of_digits_is_a_number(entry: str, said: bool) -> None:
    assert ("setting-not-text" in lines(audited(settings(entry)))) is said


def test_digits_are_quoted_only_when_asked() -> None:
    [finding] = found(audited(settings("master_key: 123456")), "setting-not-text")
    assert finding.fix is not None
    assert finding.fix.edits == (SetValue(("general_settings", "master_key"), "123456"),)
    assert finding.fix.decision
    # too long to be written as decimal digits again
    [finding] = found(audited(settings("master_key: 0x" + "f" * 5000)), "setting-not-text")
    assert finding.fix is None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (settings('background_health_checks: "false"'), ("general_settings", "background_health_checks")),
        ("litellm_settings:\n  modify_params: 'False'\n", ("litellm_settings", "modify_params")),
        ("litellm_settings:\n  cache: 'false'\n", None),
        (settings("background_health_checks: false"), None),
        (settings("background_health_checks: os.environ/CHECKS"), None),
        (settings('no_such_key: "false"'), None),
    ],
)
def test_a_quoted_false_counts_as_true(text: str, path: tuple[str, str] | None) -> None:
    findings = found(audited(text), "quoted-false")
    assert [finding.path for finding in findings] == ([path] if path else [])
    for finding in findings:
        assert finding.fix is not None
        assert finding.fix.edits == (SetValue(finding.path, False),)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [('"60"', 60), ("60.0", 60), ("60.5", None), ("0", None), ("-5", None), ("", None), ("os.environ/SECONDS", None)],
)
def test_an_interval_must_be_a_whole_number(value: str, seconds: int | None) -> None:
    text = settings("background_health_checks: true", f"health_check_interval: {value}")
    [finding] = found(audited(text, env={"SECONDS": "60"}), "health-interval")
    assert (finding.severity, finding.mark.line) == ("error", 3)
    wanted: tuple[Edit, ...] = (SetValue(("general_settings", "health_check_interval"), seconds),)
    assert (finding.fix.edits if finding.fix else None) == (wanted if seconds else None)


@pytest.mark.parametrize(
    "entries",
    [
        ("background_health_checks: true", "health_check_interval: 60"),
        ("background_health_checks: true",),
        ("background_health_checks: false", "health_check_interval: '60'"),
        ("health_check_interval: '60'",),
    ],
)
def test_an_interval_that_does_not_matter_is_left_alone(entries: tuple[str, ...]) -> None:
    assert "health-interval" not in lines(audited(settings(*entries)))


@pytest.mark.parametrize(("env", "said"), [({}, True), (None, False), ({"LITELLM_LICENSE": "x"}, False)])
@pytest.mark.parametrize("entry", ["allowed_ips: []", "enforced_params: [user]"])
def test_enterprise_settings_need_a_licence(entry: str, env: dict[str, str] | None, said: bool) -> None:
    assert ("needs-licence" in lines(audited(settings(entry), env=env))) is said
    assert "needs-licence" not in lines(audited(settings("allowed_ips:"), env={}))


@pytest.mark.parametrize(
    ("entries", "env", "version", "said"),
    [
        (("alerting: [slack]",), {}, NEWEST, True),
        (("alerting: slack",), {}, NEWEST, True),
        (("alerting: [slack]",), None, NEWEST, False),
        (("alerting: [slack]",), {"SLACK_WEBHOOK_URL": "u"}, NEWEST, False),
        (("alerting: [slack]",), {"ALERTING_WEBHOOK_URL": "u"}, NEWEST, False),
        (("alerting: [slack]",), {"ALERTING_WEBHOOK_URL": "u"}, OLD, True),
        (("alerting: [slack]", "alert_to_webhook_url: {llm_exceptions: u}"), {}, NEWEST, False),
        (("alerting: [email]",), {}, NEWEST, False),
    ],
)
def test_alerts_need_an_address(entries: tuple[str, ...], env: dict[str, str] | None, version: str, said: bool) -> None:
    assert ("alerting-without-webhook" in lines(audited(settings(*entries), env=env, version=version))) is said


def test_what_rests_on_background_checks_is_told_without_them() -> None:
    listed, shared = "model_list_healthy_only: true", "use_shared_health_check: true"
    checks = "background_health_checks: true"
    assert lines(audited(settings(listed)))["healthy-list-unchecked"] == [2]
    assert "healthy-list-unchecked" not in lines(audited(settings(listed, checks)))
    assert "healthy-list-unchecked" not in lines(audited(settings(listed), version=OLD))
    assert lines(audited(settings(shared)))["shared-health-check-alone"] == [2]
    assert "shared-health-check-alone" in lines(audited(settings(shared, checks), env={}))
    assert "shared-health-check-alone" not in lines(audited(settings(shared, checks)))
    redis = "litellm_settings: {cache: true, cache_params: {type: redis, host: r}}\n"
    assert "shared-health-check-alone" not in lines(audited(settings(shared, checks) + redis, env={}))


@pytest.mark.parametrize(("env", "said"), [({}, True), (None, False), ({"DATABASE_URL": "u"}, False)])
def test_models_are_stored_in_a_database(env: dict[str, str] | None, said: bool) -> None:
    assert ("store-models-without-database" in lines(audited(settings("store_model_in_db: true"), env=env))) is said


BUDGET = settings("max_budget: 100", "budget_duration: 30d")


@pytest.mark.parametrize("key", ["max_budget", "budget_duration"])
def test_keys_that_belong_together_move_together_and_only_when_asked(key: str) -> None:
    [finding] = [f for f in found(audited(BUDGET), "unknown-general-key") if f.path[-1] == key]
    assert finding.fix is not None
    assert {edit.path[-1] for edit in finding.fix.edits} == {"max_budget", "budget_duration"}
    assert {edit.to[0] for edit in finding.fix.edits if isinstance(edit, Move)} == {"litellm_settings"}
    assert finding.fix.decision, "a limit that was ignored becomes a real one"


def test_a_budget_that_would_end_the_start_is_not_proposed() -> None:
    env = {"LITELLM_MASTER_KEY": "sk-good-key-1", "DATABASE_URL": "postgresql://db"}
    [finding] = found(audited(settings("max_budget: 100"), env=env), "unknown-general-key")
    assert finding.fix is None
    assert "budget_duration" in finding.do


@pytest.mark.parametrize(
    "entry",
    [
        "max_user_budget: 5",
        "max_end_user_budget: 5",
        "disable_end_user_cost_tracking: true",
        "upperbound_key_generate_params: {max_budget: 5}",
        "enable_tag_filtering: true",
    ],
)
def test_a_fix_never_changes_by_itself_what_requests_are_let_through(entry: str) -> None:
    for finding in found(audited(settings(entry)), "unknown-general-key"):
        assert finding.fix is None or finding.fix.decision


@pytest.mark.parametrize("key", ["otel", "database_type", "database_args", "enable_public_model_hub"])
@pytest.mark.parametrize("version", [NEWEST, OLD])
def test_a_key_that_only_a_class_declares_is_not_read(key: str, version: str) -> None:
    [finding] = found(audited(settings(f"{key}: true"), version=version), "unknown-general-key")
    assert f"general_settings.{key} is not read" in finding.text


def test_a_quoted_false_counts_as_true_for_the_router_too() -> None:
    text = 'router_settings:\n  disable_cooldowns: "false"\n'
    assert lines(audited(text))["quoted-false"] == [2]


@pytest.mark.parametrize(
    ("text", "decided"),
    [
        (settings('enable_jwt_auth: "false"'), False),
        (settings('allow_user_auth: "false"'), False),
        (settings('background_health_checks: "false"'), True),
    ],
)
def test_a_quoted_false_that_lets_others_in_is_asked_about(text: str, decided: bool) -> None:
    [finding] = found(audited(text), "quoted-false")
    assert finding.fix is not None
    assert (finding.fix.decision == "") is decided
