"""What stands against an upgrade: not an environment of its own, other programs, other processes, a taken release."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from litellm_tui.actions.upgrade import obstacles
from litellm_tui.collectors.litellm_source.installation import installation_of
from litellm_tui.host.process_table import ProcessTable
from litellm_tui.model.installation import Installation, InstalledBy
from tests.actions.upgrade.made import environment


@pytest.fixture
def installed(tmp_path: Path) -> Installation:
    environment(tmp_path / "venv", "1.0")
    found = installation_of(str(tmp_path / "venv" / "bin" / "litellm"))
    assert isinstance(found, Installation)
    return found


def test_an_environment_of_its_own_has_nothing_against_it(installed: Installation) -> None:
    assert list(obstacles.of_installation(installed)) == []


@pytest.mark.parametrize(
    ("how", "word"),
    [("system", "machine's own Python"), ("user", "this user"), ("conda", "conda"), ("cache", "uvx"),
     ("project", "/srv/uv.lock")],
)  # fmt: skip
def test_what_cannot_be_exchanged(installed: Installation, how: InstalledBy, word: str) -> None:
    other = msgspec.structs.replace(installed, how=how, locked="/srv/uv.lock")
    (why,) = obstacles.of_installation(other)
    assert word in why


def test_programs_that_share_it_and_a_source_that_is_no_index(installed: Installation) -> None:
    other = msgspec.structs.replace(installed, programs=("webui (open-webui)",), source="file:///src")
    found = " ".join(obstacles.of_installation(other))
    assert "webui (open-webui)" in found
    assert "file:///src" in found


def test_another_process_of_the_environment(installed: Installation, tmp_path: Path) -> None:
    def process(pid: int, *words: str) -> None:
        (tmp_path / "proc" / str(pid)).mkdir(parents=True)
        (tmp_path / "proc" / str(pid) / "cmdline").write_bytes("".join(f"{word}\0" for word in words).encode())

    table = ProcessTable(str(tmp_path / "proc"))
    process(10, f"{installed.path}/bin/python", f"{installed.path}/bin/litellm", "--port", "1")
    process(11, "/usr/bin/python3", f"{installed.path}2/bin/other")
    process(12, "/usr/bin/vim", "notes", f"{installed.path}/bin/litellm")
    assert list(obstacles.of_processes(installed, {10}, table)) == []
    process(13, "/usr/bin/python3", f"{installed.path}/bin/worker")
    (why,) = obstacles.of_processes(installed, {10}, table)
    assert "worker, PID 13" in why
    assert os.getpid() not in obstacles.family_of(0)


def test_a_taken_release_is_none_to_go_to() -> None:
    assert "compromised" in " ".join(obstacles.of_release("1.82.8"))
    assert list(obstacles.of_release("1.106.2")) == []
