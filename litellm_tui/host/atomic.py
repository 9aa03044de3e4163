"""The one writer of files: a file is written whole or not at all, and failures are told in the operator's words.

What is being written lies beside its place until it is complete. What a writer that was killed has left there is
removed by the next writer of the same file.
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
# with the dot, the dot before the random part and that part, a name stays within 255 bytes
_LONGEST_NAME: Final = 200
# a writer that is alive needs some milliseconds
_LEFT_SECONDS: Final = 60.0


def failed(what: str, error: Exception) -> Failure:
    """`what`, the system's reason and the next step, in one line."""
    number = error.errno if isinstance(error, OSError) else None
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    step = _NEXT_STEPS.get(number or 0, "")
    return Failure(f"{what}: {reason}" + (f"; {step}" if step else ""))


def create(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Write a file that is not there yet; `durable` also brings it to the disk. Nothing is left after a failure.

    Raises FileExistsError and other OSErrors.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            if mode != 0o600:
                # independent of the umask
                os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
    except OSError:
        _remove(path)
        raise


def beside(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> Path:
    """Write the content into a new file in the same folder, from which it can be renamed. Raises OSError."""
    _sweep(path)
    temporary = path.with_name(f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(6)}")
    create(temporary, content, mode=mode, durable=durable)
    return temporary


def replace(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Write a file by rename, so that no reader meets half of it; `durable` also brings it to the disk.

    Raises OSError; the file is then what it was.
    """
    temporary = beside(path, content, mode=mode, durable=durable)
    try:
        os.replace(temporary, path)
    except OSError:
        _remove(temporary)
        raise
    if durable:
        settle(path.parent)


def publish(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, so that no reader meets half of it, and bring it to the disk.

    Raises FileExistsError where something has that name, and other OSErrors.
    """
    temporary = beside(path, content)
    try:
        # a link is made only where nothing is, unlike a rename
        os.link(temporary, path)
    finally:
        _remove(temporary)
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


def _sweep(path: Path) -> None:
    """Remove what writers that were killed have left beside the file."""
    start = f".{path.name[:_LONGEST_NAME]}."
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(path.parent)):
            mine = entry.name.startswith(start) and _RANDOM.fullmatch(entry.name[len(start) :])
            if mine and time.time() - entry.stat(follow_symlinks=False).st_mtime > _LEFT_SECONDS:
                os.unlink(entry.path)


def _remove(path: Path) -> None:
    # what went wrong before this is what matters
    with contextlib.suppress(OSError):
        path.unlink()
