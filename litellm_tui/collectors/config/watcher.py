"""Reports changes of files: writes in place, renames over them, and links that lead elsewhere.

A change is reported once it has settled: nothing about the files has changed for `QUIET` seconds, and nobody has one of
them open for writing.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import stat
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final

from litellm_tui.collectors.config.file_times import links_to
from litellm_tui.host.file_thread import FileThread

# inotify misses changes on some network and container file systems: the stat data is compared this often
FALLBACK_SECONDS = 2.0
QUIET: Final = 0.15
STEP: Final = 0.02
# a change that never settles is reported this often
STORM_SECONDS: Final = 3.0
# a process that has a file open but has written nothing for this long is not waited for
WRITER_SECONDS: Final = 3.0
# <linux/fcntl.h>; Python does not name it
_F_SETSIG: Final = 10
# watchfiles' thread looks for notices this often, and each time is a wake-up: all day long, for a file that is saved
# once a day. A notice comes after one to two of these steps
NOTICE_MILLISECONDS: Final = 150
# seconds until inotify is tried again after a failure
RETRY_SECONDS: Final = 30.0
Places = tuple[dict[str, int], set[str]]
Signature = tuple[tuple[str, int, int, int, int], ...]


def signature(paths: Iterable[str]) -> Signature:
    """A value that tells one state of the files from another without reading them; a missing file is a state too.

    It has the inode's time of change: a file may be deployed with an old modification time.
    """
    found = []
    for path in paths:
        try:
            seen = os.stat(path)
            found.append((path, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns))
        except OSError:
            found.append((path, 0, 0, 0, 0))
    return tuple(found)


def being_written(path: str) -> bool:
    """Whether a process has the file open for writing and has written to it, or opened it, within `WRITER_SECONDS`.

    The kernel refuses a read lease (fcntl(2)) while there is a writer. Only the file's owner and root may have one:
    for others, and on systems without leases, the answer is False and the quiet time decides. On a file system that
    refuses every lease (NFS) each change is only reported later.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        seen = os.fstat(handle)
        if not stat.S_ISREG(seen.st_mode) or abs(time.time() - max(seen.st_mtime, seen.st_ctime)) > WRITER_SECONDS:
            return False
        # the kernel announces a writer that comes during the lease by a signal: one that is ignored by default
        fcntl.fcntl(handle, _F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def any_written(paths: Iterable[str]) -> bool:
    """Whether one of the files is being written; see `being_written`."""
    return any(map(being_written, paths))


async def wait_until_released(paths: Iterable[str], thread: FileThread | None = None) -> None:
    """Wait until none of the files is being written, at most twice `WRITER_SECONDS`."""
    chosen, end = tuple(paths), time.monotonic() + 2 * WRITER_SECONDS
    thread = thread or FileThread("files")
    while True:
        if not await thread.run(any_written, chosen) or time.monotonic() >= end:
            return
        await asyncio.sleep(STEP)


class Watcher:
    """Calls `on_change` once for each settled change, on the event loop. `watch` replaces the paths at any time.

    All file access is in `thread`: a network file system may hang.
    """

    def __init__(self, paths: Iterable[str], on_change: Callable[[], None], thread: FileThread | None = None) -> None:
        self._on_change = on_change
        self._thread = thread or FileThread("files")
        self.paths: tuple[str, ...] = ()
        self._known: Signature = ()
        self._followed: Places = ({}, set())
        self._again = asyncio.Event()
        self._noticed = asyncio.Event()
        self._first = tuple(dict.fromkeys(paths))

    async def begin(self) -> None:
        """Note the state of the first files, unless that is done."""
        if not self.paths:
            await self.watch(self._first)

    async def watch(self, paths: Iterable[str]) -> None:
        """Watch these files from now on; a change of one that was watched before is still reported."""
        chosen = tuple(dict.fromkeys(paths))
        if chosen != self.paths:
            seen = await self.signature(chosen)
            known = {entry[0]: entry for entry in self._known}
            self.paths = chosen
            self._known = tuple(known.get(entry[0], entry) for entry in seen)
            self._again.set()

    async def signature(self, paths: Iterable[str]) -> Signature:
        """See `signature`."""
        return await self._thread.run(signature, tuple(paths))

    async def run(self) -> None:
        """Watch until cancelled."""
        await self.begin()
        async with asyncio.TaskGroup() as jobs:
            jobs.create_task(self._poll())
            jobs.create_task(self._follow())
            jobs.create_task(self._report())

    async def _report(self) -> None:
        while True:
            await self._noticed.wait()
            self._noticed.clear()
            await self._settle()

    async def _settle(self) -> None:
        """Report a change when it has settled; a storm of changes is reported every `STORM_SECONDS`."""
        seen, began = await self.signature(self.paths), time.monotonic()
        quiet_since = began
        while self._known != seen:
            await asyncio.sleep(STEP)
            now = time.monotonic()
            if (current := await self.signature(self.paths)) != seen:
                seen, quiet_since = current, now
            quiet, storm = now - quiet_since >= QUIET, now - began >= STORM_SECONDS
            if not quiet and not storm:
                continue
            if not await self._thread.run(any_written, self.paths) or now - began >= 2 * STORM_SECONDS:
                self._known = seen
                self._on_change()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(FALLBACK_SECONDS)
            await self._notice()

    async def _follow(self) -> None:
        while True:
            self._again.clear()
            try:
                await self._notified()
            except OSError:
                # a folder is gone or may not be watched, or no watches are left: `_poll` still finds changes
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_SECONDS):
                        await self._again.wait()

    async def _notified(self) -> None:
        # what it needs is loaded in a thread: that takes longer than a key may wait
        await asyncio.to_thread(import_module, "anyio._backends._asyncio")
        awatch = (await asyncio.to_thread(import_module, "watchfiles")).awatch
        self._followed = await self._thread.run(places_of, self.paths)
        folders, names = self._followed
        if not folders:
            await self._again.wait()
            return
        # runs as soon as inotify is set up, for changes before that
        first = asyncio.create_task(self._notice_soon())
        try:
            await self._follow_notices(awatch, folders, names)
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    async def _notice_soon(self) -> None:
        await asyncio.sleep(0)
        await self._notice()

    async def _follow_notices(self, awatch: Any, folders: Iterable[str], names: set[str]) -> None:
        async for _ in awatch(
            *folders,
            watch_filter=lambda _, path: os.path.basename(path) in names,
            stop_event=self._again,
            recursive=False,
            # the first notice is wanted soon: what has settled is decided here
            debounce=NOTICE_MILLISECONDS,
            step=NOTICE_MILLISECONDS,
            # without notices it never comes back by itself: what ends it is the event
            rust_timeout=0,
        ):
            await self._notice()

    async def _notice(self) -> None:
        paths = self.paths
        seen, places = await self._thread.run(lambda: (signature(paths), places_of(paths)))
        if paths != self.paths:
            # other files are watched by now: they are looked at when `_follow` reaches them
            return
        if seen != self._known:
            self._noticed.set()
        if places != self._followed:
            self._again.set()


def places_of(paths: Iterable[str]) -> Places:
    """The folders to watch, with their inodes, and the names in them, for the files and every link to them."""
    places = [place for path in paths for place in links_to(path)]
    folders = {}
    for folder in sorted({folder for folder, _ in places}):
        with contextlib.suppress(OSError):
            folders[folder] = os.stat(folder).st_ino
    return folders, {name for _, name in places}
