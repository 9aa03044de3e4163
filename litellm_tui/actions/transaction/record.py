"""Where a transaction stands, on disk before each of its steps: whoever comes after a crash finds it there.

One file per gateway in the state folder, beside the lock that keeps two consoles apart. It holds no secret.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
import socket
import time
from pathlib import Path
from typing import Final, Literal

import msgspec

from litellm_tui.analysis.proof import Expected
from litellm_tui.backups.durable import replace, settle
from litellm_tui.collectors.bounded import MEDIUM, read_bytes
from litellm_tui.snapshot import Failure
from litellm_tui.state import state_folder

FORM: Final = 1

Stage = Literal["backup", "restart", "proof", "restore", "restart again", "proof again"]
"""What was begun last. Up to `proof` the new configuration is on disk; from `restore` on the good one, soon."""


class Holder(msgspec.Struct, frozen=True):
    """Who works on the service: a process (on this machine, unless `host` says otherwise) since a moment."""

    user: str
    host: str
    pid: int
    since: float

    def __str__(self) -> str:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"{self.user}@{self.host} (process {self.pid}), since {at}"


class Record(msgspec.Struct, frozen=True):
    """A transaction that is under way, or was when its console ended.

    `backup` is the set that holds what was to be applied, `good` the one to go back to, None where there is none.
    `expected` tells the process before from the one that was ordered, once it was. `failed` says how it ended where it
    could neither be applied nor taken back.
    """

    unit: str
    holder: Holder
    stage: Stage
    backup: int | None = None
    good: int | None = None
    expected: Expected | None = None
    cause: str = ""
    failed: str = ""
    form: int = FORM


class Desk:
    """The lock and the record of one gateway. What cannot be read or written is a Failure with its reason."""

    def __init__(self, url: str, unit: str, folder: Path | None = None) -> None:
        name = hashlib.sha256(f"{url} {unit}".strip().encode()).hexdigest()[:16]
        self.folder = (folder or state_folder()) / "transactions"
        self._record = self.folder / f"{name}.json"
        self._lock = self.folder / f"{name}.lock"
        self._handle: int | None = None

    def take(self) -> Holder | Failure | None:
        """Take the lock: None when it is ours, else who has it. It is given back by `release`, or by our death."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            return Failure(f"{error.filename or self._lock}: {error.strerror}; nothing was changed")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = self._held(handle)
            os.close(handle)
            return holder
        self._handle = handle
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, msgspec.json.encode(here()), 0)
        except OSError as error:
            self.release()
            return Failure(f"{self._lock}: {error.strerror}; nothing was changed")
        return None

    def release(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def unfinished(self) -> Record | Failure | None:
        """The transaction that nobody has ended. While somebody holds the lock it is his."""
        try:
            record = msgspec.json.decode(read_bytes(self._record, MEDIUM), type=Record)
        except FileNotFoundError:
            return None
        except OSError as error:
            return Failure(f"{self._record}: {error.strerror}")
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Failure(
                f"{self._record}: {error}; look whether the service runs as it should, then remove this file"
            )
        if record.form > FORM:
            return Failure(f"{self._record} was written by a later litellm-tui: use that one")
        return record

    def interrupted(self) -> Record | Failure | None:
        """The transaction that nobody has ended, and that nobody is working on."""
        if self.unfinished() is None or isinstance(self.take(), Holder):
            return None
        try:
            # it may have been ended until the lock was ours
            return self.unfinished()
        finally:
            self.release()

    def write(self, record: Record) -> Failure | None:
        """Note where it stands; on the disk when this returns."""
        try:
            replace(self._record, msgspec.json.encode(record))
        except OSError as error:
            return Failure(f"{self._record}: {error.strerror}")
        return None

    def end(self) -> Failure | None:
        """It is over, one way or the other."""
        try:
            self._record.unlink(missing_ok=True)
            settle(self.folder)
        except OSError as error:
            return Failure(f"{self._record}: {error.strerror}")
        return None

    def _held(self, handle: int) -> Holder:
        try:
            return msgspec.json.decode(os.pread(handle, 4096, 0), type=Holder)
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
            # the lock was taken a moment ago, and its holder has not said who he is yet
            return Holder("somebody", socket.gethostname(), 0, time.time())


def here() -> Holder:
    """This process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # a user without an entry, as in a container
        user = str(os.getuid())
    return Holder(user, socket.gethostname(), os.getpid(), time.time())
