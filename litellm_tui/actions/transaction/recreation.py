"""Recreating a container where a restart would not bring in what is written, and putting back the one before."""

from __future__ import annotations

from pathlib import Path

import msgspec

from litellm_tui.analysis.change.service_drift import masked
from litellm_tui.analysis.redaction.redactor import Redactor
from litellm_tui.host.atomic import replace
from litellm_tui.host.bounded import MEDIUM, read_bytes
from litellm_tui.model.failures import Failure, NotAvailable
from litellm_tui.model.reading import next_reading
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.model.snapshot import Snapshot
from litellm_tui.services.capabilities import Recreates, RestartsByRecreating, ShowsDrift
from litellm_tui.services.registry import driver
from litellm_tui.target.profile import Profile


async def compared_anew(profile: Profile, snapshot: Snapshot) -> Snapshot:
    """The snapshot with what differs at this moment: an image tag may be another image since the last look."""
    of_kind, service = driver(profile.service_target), snapshot.service.value
    if not isinstance(of_kind, ShowsDrift) or service is None or not profile.unit:
        return snapshot
    found = await of_kind.drift(service)
    if isinstance(found, ServiceDrift):
        found = masked(found, Redactor(profile.secrets))
    reading = next_reading(snapshot.service_drift, found, None, 0.0, snapshot.taken_at)
    return msgspec.structs.replace(snapshot, service_drift=reading)


def is_due(snapshot: Snapshot) -> bool:
    """Whether a restart would not bring in what is written."""
    reading = snapshot.service_drift
    return reading.failure is None and reading.value is not None and reading.value.order == "recreate"


class Recreation:
    """The container of one service; its definition is kept in `path` as long as it may have to be put back."""

    def __init__(self, profile: Profile, path: Path) -> None:
        of_kind = driver(profile.service_target)
        self._driver = of_kind if isinstance(of_kind, Recreates) else None
        self._path = path

    @property
    def always(self) -> bool:
        """Whether a restart is no other thing than to make it anew, as where pods take the place of pods."""
        return isinstance(self._driver, RestartsByRecreating)

    @property
    def called(self) -> str:
        """What is kept, in a word."""
        return "revision" if self.always else "container"

    async def keep(self) -> Failure | None:
        """Keep what the container is made of now; why that is not possible."""
        if self._driver is None:
            return NotAvailable("nothing of this kind can be recreated")
        found = await self._driver.definition()
        if isinstance(found, Failure):
            return found
        try:
            replace(self._path, found)
        except OSError as error:
            return Failure(f"{self._path}: {error.strerror}")
        return None

    @property
    def is_kept(self) -> bool:
        """Whether there is a container to put back."""
        return self._driver is not None and self._path.exists()

    def forget(self) -> None:
        """It is over: what was kept holds secrets."""
        self._path.unlink(missing_ok=True)

    async def forth(self) -> Failure | None:
        """Recreate the container from what is written."""
        return await self._driver.recreate() if self._driver else NotAvailable("nothing can be recreated here")

    async def back(self) -> Failure | None:
        """Put the container that was kept in the place of the present one; else recreate it from the files."""
        if self._driver is None:
            return NotAvailable("nothing can be recreated here")
        try:
            kept = read_bytes(self._path, MEDIUM)
        except OSError:
            return await self._driver.recreate()
        refused = await self._driver.bring_back(kept)
        if refused is not None and await self._driver.recreate() is None:
            return None
        return refused
