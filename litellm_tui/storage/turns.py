"""What changes of fleets have ordered on this host: each by its id, with what came of it, so that none is done twice.

A folder a turn, which only its owner can read. The lock in it is held by the program that carries the turn out, and is
released by its death, whoever waits for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from litellm_tui.host import atomic
from litellm_tui.host.bounded import LARGE, SMALL, read_bytes
from litellm_tui.storage.state import state_folder

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{7,63}")
# what came of a turn is of no use to anybody after so long
_KEPT_SECONDS: Final = 30 * 86400.0


def is_turn(id: str) -> bool:
    """Whether this may be the name of a turn."""
    return _ID.fullmatch(id) is not None


class Turn:
    """One turn. All methods raise OSError where the folder cannot be used."""

    def __init__(self, id: str, folder: Path | None = None) -> None:
        assert is_turn(id)
        self.folder = (folder or state_folder()) / "turns" / id
        self.output, self.errors = self.folder / "output", self.folder / "errors"
        self.file = self.folder / "file"
        self._began = self.folder / "began"
        self._lock = self.folder / "lock"

    def open(self) -> int:
        """Make the folder, and open the lock: its handle may be handed on to who carries the turn out."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep()
        return os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    @staticmethod
    def take(handle: int) -> bool:
        """Whether nobody else carries it out; it is ours then, until the handle and its copies are closed."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @property
    def began(self) -> bool:
        """Whether somebody has begun to carry it out."""
        return self._began.exists()

    def begin(self, order: str) -> None:
        """Note that it begins; on the disk when this returns."""
        atomic.replace(self._began, order.encode())

    def keep_file(self, content: bytes) -> None:
        """Keep the configuration that is to be applied."""
        atomic.replace(self.file, content)

    def document(self) -> dict[str, Any] | None:
        """What came of it; None while that is not known."""
        try:
            found = msgspec.json.decode(read_bytes(self.output, LARGE))
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) and isinstance(found.get("exit_status"), int) else None

    def end(self, document: dict[str, Any]) -> None:
        """Keep what came of it, and nothing that holds a secret."""
        atomic.replace(self.output, msgspec.json.encode(document))
        self.file.unlink(missing_ok=True)

    def said(self) -> str:
        """The last line of what it has said on stderr."""
        try:
            text = read_bytes(self.errors, SMALL).decode(errors="replace")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")

    def _sweep(self) -> None:
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.folder.parent):
                if entry.name != self.folder.name and time.time() - entry.stat().st_mtime > _KEPT_SECONDS:
                    shutil.rmtree(entry.path, ignore_errors=True)
