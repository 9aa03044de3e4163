"""The index of a store: its sets, the limits of what is kept, and the lock of its writers."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.host.atomic import failure_of, replace
from litellm_tui.host.bounded import read_bytes
from litellm_tui.model.failures import Denied, Failure, Malformed, NotAvailable
from litellm_tui.storage.backups.backup import Backup

# an index of a later form is neither read nor overwritten
FORM: Final = 1
MOST_SETS: Final = 50
MOST_RECORDS: Final = 200
OLDEST_SECONDS: Final = 90 * 86400.0
# these stay, however old they are
KEPT_GOOD: Final = 5
INDEX: Final = "index.json"
LOCK: Final = ".lock"
_LOCK_SECONDS: Final = 3.0


class _Index(msgspec.Struct, frozen=True):
    form: int
    gateway: str
    backups: tuple[Backup, ...]


class _Form(msgspec.Struct, frozen=True):
    form: int


def read(folder: Path) -> tuple[Backup, ...] | Failure:
    """The sets, the newest last; none where there is no index. A damaged index is `Malformed`."""
    path = folder / INDEX
    try:
        content = read_bytes(path)
        if msgspec.json.decode(content, type=_Form).form > FORM:
            return NotAvailable(f"{path} was written by a later litellm-tui: use that one")
        return msgspec.json.decode(content, type=_Index).backups
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        return Denied(failure_of(f"{path} cannot be read", error).why)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Malformed(f"{path}: {error}; what was kept before is not known any more")


def write(folder: Path, gateway: str, backups: tuple[Backup, ...]) -> None:
    """Replace the index, in a form that a person can read too. Raises OSError."""
    content = msgspec.json.encode(_Index(FORM, gateway, backups))
    replace(folder / INDEX, msgspec.json.format(content, indent=2))


@contextlib.contextmanager
def changing(folder: Path) -> Iterator[tuple[Backup, ...] | Failure]:
    """The sets, locked against other writers; a missing folder is created. Raises OSError.

    A damaged index is renamed, so that its content can still be looked at.
    """
    for made in (folder.parent, folder):
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chmod(made, 0o700)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if not _locked(handle):
            yield Failure(f"{folder}: another litellm-tui is writing there and does not end; try again")
            return
        found = read(folder)
        if isinstance(found, Malformed):
            (folder / INDEX).rename(folder / f"{INDEX}.damaged.{int(time.time())}")
            found = ()
        yield found
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        else:
            return True


def bounded(backups: Iterable[Backup], spared: Iterable[int], now: float) -> tuple[Backup, ...]:
    """The newest records within `MOST_RECORDS`, `MOST_SETS` different sets and `OLDEST_SECONDS`.

    The last `KEPT_GOOD` good sets and those whose number is in `spared` stay in any case.
    """
    ordered = sorted(backups, key=lambda backup: (backup.at, backup.id), reverse=True)
    good: dict[tuple[object, ...], int] = {}
    for backup in ordered:
        if backup.good and len(good) < KEPT_GOOD:
            good.setdefault(backup.identity, backup.id)
    staying = {*spared, *good.values()}
    kept: list[Backup] = []
    sets: set[tuple[object, ...]] = set()
    for backup in ordered:
        known = {*sets, backup.identity}
        within = len(known) <= MOST_SETS and len(kept) < MOST_RECORDS and now - backup.id <= OLDEST_SECONDS
        if within or backup.id in staying:
            sets = known
            kept.append(backup)
    return tuple(reversed(kept))
