"""Completions: what fits at each place, and real shells that ask for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from litellm_tui.commands.command_line import COMMANDS
from litellm_tui.commands.completion import FILES, fitting, script
from litellm_tui.commands.options.shell import SHELLS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file with profiles and groups, and a configuration with model groups."""
    settings = tmp_path / "settings" / "litellm-tui"
    settings.mkdir(parents=True)
    configuration = tmp_path / "gateway.yaml"
    (settings / "config.yaml").write_text(
        f"profile: home\nprofiles:\n  home: {{unit: own-llm.service, config: '{configuration}'}}\n"
        "  web-1: {ssh: ops@web-1, group: web}\n"
    )
    configuration.write_text(
        "model_list:\n- {model_name: 'llama3.1:latest', litellm_params: {model: a}}\n"
        '- {model_name: two words, litellm_params: {model: b}}\n- {model_name: "a\\eb", litellm_params: {model: c}}\n'
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    return tmp_path


def _fitting(*words: str) -> list[str]:
    return [value for value, _ in fitting(words)]


def test_commands_and_verbs_by_their_beginning(home: Path) -> None:
    assert _fitting("") == list(COMMANDS)
    assert _fitting("sta") == ["status", "start"]
    assert _fitting("--profile", "home", "fleet", "re") == ["restart", "resume"]
    assert _fitting("nonsense-that-is-none") == []


def test_options_are_those_of_the_command_and_not_those_already_given(home: Path) -> None:
    assert "--follow" in _fitting("status", "--")
    assert "--follow" not in _fitting("check", "--")
    assert "--json" not in _fitting("status", "--json", "--")
    assert _fitting("fleet", "upgrade", "--par") == ["--parallel"]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["--profile", ""], ["home", "web-1"]),
        (["--profile=w"], ["--profile=web-1"]),
        (["--unit", "own"], ["own-llm.service"]),
        (["--kind", "d"], ["docker"]),
        (["probe", "ll"], ["llama3.1:latest"]),
        (["probe", "x", "tw"], ["two words"]),
        (["--profile", "web-1", "probe", ""], []),
        (["fleet", "restart", ""], ["web"]),
        (["fleet", "upgrade", "1.2.3", ""], ["web"]),
        (["host", "check", ""], ["ops@web-1"]),
        (["audit", "--explain", "fallback-to-"], ["fallback-to-itself"]),
        (["audit", "--litellm", "1.77.7"], ["1.77.7"]),
        (["completion", ""], list(SHELLS)),
        (["completion", "bash", ""], []),
        (["audit", ""], [FILES]),
        (["--config", ""], [FILES]),
        (["status", "--since", ""], []),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_values_are_those_of_their_place(home: Path, words: list[str], values: list[str]) -> None:
    found = [one for one in _fitting(*words) if "\x1b" not in one]
    assert found[: len(values)] == values
    assert len(found) == len(values) or "--litellm" in words


def test_a_broken_settings_file_completes_nothing_and_says_nothing(home: Path) -> None:
    (home / "settings" / "litellm-tui" / "config.yaml").write_text("profiles: [")
    assert _fitting("--profile", "") == []


def _asked(command: list[str], home: Path) -> str:
    folder = home / "bin"
    folder.mkdir()
    program = folder / "litellm-tui"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m litellm_tui.cli "$@"\n')
    program.chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8",
        "XDG_CONFIG_HOME": str(home / "settings"), "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, cwd=home, stdin=subprocess.DEVNULL
    )
    assert done.stderr == ""
    return done.stdout


_BASH = r"""
source <(litellm-tui completion bash)
try() {
  COMP_LINE=$1 COMP_POINT=${#1}
  read -ra COMP_WORDS <<<"$1"
  _litellm_tui
  (IFS='|'; echo "${COMPREPLY[*]}")
}
complete -p litellm-tui
try "litellm-tui sta"
try "litellm-tui probe llama3.1:l"
try "litellm-tui probe two"
try "litellm-tui --profile=w"
try "litellm-tui --config gate"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes(home: Path) -> None:
    shown = _asked(["bash", "--norc", "-c", _BASH], home).splitlines()
    assert shown == [
        "complete -F _litellm_tui litellm-tui",
        "status|start",
        # bash takes words apart at a colon and at =
        "latest",
        r"two\ words",
        "web-1",
        "gateway.yaml",
    ]


_FISH = """
litellm-tui completion fish | source
complete -C 'litellm-tui sta'
complete -C 'litellm-tui probe ll'
complete -C 'litellm-tui --config gate'
"""


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(home: Path) -> None:
    shown = _asked(["fish", "--no-config", "-c", _FISH], home).splitlines()
    assert [line.partition("\t")[0] for line in shown] == ["start", "status", "llama3.1:latest", "gateway.yaml"]
    assert "the glance" in shown[1]


# a line editor on a terminal of its own: Ctrl+X shows the line as it stands after Tab
_ZSH = r"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'show() { zle -I; print -r -- "<$BUFFER>"; BUFFER= }; zle -N show; bindkey "^X" show'
zpty -w z 'PS1=; autoload -U compinit; compinit -u -D; source <(litellm-tui completion zsh); echo re""ady'
zpty -r -m z line '*ready*'
for begun in 'probe lla' 'status --fol' '--profile=w' '--config gate'; do
  zpty -w -n z "litellm-tui $begun"$'\t\C-x'
  zpty -r -m z line '*<litellm-tui*>*'
  line=${line##*<}
  print -r -- "${line%%>*}"
done
zpty -d z
"""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes(home: Path) -> None:
    assert [line.strip() for line in _asked(["zsh", "-f", "-c", _ZSH], home).splitlines()] == [
        "litellm-tui probe llama3.1:latest",
        "litellm-tui status --follow",
        "litellm-tui --profile=web-1",
        "litellm-tui --config gateway.yaml",
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed_whole(shell: str, home: Path) -> None:
    assert script(shell).endswith("\n")
    assert f"completion {shell}" in script(shell)
