"""Writing into a file that cannot be replaced, so that it is made whole again when the writer is killed in the middle.

What the file is to become is on the disk, beside the copy of what it was, before its first byte is touched, and goes
when its last one is on the disk.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from litellm_tui.host.atomic import failure_of, sync_folder, write_beside
from litellm_tui.model.failures import Failure
from litellm_tui.storage.identity import digest

# of a later form, nothing is read
_FORM: Final = 1
_START: Final = "in-place."
_BLOCK: Final = 4096


class _Intent(msgspec.Struct, frozen=True):
    """What is being written where. `copy` is the name of the file beside it that holds what was there before."""

    target: str
    before: str
    content: bytes
    copy: str
    form: int = _FORM


class Found(NamedTuple):
    """A file whose writer was killed: whether it is whole now, and what to say of it."""

    path: str
    whole: bool
    text: str


def write(target: Path, expected: bytes, content: bytes, copy: Path) -> Failure | None:
    """Write the content into the file, which holds `expected`; `copy` holds that too, and is on the disk.

    After a `Failure` the file is what it was, or the failure names the copy.
    """
    note: _Note | None = None
    try:
        handle = os.open(target, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        return failure_of(f"{target} was not changed", error)
    with os.fdopen(handle, "r+b") as file:
        try:
            if file.read() != expected:
                return changed_meanwhile(target)
            note = _Note(copy.with_name(f"{_START}{digest(str(target))}.json"))
            note.begin(_Intent(str(target), _sha256(expected), content, copy.name))
        except (OSError, UnicodeError) as error:
            if note is not None:
                note.end()
            return failure_of(
                f"{target} was not changed, for what it is to become cannot be kept in {copy.parent}", error
            )
        try:
            _overwrite(file.fileno(), content)
        except OSError as error:
            try:
                _overwrite(file.fileno(), expected)
            except OSError:
                # the note stays: the next one who looks may be able to
                note.close()
                return failure_of(f"{target} is damaged, copy {copy} back to it", error)
            note.end()
            return failure_of(f"{target} was not changed", error)
    note.end()
    return None


def recover(folder: Path, *, change: bool = True) -> tuple[Found, ...]:
    """Make the files whole whose writers were killed, by the notes in this folder of copies; what was found.

    What was begun is completed; where that is not possible the file becomes what it was. Without `change` nothing is
    written. A file that a living process is writing, or that somebody has changed since, is left alone.
    """
    found = []
    with contextlib.suppress(OSError):
        for entry in sorted(os.listdir(folder)):
            is_note = entry.startswith(_START) and entry.endswith(".json")
            if is_note and (one := _recovered(folder / entry, change)) is not None:
                found.append(one)
    return tuple(found)


def changed_meanwhile(target: str | Path) -> Failure:
    """The refusal to write a file that is not what it was."""
    if not os.path.exists(target):
        return Failure(f"{target} cannot be read, for it is gone: look whether it was moved")
    return Failure(f"{target} was changed by somebody else meanwhile: look at it again, then repeat the edit")


def half_written(data: bytes, old: bytes, new: bytes) -> bool:
    """Whether this may be what a writer of `new` over `old` has left: each byte is of one of the two, or was only
    reserved. After a loss of power the blocks of the new content may be there in any order.
    """
    if data in (old, new) or not min(len(old), len(new)) <= len(data) <= max(len(old), len(new)):
        return False
    reserved = old.ljust(len(new), b"\0")
    for start in range(0, len(data), _BLOCK):
        part, before, after = (text[start : start + _BLOCK] for text in (data, reserved, new))
        if part in (before[: len(part)], after[: len(part)]):
            continue
        for at, byte in enumerate(part):
            if byte not in (*before[at : at + 1], *after[at : at + 1]):
                return False
    return True


class _Note:
    """What is being written, on the disk and locked by its writer: it is only looked at when that one is dead."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def begin(self, intent: _Intent) -> None:
        """Raises OSError."""
        temporary = write_beside(self.path, msgspec.json.encode(intent))
        try:
            self._handle = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
            # before it has its name: nobody finds it without its lock
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.replace(temporary, self.path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(self.path.parent)

    def open(self) -> _Intent | Failure | None:
        """What the dead one was writing; None when there is none, or its writer lives."""
        try:
            self._handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # it may have been ended until the lock was ours
            if os.fstat(self._handle).st_ino != os.lstat(self.path).st_ino:
                return None
            with open(self._handle, "rb", closefd=False) as file:
                intent = msgspec.json.decode(file.read(), type=_Intent)
        except (FileNotFoundError, BlockingIOError):
            return None
        except OSError as error:
            return failure_of(f"{self.path} cannot be read", error)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Failure(_no_note(self.path, error))
        if intent.form > _FORM:
            return Failure(f"{self.path} was written by a later litellm-tui: use that one")
        return intent

    def end(self, *, change: bool = True) -> None:
        """It is over. A note that cannot be removed is found to be of no use by the next who looks."""
        if change:
            with contextlib.suppress(OSError):
                self.path.unlink()
                sync_folder(self.path.parent)
        self.close()

    def close(self) -> None:
        """Let others look at it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _recovered(path: Path, change: bool) -> Found | None:
    note = _Note(path)
    try:
        intent = note.open()
        if intent is None or isinstance(intent, Failure):
            return Found(str(path), whole=False, text=intent.why) if intent else None
        copy = path.parent / os.path.basename(intent.copy)
        damaged = f"{intent.target} is half-written, for its writer was killed"
        try:
            data = _read(intent.target)
            if data is None or _sha256(data) in (intent.before, _sha256(intent.content)):
                note.end(change=change)
                return None
            old = copy.read_bytes()
            if _sha256(old) != intent.before or not half_written(data, old, intent.content):
                # it is somebody's own by now, or there is nothing that it could be known by
                note.end(change=change)
                return None
            if not change:
                text = f"{damaged}; a console that may change it completes it, or copy {copy} to it"
                return Found(intent.target, whole=False, text=text)
            handle = os.open(intent.target, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            return Found(intent.target, whole=False, text=failure_of(f"{damaged}; copy {copy} to it", error).why)
        except ValueError as error:
            # it names what no file can be called
            return Found(str(path), whole=False, text=_no_note(path, error))
        with os.fdopen(handle, "r+b") as file:
            text = _made_whole(file.fileno(), old, intent.content)
        if not text:
            return Found(intent.target, whole=False, text=f"{damaged}; copy {copy} to it")
        note.end()
        return Found(intent.target, whole=True, text=f"{damaged}: {text}")
    finally:
        note.close()


def _no_note(path: Path, error: Exception) -> str:
    return f"{path}: {error}; look whether the configuration is whole, then remove this file"


def _read(path: str) -> bytes | None:
    """What the file holds, brought to the disk; None when it is gone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        os.fsync(file.fileno())
        return file.read()


def _made_whole(handle: int, old: bytes, new: bytes) -> str:
    """How it was made whole; empty when it could not be."""
    for content, text in ((new, "what was begun is completed"), (old, "it is what it was before")):
        try:
            _overwrite(handle, content)
        except OSError:
            continue
        return text
    return ""


def _overwrite(handle: int, content: bytes) -> None:
    # what it needs is taken first: a full disk shows before the old bytes are gone
    if content and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(handle, 0, len(content))
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
    written = 0
    while written < len(content):
        written += os.pwrite(handle, content[written:], written)
    os.ftruncate(handle, len(content))
    os.fsync(handle)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
