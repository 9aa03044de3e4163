"""Files that are on the disk when a call returns, and the failures of it in the operator's words."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import Final

from litellm_tui.snapshot import Failure

_NEXT_STEPS: Final = {
    errno.EACCES: "write as the user who owns it, or with sudo",
    errno.EPERM: "write as the user who owns it, or with sudo; `lsattr` tells whether it is marked immutable",
    errno.EROFS: "the file system is mounted read-only: change the file where it comes from",
    errno.ENOSPC: "the disk is full: `df` shows which; make room and try again",
    errno.EDQUOT: "the quota is used up: make room and try again",
    errno.ENOENT: "it is gone: look whether it was moved",
}


def failed(what: str, error: Exception) -> Failure:
    """`what`, the system's reason and the next step, in one line."""
    number = error.errno if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    step = _NEXT_STEPS.get(number or 0, "")
    return Failure(f"{what}: {reason}" + (f"; {step}" if step else ""))


def create(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, for its owner alone. Raises FileExistsError and other OSErrors."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def replace(path: Path, content: bytes) -> None:
    """Write a file by rename, for its owner alone: no reader meets half of it. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    create(temporary, content)
    try:
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    settle(path.parent)


def settle(folder: Path) -> None:
    """Bring the folder's entries to the disk. Some file systems have no such thing: they are there all the same."""
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
