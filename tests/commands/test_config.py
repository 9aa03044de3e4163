"""`litellm-tui config`, and what the command line says of words that it does not know."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from litellm_tui.cli import main

EDITOR = """\
import pathlib, sys
file = pathlib.Path(sys.argv[1])
file.write_text(file.read_text() + "them: dark\\n")
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "litellm-tui" / "config.yaml"
    file.parent.mkdir()
    return file


def _ended(*words: str) -> int | str | None:
    """The exit status, also where the parser ends it."""
    try:
        return main(words)
    except SystemExit as end:
        return end.code


def test_no_file_is_no_mistake(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    assert capsys.readouterr().out.startswith(f"{settings}: there is none, and none is needed")


def test_what_is_wrong_is_told_by_line(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings.write_text("theme: dark\nprofiles:\n  home:\n    ulr: http://127.0.0.1:4000\n")
    assert main(["config", "--check"]) == 64
    told = capsys.readouterr().out
    assert told.startswith(f"{settings}:4:5: profiles.home.ulr: there is no such setting: did you mean url?")


def test_a_key_that_is_bound_wrongly_is_told_as_well(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings.write_text("keys:\n  everywhere.restrt: x\n")
    assert main(["config"]) == 64
    told = capsys.readouterr().err
    assert f"{settings}:2:3: keys.everywhere.restrt" in told
    assert "did you mean everywhere.restart?" in told


def test_the_example_can_be_used_line_by_line(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--example"]) == 0
    example = capsys.readouterr().out
    settings.write_text(example)
    assert main(["config"]) == 0
    assert "can be used" in capsys.readouterr().out
    assert yaml.safe_load(example) is None


def test_the_schema_is_one(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"theme", "keys", "profiles"} <= set(schema["$defs"]["Settings"]["properties"])


def test_what_an_editor_leaves_is_checked(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "editor.py"
    script.write_text(EDITOR)
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert main(["config", "--edit"]) == 64
    assert "them: there is no such setting: did you mean theme?" in capsys.readouterr().out


def test_an_editor_wants_a_terminal(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VISUAL", "vi")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    assert main(["config", "--edit"]) == 2
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["stauts"], "did you mean status?"),
        (["status", "--jsno"], "did you mean --json?"),
        (["fleet", "restrat"], "did you mean restart?"),
        (["audit", "--format", "jsn"], "did you mean json?"),
    ],
)
def test_a_word_that_is_not_known(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ended(*words) == 64
    assert told in capsys.readouterr().err


def test_the_value_of_an_option_that_could_be_several_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert _ended("status", "--ke=sk-hidden") == 64
    told = capsys.readouterr().err
    assert "ambiguous option: --ke could match" in told
    assert "sk-hidden" not in told


@pytest.mark.parametrize("words", [["--api-key", "sk-hidden"], ["status", "--key=sk-hidden"]])
def test_a_key_on_the_command_line_is_refused_and_not_repeated(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ended(*words) == 64
    told = capsys.readouterr().err
    assert "--key-file FILE" in told
    assert "sk-hidden" not in told


def test_quiet_leaves_the_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "litellm.yaml"
    file.write_text("model_list: text\n")
    loud = main(["audit", str(file)])
    assert capsys.readouterr().out
    assert main(["audit", str(file), "--quiet"]) == loud != 0
    assert capsys.readouterr().out == ""
