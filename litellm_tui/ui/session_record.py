"""What a session records of its gateway, where no other process does: a recorder that is loaded with the first view."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from litellm_tui.model.failures import Crashed, Failure, Unrecorded
from litellm_tui.model.service import Exit, Service
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.monitor.monitor import Monitor
from litellm_tui.monitor.supervisor import guarded_async
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile
from litellm_tui.ui.view import View

if TYPE_CHECKING:
    from litellm_tui.monitor.recorder import Recorder


class SessionRecord:
    """The record is about this user's own state folder: it is kept for a read-only profile too."""

    def __init__(self, profile: Profile, monitor: Monitor) -> None:
        self._profile = profile
        self._monitor = monitor
        self._unrecorded: Unrecorded | None = None
        self._recorder: Recorder | None = None
        self._loading: asyncio.Task[None] | None = None
        self._driver = driver(profile.service_target)

    @property
    def path(self) -> Path:
        """The file of the record."""
        # with what loads SQLite, which nothing on the screen waits for
        from litellm_tui.storage.history.paths import history_path_of

        return history_path_of(self._profile)

    @property
    def words(self) -> str:
        """Who records in place of this process, or why nobody can; empty where it records itself."""
        if self._unrecorded is not None:
            return self._unrecorded.why
        keeper = self._recorder.keeper if self._recorder is not None else None
        held = keeper.held if keeper is not None else None
        if held is not None:
            return f"{held} records already: this one waits until that has ended"
        return keeper.damage if keeper is not None else ""

    def told(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the reason why it cannot be recorded, where there is one."""
        return snapshot if self._unrecorded is None else replace(snapshot, unrecorded=self._unrecorded)

    def take(self, view: View) -> None:
        """Record this view; the first ones are waited for until the recorder is loaded."""
        if self._recorder is not None:
            self._recorder.take(view.snapshot, view.diagnosis, view.now)
        elif self._loading is None:
            self._loading = asyncio.create_task(self._load())

    async def _load(self) -> None:
        made = await guarded_async(asyncio.to_thread(self._made))
        if isinstance(made, Crashed):
            self._told(made)
        else:
            self._recorder = made

    def _made(self) -> Recorder:
        from litellm_tui.monitor.recorder import Recorder

        return Recorder(self.path, self._masked, self._told, self._exits)

    def _masked(self, text: str) -> str:
        # with the secrets that are known by then
        return self._monitor.redact(text)

    async def _exits(self, service: Service | None) -> tuple[Exit, ...] | Failure:
        return (await self._driver.describe(service)).exits

    def _told(self, why: str | Crashed | None) -> None:
        if isinstance(why, Crashed):
            self._monitor.supervisor.note("record", why)
            return
        self._monitor.supervisor.recovered("record")
        if not why:
            self._unrecorded = None
        elif self._unrecorded is None or self._unrecorded.why != why:
            since = self._unrecorded.since if self._unrecorded is not None else time.time()
            self._unrecorded = Unrecorded(why, since)

    async def close(self) -> None:
        """Write what is left."""
        if self._loading is not None:
            await self._loading
        if self._recorder is not None:
            await self._recorder.close()
