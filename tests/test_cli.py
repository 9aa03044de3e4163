"""The command line: exit statuses, and what is never accepted."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from litellm_tui import __version__, cli
from litellm_tui.cli import main
from litellm_tui.commands.command_line import COMMANDS, USAGE_ERROR, build_parser


def _run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/nonexistent", "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd)}
    return subprocess.run(
        [sys.executable, "-m", "litellm_tui.cli", *arguments],
        capture_output=True, text=True, cwd=cwd, env=environment, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_usage_error_is_64() -> None:
    assert USAGE_ERROR == 64


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["--url"],
        ["--user", "--system"],
        ["where", "--nonsense"],
        ["where", "surplus"],
        ["demo", "--url", "http://127.0.0.1:1"],
        ["--url", "ftp://x", "where"],
        ["--profile", "nobody", "where"],
        ["--key-env", "NOT_SET_ANYWHERE", "where"],
        ["--key-file", "/nonexistent/key", "where"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_ends_with_64_and_says_why(arguments: list[str], tmp_path: Path) -> None:
    done = _run(*arguments, cwd=tmp_path)
    assert done.returncode == USAGE_ERROR
    assert done.stdout == ""
    assert "litellm-tui" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("option", ["--key", "--api-key", "--master-key"])
def test_a_key_is_never_taken_from_the_command_line(
    command: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for given in ([option, "sk-secret"], [f"{option}=sk-secret"]):
        with pytest.raises(SystemExit) as caught:
            build_parser().parse_args([*([command] if command else []), *given])
        assert caught.value.code == USAGE_ERROR
        capsys.readouterr()


def test_a_broken_settings_file_ends_with_64_and_its_place(tmp_path: Path) -> None:
    (tmp_path / "litellm-tui").mkdir()
    (tmp_path / "litellm-tui" / "config.yaml").write_text("them: dark\n")
    done = _run("where", cwd=tmp_path)
    assert done.returncode == USAGE_ERROR
    assert "config.yaml" in done.stderr
    assert "them" in done.stderr


@pytest.mark.parametrize("command", ["", "console"])
def test_the_console_without_a_terminal_ends_with_64(command: str, tmp_path: Path) -> None:
    done = _run(*([command] if command else []), cwd=tmp_path)
    assert done.returncode == USAGE_ERROR
    assert "needs a terminal" in done.stderr


def test_the_demo_without_a_terminal_ends_with_64_and_leaves_nothing(tmp_path: Path) -> None:
    done = _run("demo", cwd=tmp_path)
    assert done.returncode == USAGE_ERROR
    assert "needs a terminal" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_and_version_end_with_0(tmp_path: Path) -> None:
    helped = _run("--help", cwd=tmp_path)
    assert helped.returncode == 0
    for word in (
        *COMMANDS,
        "--url",
        "--config",
        "--unit",
        "--user",
        "--system",
        "--profile",
        "--key-env",
        "--key-file",
    ):
        assert word in helped.stdout
    assert _run("--version", cwd=tmp_path).stdout == f"litellm-tui {__version__}\n"


def test_where_ends_with_1_when_something_is_missing_and_names_it(tmp_path: Path) -> None:
    # what else runs on the machine is none of its units
    done = _run("where", "--kind", "systemd", cwd=tmp_path)
    assert done.returncode == 1
    assert "missing         service: none was found among" in done.stdout
    assert "missing         configuration file" in done.stdout
    assert "gateway         http://127.0.0.1:4000" in done.stdout


def test_where_says_what_is_wrong_with_the_file_and_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("general_settings: {master_key: sk-secret1234}\nmodel_list: [\n")
    assert "config.yaml:3:1" in _run("--config", "config.yaml", "where", "--kind", "systemd", cwd=tmp_path).stdout
    (tmp_path / "config.yaml").write_text(
        "general_settings: {master_key: sk-secret1234}\n"
        "model_list:\n- {model_name: a, litellm_params: {model: x, api_key: os.environ/NOT_SET_ANYWHERE}}\n"
    )
    shown = _run("where", "--config", "config.yaml", "--kind", "systemd", cwd=tmp_path).stdout
    assert "1 deployment" in shown
    # nothing is known of the environment that it is read with
    assert "not known whether set: NOT_SET_ANYWHERE (no service of this machine is known to run it)" in shown
    assert "found, not shown" in shown
    assert "sk-secret1234" not in shown


@pytest.mark.parametrize("before", [True, False])
def test_the_options_stand_before_or_after_the_command(before: bool) -> None:
    options = ["--url", "http://a:1", "--system", "--unit", "u"]
    chosen = build_parser().parse_args([*options, "where"] if before else ["where", *options])
    assert (chosen.command, chosen.url, chosen.scope, chosen.unit) == ("where", "http://a:1", "system", "u")


def test_what_was_not_given_is_not_said() -> None:
    assert vars(build_parser().parse_args([])) == {"command": None}


def test_every_command_has_a_module_with_run() -> None:
    for module, line in COMMANDS.values():
        assert callable(import_module(module).run)
        assert line


def test_interruption_and_a_closed_pipe_have_the_statuses_of_their_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        error: type[BaseException] = KeyboardInterrupt

        @classmethod
        def run(cls, _: object) -> int:
            raise cls.error

    # the options of some commands are modules too
    monkeypatch.setattr(
        cli, "import_module", lambda name: Interrupted if name == COMMANDS["where"][0] else import_module(name)
    )
    assert main(["where"]) == 130
    Interrupted.error = BrokenPipeError
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    assert main(["where"]) == 141
