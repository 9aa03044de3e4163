"""Whether the running proxy checks the health of its deployments by itself: then its report costs nothing to read."""

from __future__ import annotations

import msgspec

from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.service import Service
from litellm_tui.monitor.gateway_poller import HealthCost
from litellm_tui.storage.starts import StartHistory, run_of


class BackgroundChecks:
    """What a file says that is older than the process; it holds until the service is started again.

    `on` is None while that is not known.
    """

    def __init__(self) -> None:
        self.on: bool | None = None
        self._run: tuple[object, ...] | None = None

    def judge(self, service: Service, file: ConfigFile) -> bool:
        """Note what this file says of the process that runs; returns whether it has become known."""
        if service.started_at is None:
            return False
        run = (service.invocation, service.main_pid, round(service.started_at))
        if run != self._run:
            self.on, self._run = None, run
        if self.on is not None or file.modified_at > service.started_at:
            return False
        self.on = file.background_health_checks
        return True

    def cost(self, all_read: bool) -> HealthCost:
        """What reading the report costs; `all_read` says whether file and service have been looked at."""
        if self.on is not None:
            return "free" if self.on else "billed"
        return "unsure" if all_read else "unread"


def dated(file: ConfigFile, service: Service | None, history: StartHistory | None) -> ConfigFile:
    """The file, not younger than the process where that was started with the same content.

    A file that was changed and changed back, or got other permissions, is younger but the same configuration.
    """
    if history is None or service is None or not service.started_at or file.modified_at <= service.started_at:
        return file
    start = history.start_of_run(run_of(service))
    if start is None or start.digest != file.digest:
        return file
    return msgspec.structs.replace(file, modified_at=service.started_at)
