"""A file is replaced as a whole or not at all, and a copy of what it was is there first."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from litellm_tui.actions import rewrite as module
from litellm_tui.actions.rewrite import KEPT, Written, backups_folder, rewrite
from litellm_tui.snapshot import Failure

OLD, NEW = b"a: 1\n", b"a: 2 # a longer file than it was\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "config.yaml"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "state" / "backups"


def _written(result: Written | Failure) -> Written:
    assert isinstance(result, Written), result
    return result


def _refused(result: Written | Failure, file: Path, content: bytes = OLD) -> str:
    """It failed, the file is whole, and nothing lies beside it."""
    assert isinstance(result, Failure), result
    assert file.read_bytes() == content
    assert os.listdir(file.parent) == [file.name]
    return result.why


def test_the_new_content_is_there_and_the_old_in_a_copy(file: Path, backups: Path) -> None:
    done = _written(rewrite(file, OLD, NEW, backups))
    assert file.read_bytes() == NEW
    assert os.listdir(file.parent) == [file.name]
    copy = Path(done.backup)
    assert copy.read_bytes() == OLD
    assert copy.name.startswith("config.yaml.")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(backups.stat().st_mode) == 0o700
    assert (done.path, done.how) == (str(file), "replaced by rename")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_stays(file: Path, backups: Path, mode: int) -> None:
    file.chmod(mode)
    _written(rewrite(file, OLD, NEW, backups))
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_owner_and_group_stay(file: Path, backups: Path) -> None:
    os.chown(file, 1234, 2345)
    _written(rewrite(file, OLD, NEW, backups))
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 2345)


def test_extended_attributes_stay(file: Path, backups: Path) -> None:
    try:
        os.setxattr(file, "user.note", b"mine")
    except OSError as error:
        pytest.skip(f"no attributes here: {error.strerror}")
    _written(rewrite(file, OLD, NEW, backups))
    assert os.getxattr(file, "user.note") == b"mine"


def test_a_file_saved_by_somebody_else_meanwhile_is_left_alone(file: Path, backups: Path) -> None:
    file.write_bytes(b"theirs: 1\n")
    assert "somebody else" in _refused(rewrite(file, OLD, NEW, backups), file, b"theirs: 1\n")
    assert not backups.exists()


def test_a_save_while_it_is_written_is_seen(file: Path, backups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    like = module._like

    def and_saved(handle: int, target: Path, found: os.stat_result) -> str:
        file.write_bytes(b"theirs: 1\n")
        return like(handle, target, found)

    monkeypatch.setattr(module, "_like", and_saved)
    assert "somebody else" in _refused(rewrite(file, OLD, NEW, backups), file, b"theirs: 1\n")


def test_a_link_stays_and_what_it_leads_to_is_replaced(file: Path, backups: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    assert _written(rewrite(link, OLD, NEW, backups)).path == str(file)
    assert link.is_symlink()
    assert file.read_bytes() == NEW


@pytest.mark.parametrize("new", [NEW, b"a\n", b""])
def test_a_hard_link_is_written_in_place(file: Path, backups: Path, tmp_path: Path, new: bytes) -> None:
    other = tmp_path / "other.yaml"
    os.link(file, other)
    done = _written(rewrite(file, OLD, new, backups))
    assert "hard link" in done.how
    assert file.read_bytes() == other.read_bytes() == new
    assert file.stat().st_nlink == 2
    assert Path(done.backup).read_bytes() == OLD


def test_a_mount_point_is_written_in_place(file: Path, backups: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.yaml"
    source.write_bytes(OLD)
    script = (
        f"mount --bind {source} {file} && exec {os.sys.executable} -c "  # type: ignore[attr-defined]
        f'"from pathlib import Path; from litellm_tui.actions.rewrite import rewrite;'
        f"print(rewrite('{file}', {OLD!r}, {NEW!r}, Path('{backups}')).how)\""
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
    file: Path, backups: Path, monkeypatch: pytest.MonkeyPatch, number: int, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    why = _refused(rewrite(file, OLD, NEW, backups), file)
    assert os.strerror(number) in why
    assert step in why


def test_a_full_disk_in_place_puts_the_old_bytes_back(
    file: Path, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.link(file, tmp_path / "other.yaml")
    really = os.pwrite

    def half(handle: int, data: bytes, at: int) -> int:
        if data.startswith(NEW[:1]) and data == NEW:
            really(handle, data[:3], at)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return really(handle, data, at)

    monkeypatch.setattr(os, "pwrite", half)
    assert "df" in _refused(rewrite(file, OLD, NEW, backups), file)


def test_an_owner_that_cannot_be_kept_is_a_refusal(file: Path, backups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    found = list(file.stat())
    found[4] += 1
    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(Path, "stat", lambda self, **_: os.stat_result(found))
    result = rewrite(file, OLD, NEW, backups)
    monkeypatch.undo()
    assert "owner and group" in _refused(result, file)


def test_without_a_copy_nothing_is_written(file: Path, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    assert "not touched" in _refused(rewrite(file, OLD, NEW, tmp_path / "blocked" / "backups"), file)


def test_what_is_no_file_is_refused(tmp_path: Path, backups: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("/dev/null")):
        assert isinstance(rewrite(path, OLD, NEW, backups), Failure)


def test_the_newest_copies_of_each_file_are_kept(file: Path, backups: Path) -> None:
    other = file.with_name("other.yaml")
    other.write_bytes(OLD)
    kept = Path(_written(rewrite(other, OLD, NEW, backups)).backup)
    content = OLD
    made = []
    for number in range(KEPT + 5):
        new = b"a: %d\n" % (number + 10)
        made.append(Path(_written(rewrite(file, content, new, backups)).backup))
        content = new
    assert len(set(made)) == len(made)
    assert set(backups.iterdir()) == {kept, *made[-KEPT:]}


def test_copies_lie_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert backups_folder() == tmp_path / "litellm-tui" / "backups"
