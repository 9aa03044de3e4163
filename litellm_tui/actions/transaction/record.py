"""Where a transaction stands, on disk before each of its steps: whoever comes after a crash finds it there.

One file per gateway in the state folder, beside the lock that keeps two consoles apart. It holds no secret.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from litellm_tui.analysis.change.proof import ExpectedProcess
from litellm_tui.host.file_lock import FileLock
from litellm_tui.host.host_lock import Holder, HostLock, here
from litellm_tui.model.failures import Failure
from litellm_tui.model.upgrade import Exchange
from litellm_tui.services.registry import driver
from litellm_tui.storage.identity import digest, gateway_name
from litellm_tui.storage.record_file import RecordFile
from litellm_tui.storage.state import state_folder
from litellm_tui.target.profile import Profile

__all__ = ["FORM", "Holder", "Record", "RestartLock", "Stage", "here", "under_way"]

FORM: Final = 1
_ADVICE: Final = "look whether the service runs as it should"

Stage = Literal["backup", "exchange", "restart", "proof", "restore", "restart again", "proof again"]
"""What was begun last. Up to `proof` the new configuration is on disk; from `restore` on the good one, soon."""


class Record(msgspec.Struct, frozen=True):
    """A transaction that is under way, or was when its console ended.

    `backup` is the set that holds what was to be applied, `good` the one to go back to, None where there is none.
    `expected` tells the process before from the one that was ordered, once it was. `failed` says how it ended where it
    could neither be applied nor taken back. With `recreates` the order makes the container
    anew: a restart would keep it. `exchange` is what is put in the place of something else: a release of LiteLLM.
    """

    unit: str
    holder: Holder
    stage: Stage
    backup: int | None = None
    good: int | None = None
    expected: ExpectedProcess | None = None
    cause: str = ""
    failed: str = ""
    recreates: bool = False
    exchange: Exchange | None = None
    form: int = FORM


def under_way(holder: Holder) -> str:
    """That somebody else works on the service, and what to do."""
    return f"{holder} is restarting it: wait for that to end"


class RestartLock:
    """The lock and the record of one gateway. What cannot be read or written is a Failure with its reason.

    Two locks are taken: the user's own, which guards the record, and with `host` the one of the machine, which keeps
    the consoles of several users apart.
    """

    def __init__(self, url: str, unit: str, folder: Path | None = None, host: HostLock | None = None) -> None:
        name = gateway_name(url, unit)
        self.folder = (folder or state_folder()) / "transactions"
        self._record = RecordFile(self.folder / f"{name}.json", Record, FORM, _ADVICE)
        self.container = self.folder / f"{name}.container"
        """Where the container that may have to be put back is kept."""
        self._own = FileLock(self.folder / f"{name}.lock")
        self._host = host

    @classmethod
    def of(cls, profile: Profile, folder: Path | None = None) -> RestartLock:
        """The lock of this gateway's restarts. In a `folder` that is not the user's state folder nobody else works."""
        unit = profile.unit.value if profile.unit else ""
        own = folder is None or folder == state_folder()
        return cls(profile.url.value, unit, folder, HostLock(digest(operated(profile))) if own else None)

    @property
    def of_machine(self) -> bool:
        """Whether consoles of other users are kept apart from this one too."""
        return self._host is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say about where the machine's lock lies."""
        return (
            tuple(f"the lock for all users is not in {passed}" for passed in self._host.skipped) if self._host else ()
        )

    def take(self) -> Holder | Failure | None:
        """Take the locks: None when they are ours, else who has one. `release` gives them back, or our death."""
        taken = self._take_own() or (self._host.acquire() if self._host else None)
        if taken is not None:
            self.release()
        return taken

    def release(self) -> None:
        """Give the locks back."""
        if self._host is not None:
            self._host.release()
        self._own.release()

    def held(self) -> Holder | None:
        """Who else works on the service at this moment; a look that leaves nothing behind."""
        if self._own.held:
            return None
        return self._own.holder() or (self._host.holder() if self._host else None)

    def _take_own(self) -> Holder | Failure | None:
        try:
            return self._own.take()
        except OSError as error:
            return Failure(f"{error.filename or self._own.path}: {error.strerror}; nothing was changed")

    def unfinished(self) -> Record | Failure | None:
        """The transaction that nobody has ended. While somebody holds the lock it is his."""
        return self._record.load()

    def interrupted(self) -> Record | Failure | None:
        """The transaction that nobody has ended, and that nobody is working on."""
        if self.unfinished() is None or isinstance(self._take_own(), Holder):
            return None
        try:
            # it may have been ended until the lock was ours
            return self.unfinished()
        finally:
            self.release()

    def write(self, record: Record) -> Failure | None:
        """Note where it stands; on the disk when this returns."""
        return self._record.write(record)

    def end(self) -> Failure | None:
        """It is over, one way or the other."""
        return self._record.remove()


def operated(profile: Profile) -> str:
    """What an order to this profile's service is for: its lock is named after it."""
    parts = driver(profile.service_target).operated or ("gateway", profile.url.value)
    # no word of a command, and no path, holds this character
    return "\0".join(parts)
