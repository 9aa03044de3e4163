"""Copies of a configuration that only a container has, in an image's layer or in a volume, read through the engine."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import posixpath
import stat
import tarfile
import time
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from litellm_tui.collectors.config.includes import named_files
from litellm_tui.host import atomic
from litellm_tui.host.bounded import LARGE, read_bytes
from litellm_tui.host.copies import copies, origin
from litellm_tui.model.failures import Failure, Malformed, NotAvailable
from litellm_tui.model.found import Missing
from litellm_tui.model.service import Unit
from litellm_tui.services.docker.engine_access import archive_now

COPY_SECONDS: Final = 30.0
# links from one path to another
_MOST_HOPS: Final = 8
# a tar file has a header for each file, and is padded
_TAR_SIZE: Final = 1 << 16


class ConfigCopies:
    """Keeps the copy of a configuration that only one container has as new as that one."""

    def __init__(self, client: str, unit: Unit | None) -> None:
        self._client = client
        self._copied = origin(unit.config) if unit is not None and unit.config else None
        self._copied_of = ""
        self._copied_at = 0.0

    async def renew(self, invocation: str) -> None:
        """Read it anew with each start of the container, and now and then: somebody may write to a volume."""
        now = time.time()
        if self._copied is None or (self._copied_of == invocation and now - self._copied_at < COPY_SECONDS):
            return
        if self._copied_of:
            # a copy that cannot be made anew stays as it is
            await asyncio.to_thread(copy_config, self._client, *self._copied)
        self._copied_of, self._copied_at = invocation, now


def with_copied_config(unit: Unit, client: str, container: str) -> tuple[Unit, tuple[Missing, ...]]:
    """The unit with the copy of a configuration that only its container has, and why there is none. Blocks."""
    if not unit.inside or unit.config is not None:
        return unit, ()
    copied = copy_config(client, container, unit.inside)
    if isinstance(copied, Failure):
        what = f"{unit.inside} in the container {container}"
        return unit, (Missing(what, copied.why, "mount it from this machine, or give --config FILE"),)
    return msgspec.structs.replace(unit, config=copied), ()


def copy_config(client: str, container: str, inside: str) -> str | Failure:
    """Read the configuration and the files that it includes; returns the path of the copy. Blocks."""
    root = copies() / container
    path = _place(root, inside)
    failure = _copy(client, container, inside, path)
    if failure is not None:
        return failure
    for file in named_files(str(path)):
        if file != str(path) and Path(file).is_relative_to(root):
            # one that is not there is named by whoever reads the configuration
            _copy(client, container, "/" + str(Path(file).relative_to(root)), Path(file))
    return str(path)


def _place(root: Path, inside: str) -> Path:
    # the path of a container is not to lead out of the folder
    return root / posixpath.normpath(posixpath.join("/", inside)).lstrip("/")


def _copy(client: str, container: str, inside: str, place: Path) -> Failure | None:
    found = read_inside(client, container, inside)
    if isinstance(found, Failure):
        return found
    with contextlib.suppress(OSError):
        if read_bytes(place, LARGE) == found.content:
            return None
    try:
        copies().mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        atomic.replace(place, found.content, mode=0o400, durable=False)
        os.utime(place, (found.saved_at, found.saved_at))
    except OSError as error:
        return atomic.failure_of(f"no copy of {inside} could be kept at {place}", error)
    return None


class InsideFile(NamedTuple):
    """A file of a container, and when it was saved, in seconds since the epoch."""

    content: bytes
    saved_at: float


def read_inside(client: str, container: str, inside: str) -> InsideFile | Failure:
    """A file of the container, running or not; links are followed there. Blocks."""
    for _ in range(_MOST_HOPS):
        said = archive_now(client, container, inside, LARGE + _TAR_SIZE)
        if isinstance(said, Failure):
            return said
        found = _first(said)
        if not isinstance(found, str):
            return found
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(inside), found))
    return NotAvailable(f"{inside} in the container {container} is behind too many links")


def _first(archive: bytes) -> InsideFile | str | Failure:
    """The content of the only file of an archive, or where it leads to."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            entry = tar.next()
            if entry is None:
                return Malformed("the Docker engine sent an archive without a file")
            if entry.issym():
                return entry.linkname
            file = tar.extractfile(entry) if entry.isreg() else None
            if file is None:
                kind = "a folder" if entry.isdir() else stat.filemode(entry.mode)
                return NotAvailable(f"{entry.name} in the container is no regular file, but {kind}")
            return InsideFile(file.read(LARGE), float(entry.mtime))
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        return Malformed(f"the Docker engine sent something else than an archive ({error})")
