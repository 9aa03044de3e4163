"""Reads the configuration whenever it, what it includes or its environment has changed: as of one moment, or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from litellm_tui.collectors import config_file
from litellm_tui.collectors.includes import named_files
from litellm_tui.collectors.systemd import read_environment_files
from litellm_tui.collectors.watch import QUIET, Watcher, released, signature
from litellm_tui.snapshot import ConfigError, ConfigFile

# how often a file is read that is changed while it is read
READS: Final = 5

Taken = Callable[[ConfigFile | ConfigError, Mapping[str, str]], None]


class FileWatch:
    """Follows one file with all that it includes. `take` gets what it says, and the environment it was read with.

    `environment` holds what is not in one of the `environment_files`, which are read anew each time.
    """

    def __init__(
        self, path: str, environment: Mapping[str, str], environment_files: tuple[str, ...], take: Taken
    ) -> None:
        self._path = path
        self._known = environment
        self._environment_files = environment_files
        self._take = take
        self._changed = asyncio.Event()
        self._fresh = True
        self.watcher = Watcher((path, *environment_files), self._changed.set)

    async def run(self) -> None:
        """Read after every change, until cancelled."""
        watching = asyncio.create_task(self.watcher.run())
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                await self.read()
        finally:
            watching.cancel()

    async def read(self) -> None:
        """Read now. What does not hold still is not taken: the watcher tells again when it does.

        Read again when one of the files was changed meanwhile, or when one was read that was not watched yet.
        """
        if self._fresh:
            # what the watcher tells later is finished; what is met at the start may be half written
            await released(self.watcher.paths)
            self._fresh = False
        for _ in range(READS):
            watched = self.watcher.paths
            before = signature(watched)
            environment = self._environment()
            loaded = await asyncio.to_thread(config_file.load, self._path, environment)
            if isinstance(loaded, ConfigError):
                files = await asyncio.to_thread(named_files, self._path)
            else:
                files = loaded.files
            self.watcher.watch((*files, *self._environment_files))
            if self.watcher.paths != watched:
                continue
            if signature(watched) == before:
                self._take(loaded, environment)
                return
            await asyncio.sleep(QUIET)

    def _environment(self) -> Mapping[str, str]:
        fresh, _ = read_environment_files(list(self._environment_files))
        return {**self._known, **{name: value for name, (value, _) in fresh.items()}}
