"""A file is replaced as a whole or not at all, and a copy of what it was is there first."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from litellm_tui.actions import rewrite as module
from litellm_tui.actions.file_attributes import like
from litellm_tui.actions.rewrite import Staged, Written, rewrite, stage
from litellm_tui.model.failures import Failure

OLD, NEW = b"a: 1\n", b"a: 2 # a longer file than it was\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "config.yaml"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "config.yaml.backup.1"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def _written(result: Written | Failure) -> Written:
    assert isinstance(result, Written), result
    return result


def _refused(result: Written | Failure, file: Path, content: bytes = OLD) -> str:
    """It failed, the file is whole, and nothing lies beside it."""
    assert isinstance(result, Failure), result
    assert file.read_bytes() == content
    assert os.listdir(file.parent) == [file.name]
    return result.why


def test_the_new_content_is_there_and_the_old_in_a_copy(file: Path, copy: Path) -> None:
    done = _written(rewrite(file, OLD, NEW, copy))
    assert file.read_bytes() == NEW
    assert os.listdir(file.parent) == [file.name]
    assert copy.read_bytes() == OLD
    assert done == Written(str(file), str(copy), "replaced by rename")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_stays(file: Path, copy: Path, mode: int) -> None:
    file.chmod(mode)
    _written(rewrite(file, OLD, NEW, copy))
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_owner_and_group_stay(file: Path, copy: Path) -> None:
    os.chown(file, 1234, 2345)
    _written(rewrite(file, OLD, NEW, copy))
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 2345)


def test_extended_attributes_stay(file: Path, copy: Path) -> None:
    try:
        os.setxattr(file, "user.note", b"mine")
    except OSError as error:
        pytest.skip(f"no attributes here: {error.strerror}")
    _written(rewrite(file, OLD, NEW, copy))
    assert os.getxattr(file, "user.note") == b"mine"


def test_a_file_saved_by_somebody_else_meanwhile_is_left_alone(file: Path, copy: Path) -> None:
    file.write_bytes(b"theirs: 1\n")
    assert "somebody else" in _refused(rewrite(file, OLD, NEW, copy), file, b"theirs: 1\n")


def test_a_save_while_it_is_written_is_seen(file: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def and_saved(made: Path, target: Path, found: os.stat_result) -> str:
        file.write_bytes(b"theirs: 1\n")
        return like(made, target, found)

    monkeypatch.setattr(module, "like", and_saved)
    assert "somebody else" in _refused(rewrite(file, OLD, NEW, copy), file, b"theirs: 1\n")


def test_a_link_stays_and_what_it_leads_to_is_replaced(file: Path, copy: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    assert _written(rewrite(link, OLD, NEW, copy)).path == str(file)
    assert link.is_symlink()
    assert file.read_bytes() == NEW


@pytest.mark.parametrize("new", [NEW, b"a\n", b""])
def test_a_hard_link_is_written_in_place(file: Path, copy: Path, tmp_path: Path, new: bytes) -> None:
    other = tmp_path / "other.yaml"
    os.link(file, other)
    done = _written(rewrite(file, OLD, new, copy))
    assert "hard link" in done.how
    assert file.read_bytes() == other.read_bytes() == new
    assert file.stat().st_nlink == 2
    assert done.backup == str(copy)


def test_a_mount_point_is_written_in_place(file: Path, copy: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.yaml"
    source.write_bytes(OLD)
    script = (
        f"mount --bind {source} {file} && exec {sys.executable} -c "
        f'"from pathlib import Path; from litellm_tui.actions.rewrite import rewrite;'
        f"print(rewrite('{file}', {OLD!r}, {NEW!r}, Path('{copy}')).how)\""
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mounts here: {done.stderr.strip()}")
    assert done.stdout.strip() == "written in place, because it is a mount point", done.stderr
    assert source.read_bytes() == NEW
    assert file.read_bytes() == OLD


@pytest.mark.parametrize(
    ("number", "step"), [(errno.ENOSPC, "df"), (errno.EROFS, "read-only"), (errno.EACCES, "sudo"), (errno.EIO, "")]
)
def test_a_failure_leaves_the_file_and_says_what_to_do(
    file: Path, copy: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    why = _refused(rewrite(file, OLD, NEW, copy), file)
    assert os.strerror(number) in why
    assert step in why


def test_a_full_disk_in_place_puts_the_old_bytes_back(
    file: Path, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.link(file, tmp_path / "other.yaml")
    really = os.pwrite

    def half(handle: int, data: bytes, at: int) -> int:
        if data.startswith(NEW[:1]) and data == NEW:
            really(handle, data[:3], at)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(handle, data, at)

    monkeypatch.setattr(os, "pwrite", half)
    assert "df" in _refused(rewrite(file, OLD, NEW, copy), file)


@pytest.mark.parametrize("writable", [True, False])
def test_an_owner_that_cannot_be_kept_is_kept_in_place_where_that_is_allowed(
    file: Path, copy: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    found = list(file.stat())
    found[4] += 1
    monkeypatch.setattr(os, "fchown", refuse)
    if not writable:
        monkeypatch.setattr(module, "open", refuse, raising=False)
    monkeypatch.setattr(Path, "stat", lambda self, **_: os.stat_result(found))
    result = rewrite(file, OLD, NEW, copy)
    monkeypatch.undo()
    if writable:
        assert "in place, because its owner and group" in _written(result).how
        assert file.read_bytes() == NEW
        assert os.listdir(file.parent) == [file.name]
    else:
        assert "owner and group" in _refused(result, file)


@pytest.mark.parametrize("held", [None, b"", b"a: 3\n"])
def test_without_a_copy_nothing_is_written(file: Path, copy: Path, held: bytes | None) -> None:
    copy.unlink()
    if held is not None:
        copy.write_bytes(held)
    why = _refused(rewrite(file, OLD, NEW, copy), file)
    assert "not touched" in why
    assert str(copy) in why


def test_what_is_no_file_is_refused(tmp_path: Path, copy: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("/dev/null")):
        assert isinstance(rewrite(path, OLD, NEW, copy), Failure)


def test_what_it_holds_already_is_not_written(file: Path, copy: Path) -> None:
    assert "nothing to write" in _refused(rewrite(file, OLD, OLD, copy), file)


# --- what is staged ----------------------------------------------------------------------------------------------


def _staged(result: Staged | Failure) -> Staged:
    assert isinstance(result, Staged), result
    return result


def test_what_is_staged_changes_nothing_until_it_is_committed(file: Path, copy: Path) -> None:
    step = _staged(stage(file, OLD, NEW, copy))
    assert file.read_bytes() == OLD
    assert len(os.listdir(file.parent)) == 2
    step.discard()
    assert os.listdir(file.parent) == [file.name]
    assert isinstance(step.commit(), Failure)
    assert file.read_bytes() == OLD


@pytest.mark.parametrize(("mode", "made"), [(None, 0o600), (0o640, 0o640), (0o664, 0o664)])
def test_a_file_that_is_gone_is_made_again(file: Path, mode: int | None, made: int) -> None:
    file.unlink()
    step = _staged(stage(file, None, NEW, mode=mode, owner=(os.getuid(), os.getgid())))
    assert not file.exists()
    assert _written(step.commit()).how == "made"
    assert file.read_bytes() == NEW
    assert stat.S_IMODE(file.stat().st_mode) == made
    assert os.listdir(file.parent) == [file.name]


def test_a_link_that_leads_nowhere_leads_to_the_new_file(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    file.unlink()
    _written(_staged(stage(link, None, NEW)).commit())
    assert link.is_symlink()
    assert file.read_bytes() == NEW


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_made_again_has_its_owner_again(file: Path) -> None:
    file.unlink()
    _written(_staged(stage(file, None, NEW, owner=(1234, 2345))).commit())
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 2345)


def test_an_owner_that_cannot_be_given_back_is_a_refusal(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    file.unlink()
    monkeypatch.setattr(os, "chown", refuse)
    result = stage(file, None, NEW, owner=(4321, 4321))
    assert isinstance(result, Failure)
    assert "sudo" in result.why
    assert os.listdir(file.parent) == []


def test_a_file_is_not_made_over_one_that_has_appeared(file: Path) -> None:
    assert "somebody else" in _refused_step(stage(file, None, NEW), file)
    file.unlink()
    step = _staged(stage(file, None, NEW))
    file.write_bytes(OLD)
    assert isinstance(step.commit(), Failure)
    assert file.read_bytes() == OLD
    assert os.listdir(file.parent) == [file.name]


def test_a_file_whose_folder_is_gone_is_not_made(tmp_path: Path) -> None:
    result = stage(tmp_path / "gone" / "config.yaml", None, NEW)
    assert isinstance(result, Failure)
    assert "folder is gone" in result.why
    assert os.listdir(tmp_path) == []


def test_a_file_is_removed_when_a_copy_is_there(file: Path, copy: Path) -> None:
    assert isinstance(stage(file, OLD, None, copy.with_name("none")), Failure)
    step = _staged(stage(file, OLD, None, copy))
    assert os.listdir(file.parent) == [file.name]
    assert _written(step.commit()).how == "removed"
    assert os.listdir(file.parent) == []
    assert isinstance(step.commit(), Failure)


def test_a_rename_whose_folder_cannot_be_brought_to_the_disk_is_no_failure(
    file: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(module, "sync_folder", fail)
    done = _written(rewrite(file, OLD, NEW, copy))
    assert file.read_bytes() == NEW
    assert "could not be brought to the disk" in done.how


def test_what_killed_writers_have_left_beside_the_file_is_swept(file: Path, copy: Path) -> None:
    old, fresh, other = (file.with_name(f".{file.name}.{name}") for name in ("0123456789ab", "ba9876543210", "swp"))
    for left in (old, fresh, other):
        left.write_bytes(b"half")
    for left in (old, other):
        os.utime(left, (1, 1))
    _written(rewrite(file, OLD, NEW, copy))
    assert sorted(os.listdir(file.parent)) == sorted([file.name, fresh.name, other.name])


def _refused_step(result: Staged | Failure, file: Path) -> str:
    assert isinstance(result, Failure), result
    assert file.read_bytes() == OLD
    assert os.listdir(file.parent) == [file.name]
    return result.why
