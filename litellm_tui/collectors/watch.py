"""Says when one of some files has changed, however it was saved: written in place, renamed over, or a link swapped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable

# inotify sees nothing on some network and container file systems: a look at the stat data now and then does
FALLBACK_SECONDS = 2.0
Signature = tuple[tuple[str, int, int, int], ...]


def signature(paths: Iterable[str]) -> Signature:
    """What tells one state of the files from another without reading them; a missing file is a state too."""
    found = []
    for path in paths:
        try:
            stat = os.stat(path)
            found.append((path, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        except OSError:
            found.append((path, 0, 0, 0))
    return tuple(found)


class Watcher:
    """Calls `on_change` once for each settled change. `paths` may be given anew at any time."""

    def __init__(self, paths: Iterable[str], on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._paths: tuple[str, ...] = ()
        self._known: Signature = ()
        self._again = asyncio.Event()
        self.watch(paths)

    def watch(self, paths: Iterable[str]) -> None:
        """Watch these files from now on, as they are now."""
        chosen = tuple(dict.fromkeys(paths))
        if chosen != self._paths:
            self._paths = chosen
            self._known = signature(chosen)
            self._again.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        poll = asyncio.create_task(self._poll())
        try:
            while True:
                self._again.clear()
                await self._notified()
        finally:
            poll.cancel()

    async def _notified(self) -> None:
        from watchfiles import awatch

        folders, names = self._places()
        if not folders:
            await self._again.wait()
            return
        async for _ in awatch(
            *folders,
            watch_filter=lambda _, path: os.path.basename(path) in names,
            stop_event=self._again,
            recursive=False,
            # a save is several events: settled when nothing has followed for one step
            debounce=400,
            step=100,
            rust_timeout=5000,
        ):
            self._look()
            if self._places() != (folders, names):
                return

    def _places(self) -> tuple[list[str], set[str]]:
        """The folders to watch and the names that matter in them: a link's own folder and that of what it points to."""
        folders: set[str] = set()
        names = {"..data"}
        for path in self._paths:
            for place in (path, os.path.realpath(path)):
                folder, name = os.path.split(place)
                names.add(name)
                if os.path.isdir(folder):
                    folders.add(folder)
        return sorted(folders), names

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(FALLBACK_SECONDS)
            self._look()

    def _look(self) -> None:
        now = signature(self._paths)
        if now != self._known:
            self._known = now
            self._on_change()
