"""A file replaced as a whole or not at all, once a copy of what it was is known to be there.

What can fail is done in `stage`, which changes nothing that anybody reads; `Staged.commit` is a rename.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import re
import secrets
import shutil
import stat
import time
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.actions.likeness import like
from litellm_tui.backups.durable import failed, settle
from litellm_tui.backups.taking import MOST_BYTES
from litellm_tui.collectors.bounded import read_bytes
from litellm_tui.snapshot import Failure

# a rename onto a mount point, as a file that is bound into a container is
_NOT_REPLACEABLE: Final = (errno.EBUSY, errno.EXDEV)

_TEMPORARY: Final = re.compile(r"\.[0-9a-f]{12}")
# a writer that is alive needs some milliseconds
_LEFT_SECONDS: Final = 60.0


class Written(msgspec.Struct, frozen=True, tag=True):
    """The file that holds the new content, the copy of the old one, and how it was written, in words."""

    path: str
    backup: str
    how: str


class Staged:
    """A change of one file that is ready: the new content lies beside it, with its owner and mode."""

    def __init__(self, target: Path, expected: bytes | None, content: bytes | None, copy: Path | None) -> None:
        self.target, self._expected, self._content, self._copy = target, expected, content, copy
        self.temporary: Path | None = None

    def commit(self) -> Written | Failure:
        """Put it in the file's place, when the file still is what it was. After a `Failure` it is what it was, or the
        failure names the copy.
        """
        try:
            if _content(self.target) != self._expected:
                return changed_meanwhile(self.target)
            if self._content is None:
                self.target.unlink()
                how = "removed"
            elif self.temporary is None:
                return self._in_place("it has other hard links")
            else:
                os.replace(self.temporary, self.target)
                how = "replaced by rename" if self._expected is not None else "made"
        except OSError as error:
            if error.errno in _NOT_REPLACEABLE and self._expected is not None and self._content is not None:
                return self._in_place("it is a mount point")
            return failed(f"{self.target} was not changed", error)
        finally:
            self.discard()
        try:
            settle(self.target.parent)
        except OSError as error:
            how += f", but its folder could not be brought to the disk: {error.strerror}"
        return self._written(how)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self.temporary is not None:
            # what went wrong before this is what matters
            with contextlib.suppress(OSError):
                self.temporary.unlink()

    def _written(self, how: str) -> Written:
        return Written(str(self.target), str(self._copy or ""), how)

    def _in_place(self, because: str) -> Written | Failure:
        assert self._expected is not None
        assert self._content is not None
        try:
            with open(self.target, "r+b") as file:
                try:
                    _overwrite(file.fileno(), self._content)
                except OSError as error:
                    return self._put_back(file.fileno(), self._expected, error)
        except OSError as error:
            return failed(f"{self.target} was not changed", error)
        return self._written(f"written in place, because {because}")

    def _put_back(self, handle: int, expected: bytes, error: OSError) -> Failure:
        try:
            _overwrite(handle, expected)
        except OSError:
            return failed(f"{self.target} is damaged, copy {self._copy} back to it", error)
        return failed(f"{self.target} was not changed", error)


def rewrite(path: str | Path, expected: bytes, content: bytes, copy: Path) -> Written | Failure:
    """Replace the file's content, when it still is `expected` and `copy` is a file that holds it.

    A link is followed: what it leads to is replaced, and the link stays. Owner, group, mode, extended attributes
    (access lists and SELinux labels are such) stay. Where a rename cannot do it, for a hard link or a mount point, the
    bytes are written in place, and `Written.how` says so. After a `Failure` the file is what it was, or the failure
    names the copy.
    """
    if content == expected:
        return Failure(f"{path} holds this already: there is nothing to write")
    staged = stage(path, expected, content, copy)
    return staged if isinstance(staged, Failure) else staged.commit()


def stage(
    path: str | Path,
    expected: bytes | None,
    content: bytes | None,
    copy: Path | None = None,
    mode: int | None = None,
    owner: tuple[int, int] | None = None,
) -> Staged | Failure:
    """Make a change of a file ready, of which `rewrite` tells the rest; whatever forbids it is found now.

    None as `expected` makes a file that is not there, with `mode` (0600) and `owner` (uid, gid); None as `content`
    removes the file.
    """
    try:
        target = Path(path).resolve(strict=expected is not None)
        if expected is None:
            return _new(target, content or b"", mode, owner)
        found = target.stat()
        if not stat.S_ISREG(found.st_mode):
            return Failure(f"{target} is no regular file: edit what writes it instead")
        if read_bytes(target, MOST_BYTES) != expected:
            return changed_meanwhile(target)
    except (OSError, RuntimeError) as error:
        return failed(f"{path} cannot be read", error)
    if copy is None or not _holds(copy, expected):
        return Failure(f"{target} was not touched: {copy or 'no file'} is no copy of what it holds")
    staged = Staged(target, expected, content, copy)
    try:
        refused = _prepared(staged, found, content)
    except OSError as error:
        staged.discard()
        return failed(f"{target} was not changed", error)
    if refused:
        staged.discard()
        return Failure(f"{target} was not changed: {refused}")
    return staged


def _prepared(staged: Staged, found: os.stat_result, content: bytes | None) -> str:
    """Put beside the file what is to take its place; why not, where that is not allowed."""
    target = staged.target
    if content is None:
        # whoever may make a file in the folder may remove one, unless the folder is sticky and the file another's
        sticky = target.parent.stat().st_mode & stat.S_ISVTX and found.st_uid != os.geteuid() != 0
        _temporary(staged, b"")
        staged.discard()
        return "it belongs to another user; write as the user who owns it, or with sudo" if sticky else ""
    if found.st_nlink > 1:
        with open(target, "r+b"):
            room = shutil.disk_usage(target).free
        return f"the disk is full, {room:,} bytes are left" if len(content) - found.st_size > room else ""
    refused = like(_temporary(staged, content), target, found)
    return f"{refused}; write as the user who owns it, or with sudo" if refused else ""


def _new(target: Path, content: bytes, mode: int | None, owner: tuple[int, int] | None) -> Staged | Failure:
    if os.path.lexists(target):
        return changed_meanwhile(target)
    if not target.parent.is_dir():
        return Failure(f"{target} could not be made again: its folder is gone; make the folder first")
    staged = Staged(target, None, content, None)
    try:
        made = _temporary(staged, content)
        there = made.stat()
        if owner is not None and owner != (there.st_uid, there.st_gid):
            os.chown(made, *owner)
        os.chmod(made, 0o600 if mode is None else mode)
    except OSError as error:
        staged.discard()
        return failed(f"{target} could not be made again", error)
    return staged


def _temporary(staged: Staged, content: bytes) -> Path:
    _sweep(staged.target)
    staged.temporary = staged.target.with_name(f".{staged.target.name[:200]}.{secrets.token_hex(6)}")
    handle = os.open(staged.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return staged.temporary


def _sweep(target: Path) -> None:
    """Remove what writers that were killed have left beside the file."""
    with contextlib.suppress(OSError):
        for left in target.parent.glob(f".{glob.escape(target.name[:200])}.*"):
            if _TEMPORARY.fullmatch(left.suffix) and time.time() - left.lstat().st_mtime > _LEFT_SECONDS:
                left.unlink()


def _content(path: Path) -> bytes | None:
    try:
        return read_bytes(path, MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _holds(copy: Path, content: bytes | None) -> bool:
    try:
        return _content(copy) == content
    except OSError:
        return False


def changed_meanwhile(target: str | Path) -> Failure:
    """The refusal to write a file that is not what it was."""
    if not os.path.exists(target):
        return Failure(f"{target} cannot be read, for it is gone: look whether it was moved")
    return Failure(f"{target} was changed by somebody else meanwhile: look at it again, then repeat the edit")


def _overwrite(handle: int, content: bytes) -> None:
    # what it needs is taken first: a full disk shows before the old bytes are gone
    if content and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, len(content))
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
    written = 0
    while written < len(content):
        written += os.pwrite(handle, content[written:], written)
    os.ftruncate(handle, len(content))
    os.fsync(handle)
