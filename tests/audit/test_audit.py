"""The engine: order, places, silencing, score and fixes; and that no configuration makes a rule stumble."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from litellm_tui.audit.rule import RULES, SUBJECTS, Hit, Right, Rule, all_rules
from litellm_tui.audit.run import score_findings
from litellm_tui.audit.subject import Subject
from litellm_tui.model.audit import RANK, Deduction, Finding, Severity
from litellm_tui.model.configuration import Mark
from litellm_tui.model.edits import Edit, Move, SetValue
from tests.audit.reading import audited, found, lines

WRONG = "router_settings: {}\nserver_settings: {}\n"


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Adds a rule for one test: `planted(said, …)` says this of every configuration."""
    all_rules()

    def plant(*said: Hit | Right, id: str = "planted", severity: Severity = "warning", **more: str) -> None:
        def check(subject: Subject) -> Iterator[Hit | Right]:
            yield from said

        one = Rule(id, severity, "A planted rule", "why", "source", "the remedy", check, "router", **more)
        monkeypatch.setitem(RULES, id, one)

    return plant


# --- findings ------------------------------------------------------------------------------------------------------


def test_every_rule_has_words_and_a_known_subject() -> None:
    rules = all_rules()
    assert {one.subject for one in rules.values()} <= set(SUBJECTS)
    for one in rules.values():
        assert all((one.title, one.why, one.source, one.fix)), one.id
        assert one.id == one.id.lower()
        assert " " not in one.id
        assert one.severity in RANK


def test_a_finding_says_the_rules_words_and_the_hits_place(planted: Any) -> None:
    planted(Hit("here", ("general_settings", "x", "gone")), Hit("there", do="do this", severity="fatal"))
    first, second = sorted(found(audited("general_settings:\n  x: 1\n"), "planted"), key=lambda one: one.severity)
    assert (first.text, first.severity, first.do, first.mark.line) == ("there", "fatal", "do this", 1)
    assert (second.text, second.severity, second.do) == ("here", "warning", "the remedy")
    # the nearest thing above it that has a place
    assert (second.mark.line, second.mark.column) == (2, 3)


def test_findings_come_worst_first_and_then_as_they_stand(planted: Any) -> None:
    text = "general_settings: {a: 1}\nrouter_settings: {num_retries: 1}\ninclude: [more.yaml]\n"
    places = [("more", "y"), ("router_settings",), ("general_settings", "a"), ("general_settings",)]
    planted(*[Hit(str(place), place) for place in places], Hit("worst", ("more", "y"), severity="fatal"))
    result = audited(text, files={"more.yaml": "more:\n  x: 1\n  y: 2\n"})
    said = [finding.text for finding in found(result, "planted")]
    assert said == ["worst", *map(str, (places[3], places[2], places[1], places[0]))]
    ranks = [RANK[finding.severity] for finding in result.findings]
    assert ranks == sorted(ranks)
    assert result.worst() == "fatal"


@pytest.mark.parametrize(
    ("since", "until", "hits"), [("1.80", "", 0), ("", "1.77", 1), ("1.77.7", "", 1), ("", "1.76", 0)]
)
def test_a_rule_holds_for_its_versions_only(planted: Any, since: str, until: str, hits: int) -> None:
    planted(Hit("here"), since=since, until=until)
    assert len(found(audited("a: 1\n", version="1.77.7"), "planted")) == hits


def test_a_strength_has_its_place(planted: Any) -> None:
    planted(Right("good", ("b",)), Right("all in all"))
    right = {strength.text: strength.mark for strength in audited("a: 1\nb: 2\n").right}
    assert right["good"] is not None
    assert right["good"].line == 2
    assert right["all in all"] is None


def test_what_could_not_be_looked_at_is_said() -> None:
    assert any("environment" in line for line in audited("a: 1\n").unknown)
    assert not any("environment" in line for line in audited("a: 1\n", env={}).unknown)


def test_a_rule_that_stumbles_takes_no_other_along(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(subject: Subject) -> Iterator[Hit | Right]:
        yield Hit("half a result")
        raise KeyError("secret")

    one = Rule("stumbles", "error", "t", "w", "s", "f", check, "router")
    monkeypatch.setitem(RULES, "stumbles", one)
    result = audited(WRONG, stumbles=True)
    assert found(result, "unknown-section")
    assert not found(result, "stumbles")
    (said,) = [line for line in result.unknown if "stumbles" in line]
    assert "KeyError" in said
    assert "secret" not in said


def test_a_file_that_cannot_be_loaded_is_one_fatal_finding() -> None:
    result = audited("a: [1\nb: 2\n")
    (one,) = result.findings
    assert (one.rule, one.severity, one.mark.line, result.score.value) == ("unusable-file", "fatal", 2, 0.0)


# --- silencing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "server_settings: {}  # litellm-tui: ignore unknown-section our own tool reads it\n",
        "# litellm-tui: ignore unknown-section our own tool reads it\nserver_settings: {}\n",
        "a: &a {}  # nothing here\n# litellm-tui:ignore unknown-section our own tool reads it\nserver_settings: {}\n",
    ],
)
def test_a_comment_with_a_reason_silences_its_line(text: str) -> None:
    result = audited(text)
    assert "server_settings" not in " ".join(finding.text for finding in found(result, "unknown-section"))
    (one,) = result.silenced
    assert (one.rule, one.silenced) == ("unknown-section", "our own tool reads it")
    assert not found(result, "idle-ignore")


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("ignore unknown-section", "a reason is wanted"),
        ("ignore no-such-rule because", "is no rule"),
        ("ignore", "names no rule"),
        ("ignore ghost-fallback because", "finds nothing on line 1"),
    ],
)
def test_a_comment_that_silences_nothing_is_found(comment: str, words: str) -> None:
    result = audited(f"server_settings: {{}}  # litellm-tui: {comment}\n")
    assert lines(result)["unknown-section"] == [1]
    assert not result.silenced
    (one,) = found(result, "idle-ignore")
    assert words in one.text
    assert one.mark.column == 22


def test_a_comment_alone_is_about_the_next_line_only() -> None:
    result = audited("# litellm-tui: ignore unknown-section reason\na: 1\nserver_settings: {}\n")
    assert lines(result)["unknown-section"] == [3]


def test_a_comment_in_an_included_file_counts_there(planted: Any) -> None:
    planted(Hit("x", ("x",)), Hit("y", ("y",)))
    ignore = "  # litellm-tui: ignore planted fine"
    result = audited("include: [more.yaml]\nx: 1\n", files={"more.yaml": f"\ny: 1{ignore}\n"})
    assert [finding.text for finding in found(result, "planted")] == ["x"]
    assert [finding.text for finding in result.silenced] == ["y"]


def test_the_settings_silence_a_rule_everywhere_and_the_score_forgets_it() -> None:
    result = audited(WRONG, silenced={"unknown-section": "known here"})
    assert not found(result, "unknown-section")
    assert {finding.silenced for finding in result.silenced} == {"known here"}
    assert result.score.value > audited(WRONG).score.value


# --- score ---------------------------------------------------------------------------------------------------------


def _findings(*severities: Severity, rule: str = "") -> list[Finding]:
    mark = Mark("f", 1)
    return [Finding(rule or f"rule-{n}", severity, "", "", mark) for n, severity in enumerate(severities)]


def _same(severity: Severity, count: int) -> list[Severity]:
    return [severity] * count


@pytest.mark.parametrize(
    ("findings", "value"),
    [
        ([], 10.0),
        (_findings("fatal"), 0.0),
        (_findings("fatal", "error", "warning"), 0.0),
        (_findings("error"), 8.0),
        (_findings(*_same("error", 5)), 2.0),
        (_findings("warning", "advice"), 9.4),
        (_findings(*_same("warning", 20)), 6.0),
        (_findings(*_same("advice", 20)), 9.0),
        (_findings("warning", "warning", "warning", rule="one"), 9.5),
        (_findings("advice", "error", "warning", rule="one"), 8.0),
    ],
)
def test_the_score_counts_rules_by_their_worst(findings: list[Finding], value: float) -> None:
    result = score_findings(findings)
    assert result.value == value
    assert result.value == pytest.approx(max(0.0, 10 - sum(one.points for one in result.deductions)))


def test_the_score_shows_its_arithmetic() -> None:
    result = score_findings(_findings("error", *_same("warning", 9)))
    assert result.deductions == (Deduction("error", 1, 2.0, 2.0), Deduction("warning", 9, 0.5, 4.0))


# --- fixes ---------------------------------------------------------------------------------------------------------

PARENT = "include: [more.yaml]\nmodel_list:\n  - {model_name: a}\nrouter_settings: {x: 1}\n"
MORE = "model_list:\n  - {model_name: b}\n  - {model_name: c}\ngeneral_settings: {y: 2}\n"


@pytest.mark.parametrize(
    ("edit", "file", "path"),
    [
        (SetValue(("model_list", 0, "model_name"), "z"), "config.yaml", ("model_list", 0, "model_name")),
        (SetValue(("model_list", 2, "model_name"), "z"), "more.yaml", ("model_list", 1, "model_name")),
        (SetValue(("general_settings", "y"), 3), "more.yaml", ("general_settings", "y")),
        (SetValue(("router_settings", "x"), 3), "config.yaml", ("router_settings", "x")),
        (SetValue(("litellm_settings", "new"), 3), "config.yaml", ("litellm_settings", "new")),
    ],
)
def test_a_fix_leads_into_the_file_that_holds_its_place(planted: Any, edit: Edit, file: str, path: Any) -> None:
    planted(Hit("here", edit.path, edits=(edit,), decision="choose"))
    (one,) = found(audited(PARENT, files={"more.yaml": MORE}), "planted")
    assert one.fix is not None
    assert one.fix.file.endswith(f"/{file}")
    assert one.fix.edits == (msgspec.structs.replace(edit, path=path),)
    assert (one.fix.title, one.fix.decision) == ("the remedy", "choose")
    assert one.path == edit.path


@pytest.mark.parametrize(
    "edits",
    [
        (SetValue(("router_settings", "x"), 1), SetValue(("general_settings", "y"), 1)),
        (SetValue(("model_list", 0), 1), SetValue(("model_list", 1), 1)),
        (Move(("router_settings", "x"), ("general_settings", "x")),),
    ],
)
def test_a_fix_over_two_files_is_not_offered(planted: Any, edits: tuple[Edit, ...]) -> None:
    planted(Hit("here", edits[0].path, edits=edits))
    (one,) = found(audited(PARENT, files={"more.yaml": MORE}), "planted")
    assert one.fix is None
    assert one.do == "the remedy"


def test_a_move_within_one_file_is_offered(planted: Any) -> None:
    move = Move(("router_settings", "x"), ("litellm_settings", "x"))
    planted(Hit("here", move.path, edits=(move,)))
    (one,) = found(audited(PARENT, files={"more.yaml": MORE}), "planted")
    assert one.fix is not None
    assert one.fix.edits == (move,)


# --- whatever is in the file ---------------------------------------------------------------------------------------

SECTIONS = (
    *("model_list", "router_settings", "litellm_settings", "general_settings", "environment_variables", "include"),
    *("guardrails", "callback_settings", "credential_list", "mcp_servers"),
)
KEYS = (
    *("model_name", "litellm_params", "model_info", "model", "api_base", "api_key", "id", "hidden", "weight", "mode"),
    *("fallbacks", "default_fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "max_fallbacks"),
    *("model_group_alias", "routing_strategy", "retry_policy", "allowed_fails_policy", "model_group_retry_policy"),
    *("routing_groups", "group_name", "redis_host", "redis_port", "redis_db", "redis_url", "cache_kwargs", "timeout"),
    *("num_retries", "cooldown_time", "stream_timeout", "context_window_fallback_dict", "cache", "cache_params"),
    *("type", "callbacks", "success_callback", "failure_callback", "request_timeout", "master_key", "database_url"),
    *("background_health_checks", "health_check_interval", "alerting", "allowed_ips", "store_model_in_db", "a", "b"),
)
WORDS = (
    *(
        "a",
        "b",
        "openai/a",
        "openai/*",
        "*",
        "",
        "a, b",
        "os.environ/X",
        "${X}",
        "redis",
        "local",
        "true",
        "prometheus",
    ),
    *(
        "ollama/x",
        "http://h/v1",
        "http://[",
        "azure/x",
        "simple-shuffle",
        "nonsense",
        "sk-1234",
        "9" * 5000,
        "²",
        "\x85",
    ),
)


def _keys() -> st.SearchStrategy[Any]:
    odd = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.tuples(st.integers()), st.text(max_size=5))
    return st.one_of(st.sampled_from(KEYS), st.sampled_from(KEYS), odd)


def _values() -> st.SearchStrategy[Any]:
    dates = st.one_of(st.dates(), st.datetimes(), st.binary(max_size=4), st.sets(st.integers(), max_size=2))
    plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text(max_size=8))
    return st.recursive(
        st.one_of(plain, plain, dates),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_keys(), inner, max_size=4)),
        max_leaves=25,
    )


def _sure(text: str | bytes) -> None:
    """Audit for both versions, with the environment known and not: nothing is raised, and no rule stumbles."""
    for version, env in (("1.77.7", None), ("1.106.2", {"X": "1"})):
        result = audited(text, version=version, env=env)
        assert not [line for line in result.unknown if "failed" in line]
        assert 0.0 <= result.score.value <= 10.0


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(st.sampled_from(SECTIONS), _values(), min_size=1, max_size=4),
    st.dictionaries(_keys(), _values(), max_size=5),
    st.sampled_from(SECTIONS),
)
def test_no_data_makes_a_rule_stumble(data: dict[str, Any], inner: dict[Any, Any], section: str) -> None:
    _sure(yaml.dump({**data, section: [inner] if section == "model_list" else inner}))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.fixed_dictionaries({}, optional={key: _values() for key in KEYS[:3]}), max_size=3), _values())
def test_no_deployment_makes_a_rule_stumble(models: list[Any], params: Any) -> None:
    _sure(
        yaml.dump({"model_list": [*models, {"model_name": "a", "litellm_params": {"model": "openai/a", "x": params}}]})
    )


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200))
@example(b"\xff\xfe\x00")
@example(b"model_list: &a [*a]")
@example(b"router_settings: &a\n  fallbacks: [*a]\n  model_group_alias: *a\n  retry_policy: *a\n")
@example(b"router_settings: {fallbacks: &a [{x: *a}, *a], default_fallbacks: *a}\n")
@example(b"litellm_settings: &a\n  cache_params: *a\n  callbacks: [*a]\n  cache: *a\n")
@example(b"model_list:\n  - &a\n    model_name: *a\n    litellm_params: *a\n    model_info: *a\n    model: *a\n")
@example(b"general_settings: &a {alerting: [*a], x: *a}\nenvironment_variables: *a\n")
@example(b"? [1, 2]\n: 3\n? !!binary aGk=\n: 4\nnull: 5\n")
@example(b"include: [config.yaml]\n")
def test_no_bytes_make_a_rule_stumble(content: bytes) -> None:
    _sure(content)


def test_what_a_few_anchors_multiply_is_never_written_out() -> None:
    grown = "a: &a0 [x, x, x, x, x, x, x, x]\n"
    grown += "".join(f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 12))
    _sure(f"{grown}router_settings: {{fallbacks: [{{x: *a11}}], model_group_alias: {{y: *a11}}, retry_policy: *a11}}\n")
