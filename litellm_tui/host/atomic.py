"""The one writer of files: a file is written whole or not at all, and a failure names the operator's next step.

The new content is written to a temporary file in the same folder. One that a killed writer left behind is removed by
the next writer of the same file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import time
from pathlib import Path
from typing import Final

from litellm_tui.model.failures import Failure

_NEXT_STEPS: Final = {
    errno.EACCES: "write as the user who owns it, or with sudo",
    errno.EPERM: "write as the user who owns it, or with sudo; `lsattr` tells whether it is marked immutable",
    errno.EROFS: "the file system is mounted read-only: change the file where it comes from",
    errno.ENOSPC: "the disk is full: `df` shows which; make room and try again",
    errno.EDQUOT: "the quota is used up: make room and try again",
    errno.ENOENT: "it is gone: look whether it was moved",
}

_RANDOM: Final = re.compile(r"[0-9a-f]{12}")
# with both dots and the random part, the name of a temporary file stays within 255 bytes
_LONGEST_NAME: Final = 200
# a running writer needs some milliseconds
_LEFT_SECONDS: Final = 60.0


def failure_of(what: str, error: Exception) -> Failure:
    """A failure whose text is `what`, the system's reason and the next step, in one line."""
    number = error.errno if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    step = _NEXT_STEPS.get(number or 0, "")
    return Failure(f"{what}: {reason}" + (f"; {step}" if step else ""))


def create(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Write a new file; `durable` also syncs it to the disk. Nothing is left after a failure.

    Raises FileExistsError and other OSErrors.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if mode != 0o600:
                # the mode must not depend on the umask
                os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
    except OSError:
        _remove(path)
        raise


def write_beside(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> Path:
    """Write the content into a temporary file in the same folder, ready to be renamed. Raises OSError."""
    _sweep(path)
    temporary = path.with_name(f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(6)}")
    create(temporary, content, mode=mode, durable=durable)
    return temporary


def replace(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Write a file by rename, so that no reader sees half of it; `durable` also syncs it to the disk.

    Raises OSError; the file is then unchanged.
    """
    temporary = write_beside(path, content, mode=mode, durable=durable)
    try:
        os.replace(temporary, path)
    except OSError:
        _remove(temporary)
        raise
    if durable:
        sync_folder(path.parent)


def publish(path: Path, content: bytes) -> None:
    """Write a new file, so that no reader sees half of it, and sync it to the disk.

    Raises FileExistsError where the name is in use, and other OSErrors.
    """
    temporary = write_beside(path, content)
    try:
        # unlike a rename, a link never replaces a file
        os.link(temporary, path)
    finally:
        _remove(temporary)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sync the folder's entries to the disk, where the file system can do that. Raises OSError."""
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


def _sweep(path: Path) -> None:
    """Remove the temporary files that killed writers left beside the file."""
    start = f".{path.name[:_LONGEST_NAME]}."
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(path.parent)):
            mine = entry.name.startswith(start) and _RANDOM.fullmatch(entry.name[len(start) :])
            if mine and time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFT_SECONDS:
                os.unlink(entry.path)


def _remove(path: Path) -> None:
    # the error before this one is what matters
    with contextlib.suppress(OSError):
        path.unlink()
