"""The settings file: what it may say, and the words for what it may not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from litellm_tui.model.service_kinds import Compose, Custom, Process
from litellm_tui.target.settings import ProfileSettings, Settings, SettingsError, load_settings, settings_folder


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
        ("them: light\n", "them"),
        ("ascii: sometimes\n", "$.ascii"),
        ("theme: [light]\n", "$.theme"),
        ("profiles: [a]\n", "$.profiles"),
        ("profiles: {a: {scope: root}}\n", "scope"),
        ("profiles: {a: {key: sk-secret}}\n", "key"),
        ("profiles: {a: {api_key: sk-secret}}\n", "api_key"),
        ("- a\n", "Expected `object`"),
        ("text\n", "Expected `object`"),
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
            "Expected `array | null`, got `str` - at `$.profiles[...].process.start`",
        ),
        ("{process: {start: [], pid_file: /p}}", "length >= 1 - at `$.profiles[...].process.start`"),
        ("{process: {start: [a]}}", "pid_file or port: expected one of them - at `$.profiles[...].process`"),
        ("{process: {pid_file: /p}}", "start: expected the command whose process the PID file names"),
        ("{process: {port: 70000}}", "<= 65535 - at `$.profiles[...].process.port`"),
        ("{process: {start: [a], pid_file: /p, stop_signal: TERM}}", "stop_signal: there is no signal 'TERM'"),
        ("{process: {start: [a], pid_file: /p, stop_seconds: 0}}", "stop_seconds"),
        ("{custom: {start: [a]}}", "missing required field `status`"),
        ("{custom: {status: [a], log: [b], log_file: /l}}", "log and log_file: expected one of them"),
        ("{custom: {status: [true]}}", "got `bool`"),
        ("{compose: {services: x}}", "unknown field `services`"),
        ("{compose: }", "got `null` - at `$.profiles[...].compose`"),
        ("{compose: {}, process: {start: [a], pid_file: /p}}", "compose and process: expected one kind of service"),
        ("{compose: {}, scope: user}", "compose and scope: expected one kind of service"),
    ],
)
def test_a_kind_that_cannot_be_meant_is_refused_by_its_key(tmp_path: Path, profile: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        _load(tmp_path, f"profiles: {{a: {profile}}}\n")
    assert words in str(refused.value)
    assert str(tmp_path) in str(refused.value)
