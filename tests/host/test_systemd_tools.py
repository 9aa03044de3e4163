"""systemctl's own words: recorded ones, and the quoting of systemd.exec(5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_tui.host import systemd_tools
from litellm_tui.host.environment_file import parse_systemd
from litellm_tui.host.systemd_tools import (
    directive_lines,
    expand,
    parse_environment,
    parse_environment_files,
    parse_exec_start,
    parse_show,
    parse_time_span,
    read_environment_files,
)
from litellm_tui.model.service_kinds import Tools
from tests.recorded import FOLDER, VERSIONS

SHOWN = [(version, scope) for version in VERSIONS for scope in ("user", "system")]


@pytest.mark.parametrize(("version", "scope"), SHOWN)
def test_the_recorded_unit(version: str, scope: str) -> None:
    (values,) = parse_show((FOLDER / version / f"systemctl-show-{scope}.txt").read_text(encoding="utf-8"))
    assert values["Id"] == "litellm.service"
    assert values["ActiveState"] == "active"
    words = parse_exec_start(values["ExecStart"])
    assert words[0].endswith("/litellm")
    assert words[1] == "--config"
    assert words[2].endswith(".yaml")
    assert "--port" in words
    (path,) = parse_environment_files(values["EnvironmentFiles"])
    assert path.endswith(".env")
    assert parse_environment(values["Environment"]) == {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONUNBUFFERED": "1",
    }


def test_several_units_are_several_blocks_and_nothing_is_none() -> None:
    blocks = parse_show("Id=a.service\nMainPID=1\n\nId=b.service\nDescription=x = y\n")
    assert blocks == [{"Id": "a.service", "MainPID": "1"}, {"Id": "b.service", "Description": "x = y"}]
    assert parse_show("") == []
    assert parse_show("\n\nno equals sign\n\n") == []


def test_a_repeated_property_keeps_all_its_values() -> None:
    (values,) = parse_show("EnvironmentFiles=/a (ignore_errors=no)\nEnvironmentFiles=/b c (ignore_errors=yes)")
    assert parse_environment_files(values["EnvironmentFiles"]) == ["/a", "/b c"]


@pytest.mark.parametrize("value", ["", "{ }", "{ path=/x ; argv[]=/x", "nonsense"])
def test_an_exec_start_that_is_none_has_no_words(value: str) -> None:
    assert parse_exec_start(value) == []


def test_the_first_of_several_exec_starts_is_taken() -> None:
    one = "{ path=/a ; argv[]=/a x ; ignore_errors=no ; start_time=[n/a] }"
    assert parse_exec_start(f"{one}\n{one.replace('/a', '/b')}") == ["/a", "x"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A=1 B=2", {"A": "1", "B": "2"}),
        ('A=1 "B=two words" C=3', {"A": "1", "B": "two words", "C": "3"}),
        ("A=x=y", {"A": "x=y"}),
        ("A=", {"A": ""}),
        ("stray A=1", {"A": "1"}),
        ('A=1 "B=open', {"A": "1", '"B': "open"}),
        ("", {}),
    ],
)
def test_the_environment_as_shown(value: str, expected: dict[str, str]) -> None:
    assert parse_environment(value) == expected


def test_an_environment_file_by_the_rules_of_systemd() -> None:
    text = (
        "# a comment\n; another\n\n"
        "PLAIN=value\n"
        "  SPACED = value with blanks  \n"
        'DOUBLE="quoted value"\n'
        "SINGLE='quoted value'\n"
        "INNER=it's\n"
        "CONTINUED=one \\\ntwo\n"
        "HASH=a#b\n"
        "EMPTY=\n"
        "no equals sign\n"
        "=no name\n"
        "PLAIN=the last one wins\n"
        'OPEN="never closed\n'
        "INSIDE=1\n"
    )
    assert parse_systemd(text.encode()) == {
        "PLAIN": "the last one wins",
        "SPACED": "value with blanks",
        "DOUBLE": "quoted value",
        "SINGLE": "quoted value",
        "INNER": "it's",
        "OPEN": "never closed\nINSIDE=1\n",
        "CONTINUED": "one two",
        "HASH": "a#b",
        "EMPTY": "",
    }


def test_a_later_environment_file_wins_and_an_unreadable_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("A=1\nB=1\n")
    (tmp_path / "b").write_bytes(b"B=2\nC=\xc3\xa9\n")
    values, unread = read_environment_files([str(tmp_path / name) for name in ("a", "missing", "b")])
    assert values == {
        "A": ("1", str(tmp_path / "a")),
        "B": ("2", str(tmp_path / "b")),
        "C": ("é", str(tmp_path / "b")),
    }
    assert unread == [(str(tmp_path / "missing"), "No such file or directory")]


@pytest.mark.parametrize(("content", "why"), [(b"A=\xff\n", "not UTF-8"), (b"A=1\nB=\0\n", "NUL")])
def test_a_file_that_systemd_refuses_sets_nothing_and_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a").write_bytes(content)
    values, unread = read_environment_files([str(tmp_path / "a")])
    assert values == {}
    assert why in unread[0][1]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("$A", "1"), ("${A}b", "1b"), ("$Ab", ""), ("x${MISSING}y", "xy"), ("a$", "a$"), ("no", "no")],
)
def test_variables_of_a_command_line(word: str, expected: str) -> None:
    assert expand(word, {"A": "1"}) == expected


def test_systemctl_is_never_let_to_ask_for_a_password_and_sudo_gets_the_unit_of_the_system() -> None:
    tools = Tools()
    assert tools.unit_command("user", "restart", "x") == ["systemctl", "--user", "--no-ask-password", "restart", "x"]
    assert "--user" not in tools.unit_command("system", "restart", "x")
    assert tools.privileged_command("restart", "x") == ["sudo", "systemctl", "restart", "x"]


def test_a_runtime_folder_is_supplied_where_the_session_left_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("os.path.isdir", lambda path: str(path).startswith("/run/user/"))
    assert systemd_tools.runtime_environment()["XDG_RUNTIME_DIR"].startswith("/run/user/")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/elsewhere")
    assert systemd_tools.runtime_environment()["XDG_RUNTIME_DIR"] == "/elsewhere"


@pytest.mark.parametrize(
    ("shown", "seconds"),
    [("1min 30s", 90.0), ("30s", 30.0), ("1h 5min", 3900.0), ("500ms", 0.5), ("infinity", None), ("", None)],
)
def test_a_time_span_as_systemctl_shows_it(shown: str, seconds: float | None) -> None:
    assert parse_time_span(shown) == seconds


def test_the_lines_of_a_unit_files_directives() -> None:
    text = "[Service]\nEnvironment=A=1 B=2\nExecStart=/usr/bin/litellm\n# ExecReload=no\nExecReload=/bin/kill -1\n"
    found = directive_lines(text)
    assert (found["ExecStart"], found["ExecReload"]) == (3, 5)
    assert found["Environment:B"] == 2
