"""Reads the configuration when it, its includes or its environment files change; all files as of one moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from litellm_tui.analysis.redaction.secret_names import secret_parts
from litellm_tui.collectors.config import config_file
from litellm_tui.collectors.config.file_times import saved_at
from litellm_tui.collectors.config.includes import named_files
from litellm_tui.collectors.config.unset import nothing_unset
from litellm_tui.collectors.config.watcher import QUIET, Watcher, wait_until_released
from litellm_tui.host import debug_log
from litellm_tui.host.file_thread import FileThread
from litellm_tui.host.systemd_tools import read_environment_files
from litellm_tui.model.configuration import ConfigError, ConfigFile

# attempts to read files that change while they are read
READS: Final = 5

OnRead = Callable[[ConfigFile | ConfigError, Mapping[str, str], frozenset[str]], None]


class ConfigWatcher:
    """Watches one file with its includes. `on_read` gets the configuration, the environment it was read with, and the
    secrets of both.

    `environment` holds the variables that no file of `environment_files` sets; these files are read each time. Without
    `inodes` the age of a file is its modification time alone. `unknown` says why the environment is not known: nothing
    is said to be unset then. Its own thread does all file access.
    """

    def __init__(
        self,
        path: str,
        environment: Mapping[str, str],
        environment_files: tuple[str, ...],
        on_read: OnRead,
        *,
        inodes: bool = True,
        unknown: str = "",
    ) -> None:
        self._path = path
        self._inodes = inodes
        self._thread = FileThread("files")
        self._known = environment
        self._unknown = unknown
        self._environment_files = environment_files
        self._on_read = on_read
        self._changed = asyncio.Event()
        self._fresh = True
        self.watcher = Watcher((path, *environment_files), self._changed.set, self._thread)

    async def run(self) -> None:
        """Read after every change, until cancelled. After an exception the next run reads again."""
        async with asyncio.TaskGroup() as jobs:
            jobs.create_task(self.watcher.run())
            jobs.create_task(self._read_changes())

    def stop(self) -> None:
        """Stop reading files."""
        self._thread.stop()

    def take(self, path: str, environment: Mapping[str, str], files: tuple[str, ...], unknown: str) -> None:
        """Read this file with this environment from now on, and again where one of them is another."""
        if (path, environment, files, unknown) == (self._path, self._known, self._environment_files, self._unknown):
            return
        self._path, self._known, self._environment_files, self._unknown = path, environment, files, unknown
        self._changed.set()

    async def _read_changes(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self.read()

    async def read(self) -> None:
        """Read now. Files that keep changing are not read: the watcher reports them again when they settle.

        They are read again when one of them has changed meanwhile, or when a file was read that was not watched yet.
        After an exception `run` reads again.
        """
        complete = False
        try:
            await self._read()
            complete = True
        finally:
            if not complete:
                self._changed.set()

    @debug_log.timed("configuration")
    async def _read(self) -> None:
        await self.watcher.begin()
        if self._fresh:
            # the watcher reports only finished changes, but at the start a file may be half written
            await wait_until_released(self.watcher.paths, self._thread)
            self._fresh = False
        for _ in range(READS):
            watched = self.watcher.paths
            before = await self.watcher.signature(watched)
            loaded, files, environment, secrets = await self._thread.run(self._load)
            await self.watcher.watch((*files, *self._environment_files))
            if self.watcher.paths != watched:
                continue
            if await self.watcher.signature(watched) == before:
                self._on_read(loaded, environment, secrets)
                return
            await asyncio.sleep(QUIET)

    def _load(self) -> tuple[ConfigFile | ConfigError, tuple[str, ...], Mapping[str, str], frozenset[str]]:
        """The configuration, all its files, the environment, and the secrets of both. Runs in the thread."""
        environment = self._environment()
        loaded = config_file.load(self._path, environment)
        if isinstance(loaded, ConfigError):
            return loaded, named_files(self._path), environment, frozenset()
        if not self._inodes:
            loaded = msgspec.structs.replace(loaded, modified_at=saved_at(loaded.files))
        # to go through thousands of deployments takes longer than a key may wait
        secrets = frozenset(config_file.secrets_in(loaded, environment))
        known = frozenset(part for name, value in environment.items() for part in secret_parts(name, value))
        shown = nothing_unset(loaded) if self._unknown else loaded
        return shown, loaded.files, environment, secrets | known

    def _environment(self) -> Mapping[str, str]:
        fresh, _ = read_environment_files(list(self._environment_files))
        return {**self._known, **{name: value for name, (value, _) in fresh.items()}}
