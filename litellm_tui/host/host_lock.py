"""One lock for all users of this machine: what it is named after is operated by one of them at a time.

The lock is flock(2) on a file in a folder that every user may write to: a process that ends in any way gives it back.
Of a file that lies there nothing but the kernel's lock is believed. Who holds it stands in a file of the holder's own
beside it: the user is that file's owner, and the rest is only words.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import os
import pwd
import socket
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from litellm_tui.model.failures import Failure

# in this order, the same for every user: the first one that every user may write to is on this machine alone, and
# empty after a start of it; not every distribution lets every user write there
PLACES: Final = (Path("/run/lock"), Path("/dev/shm"), Path("/var/tmp"), Path("/tmp"))
_PREFIX: Final = "litellm-tui"
_OPEN_TO_ALL: Final = stat.S_ISVTX | stat.S_IWOTH
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# a file may be given up, or not be readable yet, at the moment in which it is opened
_TRIES: Final = 25
_TRY_SECONDS: Final = 0.02
_MOST_BYTES: Final = 4096
_MOST_HOLDER_FILES: Final = 64
_MOST_CHARACTERS: Final = 64
# the largest that Linux knows
_MOST_PID: Final = 1 << 22


class Holder(msgspec.Struct, frozen=True):
    """Who works on the service: a process (on this machine, unless `host` says otherwise) since a moment."""

    user: str
    host: str
    pid: int
    since: float

    def __str__(self) -> str:
        try:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        except (OverflowError, ValueError, OSError):
            # a file may hold any number
            at = "a moment that is none"
        return f"{self.user}@{self.host} (process {self.pid}), since {at}"


def here() -> Holder:
    """This process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # a user without an entry, as in a container
        user = str(os.getuid())
    return Holder(user, socket.gethostname(), os.getpid(), time.time())


def parse_holder(content: bytes, user: str = "") -> Holder:
    """Who holds a lock, by what was written about it, which may be anything: bounded, and fit to be shown.

    `user` is the name that is known otherwise. What cannot be read is somebody, since now.
    """
    host, now = socket.gethostname(), time.time()
    try:
        said = msgspec.json.decode(content[:_MOST_BYTES], type=Holder)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # the lock was taken a moment ago, and its holder has not said who he is yet
        return Holder(user or "somebody", host, 0, now)
    return Holder(
        user or _shown(said.user) or "somebody",
        _shown(said.host) or host,
        said.pid if 0 < said.pid <= _MOST_PID else 0,
        said.since if 0 < said.since <= now else now,
    )


class HostLock:
    """The lock on one thing, named by `name`, which is fit to be a part of a file's name.

    `passed` says which places could not be written to when it was taken, and why.
    """

    def __init__(self, name: str, places: Sequence[Path] | None = None) -> None:
        self._name = f"{_PREFIX}.{name}"
        self._places = PLACES if places is None else tuple(places)
        self._path: Path | None = None
        self._handle: int | None = None
        self._holder_file: int | None = None
        self.skipped: tuple[str, ...] = ()

    def acquire(self) -> Holder | Failure | None:
        """Take the lock: None when it is ours, else who has it. It is given back by `release`, or by our death.

        `Failure` where no place can be used, or where what lies in the lock's place is no lock.
        """
        passed: list[str] = []
        unfit: list[str] = []
        for place in self._places:
            path = place / f"{self._name}.lock"
            try:
                if why := _unfit(place):
                    unfit.append(f"{place}: {why}")
                    continue
                handle = _opened(path)
            except OSError as error:
                if os.path.lexists(path):
                    return _no_lock(path, error.strerror or str(error))
                (unfit if error.errno == errno.ENOENT else passed).append(f"{place}: {error.strerror}")
                continue
            self.skipped = tuple(passed)
            if isinstance(handle, Failure):
                return handle
            if handle is None:
                return self._holder(place) or parse_holder(b"")
            self._handle, self._path = handle, path
            self._holder_file = _write_holder(place / f"{self._name}.{os.geteuid()}")
            return None
        return Failure(f"no lock for this machine could be made: {'; '.join((*passed, *unfit))}; nothing was changed")

    def holder(self) -> Holder | None:
        """Who says at this moment that the lock is theirs. The lock itself is left alone, for others to take."""
        if self._handle is not None:
            return None
        return next((holder for place in self._places if (holder := self._holder(place))), None)

    def release(self) -> None:
        """Give the lock back, and leave nothing where that is possible."""
        if self._handle is None or self._path is None:
            return
        if self._holder_file is not None:
            with contextlib.suppress(OSError):
                self._path.with_name(f"{self._name}.{os.geteuid()}").unlink()
            os.close(self._holder_file)
        # only the owner may remove it; while it is locked nobody takes a file that has lost its name for the lock
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._handle)
        self._handle = self._path = self._holder_file = None

    def _holder(self, place: Path) -> Holder | None:
        """The holder by the words of his own: by those that are locked, for the others were left by the dead."""
        for path in self._holder_files(place):
            try:
                handle = os.open(path, _READ)
            except OSError:
                continue
            with _closing(handle):
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode) or path.name != f"{self._name}.{found.st_uid}":
                    continue
                if not _lock(handle, fcntl.LOCK_SH):
                    return parse_holder(os.pread(handle, _MOST_BYTES, 0), _user(found.st_uid))
        return None

    def _holder_files(self, place: Path) -> list[Path]:
        start, found = f"{self._name}.", []
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith(start) and entry.name[len(start) :].isdecimal():
                    found.append(Path(entry.path))
                if len(found) == _MOST_HOLDER_FILES:
                    break
        return found


def _unfit(place: Path) -> str:
    """Why a lock in this folder would not be everybody's; empty when it is."""
    mode = place.stat().st_mode
    if not stat.S_ISDIR(mode):
        return "it is no folder"
    return "" if mode & _OPEN_TO_ALL == _OPEN_TO_ALL else "not every user may write there"


def _opened(path: Path) -> int | Failure | None:
    """The lock's file, locked; None while somebody else has it. Raises OSError where it cannot be opened or made.

    A file that is there is opened for reading and never created: in a folder that is open to all the kernel refuses
    O_CREAT on the file of another user (fs.protected_regular).
    """
    for attempt in range(_TRIES):
        try:
            handle = os.open(path, _READ)
        except FileNotFoundError:
            try:
                handle = os.open(path, _MAKE, 0o644)
                # independent of the umask
                os.fchmod(handle, 0o644)
            except FileExistsError:
                continue
        except PermissionError:
            # the one who makes it is about to make it readable
            if attempt == _TRIES - 1:
                raise
            time.sleep(_TRY_SECONDS)
            continue
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            os.close(handle)
            return _no_lock(path, "it is no regular file")
        if not _lock(handle, fcntl.LOCK_EX):
            os.close(handle)
            return None
        try:
            there = os.lstat(path)
        except FileNotFoundError:
            there = None
        if there is not None and (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino):
            return handle
        # it was given up between the two, and another file may be the lock now
        os.close(handle)
    return None


def _no_lock(path: Path, why: str) -> Failure:
    try:
        owner = f" (it belongs to {_user(os.lstat(path).st_uid)})"
    except OSError:
        owner = ""
    return Failure(f"{path} is no lock that can be used: {why}{owner}; look what put it there, then remove it")


def _write_holder(path: Path) -> int | None:
    """Write who this is into a file of our own, and keep it locked; None where that cannot be done."""
    handle: int | None = None
    try:
        with contextlib.suppress(FileNotFoundError):
            # left by one of us who was killed
            path.unlink()
        handle = os.open(path, _MAKE, 0o644)
        os.fchmod(handle, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.pwrite(handle, msgspec.json.encode(here()), 0)
    except OSError:
        # they are only words: the lock is held without them
        if handle is not None:
            os.close(handle)
        return None
    return handle


def _lock(handle: int, kind: int) -> bool:
    """Whether the lock could be had at once. Raises OSError where the file system has no locks."""
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _closing(handle: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(handle)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _shown(text: str) -> str:
    return "".join(character for character in text[:_MOST_CHARACTERS] if character.isprintable())
