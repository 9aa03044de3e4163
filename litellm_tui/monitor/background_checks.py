"""Whether the running proxy checks the health of its deployments by itself: then its report costs nothing to read."""

from __future__ import annotations

from litellm_tui.model.configuration import ConfigFile
from litellm_tui.model.service import Service


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
