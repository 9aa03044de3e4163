"""The one writer: a file is whole or not there, for its owner alone unless said otherwise; nothing lies beside it."""

from __future__ import annotations

import ast
import errno
import os
from pathlib import Path
from typing import Any

import pytest

import litellm_tui
from litellm_tui.host import atomic

PACKAGE = Path(litellm_tui.__file__).parent


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o666])
def test_the_mode_is_the_one_that_is_wanted(tmp_path: Path, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        atomic.replace(tmp_path / "a", b"1", mode=mode)
        atomic.create(tmp_path / "b", b"1", mode=mode)
    finally:
        os.umask(before)
    wanted = {mode & ~umask} if mode == 0o600 else {mode}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == wanted


def test_what_is_durable_is_on_the_disk_with_its_folder_before_and_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(handle: int) -> None:
        calls.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        fsync(handle)

    def renamed(*paths: Any) -> None:
        calls.append("rename")
        replace(*paths)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    atomic.replace(tmp_path / "a", b"1")
    assert calls == ["file", "rename", "folder"]
    calls.clear()
    atomic.replace(tmp_path / "a", b"2", durable=False)
    assert calls == ["rename"]
    assert (tmp_path / "a").read_bytes() == b"2"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_fails_leaves_the_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        atomic.replace(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "a").symlink_to(tmp_path / "precious")
    with pytest.raises(FileExistsError):
        atomic.create(tmp_path / "a", b"new")
    atomic.replace(tmp_path / "a", b"new")
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_what_is_published_takes_no_place(tmp_path: Path) -> None:
    atomic.publish(tmp_path / "a", b"1")
    with pytest.raises(FileExistsError):
        atomic.publish(tmp_path / "a", b"2")
    assert (tmp_path / "a").read_bytes() == b"1"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["a", "[a]*", "n" * 255, ".hidden"])
def test_leftovers_of_the_same_file_are_swept_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    left, fresh = (tmp_path / f".{name[:200]}.{end}" for end in ("0123456789ab", "ba9876543210"))
    others = [tmp_path / f".{name[:200]}.{end}" for end in ("swp", "0123456789abc", "0123456789AB")]
    others.append(tmp_path / ".b.0123456789ab")
    for found in (left, fresh, *others):
        found.write_bytes(b"half")
        if found != fresh:
            os.utime(found, (1, 1))
    atomic.replace(path, b"1", durable=False)
    assert {entry.name for entry in tmp_path.iterdir()} == {found.name for found in (path, fresh, *others)}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nobody_else_writes_by_rename(path: Path) -> None:
    """A second writer would have its own idea of modes, of leftovers and of what is on the disk."""
    if path.name == "atomic.py":
        return
    allowed = {
        # the second half of a change that is staged first, so that several files are replaced or none
        "actions/rewrite.py": {"os.replace"},
        # it is locked before it has its name
        "actions/in_place.py": {"os.replace"},
        # it is put aside as it is: nothing is written
        "storage/shared_file.py": {"os.replace"},
        "storage/history/salvage.py": {"os.rename"},
        # what was noted is taken by its writer, as it is
        "storage/history/notes.py": {"os.replace"},
        # whole environments change places: nothing is written
        "actions/upgrade/exchange.py": {"os.rename"},
        # a symbolic link, which the one writer does not make
        "actions/upgrade/relocation.py": {"os.replace"},
    }.get(str(path.relative_to(PACKAGE)), set())
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    renames = {"os.replace", "os.rename", "os.link", "tempfile.mkstemp", "tempfile.NamedTemporaryFile"}
    assert called & renames <= allowed
