"""Reads the configuration whenever it, what it includes or its environment has changed: as of one moment, or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.file_times import saved_at
from litellm_tui.collectors.config.includes import named_files
from litellm_tui.collectors.config.watcher import QUIET, Watcher, released
from litellm_tui.host.file_thread import FileThread
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.model.configuration import ConfigError, ConfigFile

# how often a file is read that is changed while it is read
READS: Final = 5

Taken = Callable[[ConfigFile | ConfigError, Mapping[str, str], frozenset[str]], None]


class ConfigWatcher:
    """Follows one file with all that it includes. `take` gets what it says, the environment it was read with,
    and the secrets of both.

    `environment` holds what is not in one of the `environment_files`, which are read anew each time. Without `inodes`
    a file counts as old as it says. All that touches a file is done in a thread of its own.
    """

    def __init__(
        self,
        path: str,
        environment: Mapping[str, str],
        environment_files: tuple[str, ...],
        take: Taken,
        *,
        inodes: bool = True,
    ) -> None:
        self._path = path
        self._inodes = inodes
        self._thread = FileThread("files")
        self._known = environment
        self._environment_files = environment_files
        self._take = take
        self._changed = asyncio.Event()
        self._fresh = True
        self.watcher = Watcher((path, *environment_files), self._changed.set, self._thread)

    async def run(self) -> None:
        """Read after every change, until cancelled. What could not be taken in is read again by the next run."""
        async with asyncio.TaskGroup() as jobs:
            jobs.create_task(self.watcher.run())
            jobs.create_task(self._read_changes())

    def stop(self) -> None:
        """Nothing is read any more."""
        self._thread.stop()

    async def _read_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.read()

    async def read(self) -> None:
        """Read now. What does not hold still is not taken: the watcher tells again when it does.

        Read again when one of the files was changed meanwhile, or when one was read that was not watched yet. After an
        exception `run` reads again.
        """
        taken = False
        try:
            await self._read()
            taken = True
        finally:
            if not taken:
                self._changed.set()

    async def _read(self) -> None:
        await self.watcher.begin()
        if self._fresh:
            # what the watcher tells later is finished; what is met at the start may be half written
            await released(self.watcher.paths, self._thread)
            self._fresh = False
        for _ in range(READS):
            watched = self.watcher.paths
            before = await self.watcher.signature(watched)
            loaded, files, environment, secrets = await self._thread.run(self._load)
            await self.watcher.watch((*files, *self._environment_files))
            if self.watcher.paths != watched:
                continue
            if await self.watcher.signature(watched) == before:
                self._take(loaded, environment, secrets)
                return
            await asyncio.sleep(QUIET)

    def _load(self) -> tuple[ConfigFile | ConfigError, tuple[str, ...], Mapping[str, str], frozenset[str]]:
        """The file, all files that belong to it, the environment, and the secrets of both. In the thread."""
        environment = self._environment()
        loaded = config_file.load(self._path, environment)
        if isinstance(loaded, ConfigError):
            return loaded, named_files(self._path), environment, frozenset()
        if not self._inodes:
            loaded = msgspec.structs.replace(loaded, modified_at=saved_at(loaded.files))
        # to go through thousands of deployments takes longer than a key may wait
        secrets = frozenset(config_file.secrets_in(loaded, environment))
        known = frozenset(part for name, value in environment.items() for part in secret_parts(name, value))
        return loaded, loaded.files, environment, secrets | known

    def _environment(self) -> Mapping[str, str]:
        fresh, _ = read_environment_files(list(self._environment_files))
        return {**self._known, **{name: value for name, (value, _) in fresh.items()}}
