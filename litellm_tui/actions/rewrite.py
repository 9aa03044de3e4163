"""A file replaced as a whole or not at all, once a copy of what it was is known to be there.

What can fail is done in `stage`, which changes nothing that anybody reads; `Staged.commit` is a rename.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.actions import in_place, writable
from litellm_tui.actions.file_attributes import like
from litellm_tui.actions.in_place import changed_meanwhile
from litellm_tui.host.atomic import failure_of, sync_folder, write_beside
from litellm_tui.host.bounded import read_bytes
from litellm_tui.host.copies import cluster_origin, not_editable
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups.copying import MOST_BYTES

# a rename onto a mount point, as a file that is bound into a container is
_NOT_REPLACEABLE: Final = (errno.EBUSY, errno.EXDEV)


class Written(msgspec.Struct, frozen=True, tag=True):
    """The file that holds the new content, the copy of the old one, and how it was written, in words."""

    path: str
    backup: str
    how: str


class Staged:
    """A change of one file that is ready: the new content lies beside it, with its owner and mode.

    `because` says why the file cannot be replaced; its content is then written in place.
    """

    def __init__(self, target: Path, expected: bytes | None, content: bytes | None, copy: Path | None) -> None:
        self.target, self._expected, self._content, self._copy = target, expected, content, copy
        self.temporary: Path | None = None
        self.because = ""

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
            elif self.because or self.temporary is None:
                return self._in_place(self.because)
            else:
                os.replace(self.temporary, self.target)
                how = "replaced by rename" if self._expected is not None else "made"
        except OSError as error:
            if error.errno in _NOT_REPLACEABLE and self._expected is not None and self._content is not None:
                return self._in_place("it is a mount point")
            return failure_of(f"{self.target} was not changed", error)
        finally:
            self.discard()
        try:
            sync_folder(self.target.parent)
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
        assert self._copy is not None
        failure = in_place.write(self.target, self._expected, self._content, self._copy)
        return failure or self._written(f"written in place, because {because}")


def rewrite(path: str | Path, expected: bytes, content: bytes, copy: Path) -> Written | Failure:
    """Replace the file's content, when it still is `expected` and `copy` is a file that holds it.

    A link is followed: what it leads to is replaced, and the link stays. Owner, group, mode, extended attributes
    (access lists and SELinux labels are such) stay. Where a rename cannot do it, for a hard link, a mount point, a
    folder that may not be written or an owner that cannot be kept, the bytes are written in place, and `Written.how`
    says so. After a `Failure` the file is what it was, or the failure names the copy.
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
        if why := not_editable(target):
            return Failure(f"{target} was not changed: {why}")
        if cluster_origin(target) is not None:
            return _in_cluster(target, expected, content, copy)
        if expected is None:
            return _new(target, content or b"", mode, owner)
        found = target.stat()
        if not stat.S_ISREG(found.st_mode):
            return Failure(f"{target} is no regular file: edit what writes it instead")
        if read_bytes(target, MOST_BYTES) != expected:
            return changed_meanwhile(target)
    except (OSError, RuntimeError) as error:
        return failure_of(f"{path} cannot be read", error)
    if copy is None or not _holds(copy, expected):
        return Failure(f"{target} was not touched: {copy or 'no file'} is no copy of what it holds")
    staged = Staged(target, expected, content, copy)
    try:
        refused = _prepared(staged, found, content)
    except OSError as error:
        staged.discard()
        return failure_of(f"{target} was not changed", error)
    if refused:
        staged.discard()
        return Failure(f"{target} was not changed: {refused}")
    return staged


class StagedInCluster(Staged):
    """A change of a key of a ConfigMap or Secret, of which the file is a copy: a new version of the object."""

    def commit(self) -> Written | Failure:
        """See `Staged`; the copy follows, so that what is read next is what was written."""
        from litellm_tui.services.kubernetes.config_write import write_copied

        assert self._expected is not None
        assert self._content is not None
        done = write_copied(self.target, self._expected, self._content)
        return done if isinstance(done, Failure) else self._written(done)


def _in_cluster(target: Path, expected: bytes | None, content: bytes | None, copy: Path | None) -> Staged | Failure:
    """A change in a cluster is ready where the right to make it is there."""
    from litellm_tui.services.kubernetes.config_write import why_not_written

    if expected is None or content is None:
        return Failure(f"{target} is a key of a ConfigMap or Secret: it is neither made nor removed here")
    if read_bytes(target, MOST_BYTES) != expected:
        return changed_meanwhile(target)
    if copy is None or not _holds(copy, expected):
        return Failure(f"{target} was not touched: {copy or 'no file'} is no copy of what it holds")
    return why_not_written(target) or StagedInCluster(target, expected, content, copy)


def _prepared(staged: Staged, found: os.stat_result, content: bytes | None) -> str:
    """Put beside the file what is to take its place; why not, where that is not allowed."""
    target = staged.target
    if content is None:
        # whoever may make a file in the folder may remove one, unless the folder is sticky and the file another's
        sticky = writable.sticky(target, found)
        _temporary(staged, b"")
        staged.discard()
        return f"{sticky}; write as the user who owns it, or with sudo" if sticky else ""
    staged.because = _irreplaceable(staged, found, content)
    if not staged.because:
        why = writable.marked(target)
        return f"{target} {why}" if why else ""
    staged.discard()
    staged.temporary = None
    try:
        with open(target, "r+b"):
            room = shutil.disk_usage(target).free
    except OSError as error:
        reason = writable.reason(error.errno or 0) or error.strerror
        return f"{staged.because}, and the file itself {reason}; write as the user who owns it, or with sudo"
    return f"the disk is full, {room:,} bytes are left" if len(content) - found.st_size > room else ""


def _irreplaceable(staged: Staged, found: os.stat_result, content: bytes) -> str:
    """Put beside the file what is to take its place; why not, where only the file itself can be written."""
    if found.st_nlink > 1:
        return writable.LINKED
    try:
        made = _temporary(staged, content)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return f"its folder {writable.reason(error.errno)}"
    return like(made, staged.target, found) or writable.sticky(staged.target, found)


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
        return failure_of(f"{target} could not be made again", error)
    return staged


def _temporary(staged: Staged, content: bytes) -> Path:
    staged.temporary = write_beside(staged.target, content)
    return staged.temporary


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
