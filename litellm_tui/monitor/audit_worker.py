"""Keeps the audit of the watched configuration current: audits again when the file or the LiteLLM changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from litellm_tui.model.configuration import ConfigError, ConfigFile
from litellm_tui.model.failures import Crashed
from litellm_tui.target.profile import Profile

if TYPE_CHECKING:
    from litellm_tui.model.audit import Audit
    from litellm_tui.monitor.auditor import Auditor

# how often it is looked whether another LiteLLM was installed
_INSTALLED_SECONDS = 30.0


class AuditWorker:
    """Audits the newest file for the newest version; `on_change` is called when `audit` has changed.

    `current` is False while the newest file and version are not audited yet.
    """

    def __init__(self, profile: Profile, on_change: Callable[[], None]) -> None:
        self._profile = profile
        self._on_change = on_change
        self._loaded: ConfigFile | ConfigError | None = None
        self._version = ""
        self._given = asyncio.Event()
        self.audit: Audit | None = None
        self.current = False
        self.failure: Crashed | None = None
        """Set while the console itself fails to audit."""

    @property
    def settled(self) -> bool:
        """Whether waiting brings no further audit of the newest file and version."""
        return self.current or self.failure is not None

    def failed(self, crash: Crashed) -> None:
        """Note that the console itself failed to audit; the next run audits again."""
        self.failure = crash
        self._request_audit()

    def saw_file(self, loaded: ConfigFile | ConfigError) -> None:
        """Audit this file from now on."""
        self._loaded = loaded
        self._request_audit()

    def saw_version(self, version: str | None) -> None:
        """Audit for the version that the gateway reports."""
        if version and version != self._version:
            self._version = version
            self._request_audit()

    def take_profile(self, profile: Profile) -> None:
        """Audit with this profile from now on: the service was started anew."""
        self._profile = profile
        self._request_audit()

    def _prepared(self, auditor: Auditor, reading: asyncio.Task[bool]) -> None:
        if reading.cancelled():
            return
        if error := reading.exception():
            auditor.failed(error)
        self._given.set()

    def _request_audit(self) -> None:
        self.current = False
        if self._loaded is not None:
            self._given.set()

    async def run(self) -> None:
        """Audit until cancelled."""
        await self._given.wait()
        # the rules are many modules: they are loaded after the file is on the screen
        module = await asyncio.to_thread(import_module, "litellm_tui.monitor.auditor")
        auditor = module.Auditor(self._profile.found_unit, self._profile.ignored_rules)
        try:
            await self._audit(module, auditor)
        finally:
            auditor.stop()

    async def _audit(self, module: Any, auditor: Auditor) -> None:
        exact: asyncio.Task[bool] | None = None
        stamp = ""
        while True:
            self._given.clear()
            stamp = await asyncio.to_thread(module.installed_stamp, self._profile)
            if (loaded := self._loaded) is not None:
                auditor.take_unit(self._profile.found_unit)
                environment = await asyncio.to_thread(module.environment_of, self._profile)
                self.audit = await asyncio.to_thread(auditor.audit, loaded, environment, self._version)
                self.current, self.failure = not self._given.is_set(), None
                self._on_change()
            if exact is None:
                # the first look at an installed LiteLLM takes seconds: until then the shipped catalogue is used
                exact = asyncio.create_task(asyncio.to_thread(auditor.prepare))
                exact.add_done_callback(partial(self._prepared, auditor))
            while not await self._is_given():
                # a package may be upgraded under a running gateway
                if await asyncio.to_thread(module.installed_stamp, self._profile) != stamp:
                    break

    async def _is_given(self) -> bool:
        """Whether there is something to audit within a while."""
        try:
            async with asyncio.timeout(_INSTALLED_SECONDS):
                await self._given.wait()
        except TimeoutError:
            return False
        return True
