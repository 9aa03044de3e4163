"""One at a time: who holds the lock of a file of its own works on what that file stands for, everybody else looks."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from litellm_tui.host.host_lock import Holder, here, parse_holder

_MOST_BYTES = 4096


class FileLock:
    """flock(2) on a file that says who has it. Its folder is created, for the user alone.

    The kernel releases it when the process ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether it is ours."""
        return self._handle is not None

    def take(self) -> Holder | None:
        """Take the lock: None when it is ours, else who has it. Raises OSError where the file cannot be used."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = parse_holder(os.pread(handle, _MOST_BYTES, 0))
            os.close(handle)
            if isinstance(error, BlockingIOError):
                return holder
            raise OSError(error.errno, f"it cannot be locked: {error.strerror}", str(self.path)) from error
        self._handle = handle
        self._say_who(handle)
        return None

    def _say_who(self, handle: int) -> None:
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, msgspec.json.encode(here()), 0)
        except OSError:
            # on a full disk the lock still holds; who has it is not told then
            return

    def release(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def holder(self) -> Holder | None:
        """Who has it now, a look that leaves nothing behind; None where nobody does, or where that cannot be told."""
        if self._handle is not None:
            return here()
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return parse_holder(os.pread(handle, _MOST_BYTES, 0))
        except OSError:
            # a file system without locks: taking it says so
            return None
        finally:
            os.close(handle)
        return None
