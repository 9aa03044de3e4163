"""A file replaced as a whole or not at all, with a copy of what it was."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.snapshot import Failure
from litellm_tui.state import state_folder

# of each file
KEPT: Final = 50
# a rename onto a mount point, as a file that is bound into a container is
_NOT_REPLACEABLE: Final = (errno.EBUSY, errno.EXDEV)
_NEXT_STEPS: Final = {
    errno.EACCES: "write as the user who owns it, or with sudo",
    errno.EPERM: "write as the user who owns it, or with sudo; `lsattr` tells whether it is marked immutable",
    errno.EROFS: "the file system is mounted read-only: change the file where it comes from",
    errno.ENOSPC: "the disk is full: `df` shows which; make room and try again",
    errno.EDQUOT: "the quota is used up: make room and try again",
    errno.ENOENT: "it is gone: look whether it was moved",
}


class Written(msgspec.Struct, frozen=True, tag=True):
    """The file that holds the new content, the copy of the old one, and how it was written, in words."""

    path: str
    backup: str
    how: str


def backups_folder() -> Path:
    """Where the copies lie: `backups` in the user's state folder."""
    return state_folder() / "backups"


def rewrite(path: str | Path, expected: bytes, content: bytes, backups: Path | None = None) -> Written | Failure:
    """Replace the file's content, when it still is `expected`, after a copy was made in `backups`.

    A link is followed: what it leads to is replaced, and the link stays. Owner, group, mode, extended attributes
    (access lists and SELinux labels are such) stay. Where a rename cannot do it, for a hard link or a mount point, the
    bytes are written in place, and `Written.how` says so. After a `Failure` the file is what it was, or the failure
    names the copy.
    """
    backups = backups or backups_folder()
    try:
        target = Path(path).resolve(strict=True)
        found = target.stat()
        if not stat.S_ISREG(found.st_mode):
            return Failure(f"{target} is no regular file: edit what writes it instead")
        if target.read_bytes() != expected:
            return _changed(target)
    except (OSError, RuntimeError) as error:
        return _failed(f"{path} cannot be read", error)
    if content == expected:
        return Failure(f"{target} holds this already: there is nothing to write")
    try:
        backup = _back_up(target, expected, backups)
    except OSError as error:
        return _failed(f"no copy could be made in {backups}, so {target} was not touched", error)
    if found.st_nlink > 1:
        return _in_place(target, expected, content, backup, "it has other hard links")
    try:
        moved = _replace(target, found, expected, content)
    except OSError as error:
        if error.errno in _NOT_REPLACEABLE:
            return _in_place(target, expected, content, backup, "it is a mount point")
        return _failed(f"{target} was not changed", error)
    return moved if isinstance(moved, Failure) else Written(str(target), str(backup), moved)


def _changed(target: Path) -> Failure:
    return Failure(f"{target} was changed by somebody else meanwhile: look at it again, then repeat the edit")


def _failed(what: str, error: Exception) -> Failure:
    number = error.errno if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    step = _NEXT_STEPS.get(number or 0, "")
    return Failure(f"{what}: {reason}" + (f"; {step}" if step else ""))


def _replace(target: Path, found: os.stat_result, expected: bytes, content: bytes) -> str | Failure:
    """By rename, so that no reader meets half a file."""
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            refused = _like(file.fileno(), target, found)
            os.fsync(file.fileno())
        if refused:
            return Failure(f"{target} was not changed: {refused}; write as the user who owns it, or with sudo")
        if target.read_bytes() != expected:
            return _changed(target)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _settle(target.parent)
    return "replaced by rename"


def _like(handle: int, target: Path, found: os.stat_result) -> str:
    """Give the new file what the old one had; the reason, where that is not allowed."""
    made = os.fstat(handle)
    if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
        try:
            os.fchown(handle, found.st_uid, found.st_gid)
        except OSError:
            return f"its owner and group ({found.st_uid}:{found.st_gid}) could not be kept"
    # chown takes set-id bits away, so the mode comes after it, and access lists set the mode as well
    os.fchmod(handle, stat.S_IMODE(found.st_mode))
    for name in _attributes(target):
        try:
            value = os.getxattr(target, name)
            if _attribute(handle, name) != value:
                os.setxattr(handle, name, value)
        except OSError as error:
            if not name.startswith(("security.", "trusted.")):
                return f"its attribute {name} could not be kept ({error.strerror})"
    return ""


def _attributes(target: Path) -> list[str]:
    try:
        return os.listxattr(target)
    except (OSError, AttributeError):
        # no such thing on this file system, or on this system
        return []


def _attribute(handle: int, name: str) -> bytes | None:
    try:
        return os.getxattr(handle, name)
    except OSError:
        return None


def _in_place(target: Path, expected: bytes, content: bytes, backup: Path, because: str) -> Written | Failure:
    try:
        with open(target, "r+b") as file:
            if file.read() != expected:
                return _changed(target)
            try:
                _overwrite(file.fileno(), content)
            except OSError as error:
                return _put_back(file.fileno(), target, expected, backup, error)
    except OSError as error:
        return _failed(f"{target} was not changed", error)
    return Written(str(target), str(backup), f"written in place, because {because}")


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


def _put_back(handle: int, target: Path, expected: bytes, backup: Path, error: OSError) -> Failure:
    try:
        _overwrite(handle, expected)
    except OSError:
        return _failed(f"{target} is damaged, copy {backup} back to it", error)
    return _failed(f"{target} was not changed", error)


def _back_up(target: Path, content: bytes, backups: Path) -> Path:
    """A copy of its own for this file, time and content; the oldest ones of the file go."""
    backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(backups, 0o700)
    # two files of one name in two folders are two files
    owner = hashlib.sha256(os.fsencode(target)).hexdigest()[:8]
    stem = f"{target.name[:150]}.{owner}."
    digest = hashlib.sha256(content).hexdigest()[:8]
    handle, backup = -1, backups
    while handle < 0:
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        backup = backups / f"{stem}{at}.{digest}"
        try:
            handle = os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        backup.unlink(missing_ok=True)
        raise
    _settle(backups)
    older = sorted(name for name in os.listdir(backups) if name.startswith(stem))
    for name in older[:-KEPT]:
        (backups / name).unlink(missing_ok=True)
    return backup


def _settle(folder: Path) -> None:
    """The folder's entry on the disk. Some file systems have no such thing, and the entry is there all the same."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
