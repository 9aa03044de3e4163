"""What has changed between two configurations, and between the file and what runs, in words without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.analysis.change.difference import Change, changes_to_running, compare_files
from litellm_tui.analysis.change.values import LONGEST, value_text
from litellm_tui.analysis.health.diagnose import diagnose
from litellm_tui.analysis.nested import are_equal
from litellm_tui.model.configuration import ConfigFile, FileDeployment
from litellm_tui.model.diagnosis import Deployment, Verdict
from litellm_tui.model.gateway import LoadedDeployment
from tests.recorded import CONFIG, NOW, VERSIONS, loaded_file, snapshot_of


def _read(folder: Path, text: str, name: str = "config.yaml") -> ConfigFile:
    return loaded_file(folder / name, text)


def _changes(folder: Path, before: str, after: str) -> tuple[Change, ...]:
    return compare_files(_read(folder, before), _read(folder, after))


def _words(folder: Path, before: str, after: str) -> list[str]:
    return [f"{change.kind} {change.what} {change.words}" for change in _changes(folder, before, after)]


MODELS = """\
model_list:
  - model_name: a
    litellm_params: {model: openai/a, api_base: "http://one", api_key: sk-first-secret, rpm: 10}
  - model_name: b
    litellm_params: {model: openai/b, api_base: "http://two"}
    model_info: {mode: chat}
"""


def test_the_same_file_is_no_change(tmp_path: Path) -> None:
    assert _words(tmp_path, CONFIG, CONFIG) == []
    # another order, comments and styles are none either
    turned = yaml.safe_dump(yaml.safe_load(CONFIG), sort_keys=True)
    assert _words(tmp_path, CONFIG, "# rewritten\n" + turned) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rpm: 10", "rpm: 20", ["changed deployment a (openai/a): rpm: 10 → 20"]),
        ("rpm: 10", "rpm: 10, weight: 2", ["added deployment a (openai/a): weight: 2"]),
        (", rpm: 10", "", ["removed deployment a (openai/a): rpm: 10"]),
        ("rpm: 10", "rpm: null", ["changed deployment a (openai/a): rpm: 10 → none"]),
        ("http://one", "http://three", ["changed deployment a (openai/a): api_base: http://one → http://three"]),
        ("openai/b", "openai/c", ["changed deployment b (openai/c): model: openai/b → openai/c"]),
        ("sk-first-secret", "sk-other-secret", ["changed deployment a (openai/a): api_key: changed (not shown)"]),
        ("sk-first-secret", "os.environ/A",
         ["changed deployment a (openai/a): api_key: (not shown) → os.environ/A"]),
        ("mode: chat", "mode: embedding", ["changed deployment b (openai/b): model_info.mode: chat → embedding"]),
        ("model_name: b", "model_name: c",
         ["changed deployment c (openai/b): model_name: b → c"]),
        ("http://two", "http://user:hunter22@two",
         ["changed deployment b (openai/b): api_base: http://two → http://•••@two"]),
    ],
)  # fmt: skip
def test_deployments_are_compared_parameter_by_parameter(tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    assert _words(tmp_path, MODELS, MODELS.replace(old, new)) == words


def test_one_of_several_equal_names_that_is_removed_is_the_only_change(tmp_path: Path) -> None:
    entry = "  - {{model_name: g, litellm_params: {{model: openai/m, api_key: sk-number-{0}, rpm: {0}}}}}\n"
    entries = [entry.format(number) for number in range(1, 5)]
    before = "model_list:\n" + "".join(entries)
    after = "model_list:\n" + "".join(entries[1:])
    assert _words(tmp_path, before, after) == ["removed deployment g (openai/m)"]
    assert _words(tmp_path, after, before) == ["added deployment g (openai/m)"]
    turned = "model_list:\n" + "".join(reversed(entries))
    assert _words(tmp_path, before, turned) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("router_settings: {cooldown_time: 5}", "router_settings: {cooldown_time: 6}",
         ["changed setting router_settings.cooldown_time: 5 → 6"]),
        ("a: {b: {c: 1, d: 2}}", "a: {b: {c: 1}}", ["removed setting a.b.d: 2"]),
        ("a: {b: 1}", "a: {b: 1}\nlitellm_settings: {cache_params: {type: redis, port: 1}}",
         ["added setting litellm_settings.cache_params.type: redis",
          "added setting litellm_settings.cache_params.port: 1"]),
        ("a: true", "a: 1", ["changed setting a: true → 1"]),
        ("a: {}", "a: {b: null}", ["added setting a.b: none"]),
        ("a: [1, 2]", "a: [1, 3]", ["changed setting a: 1, 2 → 1, 3"]),
        ("general_settings: {master_key: sk-one-one}", "general_settings: {master_key: sk-two-two}",
         ["changed setting general_settings.master_key: changed (not shown)"]),
        ("a: 1", "a: 1\nenvironment_variables: {OPENAI_API_KEY: abc, REGION: eu}",
         ["added environment OPENAI_API_KEY: (not shown)", "added environment REGION: eu"]),
        ("router_settings: {model_group_alias: {x: a, my-key: b}}",
         "router_settings: {model_group_alias: {x: b, my-key: c}}",
         ["changed alias x: a → b", "changed alias my-key: b → c"]),
        ("router_settings: {fallbacks: [{a: [b, c]}, {d: [e]}]}",
         "router_settings: {fallbacks: [{d: [e]}, {a: [c, b]}, {f: [g]}]}",
         ["changed fallback fallbacks of a: b, c → c, b", "added fallback fallbacks of f: g"]),
        ("litellm_settings: {default_fallbacks: [a]}", "litellm_settings: {default_fallbacks: [b]}",
         ["changed fallback litellm_settings.default_fallbacks: a → b"]),
        ("router_settings: {fallbacks: [{a: [b]}]}", "router_settings: {fallbacks: {a: [b]}}",
         ["changed fallback router_settings.fallbacks: {a: [b]} → {a: [b]}"]),
        ("model_list: []\na: 1", "a: 1", []),
        ("model_list: []", "model_list: 5", ["changed setting model_list: [] → 5"]),
    ],
)  # fmt: skip
def test_settings_are_compared_key_by_key(tmp_path: Path, before: str, after: str, words: list[str]) -> None:
    assert _words(tmp_path, before, after) == words


def test_another_order_of_targets_is_said(tmp_path: Path) -> None:
    (change,) = _changes(
        tmp_path, "router_settings: {fallbacks: [{a: [b, c]}]}", "router_settings: {fallbacks: [{a: [c, b]}]}"
    )
    assert change.note == "the same targets in another order"


@pytest.mark.parametrize(
    ("before", "after", "visible"),
    [
        ("router_settings: {cooldown_time: 5}", "router_settings: {cooldown_time: 6}", True),
        ("router_settings: {fallbacks: [{a: [b]}]}", "router_settings: {fallbacks: [{a: [c]}]}", True),
        ("litellm_settings: {num_retries: 5}", "litellm_settings: {num_retries: 6}", True),
        ("router_settings: {model_group_alias: {x: a}}", "router_settings: {model_group_alias: {x: b}}", True),
        (MODELS, MODELS.replace("rpm: 10", "rpm: 20"), True),
        (MODELS, MODELS.replace("sk-first", "sk-other"), False),
        (MODELS, MODELS.replace("mode: chat", "mode: completion"), False),
        ("router_settings: {enable_pre_call_checks: true}", "router_settings: {enable_pre_call_checks: false}", False),
        ("litellm_settings: {callbacks: [a]}", "litellm_settings: {callbacks: [b]}", False),
        ("litellm_settings: {content_policy_fallbacks: [{a: [b]}]}",
         "litellm_settings: {content_policy_fallbacks: [{a: [c]}]}", False),
        ("general_settings: {alerting: [x]}", "general_settings: {alerting: [y]}", False),
    ],
)  # fmt: skip
def test_what_cannot_be_seen_from_outside_is_said_to_be_so(
    tmp_path: Path, before: str, after: str, visible: bool
) -> None:
    (change,) = _changes(tmp_path, before, after)
    assert change.visible is visible
    assert bool(change.note) is not visible
    assert change.needs_restart


def test_a_change_has_its_place_in_the_newer_file(tmp_path: Path) -> None:
    after = MODELS.replace("rpm: 10", "rpm: 20") + "router_settings:\n  fallbacks:\n    - a: [b]\n  timeout: 5\n"
    found = {change.name: change for change in _changes(tmp_path, MODELS, after)}
    lines = after.splitlines()
    assert [found[name].mark.line for name in found if found[name].mark] == [  # type: ignore[union-attr]  # filtered
        lines.index(next(line for line in lines if "rpm: 20" in line)) + 1,
        lines.index("    - a: [b]") + 1,
        lines.index("  timeout: 5") + 1,
    ]
    gone = _changes(tmp_path, after, MODELS)
    assert [change.mark for change in gone if change.kind == "removed"] == [None, None]


@pytest.mark.parametrize("secret", ["sk-abcdefghijklmnop", "hunter2hunter2"])
def test_no_secret_is_in_a_change(tmp_path: Path, secret: str) -> None:
    text = f"""\
model_list:
  - model_name: a
    litellm_params:
      model: openai/a
      api_base: "http://user:{secret}@host/v1"
      api_key: "{secret}"
      extra_headers: {{Authorization: "Bearer {secret}", x-api-key: "{secret}"}}
      vertex_credentials: {{private: {{key: "{secret}"}}}}
    model_info: {{token: "{secret}"}}
credential_list: [{{credential_name: c, credential_values: {{api_base: "{secret}", other: "{secret}"}}}}]
litellm_settings: {{cache_params: {{password: "{secret}", url: "redis://:{secret}@h:1"}}}}
general_settings:
  master_key: "{secret}"
  pass_through_endpoints: [{{path: /x, headers: {{Authorization: "{secret}", nested: [{{api_key: "{secret}"}}]}}}}]
  alert_to_webhook_url: {{budget: "https://h/{secret}"}}
environment_variables: {{DB_PASSWORD: "{secret}", DATABASE_URL: "postgres://u:{secret}@h/d"}}
"""
    other = text.replace(secret, secret[::-1]).replace("model: openai/a", "model: openai/a\n      rpm: 1")
    for before, after in ((text, other), ("a: 1", text), (text, "a: 1"), (other, text)):
        found = _changes(tmp_path, before, after)
        assert found
        assert secret not in repr(found)
        assert secret[::-1] not in repr(found)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_recorded_proxy_runs_what_its_file_says(version: str, tmp_path: Path) -> None:
    snapshot = snapshot_of(version, _read(tmp_path, CONFIG))
    assert _of(snapshot) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_file_against_what_runs(version: str, tmp_path: Path) -> None:
    text = (
        CONFIG.replace("rpm: 100", "rpm: 200")
        .replace("model_name: nomic-embed-text", "model_name: brand-new")
        .replace("cooldown_time: 60", "cooldown_time: 30")
        .replace('[qwen-coder-vllm, "gpt-oss:120b-cloud"]', "[qwen-coder-vllm]")
        .replace('gpt-4: "llama3.1:latest"', "gpt-4: qwen-coder-vllm")
        .replace("background_health_checks: true", "background_health_checks: false")
    )
    snapshot = snapshot_of(version, _read(tmp_path, text, "new.yaml"))
    base = "http://127.0.0.1:9102/v1"
    visible = [
        "llama3.1:latest (openai/llama3.1): rpm: 100 → 200",
        f"brand-new (openai/nomic-embed-text): {base}",
        f"nomic-embed-text (openai/nomic-embed-text): {base}",
        "fallbacks of qwen2.5-coder:7b: qwen-coder-vllm, gpt-oss:120b-cloud → qwen-coder-vllm",
        "gpt-4: llama3.1:latest → qwen-coder-vllm",
        "cooldown_time: 60 → 30",
    ]
    assert _of(snapshot) == visible
    # what the proxy does not show is known from the file it started with
    unseen = "general_settings.background_health_checks: true → false"
    assert _of(snapshot, _read(tmp_path, CONFIG)) == [*visible, unseen]


def _of(snapshot: Any, applied: ConfigFile | None = None) -> list[str]:
    diagnosis = diagnose(snapshot, NOW)
    found = changes_to_running(
        snapshot.configuration.current, diagnosis.deployments, snapshot.gateway.router.value, applied
    )
    return [change.words for change in found]


BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))  # noqa: B905
LOOP = "a: &a {b: [*a]}\nmodel_list: [{model_name: m, litellm_params: &p {model: x/y, q: *p}}]\n"


@pytest.mark.parametrize("text", [BOMB, LOOP])
def test_collections_that_are_endless_when_written_out(tmp_path: Path, text: str) -> None:
    before, after = _read(tmp_path, text), _read(tmp_path, text + "z: 1\n")
    assert [change.words for change in compare_files(before, after)] == ["z: 1"]
    for change in compare_files(_read(tmp_path, "a: 1\n"), after):
        assert len(change.words) < 3 * LONGEST


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
SECTIONS = st.sampled_from(["model_list", "router_settings", "litellm_settings", "general_settings",
                            "environment_variables", "x"])  # fmt: skip
KEYS = st.sampled_from(["fallbacks", "default_fallbacks", "model_group_alias", "timeout", "api_key", "y"])


def _made(data: dict[str, Any]) -> ConfigFile:
    return ConfigFile("config.yaml", "0", 0.0, ("config.yaml",), data, {})


@given(
    st.dictionaries(SECTIONS, ODD | st.dictionaries(KEYS, ODD)),
    st.dictionaries(SECTIONS, ODD | st.dictionaries(KEYS, ODD)),
)
def test_any_two_mappings_are_compared_without_raising(before: dict[str, Any], after: dict[str, Any]) -> None:
    old, new = _made(before), _made(after)
    assert compare_files(old, old) == ()
    assert all(isinstance(change.words, str) for change in compare_files(old, new))
    assert len(compare_files(old, new)) == len(compare_files(new, old))


@given(ODD, ODD)
def test_sameness_is_equality_but_for_booleans_and_nan(one: Any, other: Any) -> None:
    assert are_equal(one, one)
    if are_equal(one, other):
        assert are_equal(other, one)
        assert value_text(one).lower() == value_text(other).lower() or one == other
    elif not isinstance(one, dict | list | bool | float) and not isinstance(other, dict | list | bool | float):
        assert one != other


# --- renames -------------------------------------------------------------------------------------------------------

NAMED = """\
router_settings:
  fallbacks:
    - a: [b]
    - b: [a, c]
  context_window_fallbacks:
    - c: [a]
  default_fallbacks: [a]
  model_group_alias: {first: a}
"""


def test_a_rename_is_one_change_and_says_what_still_names_the_old_one(tmp_path: Path) -> None:
    before, after = MODELS + NAMED, MODELS.replace("model_name: a", "model_name: largest") + NAMED
    (change,) = _changes(tmp_path, before, after)
    assert f"{change.kind} {change.words}" == "changed largest (openai/a): model_name: a → largest"
    assert change.breaks == "3 fallbacks, the default and 1 alias still name the old one: a"
    assert change.mark
    assert change.mark.line == 2
    # what is changed in the same moment stands for itself
    found = _words(tmp_path, before, after.replace("rpm: 10", "rpm: 20"))
    assert found[1:] == ["changed deployment largest (openai/a): rpm: 10 → 20"]


@pytest.mark.parametrize(
    ("rest", "breaks"),
    [
        ("", ""),
        ("router_settings: {fallbacks: [{b: [a]}]}\n", "1 fallback still names the old one: a"),
        ("litellm_settings: {default_fallbacks: [a]}\n", "the default still names the old one: a"),
        # under its old name it goes on
        ("router_settings: {fallbacks: [{b: [a]}], model_group_alias: {a: z}}\n", ""),
        ("router_settings: {fallbacks: [{b: [z]}]}\n", ""),
    ],
)
def test_what_a_rename_breaks(tmp_path: Path, rest: str, breaks: str) -> None:
    (change,) = (c for c in _changes(tmp_path, MODELS + rest, MODELS.replace("_name: a", "_name: z") + rest))
    assert change.breaks == breaks


def test_what_became_which_is_not_told_where_it_cannot_be_known(tmp_path: Path) -> None:
    entry = "  - model_name: {}\n    litellm_params: {{model: openai/m}}\n"
    before = "model_list:\n" + entry.format("a") + entry.format("b")
    after = "model_list:\n" + entry.format("c") + entry.format("d")
    kinds = [change.kind for change in _changes(tmp_path, before, after)]
    assert kinds == ["added", "added", "removed", "removed"]
    # a group of several that is renamed as a whole
    after = "model_list:\n" + entry.format("c") * 2
    before = "model_list:\n" + entry.format("a") * 2
    assert [change.words for change in _changes(tmp_path, before, after)] == ["c (openai/m): model_name: a → c"] * 2


WELL = Verdict("serving", "ok", "")


def test_a_rename_that_waits_for_a_restart_is_seen_against_what_runs(tmp_path: Path) -> None:
    file = _read(tmp_path, MODELS.replace("model_name: a", "model_name: z") + NAMED)
    runs = _read(tmp_path, MODELS + NAMED, "before.yaml")
    rows = [
        Deployment(f"{number}", d.group, d.model, file=d, verdict=Verdict("not loaded", "warn", "", pending=True))
        if d.group == "z"
        else Deployment(f"{number}", d.group, d.model, WELL, file=d, loaded=_loaded(runs.deployments[number]))
        for number, d in enumerate(file.deployments)
    ]
    rows.append(Deployment("9", "a", "openai/a", WELL, loaded=_loaded(runs.deployments[0])))
    changes = [c for c in changes_to_running(file, rows, None) if c.what == "deployment"]
    assert [(change.kind, change.words) for change in changes] == [("changed", "z (openai/a): model_name: a → z")]
    assert changes[0].breaks == "3 fallbacks, the default and 1 alias still name the old one: a"


def _loaded(d: FileDeployment) -> LoadedDeployment:
    params = {name: value for name, value in d.params.items() if name != "api_key"}
    return LoadedDeployment(f"id-{d.index}", d.group, d.model, d.api_base, None, None, None, params=params)
