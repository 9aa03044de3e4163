"""The rules about aliases."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_tui.model.edits import Insert, Remove, SetValue
from tests.audit.reading import audited, found, lines

MODELS = """\
model_list:
  - {model_name: a, litellm_params: {model: openai/a, api_key: none}, model_info: {id: one}}
  - {model_name: b, litellm_params: {model: openai/b, api_key: none}}
"""
RULES = {"aliases-shape", "alias-of-no-name", "alias-incomplete", "ghost-alias", "alias-of-alias", "alias-hides-group"}
AT = ("router_settings", "model_group_alias")


def _text(aliases: str, more: str = "") -> str:
    return f"{MODELS}router_settings:\n  model_group_alias:\n    {aliases}\n{more}"


@pytest.mark.parametrize(
    ("aliases", "rule", "severity"),
    [
        ("- x: a", "aliases-shape", "fatal"),
        ("x", "aliases-shape", "fatal"),
        ("x: [a]", "alias-of-no-name", "error"),
        ("x: [a, b]", "alias-of-no-name", "error"),
        ("x:", "alias-of-no-name", "error"),
        ('x: ""', "alias-of-no-name", "error"),
        ("x: 4", "alias-of-no-name", "error"),
        ("x: {model: a}", "alias-incomplete", "fatal"),
        ("x: {hidden: false}", "alias-incomplete", "fatal"),
        ("x: {hidden: true}", "alias-incomplete", "error"),
        ("x: {model: [a], hidden: false}", "alias-incomplete", "fatal"),
        ("x: nobody", "ghost-alias", "error"),
        ("x: {model: nobody, hidden: true}", "ghost-alias", "error"),
        ("x: {y: a}", "alias-incomplete", "fatal"),
        ("{x: y, y: a}", "alias-of-alias", "error"),
        ("a: b", "alias-hides-group", "warning"),
    ],
)
def test_found(aliases: str, rule: str, severity: str) -> None:
    result = audited(_text(aliases))
    assert RULES & lines(result).keys() == {rule}
    (one,) = found(result, rule)
    assert (one.severity, one.path[:2]) == (severity, AT)
    assert one.mark.line in (5, 6)


def test_a_list_in_long_form_ends_only_the_newer_one() -> None:
    text = _text("x: {model: [a], hidden: false}")
    assert [finding.severity for finding in found(audited(text, version="1.77.7"), "alias-incomplete")] == ["error"]


@pytest.mark.parametrize("rest", ["  default_fallbacks: [b]\n", "  fallbacks: [{x: [b]}]\n"])
def test_an_alias_of_nothing_that_falls_back_is_answered(rest: str) -> None:
    (one,) = found(audited(_text("x: nobody", rest)), "ghost-alias")
    assert one.severity == "warning"


@pytest.mark.parametrize(
    "aliases",
    ["x: a", "x: {model: a, hidden: true}", "x: one", "x: openai/b", "a: a", "{x: b, b: a}", "{}", "4: a"],
)
def test_what_resolves_is_left_alone(aliases: str) -> None:
    assert RULES & lines(audited(_text(aliases))).keys() <= {"alias-hides-group"}


def test_an_alias_may_stand_for_what_a_wildcard_matches() -> None:
    text = """\
model_list: [{model_name: "openai/*", litellm_params: {model: "openai/*", api_key: none}}]
router_settings: {model_group_alias: {x: openai/anything, y: gpt-4o}}
"""
    result = audited(text)
    assert not RULES & lines(result).keys()
    assert "every alias stands for a group that exists (2)" in {praise.text for praise in result.right}


@pytest.mark.parametrize(
    ("aliases", "rule", "edits", "automatic"),
    [
        ("[{x: a}, {y: b}]", "aliases-shape", (SetValue(AT, {"x": "a", "y": "b"}),), True),
        ("x: [a]", "alias-of-no-name", (SetValue((*AT, "x"), "a"),), True),
        ("x: [a, b]", "alias-of-no-name", (SetValue((*AT, "x"), "a"),), False),
        ("x: {model: a}", "alias-incomplete", (Insert((*AT, "x", "hidden"), False),), True),
        ("{x: y, y: z, z: a}", "alias-of-alias", (SetValue((*AT, "x"), "a"),), True),
        ("x: nobody", "ghost-alias", (Remove((*AT, "x")),), False),
        ("a: b", "alias-hides-group", (Remove((*AT, "a")),), False),
    ],
)
def test_the_fix(aliases: str, rule: str, edits: tuple[Any, ...], automatic: bool) -> None:
    fix = found(audited(_text(aliases)), rule)[0].fix
    assert fix is not None
    assert fix.edits == edits
    assert automatic == (fix.decision == "")


@pytest.mark.parametrize("aliases", ["{x: y, y: x}", "[{x: a}, y]", "[{x: a}, {x: b}]"])
def test_no_fix_where_nothing_is_certain(aliases: str) -> None:
    assert all(
        finding.fix is None
        for finding in audited(_text(aliases)).findings
        if finding.rule in ("aliases-shape", "alias-of-alias")
    )
