"""What the console keeps from one run to the next: problems, marks, when one last looked, how all stood."""

from __future__ import annotations

import time

from litellm_tui.analysis.changes import Glance, glance
from litellm_tui.analysis.memory import Memory, looked, remember
from litellm_tui.monitor import Monitor
from litellm_tui.profile import Profile
from litellm_tui.state import StateFile
from litellm_tui.ui.view import View


class Remembered:
    """In memory alone until `open` names the gateway."""

    def __init__(self) -> None:
        self.memory: Memory = {}
        self.incidents_looked_at = 0.0
        self._last: Glance | None = None
        self._file: StateFile | None = None

    def open(self, profile: Profile, monitor: Monitor) -> str:
        """Take up what the last run has left; why that could not be read, or empty."""
        self._file = StateFile(profile.url.value, profile.unit.value if profile.unit else "")
        kept = self._file.load()
        self.memory, self._last, self.incidents_looked_at = kept.memory, kept.last, kept.incidents_looked_at
        monitor.expect_down(kept.expected_down)
        return self._file.failure

    def learn(self, view: View) -> None:
        """Remember the problems of this look."""
        known = view.diagnosis.gateway.state == "answering" and view.snapshot.gateway.deployments.value is not None
        self.memory = remember(self.memory, view.diagnosis.problems, view.now, known)

    def looked_at_problems(self) -> None:
        """None of them is new any more."""
        self.memory = looked(self.memory)

    def looked_at_incidents(self) -> None:
        """None of them is new any more."""
        self.incidents_looked_at = time.time()

    def keep(self, view: View | None, monitor: Monitor | None) -> None:
        """Write it down for the next run."""
        if self._file is None or monitor is None:
            return
        known = view is not None and view.diagnosis.gateway.state == "answering"
        last = glance(view.snapshot, view.diagnosis, view.now) if view and known else self._last
        self._file.incidents_looked_at = self.incidents_looked_at
        self._file.save(self.memory, monitor.expected_down, last)
