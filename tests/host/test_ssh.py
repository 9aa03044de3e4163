"""What OpenSSH's client is called with: a host is data, words are quoted, sockets are nobody else's."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_tui.host.ssh import BEGUN, control_path, far_line, refused, ssh_command


@pytest.mark.parametrize(
    "host",
    ["web-1", "ops@web-1.example.com", "ssh://ops@web-1:2222", "10.0.0.7", "fe80::1%eth0", "[::1]", "a_b.c", "wéb"],
)
def test_what_ssh_understands_is_taken(host: str) -> None:
    assert refused(host) == ""
    command = ssh_command(host, far_line(["status"]), environ={})
    assert command[-3:-1] == ["--", host]
    assert "BatchMode=yes" in command


@pytest.mark.parametrize(
    "host",
    ["", "-oProxyCommand=touch /tmp/x", "ops@-oProxyCommand=x", "ssh://-x", "web 1", "web\n1", "$(id)", "`id`", "a;b",
     "a|b", "a&b", "a>b", "'a'", '"a"', "a\\b", "{a,b}", "a\x1b[0m", "a" * 300],
)  # fmt: skip
def test_an_option_or_a_shells_word_is_no_host(host: str) -> None:
    assert refused(host)
    with pytest.raises(ValueError, match="ssh:"):
        ssh_command(host, "true")


WORDS = ["", "it's", 'a "b" c', "$HOME `id` $(id)", "a\\nb\\\\c", "--x=;rm", "!!", "*", "ü…"]


@pytest.mark.parametrize("terminal", [False, True])
def test_words_arrive_as_they_were_given_and_the_program_is_found_in_the_users_own_folder(
    tmp_path: Path, terminal: bool
) -> None:
    program = tmp_path / ".local" / "bin" / "litellm-tui"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done\n")
    program.chmod(0o755)
    line = far_line(WORDS, terminal=terminal)
    environment = {"HOME": str(tmp_path), "PATH": os.defpath}
    # as sshd runs it
    said = subprocess.run(["sh", "-c", line], capture_output=True, check=True, env=environment).stdout
    assert said.startswith(BEGUN) is not terminal
    assert said.removeprefix(BEGUN).decode().split("\0")[:-1] == WORDS


def test_without_the_program_the_line_ends_as_a_shell_does(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": os.defpath}
    done = subprocess.run(["sh", "-c", far_line(["status"])], capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (127, BEGUN)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a path that a socket's may begin with: that of a test is longer."""
    with tempfile.TemporaryDirectory(prefix="ssh") as folder:
        yield Path(folder)


def test_sockets_stand_in_a_folder_of_ones_own(short: Path) -> None:
    found = control_path("web", {"XDG_RUNTIME_DIR": str(short)})
    assert found is not None
    assert re.fullmatch(f"{short}/litellm-tui/[0-9a-f]{{8}}-%C", found)
    assert found != control_path("another-name-of-web", {"XDG_RUNTIME_DIR": str(short)})
    assert (short / "litellm-tui").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("flaw", ["too long", "open", "a link", "of a percent sign"])
def test_a_folder_that_will_not_do_is_not_taken(short: Path, flaw: str) -> None:
    runtime = short / ("x" * 90 if flaw == "too long" else "a%b" if flaw == "of a percent sign" else "run")
    runtime.mkdir()
    if flaw == "open":
        (runtime / "litellm-tui").mkdir()
        (runtime / "litellm-tui").chmod(0o777)
    if flaw == "a link":
        (runtime / "elsewhere").mkdir(mode=0o700)
        (runtime / "litellm-tui").symlink_to(runtime / "elsewhere")
    found = control_path("web", {"XDG_RUNTIME_DIR": str(runtime)})
    assert found is None or not found.startswith(str(runtime))
