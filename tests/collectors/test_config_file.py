"""The configuration file as LiteLLM reads it, and every file that it would not start with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.config_file import DEEPEST, MASKED, load
from litellm_tui.collectors.config.nesting import is_shallow
from litellm_tui.demo.files import CONFIG, EDITED_CONFIG
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.configuration import ConfigError, ConfigFile
from tests import recorded


def _write(folder: Path, **files: str) -> str:
    """Write the files (without their suffix); the first is the one to load."""
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return str(folder / f"{next(iter(files))}.yaml")


def _good(folder: Path, environment: dict[str, str] | None = None, **files: str) -> ConfigFile:
    found = load(_write(folder, **files), environment or {})
    assert isinstance(found, ConfigFile), found
    return found


def _bad(folder: Path, **files: str) -> ConfigError:
    found = load(_write(folder, **files), {})
    assert isinstance(found, ConfigError)
    return found


# --- what it says ------------------------------------------------------------------------------------------------


def test_deployments_with_their_places_and_limits(tmp_path: Path) -> None:
    found = _good(tmp_path, {"KIMI_KEY": "x", "LITELLM_MASTER_KEY": "y"}, config=recorded.CONFIG)
    assert len(found.deployments) == 7
    first, second, *_, last = found.deployments
    assert (first.group, first.model, first.api_base, first.rpm, first.tpm) == (
        "llama3.1:latest", "openai/llama3.1", "http://127.0.0.1:9102/v1", 100, None,
    )  # fmt: skip
    assert (second.index, second.tpm) == (1, 100000)
    assert last.mode == "embedding"
    assert str(first.mark) == f"{tmp_path}/config.yaml:2:5"
    assert (second.mark.line, second.mark.column) == (8, 5)
    assert found.background_health_checks


def test_every_value_has_its_line_and_column(tmp_path: Path) -> None:
    found = _good(tmp_path, config=CONFIG)
    text = CONFIG.splitlines()
    for path, mark in found.marks.items():
        if path and isinstance(path[-1], str) and len(path) > 1:
            assert text[mark.line - 1][mark.column - 1 :].lstrip("\"'").startswith(path[-1]), path
    assert found.marks["router_settings", "fallbacks", 0].line == text.index(
        "    - qwen2.5-coder:32b: [llama3.1:8b, gpt-4.1-mini]"
    ) + 1  # fmt: skip


def test_literal_secrets_never_reach_what_is_shown(tmp_path: Path) -> None:
    text = (
        "model_list:\n- model_name: a\n  litellm_params:\n    model: openai/a\n    api_key: sk-literal\n"
        "    aws_secret_access_key: hidden\n    vertex_credentials: hidden\n    max_tokens: 5\n    token: hidden\n"
    )
    (deployment,) = _good(tmp_path, config=text).deployments
    assert deployment.params["api_key"] == MASKED
    assert deployment.params["aws_secret_access_key"] == MASKED
    assert deployment.params["vertex_credentials"] == MASKED
    assert deployment.params["token"] == MASKED
    assert deployment.params["max_tokens"] == 5


def test_references_to_the_environment(tmp_path: Path) -> None:
    text = (
        "model_list:\n"
        "- model_name: a\n"
        "  litellm_params: {model: os.environ/MODEL, api_base: os.environ/BASE, api_key: os.environ/KEY}\n"
        "general_settings: {master_key: os.environ/MASTER}\n"
    )
    found = _good(tmp_path, {"MODEL": "openai/x", "MASTER": "m"}, config=text)
    (deployment,) = found.deployments
    assert (deployment.model, deployment.api_base) == ("openai/x", None)
    assert deployment.missing == ("BASE", "KEY")
    # a secret stays a reference, set or not
    assert deployment.params["api_key"] == "os.environ/KEY"
    sources = {reference.name: reference.source for reference in found.references}
    assert sources == {"MODEL": "set", "BASE": None, "KEY": None, "MASTER": "set"}
    places = {reference.name: reference.mark.line for reference in found.references}
    assert places == {"MODEL": 3, "BASE": 3, "KEY": 3, "MASTER": 4}
    assert all(deployment.params[key] != "m" for key in deployment.params)


def test_an_empty_variable_is_set(tmp_path: Path) -> None:
    text = "model_list:\n- model_name: a\n  litellm_params: {model: x, api_key: os.environ/KEY}\n"
    assert _good(tmp_path, {"KEY": ""}, config=text).deployments[0].missing == ()


def test_a_repeated_key_is_read_as_litellm_reads_it(tmp_path: Path) -> None:
    found = _good(tmp_path, config="litellm_settings: {a: 1}\nlitellm_settings: {b: 2}\n")
    assert found.data == yaml.safe_load(Path(found.path).read_text()) == {"litellm_settings": {"b": 2}}


def test_values_are_those_of_yaml_1_1(tmp_path: Path) -> None:
    found = _good(tmp_path, config="general_settings: {background_health_checks: on, t: 12:30, o: 010, n: ~}\n")
    assert found.data["general_settings"] == {"background_health_checks": True, "t": 750, "o": 8, "n": None}
    assert found.background_health_checks
    assert not _good(tmp_path, config="general_settings: {background_health_checks: no}\n").background_health_checks
    # truthy for LiteLLM, so truthy here
    assert _good(tmp_path, config="general_settings: {background_health_checks: 'false'}\n").background_health_checks


@pytest.mark.parametrize("text", ["general_settings: [1]\n", "general_settings:\n", "x: 1\n"])
def test_a_section_of_another_shape_is_empty(tmp_path: Path, text: str) -> None:
    found = _good(tmp_path, config=text)
    assert found.section("general_settings") == {}
    assert not found.background_health_checks


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("model_list: {a: 1}\n", 0),
        ("model_list: text\n", 0),
        ("model_list:\n- just text\n- model_name: a\n  litellm_params: {model: x}\n", 1),
        ("model_list:\n- model_name: b\n- model_name: a\n  litellm_params: {model: x}\n", 1),
        ("model_list:\n- model_name: b\n  litellm_params: [x]\n", 0),
    ],
)
def test_entries_that_litellm_dies_of_are_left_out_and_the_rest_is_kept(tmp_path: Path, text: str, kept: int) -> None:
    found = _good(tmp_path, config=text)
    assert len(found.deployments) == kept


@pytest.mark.parametrize("text", ["model_list:\n", "model_list: []\n", "x: 1\n"])
def test_no_deployments_at_all_are_no_fault_of_the_file(tmp_path: Path, text: str) -> None:
    found = _good(tmp_path, config=text)
    assert found.deployments == ()


def test_limits_that_are_no_numbers_are_none(tmp_path: Path) -> None:
    text = "model_list:\n- model_name: a\n  litellm_params: {model: x, rpm: many, tpm: '500'}\n"
    (deployment,) = _good(tmp_path, config=text).deployments
    assert (deployment.rpm, deployment.tpm) == (None, 500)
    text = "model_list:\n- model_name: a\n  litellm_params: {model: x, rpm: .inf, tpm: .nan}\n"
    (deployment,) = _good(tmp_path, config=text).deployments
    assert (deployment.rpm, deployment.tpm) == (None, None)


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    first = _good(tmp_path, config=CONFIG)
    os.utime(first.path, (1, 1))
    again = load(first.path, {})
    assert isinstance(again, ConfigFile)
    assert again.digest == first.digest
    assert _good(tmp_path, config=EDITED_CONFIG).digest != first.digest


# --- includes ----------------------------------------------------------------------------------------------------


def test_an_old_time_that_a_file_is_deployed_with_is_not_believed(tmp_path: Path) -> None:
    before = _good(tmp_path, config=CONFIG, more="a: 1\n")
    (tmp_path / "restored.yaml").write_text(CONFIG)
    os.utime(tmp_path / "restored.yaml", (1000, 1000))
    os.replace(tmp_path / "restored.yaml", before.path)
    again = load(before.path, {})
    assert isinstance(again, ConfigFile)
    assert again.modified_at == os.stat(before.path).st_ctime >= before.modified_at


def test_an_included_file_may_stand_in_for_one_that_is_not_there(tmp_path: Path) -> None:
    root = tmp_path / "config.yaml"
    root.write_text("include: [more.yaml]\n")
    assert isinstance(load(str(root), {}), ConfigError)
    found = load(str(root), {}, {str(tmp_path / "more.yaml"): b"a: 1\n"})
    assert isinstance(found, ConfigFile)
    assert (found.data, found.files) == ({"a": 1}, (str(root), str(tmp_path / "more.yaml")))


def test_an_included_list_extends_and_an_included_mapping_replaces(tmp_path: Path) -> None:
    found = _good(
        tmp_path,
        config="include: [more.yaml]\nmodel_list:\n- {model_name: a, litellm_params: {model: x}}\n"
        "litellm_settings: {drop_params: true, request_timeout: 5}\n",
        more="model_list:\n\n- {model_name: b, litellm_params: {model: y}}\n"
        "litellm_settings: {request_timeout: 9}\nnew: 1\n",
    )
    assert [deployment.group for deployment in found.deployments] == ["a", "b"]
    assert found.data["litellm_settings"] == {"request_timeout": 9}
    assert found.data["new"] == 1
    assert "include" not in found.data
    assert str(found.deployments[1].mark) == f"{tmp_path}/more.yaml:3:3"
    assert found.marks["litellm_settings", "request_timeout"].file.endswith("more.yaml")
    assert ("litellm_settings", "drop_params") not in found.marks
    assert found.files == (f"{tmp_path}/config.yaml", f"{tmp_path}/more.yaml")


def test_includes_are_relative_to_the_file_that_names_them_and_then_to_the_first(tmp_path: Path) -> None:
    found = _good(
        tmp_path,
        None,
        **{
            "config": "include: [parts/one.yaml]\n",
            "parts/one": "include: [two.yaml, three.yaml]\none: 1\n",
            "parts/two": "two: 2\n",
            "three": "three: 3\n",
        },
    )
    assert found.data == {"one": 1, "two": 2, "three": 3}
    assert len(found.files) == 4


def test_the_digest_and_the_time_cover_the_included_files(tmp_path: Path) -> None:
    first = _good(tmp_path, config="include: [more.yaml]\n", more="a: 1\n")
    os.utime(tmp_path / "more.yaml", (4e9, 4e9))
    again = load(first.path, {})
    assert isinstance(again, ConfigFile)
    assert again.modified_at == 4e9
    (tmp_path / "more.yaml").write_text("a: 2\n")
    changed = load(first.path, {})
    assert isinstance(changed, ConfigFile)
    assert changed.digest != first.digest


@pytest.mark.parametrize("value", ["", "more.yaml", "{a: b}", "[1]", "[[more.yaml]]", "[more.yaml, null]", "true"])
def test_an_include_that_is_no_list_of_paths(tmp_path: Path, value: str) -> None:
    error = _bad(tmp_path, config=f"x: 1\ninclude: {value}\n", more="a: 1\n")
    assert error.problem == "'include' must be a list of file paths"
    assert (error.line, error.column) == (2, 1)


def test_an_included_file_that_is_not_there(tmp_path: Path) -> None:
    error = _bad(tmp_path, config="include:\n  - more.yaml\n  - gone.yaml\n", more="a: 1\n")
    assert "gone.yaml does not exist" in error.problem
    assert (error.line, error.column) == (3, 5)


@pytest.mark.parametrize(
    ("config", "more"),
    [
        ("include: [more.yaml, more.yaml]\nlist: [0]\n", "list: [1]\n"),
        ("include: [config.yaml, more.yaml]\nlist: [0]\n", "list: [1]\n"),
        ("include: [more.yaml]\nlist: [0]\n", "include: [config.yaml]\nlist: [1]\n"),
    ],
)
def test_a_file_that_is_included_twice_or_includes_itself_counts_once(tmp_path: Path, config: str, more: str) -> None:
    (tmp_path / "config.yaml").write_text(config)
    (tmp_path / "more.yaml").write_text(more)
    file = config_file.load(str(tmp_path / "config.yaml"), {})
    assert isinstance(file, ConfigFile)
    assert file.data == {"list": [0, 1]}


def test_an_included_file_may_be_empty_and_the_first_one_not(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("include: [more.yaml]\nlist: [0]\n")
    (tmp_path / "more.yaml").write_text("# later\n")
    file = config_file.load(str(tmp_path / "config.yaml"), {})
    assert isinstance(file, ConfigFile)
    assert file.data == {"list": [0]}
    assert "the file is empty" in _bad(tmp_path, config="# later\n").problem


def test_a_fault_in_an_included_file_is_placed_there(tmp_path: Path) -> None:
    error = _bad(tmp_path, config="include: [more.yaml]\n", more="a: 1\nb: [\n")
    assert error.file == f"{tmp_path}/more.yaml"
    assert error.line == 3


# --- files that cannot be used -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, 2, "expected ',' or ']'"),
        ("a:\n\tb: 1\n", 2, 1, "a tab in the indentation"),
        ("a: 1\n  b: 2\n", 2, 4, "mapping values are not allowed"),
        ("a: 'open\n", 2, 1, "unexpected end of stream"),
        ("a: *nobody\n", 1, 4, "undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second YAML document"),
        ("a: !!python/object/apply:os.system [true]\n", 1, 4, "could not determine a constructor"),
        ("? [a]\n: b\n", 1, 3, "unhashable"),
    ],
)
def test_broken_yaml_has_its_line_and_column(tmp_path: Path, text: str, line: int, column: int, words: str) -> None:
    error = _bad(tmp_path, config=text)
    assert words in error.problem
    assert (error.line, error.column) == (line, column)
    assert str(error) == f"{tmp_path}/config.yaml:{line}:{column}: {error.problem}"
    assert "\n" not in error.problem


@pytest.mark.parametrize(
    "value",
    [
        "2024-99-99", "!!timestamp soon", "!!bool perhaps", "!!int ''", "!!int many", "!!float x", "0x_", "0b_",
        "!!binary é", "1" * 5000, "!!set [a]", "!!omap {a: 1}",
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_its_form_is_a_fault_of_the_file(tmp_path: Path, value: str) -> None:
    assert _bad(tmp_path, config=f"a: {value}\n").problem


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "~\n", "null\n"])
def test_an_empty_file(tmp_path: Path, text: str) -> None:
    error = _bad(tmp_path, config=text)
    assert "empty" in error.problem
    assert (error.line, error.column) == (1, 1)


@pytest.mark.parametrize("text", ["- a\n", "text\n", "7\n", "!!set {a}\n"])
def test_a_file_that_is_no_mapping(tmp_path: Path, text: str) -> None:
    assert "expected a mapping at the top" in _bad(tmp_path, config=text).problem


def test_a_file_that_is_not_there_not_readable_or_a_folder(tmp_path: Path) -> None:
    missing = load(str(tmp_path / "gone.yaml"), {})
    assert isinstance(missing, ConfigError)
    assert missing.problem == "No such file or directory"
    assert str(missing) == f"{tmp_path}/gone.yaml: No such file or directory"
    folder = load(str(tmp_path), {})
    assert isinstance(folder, ConfigError)
    assert folder.problem == "Is a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\n")
    path.chmod(0)
    error = load(str(path), {})
    assert isinstance(error, ConfigError)
    assert error.problem == "Permission denied"


def test_a_refusal_of_the_system_is_told_in_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: str) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(config_file, "read_bytes", denied)
    assert _bad(tmp_path, config="a: 1\n").problem == "Permission denied"


def test_a_file_that_goes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path, config="a: 1\n")

    def read_and_remove(gone: str) -> bytes:
        content = read_bytes(gone)
        Path(gone).unlink()
        return content

    monkeypatch.setattr(config_file, "read_bytes", read_and_remove)
    assert isinstance(load(path, {}), ConfigError)


@pytest.mark.parametrize(
    "content",
    [b"\x00\x01\x02", b"a: \x00\n", b"\xff\xfe\x00", b"a: \xe9\n", bytes(range(256)) * 50, b"\x7fELF\x02\x01"],
)
def test_a_binary_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    error = load(str(path), {})
    assert isinstance(error, ConfigError)
    assert error.problem


def test_the_encodings_of_yaml(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_bytes("a: é\n".encode(encoding))
        found = load(str(path), {})
        assert isinstance(found, ConfigFile)
        assert found.data == {"a": "é"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_an_encoding_that_litellm_does_not_open_is_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes("model_list: []\n".encode(encoding))
    error = load(str(path), {})
    assert isinstance(error, ConfigError)
    assert (error.line, error.column) == (1, 1)
    assert "UTF-16" in error.problem


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("model_list:\n\t- model_name: a\n", 2, 1),
        ("model_list:\n  - model_name: a\n  \tlitellm_params: {}\n", 3, 3),
    ],
)
def test_a_tab_that_indents_is_named_with_its_column(tmp_path: Path, text: str, line: int, column: int) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    error = load(str(path), {})
    assert isinstance(error, ConfigError)
    assert (error.line, error.column) == (line, column)
    assert "tab" in error.problem


# --- aliases -----------------------------------------------------------------------------------------------------


def test_anchors_merges_and_aliases(tmp_path: Path) -> None:
    found = _good(
        tmp_path,
        config="defaults: &d {model: openai/a, rpm: 5}\nmodel_list:\n- model_name: a\n  litellm_params: *d\n"
        "- model_name: b\n  litellm_params:\n    <<: *d\n    rpm: 7\n",
    )
    assert [(d.group, d.model, d.rpm) for d in found.deployments] == [("a", "openai/a", 5), ("b", "openai/a", 7)]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "model_list: &m [*m]\n",
        "model_list:\n- &m {model_name: x, litellm_params: *m}\n",
        "model_list:\n- model_name: &n [*n]\n  litellm_params: {model: *n, api_base: *n}\n",
    ],
)
def test_a_value_that_contains_itself_is_read_once(tmp_path: Path, text: str) -> None:
    assert _good(tmp_path, config=text).path.endswith("config.yaml")


def _laughs(levels: int) -> str:
    lines = ["l0: &l0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("place", ["model", "api_base", "rpm", "api_key", "extra_headers"])
def test_a_billion_laughs_are_never_written_out(tmp_path: Path, place: str) -> None:
    params = {"model": "openai/a", place: "*l29"}
    inner = ", ".join(f"{key}: {value}" for key, value in params.items())
    found = _good(
        tmp_path,
        config=f"{_laughs(30)}model_list:\n- model_name: *l29\n  model_info: {{mode: *l29}}\n"
        f"  litellm_params: {{{inner}}}\n",
    )
    (deployment,) = found.deployments
    assert deployment.group == ""
    assert deployment.model == ("" if place == "model" else "openai/a")


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 100_000 + "]" * 100_000, "- " * 50_000 + "x", "a: " + "{a: " * 100_000],
    ids=["flow", "block", "open"],
)
def test_nesting_that_would_end_the_process_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    error = _bad(tmp_path, config=text)
    assert "nested too deeply" in error.problem
    assert error.line == 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.text(max_size=200, alphabet="ab:-[]{}&*!?|>'\"#%@`, \n\t0<=").map(str.encode))
def test_whatever_the_file_holds_nothing_is_raised(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    assert isinstance(load(str(path), {}), ConfigFile | ConfigError)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("os.environ/X"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ENTRY = st.dictionaries(
    st.sampled_from(["model_name", "litellm_params", "model_info"]),
    JSON | st.dictionaries(st.sampled_from(["model", "api_base", "api_key", "rpm", "tpm", "mode"]), JSON),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["model_list", "include", "general_settings"]), st.lists(ENTRY, max_size=3) | JSON)
)
def test_sections_of_any_shape_are_read_or_refused(tmp_path: Path, data: dict[str, object]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    assert isinstance(load(str(path), {}), ConfigFile | ConfigError)


def test_the_c_loader_is_in_use() -> None:
    assert config_file._Loader is yaml.CSafeLoader


_PIECES = st.sampled_from(
    [
        "- ",
        "? ",
        ": ",
        "a: ",
        "b",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\n",
        "\n  ",
        "\n    ",
        '"',
        "'",
        "#",
        "a]: [",
        "|\n",
        "&x ",
    ]
)


@settings(max_examples=2_000, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join))
def test_what_is_taken_for_shallow_is_not_nested_deeply(text: str) -> None:
    depth = deepest = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            deepest = max(depth, deepest)
    except yaml.YAMLError:
        # what stands before the fault counts
        pass
    assert not is_shallow(text.encode(), deepest)


def test_a_long_ordinary_file_is_taken_for_shallow() -> None:
    assert is_shallow(CONFIG.encode(), DEEPEST)


def test_the_same_content_is_parsed_once_and_read_with_each_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    parse = config_file._parse

    def counted(content: bytes, path: str, *inside: Any) -> Any:
        parsed.append(path)
        return parse(content, path, *inside)

    monkeypatch.setattr(config_file, "_parse", counted)
    root, other = tmp_path / "config.yaml", tmp_path / "other.yaml"
    root.write_text("include: [other.yaml]\nmodel_list: []\nmodel_list: []\n")
    other.write_text("model_list:\n- model_name: a\n  litellm_params: {model: os.environ/MODEL}\n")
    before, after = load(str(root), {}), load(str(root), {"MODEL": "openai/x"})
    assert isinstance(before, ConfigFile)
    assert isinstance(after, ConfigFile)
    assert parsed == [str(root), str(other)]
    assert [entry.model for entry in (*before.deployments, *after.deployments)] == ["", "openai/x"]
    assert (after.data, after.marks, after.duplicates, after.digest, after.files) == (
        before.data, before.marks, before.duplicates, before.digest, before.files
    )  # fmt: skip
    other.write_text("model_list: []\n")
    changed = load(str(root), {})
    assert isinstance(changed, ConfigFile)
    assert changed.deployments == ()
    assert parsed == [str(root), str(other), str(other)]


def test_what_is_only_supposed_to_stand_in_a_file_is_not_taken_for_it_later(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("model_list: []\n")
    supposed = load(str(path), {}, {str(path): b"general_settings: {master_key: x}\n"})
    assert isinstance(supposed, ConfigFile)
    assert supposed.section("general_settings")
    found = load(str(path), {})
    assert isinstance(found, ConfigFile)
    assert not found.section("general_settings")
