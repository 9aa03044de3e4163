"""The changes of groups that are under way, or were when their console ended: one file a group in the state folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.host import atomic
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.model.failures import Failure
from litellm_tui.model.fleet_change import FleetChange
from litellm_tui.storage.identity import digest
from litellm_tui.storage.state import state_folder

_FORM: Final = 1
_MOST_BYTES: Final = 8 << 20


class FleetChanges:
    """The change of one group. Only the owner can read it: it may hold a configuration."""

    def __init__(self, group: str, folder: Path | None = None) -> None:
        name = digest(group)
        self.folder = (folder or state_folder()) / "fleet"
        self._record, self._file = self.folder / f"{name}.json", self.folder / f"{name}.file"
        self._lock = self.folder / f"{name}.lock"
        self._handle: int | None = None

    def take(self) -> Failure | None:
        """Keep every other console of this user from changing the group; `release` ends that, or our death."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            return Failure(f"{error.filename or self._lock}: {error.strerror}")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return Failure("another litellm-tui is changing this group: wait for that to end")
        self._handle = handle
        return None

    def release(self) -> None:
        """Let others change it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def load(self) -> FleetChange | Failure | None:
        """The change that nobody has ended."""
        try:
            found = msgspec.json.decode(read_bytes(self._record, MEDIUM), type=FleetChange)
        except FileNotFoundError:
            return None
        except OSError as error:
            return Failure(f"{self._record}: {error.strerror}")
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Failure(f"{self._record}: {error}; see how each member stands, then remove this file")
        if found.form > _FORM:
            return Failure(f"{self._record} was written by a later litellm-tui: use that one")
        return found

    def content(self) -> bytes | Failure:
        """The configuration that is being applied."""
        try:
            return read_bytes(self._file, _MOST_BYTES)
        except OSError as error:
            return Failure(f"{self._file}: {error.strerror}")

    def begin(self, change: FleetChange, content: bytes | None) -> Failure | None:
        """Keep both, the content first."""
        try:
            if content is not None:
                atomic.replace(self._file, content)
        except OSError as error:
            return Failure(f"{self._file}: {error.strerror}")
        return self.write(change)

    def write(self, change: FleetChange) -> Failure | None:
        """Note where it stands; on the disk when this returns."""
        try:
            atomic.replace(self._record, msgspec.json.encode(change))
        except OSError as error:
            return Failure(f"{self._record}: {error.strerror}")
        return None

    def end(self) -> Failure | None:
        """It is over, one way or the other."""
        try:
            for path in (self._record, self._file):
                path.unlink(missing_ok=True)
        except OSError as error:
            return Failure(f"{self._record}: {error.strerror}")
        return None
