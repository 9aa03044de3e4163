"""The settings file: what it may say, and the words for what it may not."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from litellm_tui.model.notify_settings import NotifySettings, Receiver, Rule, Webhook
from litellm_tui.model.service_kinds import Compose, Custom, Process
from litellm_tui.target.settings import (
    ProfileSettings,
    Settings,
    SettingsError,
    load_settings,
    read_settings,
    settings_folder,
)

_KEYS = sorted(
    {
        field.encode_name
        for record in (Settings, ProfileSettings, Process, Custom, NotifySettings, Receiver, Rule, Webhook)
        for field in msgspec.structs.fields(record)
    }
)


def _load(folder: Path, text: str) -> Settings:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.yaml") == Settings()
    assert Settings() == Settings(profile=None, theme="auto", ascii=None, mouse=True, utc=False, profiles={})


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "~\n"])
def test_an_empty_file_says_nothing(tmp_path: Path, text: str) -> None:
    assert _load(tmp_path, text) == Settings()


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        "profile: prod\ntheme: light\nascii: true\nmouse: false\nutc: yes\n"
        "profiles:\n  prod: {url: 'http://a:4000', config: /etc/l.yaml, unit: llm, scope: system, key_env: K}\n"
        "  dev: {scope: user, key_file: ~/.key}\n  empty: {}\n",
    )
    assert found == Settings(
        profile="prod", theme="light", ascii=True, mouse=False, utc=True,
        profiles={
            "prod": ProfileSettings("http://a:4000", "/etc/l.yaml", "llm", "system", "K"),
            "dev": ProfileSettings(scope="user", key_file="~/.key"),
            "empty": ProfileSettings(),
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("them: light\n", "config.yaml:1:1: them: there is no such setting: did you mean theme? Known here: profile"),
        ("ascii: sometimes\n", "config.yaml:1:1: ascii: expected true or false, not a text"),
        ("theme: [light]\n", ":1:1: theme: expected a text, not a list"),
        ("profiles: [a]\n", ":1:1: profiles: expected a name with its settings for each, not a list"),
        ("profiles: {a: {scope: root}}\n", "scope: expected system or user, not 'root'"),
        ("profiles: {a: {key: sk-secret}}\n", "profiles.a.key: a key is never kept in this file"),
        ("profiles: {a: {keys: [sk-secret]}}\n", "key_env: VARIABLE, or key_file: FILE"),
        (
            "profiles: {a: {ulr: sk-secret}}\n",
            "1:16: profiles.a.ulr: there is no such setting: did you mean url? K",
        ),
        ("profiles: {a: {scope: sytem}}\n", "did you mean system?"),
        (
            "profiles: {a: {url: [sk-secret]}, 5: {}}\n",
            "a text, not a list (and 1 more: litellm-tui config --check",
        ),
        ("profiles: {5: {}}\n", "profiles.5: expected a name: write it in quotes"),
        ("ascii: sk-secret\n", "ascii: expected true or false, not a text"),
        ("profiles: {a: {api_key: sk-secret}}\n", "api_key"),
        ("- a\n", "expected settings such as profile, theme, ascii, mouse, not a list"),
        ("text\n", "mouse, not a text"),
        ("theme: dark\nutc: yes\ntheme: light\n", ":3:1: theme: is written twice, first in line 1: keep one"),
        ("1: 2\n", ""),
        ("profile: 2024-99-99\n", "month"),
        ("profile: !!bool x\n", ""),
        ("profile: !!timestamp x\n", ""),
        ("profile: !!int ''\n", ""),
        pytest.param("a: " + "[" * 5000, "", id="deep"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "config.yaml"))
    assert words in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_broken_yaml_is_named_with_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"config\.yaml:2:9: "):
        _load(tmp_path, "theme: dark\nascii:  : x\n")
    with pytest.raises(SettingsError, match=r"config\.yaml"):
        _load(tmp_path, "theme: \x00\n")


def test_a_file_that_cannot_be_read_is_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Is a directory"):
        load_settings(tmp_path)
    (tmp_path / "latin").write_bytes(b"theme: \xe9\n")
    with pytest.raises(SettingsError, match="latin"):
        load_settings(tmp_path / "latin")


def test_the_folder_is_that_of_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_folder() == tmp_path / "litellm-tui"
    (tmp_path / "litellm-tui").mkdir()
    (tmp_path / "litellm-tui" / "config.yaml").write_text("theme: light\n")
    assert load_settings().theme == "light"
    os.remove(tmp_path / "litellm-tui" / "config.yaml")
    assert load_settings() == Settings()


# --- kinds of service --------------------------------------------------------------------------------------------


def test_a_service_of_each_other_kind(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        "profiles:\n"
        "  a: {compose: {folder: /srv/llm, service: litellm}}\n"
        "  b: {process: {start: [litellm, --port, 4000], pid_file: /run/l.pid, stop_signal: SIGINT}}\n"
        "  c: {custom: {status: [svc, status], log: [svc, log]}}\n"
        "  d: {unit: x.service}\n"
        "  e: {compose: {}}\n",
    ).profiles
    assert found["a"].service == Compose(folder="/srv/llm", service="litellm")
    assert found["b"].service == Process(("litellm", "--port", 4000), "/run/l.pid", stop_signal="SIGINT")
    assert found["c"].service == Custom(("svc", "status"), log=("svc", "log"))
    assert found["d"].service is None
    assert found["e"].service == Compose()


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (
            "{process: {start: litellm --port 4000, pid_file: /p}}",
            "profiles.a.process.start: expected a list of texts or numbers, not a text",
        ),
        (
            "{process: {start: [], pid_file: /p}}",
            "profiles.a.process.start: expected a list of texts or num",
        ),
        ("{process: {start: [a]}}", "pid_file or port: expected one of them"),
        ("{process: {pid_file: /p}}", "start: expected the command whose process the PID file names"),
        ("{process: {port: 70000}}", "profiles.a.process.port: expected a whole number from 1 to 65535"),
        ("{process: {start: [a], pid_file: /p, stop_signal: TERM}}", "stop_signal: there is no signal 'TERM'"),
        ("{process: {start: [a], pid_file: /p, stop_seconds: 0}}", "stop_seconds"),
        ("{custom: {start: [a]}}", "profiles.a.custom: status is missing: expected a list"),
        ("{custom: {status: [a], log: [b], log_file: /l}}", "log and log_file: expected one of them"),
        (
            "{custom: {status: [true]}}",
            "profiles.a.custom.status, number 1: expected a text or a whole number, not",
        ),
        ("{compose: {services: x}}", "profiles.a.compose.services: there is no such setting: did you mean service?"),
        ("{compose: }", "profiles.a.compose: expected settings such as folder, file, project, service, not nothing"),
        ("{compose: {}, process: {start: [a], pid_file: /p}}", "compose and process: expected one kind of service"),
        ("{compose: {}, scope: user}", "compose and scope: expected one kind of service"),
    ],
)
def test_a_kind_that_cannot_be_meant_is_refused_by_its_key(tmp_path: Path, profile: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        _load(tmp_path, f"profiles: {{a: {profile}}}\n")
    assert words in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_every_mistake_of_a_file_is_found_in_the_order_of_its_lines() -> None:
    settings, found = read_settings(
        "thme: dark\nprofiles:\n  a:\n    ulr: x\n    scope: usr\n"
        "  b: &b {unit: x, process: {port: 0}}\n  c:\n    <<: *b\n"
        "    unit: 5\n"
    )
    assert settings is None
    assert [(one.line, one.column, one.words.partition(":")[0]) for one in found] == [
        (1, 1, "thme"),
        (4, 5, "profiles.a.ulr"),
        (5, 5, "profiles.a.scope"),
        (6, 29, "profiles.b.process.port"),
        (6, 29, "profiles.c.process.port"),
        (9, 5, "profiles.c.unit"),
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*_KEYS, "x", "1", "a"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_what_msgspec_refuses_has_a_mistake_with_a_line(data: object) -> None:
    text = yaml.safe_dump(data)
    settings, found = read_settings(text)
    assert (settings is None) == bool(found)
    # what it is refused for is found by the walk itself
    assert all(one.line for one in found)
