"""Variables and references to them."""

from __future__ import annotations

import pytest

from litellm_tui.model.edits import Rename
from tests.audit.reading import audited, found, lines

GENERAL = "general_settings:\n  alerting_threshold: os.environ/SECONDS\n"
SECTION = "environment_variables:\n  {}\n"


@pytest.mark.parametrize(("env", "said"), [({}, True), (None, False), ({"SECONDS": "3"}, False)])
def test_a_setting_whose_variable_is_not_set_is_empty(env: dict[str, str] | None, said: bool) -> None:
    findings = found(audited(GENERAL, env=env), "empty-setting")
    assert [finding.path for finding in findings] == ([("general_settings", "alerting_threshold")] if said else [])


def test_what_other_rules_tell_is_not_told_twice() -> None:
    text = "general_settings: {master_key: os.environ/A, health_check_interval: os.environ/B}\n"
    text += "model_list: [{model_name: m, litellm_params: {model: openai/m, api_key: os.environ/C}}]\n"
    assert "empty-setting" not in lines(audited(text, env={}))
    managed = GENERAL + "  key_management_system: hashicorp_vault\n"
    assert "empty-setting" not in lines(audited(managed, env={}))


@pytest.mark.parametrize(
    ("text", "env", "line"),
    [
        (GENERAL + SECTION.format("SECONDS: 3"), {}, 2),
        (GENERAL + SECTION.format("SECONDS: 3"), {"SECONDS": "3"}, 0),
        (GENERAL + SECTION.format("SECONDS: 3"), None, 0),
        ("general_settings:\n  database_url: os.environ/DATABASE_URL\n" + SECTION.format("DATABASE_URL: u"), {}, 0),
        ("general_settings:\n  database_url: os.environ/DB\n" + SECTION.format("DB: u"), {}, 2),
        (
            "litellm_settings:\n  cache_params: {host: os.environ/REDIS_HOST}\n" + SECTION.format("REDIS_HOST: r"),
            {},
            0,
        ),
    ],
)
def test_the_files_own_variables_come_too_late(text: str, env: dict[str, str] | None, line: int) -> None:
    assert lines(audited(text, env=env)).get("reference-to-own-variable", [0]) == [line]
    assert not line or "empty-setting" not in lines(audited(text, env=env))


@pytest.mark.parametrize(("name", "said"), [("MY_OWN_KEY", True), ("OPENAI_API_KEY", False)])
def test_a_provider_finds_its_own_variable_all_the_same(name: str, said: bool) -> None:
    text = f"""\
model_list:
  - model_name: m
    litellm_params:
      model: openai/m
      api_key: os.environ/{name}
environment_variables: {{{name}: k}}
"""
    assert lines(audited(text, env={})).get("reference-to-own-variable", []) == ([5] if said else [])


@pytest.mark.parametrize(
    ("entry", "env", "said"),
    [
        ("A: os.environ/B", {}, True),
        ("A: os.environ/A", {}, True),
        ("A:", None, True),
        ("A: os.environ/B", None, False),
        ("A: os.environ/B", {"B": "x"}, False),
        ("A: 5", {}, False),
        ("PATH: os.environ/B", {}, False),
    ],
)
def test_nothing_is_exported_as_the_text_none(entry: str, env: dict[str, str] | None, said: bool) -> None:
    assert ("exported-none" in lines(audited(SECTION.format(entry), env=env))) is said


def test_references_in_lists_are_not_resolved() -> None:
    text = """\
model_list:
  - model_name: m
    litellm_params: {model: openai/m, tags: [os.environ/TAG]}
    model_info: {access_groups: [{name: os.environ/GROUP}]}
general_settings:
  alerting: [os.environ/WHERE]
  alert_to_webhook_url: {llm_exceptions: [os.environ/HOOK]}
"""
    assert lines(audited(text))["reference-in-list"] == [3, 6]


def test_variables_that_the_file_may_not_set_are_told_since_1_83() -> None:
    text = SECTION.format("NO_PROXY: localhost")
    assert lines(audited(text))["blocked-variable"] == [2]
    assert "blocked-variable" not in lines(audited(text, version="1.82.6"))


@pytest.mark.parametrize("name", ["SEPARATE_HEALTH_APP", "SEPARATE_HEALTH_PORT", "SUPERVISORD_STOPWAITSECS"])
def test_variables_of_the_docker_image_do_nothing_here(name: str) -> None:
    [finding] = found(audited(SECTION.format(f"{name}: 1")), "variable-of-the-image")
    assert name in finding.text


def test_a_name_close_to_one_that_is_read_is_advised_about() -> None:
    [finding] = found(audited(SECTION.format("LITELLM_SALT_KEYS: x")), "unknown-variable")
    assert finding.fix is not None
    assert finding.fix.edits == (Rename(("environment_variables", "LITELLM_SALT_KEYS"), "LITELLM_SALT_KEY"),)
    assert finding.fix.decision
    assert "unknown-variable" not in lines(audited(SECTION.format("LITELLM_MINE: x")))
    used = SECTION.format("LITELLM_SALT_KEYS: x") + "general_settings: {master_key: os.environ/LITELLM_SALT_KEYS}\n"
    assert "unknown-variable" not in lines(audited(used))


def test_a_list_that_holds_itself_is_walked_once() -> None:
    text = "litellm_settings:\n  tag_list: &a [*a, os.environ/X]\n  other: &b {again: *b, x: os.environ/Y}\n"
    assert "reference-in-list" in lines(audited(text, env={}))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("sk-a\r", "carriage return"),
        ("sk-a\n", "a line end"),
        (" sk-a", "a blank"),
        ('"sk-a"', "its quotes"),
        ("'sk-a'", "its quotes"),
        ("sk-a", ""),
        ("it's", ""),
        ("-----BEGIN\nX\n-----END", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ("model_list: [{model_name: m, litellm_params: {model: openai/m, api_key: os.environ/K}}]\n", "K", 1),
        ("credential_list: [{credential_name: c, credential_values: {api_key: os.environ/K}}]\n", "K", 1),
        ("\ngeneral_settings: {master_key: os.environ/K}\n", "K", 2),
        ("model_list: []\n", "LITELLM_MASTER_KEY", 1),
    ],
)
def test_a_value_with_more_in_it_than_was_meant_is_named(
    text: str, name: str, line: int, value: str, words: str
) -> None:
    findings = found(audited(text, env={name: value}), "unclean-variable")
    assert [(finding.mark.line, name in finding.text, words in finding.text) for finding in findings] == (
        [(line, True, True)] if words else []
    )
    assert not any("sk-a" in finding.text for finding in findings)


def test_a_variable_that_nothing_refers_to_is_not_looked_at() -> None:
    assert "unclean-variable" not in lines(audited("model_list: []\n", env={"OTHER": '"x"'}))
