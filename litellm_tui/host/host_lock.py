"""One lock for all users of this machine: only one process at a time operates the service that it is named after.

The lock is flock(2) on a file in a folder that every user may write to: the kernel releases it when the process ends.
The content of that file is never trusted. A second file beside it says who holds the lock: the file's owner is the
user; the rest of it is only shown.
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

# tried in this order by every user; the first places are local and empty after a boot, but not every distribution lets
# every user write there
PLACES: Final = (Path("/run/lock"), Path("/dev/shm"), Path("/var/tmp"), Path("/tmp"))
_PREFIX: Final = "litellm-tui"
_OPEN_TO_ALL: Final = stat.S_ISVTX | stat.S_IWOTH
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# a file may be removed, or not be readable yet, at the moment when it is opened
_TRIES: Final = 25
_TRY_SECONDS: Final = 0.02
_MOST_BYTES: Final = 4096
_MOST_HOLDER_FILES: Final = 64
_MOST_CHARACTERS: Final = 64
# the largest PID of Linux
_MOST_PID: Final = 1 << 22


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock: a process on `host`, since a time in seconds since the epoch."""

    user: str
    host: str
    pid: int
    since: float

    def __str__(self) -> str:
        try:
            at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        except (OverflowError, ValueError, OSError):
            # the file may hold any number
            at = "an unknown time"
        return f"{self.user}@{self.host} (process {self.pid}), since {at}"


def here() -> Holder:
    """This process as a holder."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # a user without a passwd entry, as in a container
        user = str(os.getuid())
    return Holder(user, socket.gethostname(), os.getpid(), time.time())


def parse_holder(content: bytes, user: str = "") -> Holder:
    """The holder of a lock from the content of its file, which may be anything: bounded and printable.

    `user` is the owner of the file. Content that cannot be parsed is somebody, since now.
    """
    host, now = socket.gethostname(), time.time()
    try:
        said = msgspec.json.decode(content[:_MOST_BYTES], type=Holder)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # the lock was acquired a moment ago, and its holder has not written its file yet
        return Holder(user or "somebody", host, 0, now)
    return Holder(
        user or _shown(said.user) or "somebody",
        _shown(said.host) or host,
        said.pid if 0 < said.pid <= _MOST_PID else 0,
        said.since if 0 < said.since <= now else now,
    )


class HostLock:
    """A lock with a `name`, which becomes part of a file's name.

    `skipped` lists the places that could not be written to when the lock was acquired, with the reasons.
    """

    def __init__(self, name: str, places: Sequence[Path] | None = None) -> None:
        self._name = f"{_PREFIX}.{name}"
        self._places = PLACES if places is None else tuple(places)
        self._path: Path | None = None
        self._handle: int | None = None
        self._holder_file: int | None = None
        self.skipped: tuple[str, ...] = ()

    def acquire(self) -> Holder | Failure | None:
        """Acquire the lock: None on success, else who holds it. `release` or the end of the process releases it.

        `Failure` where no place can be used, or where the lock's path is no file that can be locked.
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
        """Who else holds the lock now; None where nobody does. The lock itself is not touched."""
        if self._handle is not None:
            return None
        return next((holder for place in self._places if (holder := self._holder(place))), None)

    def release(self) -> None:
        """Release the lock and remove its files where that is possible."""
        if self._handle is None or self._path is None:
            return
        if self._holder_file is not None:
            with contextlib.suppress(OSError):
                self._path.with_name(f"{self._name}.{os.geteuid()}").unlink()
            os.close(self._holder_file)
        # only its owner may remove the file; it is removed while locked, so that nobody locks a file without name
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._handle)
        self._handle = self._path = self._holder_file = None

    def _holder(self, place: Path) -> Holder | None:
        """The holder by a holder file that is locked: one that is not was left by a process that has ended."""
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
    """Why a lock in this folder would not be shared by all users; empty when it is."""
    mode = place.stat().st_mode
    if not stat.S_ISDIR(mode):
        return "it is no folder"
    return "" if mode & _OPEN_TO_ALL == _OPEN_TO_ALL else "not every user may write there"


def _opened(path: Path) -> int | Failure | None:
    """The locked file; None while another process holds it. Raises OSError where it cannot be opened or created.

    An existing file is opened without O_CREAT: in a folder that is open to all, the kernel refuses O_CREAT on the file
    of another user (fs.protected_regular).
    """
    for attempt in range(_TRIES):
        try:
            handle = os.open(path, _READ)
        except FileNotFoundError:
            try:
                handle = os.open(path, _MAKE, 0o644)
                # the mode must not depend on the umask
                os.fchmod(handle, 0o644)
            except FileExistsError:
                continue
        except PermissionError:
            # its creator is about to make it readable
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
        # the file was removed after it was opened, and another one may be the lock now
        os.close(handle)
    return None


def _no_lock(path: Path, why: str) -> Failure:
    try:
        owner = f" (it belongs to {_user(os.lstat(path).st_uid)})"
    except OSError:
        owner = ""
    return Failure(f"{path} is no lock that can be used: {why}{owner}; look what put it there, then remove it")


def _write_holder(path: Path) -> int | None:
    """Write this process into its holder file and keep that locked; None where that is impossible."""
    handle: int | None = None
    try:
        with contextlib.suppress(FileNotFoundError):
            # left by a killed process of this user
            path.unlink()
        handle = os.open(path, _MAKE, 0o644)
        os.fchmod(handle, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.pwrite(handle, msgspec.json.encode(here()), 0)
    except OSError:
        # the holder file only informs: the lock is held without it
        if handle is not None:
            os.close(handle)
        return None
    return handle


def _lock(handle: int, kind: int) -> bool:
    """Lock without waiting; False while another process holds it. Raises OSError where there are no locks."""
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
