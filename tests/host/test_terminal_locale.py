"""In a locale that is not UTF-8 nothing beyond its characters is printed, and no text ends a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from litellm_tui.host.terminal_locale import draws_unicode, speaks_utf8
from litellm_tui.target.settings import Settings

CONFIG = """model_list:
  - model_name: "größe ● 模型"
    litellm_params: {model: openai/größe, api_key: none}
router_settings: {fallbacks: [{"größe ● 模型": ["nirgends–→"]}]}
"""
LOCALES = [
    {"LC_ALL": "C"},
    {"LANG": "POSIX"},
    {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0"},
    {"LANG": "C.UTF-8", "PYTHONIOENCODING": "ascii"},
    {"LANG": "C.UTF-8", "PYTHONIOENCODING": "latin-1"},
]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "POSIX"}, False),
        ({"LANG": "C", "LC_ALL": "", "LC_CTYPE": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE@euro"}, False),
        ({"LANG": "ru_RU.KOI8-R"}, False),
    ],
)
def test_the_character_set_of_a_locale(environ: dict[str, str], expected: bool) -> None:
    assert speaks_utf8(environ) is expected


def test_the_settings_go_before_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C")
    assert not draws_unicode()
    assert Settings().draws_ascii
    assert not Settings(ascii=False).draws_ascii
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert Settings(ascii=True).draws_ascii


def printed(folder: Path, locale: dict[str, str], *words: str) -> tuple[bytes, str]:
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), **locale}
    done = subprocess.run(
        [sys.executable, "-m", "litellm_tui.cli", *words], capture_output=True, env=environment, cwd=folder, timeout=60
    )
    return done.stdout, done.stderr.decode("latin-1")


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: " ".join(f"{n}={v}" for n, v in locale.items()))
@pytest.mark.parametrize(
    "words",
    [
        ("status", "--url", "http://127.0.0.1:9", "--config", "config.yaml"),
        ("audit", "config.yaml"),
        ("audit", "config.yaml", "--fix", "--dry-run"),
        ("where", "--url", "http://127.0.0.1:9", "--config", "größe.yaml"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_prints_what_the_output_can_hold(
    tmp_path: Path, locale: dict[str, str], words: tuple[str, ...]
) -> None:
    output, errors = printed(tmp_path, locale, *words)
    assert output
    assert "Traceback" not in errors
    assert "UnicodeEncodeError" not in errors
    text = output.decode("latin-1" if "latin-1" in locale.values() else "ascii")
    assert "\ufffd" not in text


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: " ".join(f"{n}={v}" for n, v in locale.items()))
def test_json_says_the_same_in_every_locale(tmp_path: Path, locale: dict[str, str]) -> None:
    words = ("audit", "config.yaml", "--format", "json")
    output, _ = printed(tmp_path, locale, *words)
    whole, _ = printed(tmp_path, {"LANG": "C.UTF-8"}, *words)
    assert "größe ● 模型" in whole.decode()
    found = json.loads(output.decode("latin-1" if "latin-1" in locale.values() else "ascii"))
    assert found == json.loads(whole)
