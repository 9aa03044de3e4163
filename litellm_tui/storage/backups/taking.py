"""Reading several files as of one moment: a set is never a mixture of two."""

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
from litellm_tui.storage.backups.records import Held, Role, Taken, digest_of

Wanted = tuple[str, Role]

# longer than a writer is waited for who has the file open and writes nothing (collectors/watch.py)
PATIENCE_SECONDS: Final = 4.0
LOOK_SECONDS: Final = 0.05
LOOKS: Final = 5
# no configuration is as large; what is would be kept in the state folder fifty times
MOST_BYTES: Final = 64 << 20


def take(wanted: Iterable[Wanted], patience: float = PATIENCE_SECONDS) -> Taken | Failure:
    """Read these files as they are at one moment; waits up to `patience` seconds while they are being changed.

    They are read until two readings in a row are equal: between the two, all of them were as they were read. Times of
    modification cannot tell that, for two saves can carry the same one. A file that is not there is part of the answer.
    """
    files = tuple(dict.fromkeys(wanted))
    end = time.monotonic() + patience
    before = _once(files)
    while True:
        if not any(being_written(path) for path, _ in files):
            again = _once(files)
            if again == before:
                return again
            before = again
        if time.monotonic() >= end:
            break
        time.sleep(LOOK_SECONDS)
    if isinstance(before, Failure):
        return before
    names = ", ".join(path for path, _ in files)
    return Failure(f"{names}: being changed at this moment; try again when whoever writes has ended")


def take_present(config: str | None, environment_files: Sequence[str] = ()) -> Taken | Failure:
    """Read the configuration with all its includes as it is now, and the environment files.

    Of a configuration that cannot be used, the files that it names and that are there.
    """
    environment: list[Wanted] = [(path, "environment") for path in environment_files]
    if config is None:
        return take(environment)
    for _ in range(LOOKS):
        loaded = config_file.load(config, {})
        usable = isinstance(loaded, ConfigFile)
        names = loaded.files if isinstance(loaded, ConfigFile) else _named(config)
        taken = take([*((name, "config") for name in names), *environment])
        if isinstance(taken, Failure) or not usable:
            return taken
        if isinstance(loaded, ConfigFile) and digest_of(taken.held) == loaded.digest:
            return taken
    return Failure(f"{config}: being changed at this moment; try again when whoever writes has ended")


def _named(config: str) -> tuple[str, ...]:
    return tuple(path for path in named_files(config) if path == config or os.path.exists(path))


def _once(files: Sequence[Wanted]) -> Taken | Failure:
    held, unread = [], []
    for path, role in files:
        try:
            held.append(_read(path, role))
        except PermissionError as error:
            if role == "config":
                return Failure(f"{path} cannot be read: {error.strerror}; run as a user who may read it, or with sudo")
            unread.append((path, error.strerror or str(error)))
        except (OSError, ValueError) as error:
            return Failure(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")
    return Taken(tuple(held), tuple(unread))


def _read(path: str, role: Role) -> Held:
    try:
        # without waiting: what stands there may be a pipe that nobody writes to
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return Held(path, role, None)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no regular file")
        if found.st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
        return Held(path, role, file.read(), stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid))
