"""Compares what runs with what is written for the service: when one of the two changes, and now and then."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Final

import msgspec

from litellm_tui.analysis.change.service_drift import masked
from litellm_tui.model.failures import Crashed, Failure, NotAvailable
from litellm_tui.model.reading import Reading, next_reading
from litellm_tui.model.service import Service
from litellm_tui.model.service_drift import ServiceDrift
from litellm_tui.monitor.release_choice import same_release, version_of_image
from litellm_tui.monitor.service_poller import ServicePoller
from litellm_tui.monitor.wakeup import Wakeup
from litellm_tui.services.capabilities import ChangesUnwritten, ShowsDrift
from litellm_tui.services.driver import Driver

# how often the times of the files are looked at
LOOK_SECONDS: Final = 2.0
# an image tag can be another image with no file changed
DRIFT_SECONDS: Final = 30.0
# what a comparison costs much of is made anew without a reason only so often
WHOLE_SECONDS: Final = 600.0
# how soon the first look at the service is used
_SETTLE_SECONDS: Final = 0.05


class DriftPoller:
    """`reading` holds the last comparison. `looks` has the service's state at the last look, `redact` masks a text."""

    def __init__(
        self,
        driver: Driver,
        wakeup: Wakeup,
        looks: ServicePoller,
        *,
        redact: Callable[[str], str],
        changed: Callable[[], None],
    ) -> None:
        self.reading: Reading[ServiceDrift] = Reading(interval=DRIFT_SECONDS)
        self._driver = driver
        self._wakeup = wakeup
        self._looks, self._redact, self._changed = looks, redact, changed

    def failed(self, crash: Crashed) -> None:
        """The comparison itself failed."""
        self.reading = next_reading(self.reading, crash, None, DRIFT_SECONDS, time.time())

    async def run(self) -> None:
        """Compare until cancelled."""
        driver = self._driver
        if not isinstance(driver, ShowsDrift):
            why = "what is written for a service of this kind is not known"
            self.reading = Reading(failure=NotAvailable(why), tried_at=time.time())
            return
        state: object = None
        compared, looked = -WHOLE_SECONDS, -DRIFT_SECONDS
        image: str | None = None
        while True:
            service = self._looks.reading.value
            if service is not None:
                files = await asyncio.to_thread(_times, driver)
                now = (service.invocation, service.main_pid, service.active_state, service.need_daemon_reload, files)
                at = time.monotonic()
                if now != state or at - compared >= WHOLE_SECONDS or at - looked >= DRIFT_SECONDS:
                    known, image = image, await _image(driver, self.reading)
                    same = now == state and image is not None and image == known and at - compared < WHOLE_SECONDS
                    state, looked = now, at
                    if same and self.reading.failure is None:
                        self._seen_again()
                    else:
                        compared = at
                        await self._compare(driver, service)
                        # of what is written now
                        image = await _image(driver, self.reading)
            await self._wakeup.pause(LOOK_SECONDS if service is not None else _SETTLE_SECONDS)

    def _seen_again(self) -> None:
        now = time.time()
        self.reading = msgspec.structs.replace(self.reading, seen_at=now, tried_at=now)

    async def _compare(self, driver: ShowsDrift, service: Service) -> None:
        started, before = time.time(), self.reading
        result: ServiceDrift | Failure = await driver.drift(service)
        if isinstance(result, ServiceDrift):
            result = masked(with_releases(result), self._redact)
        now = time.time()
        self.reading = next_reading(before, result, now - started, DRIFT_SECONDS, now)
        self._changed()


def with_releases(drift: ServiceDrift) -> ServiceDrift:
    """The drift with the releases that its images name, where another one is written than runs."""
    for difference in drift.found:
        if difference.kind == "image":
            # behind the name stands the beginning of the image's id, where the same name is another image now
            runs, written = (version_of_image(name.partition(" ")[0]) for name in (difference.runs, difference.written))
            if written and not same_release(runs, written):
                return msgspec.structs.replace(drift, releases=(runs, written))
    return drift


async def _image(driver: ShowsDrift, before: Reading[ServiceDrift]) -> str | None:
    """The image that the last comparison found written, as it is now; None where that does not help."""
    if not isinstance(driver, ChangesUnwritten) or before.value is None:
        return None
    return await driver.image_now(before.value)


def _times(driver: ShowsDrift) -> tuple[tuple[str, int, int], ...]:
    """When each of the files that say how it is run was changed, in nanoseconds; 0 where it is not there."""
    return tuple(_changed_at(path) for path in driver.written_in())


def _changed_at(path: str) -> tuple[str, int, int]:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return path, 0, 0
    return path, found.st_mtime_ns, found.st_size
