"""The rules about fallbacks: what they find, where, and what they leave alone."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from litellm_tui.actions.splice import splice
from litellm_tui.model.edits import Insert, Remove, Rename, SetValue
from tests.audit.reading import audited, found, lines

GROUPS = "abcdefgh"
MODELS = "model_list:\n" + "".join(
    f"  - {{model_name: {name}, litellm_params: {{model: openai/{name}, api_key: none}}}}\n" for name in GROUPS
)
ABOVE = MODELS.count("\n")


def _edits(text: str, rule: str) -> tuple[Any, str]:
    fix = found(audited(MODELS + text), rule)[0].fix
    assert fix is not None
    return fix.edits, fix.decision


@pytest.mark.parametrize(
    ("settings", "rule", "line", "severity"),
    [
        ("fallbacks: {a: [b]}", "fallbacks-shape", 1, "fatal"),
        ("fallbacks: [a]", "fallbacks-shape", 1, "fatal"),
        ("fallbacks: a", "fallbacks-shape", 1, "fatal"),
        ("content_policy_fallbacks:\n  - {}", "fallbacks-shape", 2, "fatal"),
        ("fallbacks:\n  - a: [b]\n  - b: [c]\n    c: [d]", "fallbacks-shape", 3, "fatal"),
        ("context_window_fallbacks: {a: [b]}", "fallbacks-shape", 1, "error"),
        ("fallbacks:\n  - a: b", "fallback-not-a-list", 2, "error"),
        ("fallbacks:\n  - a:", "fallback-not-a-list", 2, "warning"),
        ("fallbacks:\n  - a:\n    - 5", "fallback-not-a-list", 3, "error"),
        ("default_fallbacks: b", "fallback-not-a-list", 1, "error"),
        ("default_fallbacks:\n  - a: [b]", "fallback-not-a-list", 2, "error"),
        ("fallbacks:\n  - a: [ghost]", "ghost-fallback", 2, "error"),
        ("fallbacks:\n  - a:\n    - model: ghost", "ghost-fallback", 3, "error"),
        ("fallbacks:\n  - a: [ghost]\ndefault_fallbacks: [b]", "ghost-fallback", 2, "warning"),
        ("default_fallbacks: [ghost]", "ghost-fallback", 1, "error"),
        ("context_window_fallbacks:\n  - a: [b, ghost]", "ghost-fallback", 2, "error"),
        ("fallbacks:\n  - ghost: [a]", "idle-fallback", 2, "warning"),
        ("fallbacks:\n  - default: [a]", "idle-fallback", 2, "warning"),
        ("fallbacks:\n  - openai/*: [a]", "idle-fallback", 2, "warning"),
        ("fallbacks:\n  - a: [b]\n  - a: [c]", "repeated-fallback", 3, "warning"),
        ('fallbacks:\n  - "*": [b]\ndefault_fallbacks: [c]', "repeated-fallback", 2, "warning"),
        ("fallbacks:\n  - a: [b]\nmodel_group_alias:\n  x: a", "alias-without-fallback", 4, "warning"),
        ('fallbacks: [{a: [b]}, {"*": [c]}]\nmodel_group_alias:\n  x: a', "alias-without-fallback", 3, "advice"),
        ("fallbacks:\n  - a: [b, a]", "fallback-to-itself", 2, "advice"),
        ("max_fallbacks: 0\nfallbacks:\n  - a: [b]", "long-fallback-chain", 3, "warning"),
    ],
)
def test_found_with_its_line(settings: str, rule: str, line: int, severity: str) -> None:
    text = MODELS + "router_settings:\n" + "".join(f"  {row}\n" for row in settings.splitlines())
    (one,) = found(audited(text), rule)
    assert (one.mark.line, one.severity) == (ABOVE + 1 + line, severity)


@pytest.mark.parametrize(
    "settings",
    [
        "fallbacks: []",
        "fallbacks: {}",
        "fallbacks: [{a: [b]}, {b: [a]}]",
        "fallbacks: [{a: [{model: b, max_tokens: 5}]}]",
        "fallbacks: [{a: [openai/b]}]",
        "fallbacks: [{openai/a: [b]}]",
        'fallbacks: [{"*": [b]}]',
        "context_window_fallbacks: [b]",
        "fallbacks: [{a: [x]}]\n  model_group_alias: {x: b}",
        "fallbacks: [{x: [b]}, {a: [b]}]\n  model_group_alias: {x: a}",
        "fallbacks: [{a: [b, c, d, e, f, g, h]}]",
        "fallbacks: [{a: [pool]}]\n  routing_groups: [{group_name: pool, models: [a], routing_strategy: least-busy}]",
    ],
)
def test_what_works_is_left_alone(settings: str) -> None:
    mine = {rule for rule in lines(audited(f"{MODELS}router_settings:\n  {settings}\n")) if "fallback" in rule}
    assert mine <= {"no-context-window-fallbacks", "no-fallbacks"}


def test_a_wildcard_may_catch_any_name() -> None:
    text = """\
model_list: [{model_name: "openai/*", litellm_params: {model: "openai/*", api_key: none}}]
router_settings: {fallbacks: [{gpt-4o: [openai/anything]}, {openai/x: [gpt-4o]}]}
"""
    assert not {"ghost-fallback", "idle-fallback"} & lines(audited(text)).keys()


@pytest.mark.parametrize("models", ["", MODELS + "general_settings: {store_model_in_db: true}\n"])
def test_a_group_may_be_in_the_database(models: str) -> None:
    result = audited(models + "router_settings: {fallbacks: [{ghost: [phantom]}]}\n")
    assert not found(result, "idle-fallback")
    assert [finding.severity for finding in found(result, "ghost-fallback")] == ["advice"]


def test_router_settings_win_as_a_whole() -> None:
    text = f"""{MODELS}router_settings:
  fallbacks: [{{a: [b]}}]
litellm_settings:
  fallbacks: [{{c: [ghost]}}]
  content_policy_fallbacks: {{a: [b]}}
"""
    result = audited(text)
    assert lines(result)["fallbacks-in-two-places"] == [ABOVE + 4]
    assert not found(result, "ghost-fallback")
    assert lines(result)["fallbacks-shape"] == [ABOVE + 5]


AT = ("router_settings", "fallbacks")


@pytest.mark.parametrize(
    ("settings", "rule", "edits", "automatic"),
    [
        ("{a: [b], c: [d]}", "fallbacks-shape", (SetValue(AT, [{"a": ["b"]}, {"c": ["d"]}]),), True),
        ("[{a: [b], c: [d]}]", "fallbacks-shape", (SetValue(AT, [{"a": ["b"]}, {"c": ["d"]}]),), True),
        ("[{model: a, fallbacks: [b]}]", "fallbacks-shape", (SetValue(AT, [{"a": ["b"]}]),), True),
        ("[{a: b}]", "fallback-not-a-list", (SetValue((*AT, 0, "a"), ["b"]),), True),
        ('[{a: "b, c"}]', "fallback-not-a-list", (SetValue((*AT, 0, "a"), ["b", "c"]),), True),
        ("[{a: {model: b}}]", "fallback-not-a-list", (SetValue((*AT, 0, "a"), [{"model": "b"}]),), True),
        ("[{a: [ghost]}]", "ghost-fallback", (Remove((*AT, 0, "a", 0), emptied=True),), False),
        ("[{default: [a]}]", "idle-fallback", (Rename((*AT, 0, "default"), "*"),), True),
        ("[{a: [a, b]}]", "fallback-to-itself", (Remove((*AT, 0, "a", 0), emptied=True),), True),
        ("[{a: [b]}, {a: [c]}]", "repeated-fallback", (Remove((*AT, 1), emptied=True),), False),
        ("[{a: [b]}], model_group_alias: {x: a}", "alias-without-fallback", (Insert((*AT, 1), {"x": ["b"]}),), False),
    ],
)
def test_the_fix(settings: str, rule: str, edits: tuple[Any, ...], automatic: bool) -> None:
    done, decision = _edits(f"router_settings: {{fallbacks: {settings}}}\n", rule)
    assert done == edits
    assert automatic == (decision == "")


@pytest.mark.parametrize(
    ("text", "rule", "left"),
    [
        ("router_settings:\n  num_retries: 1\n  fallbacks:\n    - a: [ghost]\n", "ghost-fallback",
         "router_settings:\n  num_retries: 1\n"),
        ("router_settings:\n  fallbacks:\n    - a: [ghost]\n    # of b\n    - b: [c]\n", "ghost-fallback",
         "router_settings:\n  fallbacks:\n    # of b\n    - b: [c]\n"),
        ("router_settings:\n  fallbacks:\n    - a: [ghost, b]\n", "ghost-fallback",
         "router_settings:\n  fallbacks:\n    - a: [b]\n"),
        ("router_settings:\n  fallbacks:\n    - a:\n        - model: ghost\n", "ghost-fallback", ""),
        ("router_settings:\n  default_fallbacks: [ghost]\n", "ghost-fallback", ""),
        ("router_settings:\n  fallbacks:\n    - ghost: [a]\n  num_retries: 1\n", "idle-fallback",
         "router_settings:\n  num_retries: 1\n"),
        ('router_settings:\n  fallbacks:\n    - "*": [b]\n  default_fallbacks: [c]\n', "repeated-fallback",
         "router_settings:\n  default_fallbacks: [c]\n"),
        ("litellm_settings: {fallbacks: [{a: [b]}]}\nrouter_settings: {fallbacks: [{b: [c]}]}\n",
         "fallbacks-in-two-places", "router_settings: {fallbacks: [{b: [c]}]}\n"),
        ("router_settings:\n  fallbacks:\n    - a: [a]\n", "fallback-to-itself", ""),
        # with an empty list the group has no fallback, without one it has another
        ('router_settings:\n  fallbacks:\n    - a: [a]\n    - "*": [b]\n', "fallback-to-itself",
         'router_settings:\n  fallbacks:\n    - a: []\n    - "*": [b]\n'),
        ("router_settings:\n  fallbacks:\n    - a: [a]\n  default_fallbacks: [b]\n", "fallback-to-itself",
         "router_settings:\n  fallbacks:\n    - a: []\n  default_fallbacks: [b]\n"),
        ("router_settings:\n  context_window_fallbacks:\n    - a: [a]\n  fallbacks:\n    - a: [b]\n",
         "fallback-to-itself",
         "router_settings:\n  context_window_fallbacks:\n    - a: []\n  fallbacks:\n    - a: [b]\n"),
        # an empty table would let the one of litellm_settings be read
        ("router_settings:\n  fallbacks:\n    - a: [ghost]\nlitellm_settings:\n  fallbacks:\n    - b: [c]\n",
         "ghost-fallback",
         "router_settings:\n  fallbacks:\n    - a: []\nlitellm_settings:\n  fallbacks:\n    - b: [c]\n"),
    ],
)  # fmt: skip
def test_what_is_left_out_leaves_nothing_empty_behind(text: str, rule: str, left: str) -> None:
    edits, _ = _edits(text, rule)
    assert splice((MODELS + text).encode(), edits).decode() == MODELS + left


def test_a_section_that_replaces_another_is_not_taken_out() -> None:
    more = "router_settings:\n  fallbacks:\n    - a: [ghost]\nnew: 1\n"
    root = MODELS + "include: [more.yaml]\nrouter_settings: {fallbacks: [{a: [b]}]}\n"
    (one,) = found(audited(root, files={"more.yaml": more}), "ghost-fallback")
    assert one.fix
    assert splice(more.encode(), one.fix.edits).decode() == "router_settings:\n  fallbacks:\n    - a: []\nnew: 1\n"


def test_a_slip_in_a_name_is_asked_for() -> None:
    text = "model_list: [{model_name: claude-sonnet, litellm_params: {model: openai/x, api_key: k}}]\n"
    fix = found(audited(text + "router_settings: {default_fallbacks: [claude-sonet]}\n"), "ghost-fallback")[0].fix
    assert fix is not None
    assert fix.edits == (SetValue(("router_settings", "default_fallbacks", 0), "claude-sonnet"),)
    assert fix.decision == "whether claude-sonnet was meant"


def test_a_chain_is_cut_where_the_router_cuts_it() -> None:
    steps = ", ".join(f"{{{one}: [{other}]}}" for one, other in itertools.pairwise(GROUPS))
    result = audited(f"{MODELS}router_settings: {{fallbacks: [{steps}]}}\n")
    assert [finding.text for finding in found(result, "long-fallback-chain")] == [
        "'a' gives up after 5 hops: g, h never asked",
        "'b' gives up after 5 hops: h never asked",
    ]
    raised = audited(f"{MODELS}router_settings: {{max_fallbacks: 7, fallbacks: [{steps}]}}\n")
    assert not found(raised, "long-fallback-chain")


def test_chains_that_lead_somewhere_are_praised() -> None:
    right = {praise.text for praise in audited(f"{MODELS}router_settings: {{fallbacks: [{{a: [b]}}]}}\n").right}
    assert "every fallback leads to a group that exists (1)" in right


@pytest.mark.parametrize(
    ("settings", "before", "since"),
    [
        ("fallbacks: [{a: b}]", "error", "fatal"),
        ("fallbacks: [{a: }]", "warning", "fatal"),
        ("fallbacks: [{a: {model: b}}]", "error", "fatal"),
        ("content_policy_fallbacks: [{a: b}]", "error", "fatal"),
        ("default_fallbacks: b", "error", "fatal"),
        ("default_fallbacks: {model: b}", "error", "error"),
        ("context_window_fallbacks: [{a: b}]", "error", "error"),
        ("fallbacks: [{a: [5]}]", "error", "error"),
        ("fallbacks: [{model: b}]", "error", "error"),
    ],
)
@pytest.mark.parametrize("section", ["router_settings", "litellm_settings"])
def test_what_was_taken_letter_by_letter_ends_the_start_since_1_108(
    settings: str, before: str, since: str, section: str
) -> None:
    text = f"{MODELS}{section}: {{{settings}}}\n"
    for version, severity in (("1.106.10", before), ("1.108.11", since), ("1.109.1", since)):
        [finding] = found(audited(text, version=version), "fallback-not-a-list")
        assert finding.severity == severity, version


@pytest.mark.parametrize("text", ["x: y, z", "b, nobody", "b c", "b,"])
def test_a_text_that_is_no_list_of_groups_is_not_split(text: str) -> None:
    [finding] = found(audited(f'{MODELS}router_settings: {{fallbacks: [{{a: "{text}"}}]}}\n'), "fallback-not-a-list")
    assert finding.fix is None
