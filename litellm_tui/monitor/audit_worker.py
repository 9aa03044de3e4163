"""Keeps the audit of the watched configuration: made anew when the file or the LiteLLM changes, beside the screen."""

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


class AuditWorker:
    """Audits what it is given last; `on_change` is called when `audit` is another one.

    `current` is False while what was given last is not audited yet.
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
        """Set while the console fails to audit."""

    @property
    def settled(self) -> bool:
        """Whether waiting brings no other audit of what was given last."""
        return self.current or self.failure is not None

    def failed(self, crash: Crashed) -> None:
        """The console failed to audit; what was given last is audited at the next run."""
        self.failure = crash
        self._anew()

    def saw_file(self, loaded: ConfigFile | ConfigError) -> None:
        """The file as it is now."""
        self._loaded = loaded
        self._anew()

    def saw_version(self, version: str | None) -> None:
        """The version that the gateway reports."""
        if version and version != self._version:
            self._version = version
            self._anew()

    def _prepared(self, auditor: Auditor, reading: asyncio.Task[bool]) -> None:
        if reading.cancelled():
            return
        if error := reading.exception():
            auditor.failed(error)
        self._given.set()

    def _anew(self) -> None:
        self.current = False
        if self._loaded is not None:
            self._given.set()

    async def run(self) -> None:
        """Audit until cancelled."""
        await self._given.wait()
        # the rules are many modules: they are loaded when the file is on the screen
        module = await asyncio.to_thread(import_module, "litellm_tui.monitor.auditor")
        auditor = module.Auditor(self._profile.found_unit, self._profile.ignored_rules)
        try:
            await self._audit(module, auditor)
        finally:
            auditor.stop()

    async def _audit(self, module: Any, auditor: Auditor) -> None:
        exact: asyncio.Task[bool] | None = None
        while True:
            self._given.clear()
            if (loaded := self._loaded) is not None:
                environment = await asyncio.to_thread(module.environment_of, self._profile)
                self.audit = await asyncio.to_thread(auditor.audit, loaded, environment, self._version)
                self.current, self.failure = not self._given.is_set(), None
                self._on_change()
            if exact is None:
                # the first look at an installed LiteLLM takes seconds: what is shipped says nearly the same meanwhile
                exact = asyncio.create_task(asyncio.to_thread(auditor.prepare))
                exact.add_done_callback(partial(self._prepared, auditor))
            await self._given.wait()
