"""Copies several files as of one moment: a set never mixes two states of the disk."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Sequence
from typing import Final

from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.includes import named_files
from litellm_tui.collectors.config.watcher import being_written
from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.failures import Failure
from litellm_tui.storage.backups.backup import FileCopy, FileSet, Role, digest_of

Wanted = tuple[str, Role]

# longer than `collectors.config.watcher.WRITER_SECONDS`, the wait for a writer that has the file open
PATIENCE_SECONDS: Final = 4.0
LOOK_SECONDS: Final = 0.05
LOOKS: Final = 5
# far above any configuration; a larger file would fill the state folder with up to fifty copies
MOST_BYTES: Final = 64 << 20


def copy_files(wanted: Iterable[Wanted], patience: float = PATIENCE_SECONDS) -> FileSet | Failure:
    """Copy these files as they are at one moment; waits up to `patience` seconds while they are being changed.

    The files are read until two readings in a row are equal. Modification times do not prove that: two saves can have
    the same one. A file that does not exist is part of the set.
    """
    files = tuple(dict.fromkeys(wanted))
    end = time.monotonic() + patience
    before = _read_all(files)
    while True:
        if not any(being_written(path) for path, _ in files):
            again = _read_all(files)
            if again == before:
                return again
            before = again
        if time.monotonic() >= end:
            break
        time.sleep(LOOK_SECONDS)
    if isinstance(before, Failure):
        return before
    names = ", ".join(path for path, _ in files)
    return Failure(f"{names}: being changed at this moment; try again when the writer has ended")


def copy_current(config: str | None, environment_files: Sequence[str] = ()) -> FileSet | Failure:
    """Copy the configuration with all its includes as it is now, and the environment files.

    Of a configuration that cannot be used, the set holds the files that it names and that exist.
    """
    environment: list[Wanted] = [(path, "environment") for path in environment_files]
    if config is None:
        return copy_files(environment)
    for _ in range(LOOKS):
        loaded = config_file.load(config, {})
        usable = isinstance(loaded, ConfigFile)
        names = loaded.files if isinstance(loaded, ConfigFile) else _existing_files(config)
        taken = copy_files([*((name, "config") for name in names), *environment])
        if isinstance(taken, Failure) or not usable:
            return taken
        if isinstance(loaded, ConfigFile) and digest_of(taken.copies) == loaded.digest:
            return taken
    return Failure(f"{config}: being changed at this moment; try again when the writer has ended")


def _existing_files(config: str) -> tuple[str, ...]:
    return tuple(path for path in named_files(config) if path == config or os.path.exists(path))


def _read_all(files: Sequence[Wanted]) -> FileSet | Failure:
    copies, unread = [], []
    for path, role in files:
        try:
            copies.append(_read(path, role))
        except PermissionError as error:
            if role == "config":
                return Failure(f"{path} cannot be read: {error.strerror}; run as a user who may read it, or with sudo")
            unread.append((path, error.strerror or str(error)))
        except (OSError, ValueError) as error:
            return Failure(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")
    return FileSet(tuple(copies), tuple(unread))


def _read(path: str, role: Role) -> FileCopy:
    try:
        # the path may lead to a pipe that has no writer: do not wait for one
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return FileCopy(path, role, None)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no regular file")
        if found.st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
        return FileCopy(path, role, file.read(), stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid))
