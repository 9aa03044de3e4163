"""The rules about the file as a whole."""

from __future__ import annotations

import pytest

from litellm_tui.model.edits import Move, Remove, Rename, SetValue
from tests.audit.reading import audited, found, lines


@pytest.mark.parametrize(
    ("section", "severity"),
    [
        ("model_list: {a: {model: openai/a}}", "fatal"),
        ("model_list: text", "fatal"),
        ("litellm_settings: [drop_params]", "fatal"),
        ("general_settings: [master_key]", "fatal"),
        ("environment_variables: [A=b]", "fatal"),
        ("guardrails: {a: b}", "fatal"),
        ("router_settings: [num_retries: 2]", "warning"),
    ],
)
def test_a_section_of_the_wrong_kind_is_named(section: str, severity: str) -> None:
    (finding,) = found(audited(f"# a file\n{section}\n"), "wrong-kind-of-section")
    assert (finding.severity, finding.mark.line) == (severity, 2)


@pytest.mark.parametrize(
    "section",
    [
        "model_list:",
        "model_list: []",
        "litellm_settings: []",
        "general_settings:",
        "guardrails: []",
        "router_settings:",
    ],
)
def test_an_empty_section_of_any_kind_is_read_as_none(section: str) -> None:
    assert not found(audited(f"{section}\n"), "wrong-kind-of-section")


def test_a_section_that_is_not_read_is_found_with_where_its_key_belongs() -> None:
    result = audited(
        "server_settings: {port: 1}\nrouter_setting: {num_retries: 1}\nbackground_health_checks: true\nblob: {a: 1}\n"
    )
    advised, misspelt, moved, unknown = sorted(found(result, "unknown-section"), key=lambda finding: finding.mark.line)
    assert "--port" in advised.do
    assert advised.fix is None
    assert "router_settings" in misspelt.text
    assert misspelt.fix is not None
    assert misspelt.fix.edits == (Rename(("router_setting",), "router_settings"),)
    assert moved.fix is not None
    assert moved.fix.edits == (Move(("background_health_checks",), ("general_settings", "background_health_checks")),)
    assert misspelt.fix.decision
    assert moved.fix.decision, "what was ignored would take effect"
    assert unknown.fix is None


@pytest.mark.parametrize(
    "text",
    [
        "x-keys: &k {api_key: sk-aaaa}\nmodel_list: [{model_name: a, litellm_params: {<<: *k, model: openai/a}}]\n",
        "keys: &k {api_key: sk-aaaa}\nmodel_list: [{model_name: a, litellm_params: {<<: *k, model: openai/a}}]\n",
        "keys: &k [free, paid]\nmodel_list: [{model_name: a, litellm_params: {model: openai/a, tags: *k}}]\n",
        "_defaults: {a: 1}\nlitellm_settings: {}\n",
    ],
)
def test_a_block_that_only_holds_anchors_is_no_unknown_section(text: str) -> None:
    assert not found(audited(text), "unknown-section")


def test_of_a_repeated_key_the_part_that_is_not_read_is_marked() -> None:
    text = "model_list: []\nlitellm_settings:\n  drop_params: true\n  drop_params: false\nmodel_list: []\n"
    section, key = found(audited(text), "repeated-key")
    assert (section.severity, section.mark.line) == ("error", 1)
    assert (key.severity, key.mark.line) == ("warning", 3)
    assert section.fix is not None
    assert section.fix.edits == (Remove(("model_list",), 0),)
    assert section.fix.decision


def test_a_key_repeated_in_an_included_file_is_found_there() -> None:
    result = audited(
        "include: [more.yaml]\nmodel_list: [{model_name: a, litellm_params: {model: openai/a}}]\n",
        files={
            "more.yaml": "model_list:\n  - model_name: b\n    model_name: c\n    litellm_params: {model: openai/b}\n"
        },
    )
    (finding,) = found(result, "repeated-key")
    assert finding.mark.file.endswith("more.yaml")
    assert finding.mark.line == 2
    assert finding.path == ("model_list", 1, "model_name")


def test_an_included_section_that_replaces_another_is_found_and_lists_are_not() -> None:
    result = audited(
        "include: [more.yaml]\nmodel_list: []\nlitellm_settings: {drop_params: true}\n",
        files={"more.yaml": "litellm_settings:\n  num_retries: 2\nmodel_list: []\n"},
    )
    (finding,) = found(result, "include-replaces")
    assert finding.mark.file.endswith("more.yaml")
    assert "config.yaml" in finding.text
    well = audited(
        "include: [more.yaml]\nmodel_list: []\n", files={"more.yaml": "litellm_settings: {num_retries: 2}\n"}
    )
    assert not found(well, "include-replaces")
    assert any("no included file" in praise.text for praise in well.right)


def _keyed(value: str) -> str:
    return f"model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/a\n      api_key: {value}\n"


@pytest.mark.parametrize("value", ['"${MY_KEY}"', "$MY_KEY", "Bearer-${MY_KEY}", "${MY_KEY:-none}"])
def test_a_shell_variable_is_found(value: str) -> None:
    result = audited(_keyed(value), env={})
    assert lines(result)["shell-variable"] == [5]
    assert found(result, "shell-variable")[0].severity == "error"
    assert found(audited(_keyed(value)), "shell-variable")[0].severity == "warning", "something may fill the file in"


@pytest.mark.parametrize("value", ["os.environ/MY_KEY", "pa$WORD", "'$5'", "sk-a$", "'${}'"])
def test_other_dollars_are_left_alone(value: str) -> None:
    assert "shell-variable" not in lines(audited(_keyed(value), env={"MY_KEY": "k"}))


def test_a_shell_variable_becomes_a_reference_without_asking_only_where_it_is_set() -> None:
    (finding,) = found(audited(_keyed("$MY_KEY"), env={"MY_KEY": "k"}), "shell-variable")
    assert finding.fix is not None
    assert finding.fix.edits == (SetValue(("model_list", 0, "litellm_params", "api_key"), "os.environ/MY_KEY"),)
    assert not finding.fix.decision
    (unset,) = found(audited(_keyed("$MY_KEY"), env={}), "shell-variable")
    assert unset.fix is not None
    assert unset.fix.decision
    (inside,) = found(audited(_keyed("a-${MY_KEY}"), env={"MY_KEY": "k"}), "shell-variable")
    assert inside.fix is None


def test_a_reference_inside_a_longer_value_is_found() -> None:
    assert lines(audited(_keyed("Bearer os.environ/MY_KEY")))["embedded-reference"] == [5]
    assert "embedded-reference" not in lines(audited(_keyed("os.environ/MY_KEY")))


@pytest.mark.parametrize(
    "text",
    [
        "model_list: &a [*a]\n",
        "litellm_settings: &a {x: *a, y: [*a]}\n",
        "5: a\nnull: b\n[1, 2]: c\n",
        "router_settings: {1: {2: ${X}}}\n",
        "blob: &b [*b]\n",
    ],
)
def test_no_shape_of_a_file_makes_a_rule_raise(text: str) -> None:
    assert audited(text, env={}).version
