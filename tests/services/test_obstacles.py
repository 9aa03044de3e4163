"""What a unit's start would fail on, from what `systemctl show` of systemd 252 prints and the files beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from litellm_tui.model.service import Obstacle
from litellm_tui.services.systemd.obstacles import unit_obstacles


def _program(folder: Path, text: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
    path = folder / "litellm"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def _found(folder: Path, program: str = "", **values: str) -> tuple[Obstacle, ...]:
    program = program or _program(folder)
    block = {
        "LoadState": "loaded",
        "ExecStart": f"{{ path={program} ; argv[]={program} --port 4000 ; ignore_errors=no ; start_time=[n/a] }}",
        "WorkingDirectory": str(folder),
    }
    return unit_obstacles(block | values)


def test_a_unit_with_all_its_parts_has_none(tmp_path: Path) -> None:
    file = tmp_path / "a b.env"
    file.write_text("A=1\n")
    assert _found(tmp_path, EnvironmentFiles=f"{file} (ignore_errors=no)") == ()
    assert _found(tmp_path, User="root", Group="root") == ()
    assert _found(tmp_path, User="12345") == ()


def test_only_a_mandatory_file_that_is_gone_is_one(tmp_path: Path) -> None:
    gone, optional, some = tmp_path / "gone.env", tmp_path / "optional.env", tmp_path / "*.env"
    lines = f"{gone} (ignore_errors=no)\n{optional} (ignore_errors=yes)\n{some} (ignore_errors=no)"
    (found,) = _found(tmp_path, EnvironmentFiles=lines)
    assert found.brief == "EnvironmentFile missing"
    assert str(gone) in found.text
    assert str(gone) in found.do


@pytest.mark.parametrize("folder", ["!/nowhere", "-/nowhere", "~", ""])
def test_a_folder_that_need_not_be_there_is_none(tmp_path: Path, folder: str) -> None:
    assert _found(tmp_path, WorkingDirectory=folder) == ()


def test_a_folder_a_user_and_a_group_that_are_gone_are_named(tmp_path: Path) -> None:
    found = _found(tmp_path, WorkingDirectory=str(tmp_path / "no"), User="no-such-user", Group="no-such-group")
    assert [one.brief for one in found] == ["WorkingDirectory missing", "User missing", "Group missing"]
    assert _found(tmp_path, User="made-at-the-start", DynamicUser="yes") == ()


def test_a_program_that_is_gone_or_is_none_is_named(tmp_path: Path) -> None:
    (gone,) = _found(tmp_path, str(tmp_path / "bin" / "litellm"))
    assert gone.brief == "program missing"
    (none,) = _found(tmp_path, _program(tmp_path, mode=0o644))
    assert none.brief == "program not executable"


def test_a_script_whose_interpreter_is_gone_names_the_interpreter(tmp_path: Path) -> None:
    (found,) = _found(tmp_path, _program(tmp_path, f"#!{tmp_path}/venv/bin/python\nimport litellm\n"))
    assert found.brief == "interpreter missing"
    assert found.subject == f"{tmp_path}/venv/bin/python"
    assert _found(tmp_path, _program(tmp_path, "#!/usr/bin/env python\n")) == ()
    assert _found(tmp_path, _program(tmp_path, "\x7fELF")) == ()


def test_what_may_not_be_seen_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: str) -> os.stat_result:
        raise PermissionError(13, "Permission denied", path)

    program = _program(tmp_path)
    monkeypatch.setattr(os, "stat", refused)
    assert _found(tmp_path, program, EnvironmentFiles="/root/a.env (ignore_errors=no)") == ()


def test_paths_of_another_root_and_of_a_unit_that_is_not_loaded_are_not_looked_at(tmp_path: Path) -> None:
    assert _found(tmp_path, "/nowhere", RootDirectory="/srv/image") == ()
    assert _found(tmp_path, "/nowhere", LoadState="not-found") == ()
    assert unit_obstacles({}) == ()
