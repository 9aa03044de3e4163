"""One writer: who holds the lock of a record writes it, everybody else reads."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from litellm_tui.host.host_lock import Holder, here, parse_holder


class Held(msgspec.Struct, frozen=True):
    """Somebody else writes the record."""

    holder: Holder


class WriterLock:
    """flock(2) on a file beside the record, which holds who has it; the kernel releases it when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f".{path.name}.writer")
        self._handle: int | None = None

    def take(self) -> Held | None:
        """Take the lock: None on success. Raises OSError where the file system refuses the file."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = parse_holder(os.pread(handle, 4096, 0))
            os.close(handle)
            return Held(holder)
        except OSError:
            os.close(handle)
            raise
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
        """Who writes now; None where nobody does, or where that cannot be told."""
        if self._handle is not None:
            return here()
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return parse_holder(os.pread(handle, 4096, 0))
        except OSError:
            return None
        finally:
            os.close(handle)
        return None
