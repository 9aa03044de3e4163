"""The changes of groups that are under way, or were when their console ended: one file a group in the state folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from litellm_tui.host import atomic
from litellm_tui.host.bounded import read_bytes
from litellm_tui.host.file_lock import FileLock
from litellm_tui.model.failures import Failure
from litellm_tui.model.fleet_change import FleetChange
from litellm_tui.storage.identity import digest
from litellm_tui.storage.record_file import RecordFile
from litellm_tui.storage.state import state_folder

_FORM: Final = 1
_ADVICE: Final = "see how each member stands"
_MOST_BYTES: Final = 8 << 20


class FleetChanges:
    """The change of one group. Only the owner can read it: it may hold a configuration."""

    def __init__(self, group: str, folder: Path | None = None) -> None:
        name = digest(group)
        self.folder = (folder or state_folder()) / "fleet"
        self._record = RecordFile(self.folder / f"{name}.json", FleetChange, _FORM, _ADVICE)
        self._file = self.folder / f"{name}.file"
        self._lock = FileLock(self.folder / f"{name}.lock")

    def take(self) -> Failure | None:
        """Keep every other console of this user from changing the group; `release` ends that, or our death."""
        try:
            holder = self._lock.take()
        except OSError as error:
            return Failure(f"{error.filename or self._lock.path}: {error.strerror}")
        return Failure(f"{holder} is changing this group: wait for that to end") if holder else None

    def release(self) -> None:
        """Let others change it."""
        self._lock.release()

    def load(self) -> FleetChange | Failure | None:
        """The change that nobody has ended."""
        return self._record.load()

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
        return self._record.write(change)

    def end(self) -> Failure | None:
        """It is over, one way or the other."""
        if failure := self._record.remove():
            return failure
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            return Failure(f"{self._file}: {error.strerror}")
        return None
