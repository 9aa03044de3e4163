"""Small files that several consoles write: changed under a lock, and replaced by rename."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# a writer takes milliseconds
LOCK_SECONDS = 3.0
_LOOK_SECONDS: Final = 0.02
# a file system without locks: the file is changed without one
_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)


class Busy(OSError):
    """Another process holds the lock and does not release it."""


def lock_of(path: Path) -> Path:
    """The lock file beside a file."""
    return path.with_name(f".{path.name}.lock")


@contextlib.contextmanager
def changing(path: Path) -> Iterator[None]:
    """Lock this file against other writers; its folder is created. Raises `Busy` after `LOCK_SECONDS`, and OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(lock_of(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _lock(handle, LOCK_SECONDS)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise Busy(errno.EWOULDBLOCK, "another litellm-tui is writing there and does not end") from error
            time.sleep(_LOOK_SECONDS)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return
        else:
            return


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that its content can still be looked at; returns its new path. Raises OSError."""
    aside = path.with_name(f"{path.name}.damaged.{int(time.time())}")
    os.replace(path, aside)
    return aside
